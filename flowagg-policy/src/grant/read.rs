//! Parses text into a managed statement by its structure. Order, the case of actions, and `"a"` instead of `["a"]` do
//! not matter. A statement that differs in any other way is foreign and gives `None`.

use std::collections::BTreeSet;

use flowagg_core::fleet::AclCondition;
use flowagg_core::id::{AccountId, OrganizationId, OrganizationalUnitId, Region};

use super::Grant;
use super::statement::{
    AclActions, AclCheck, DenyOthers, Folders, Kind, Source, SourceArn, Statement, Write,
};
use crate::document;
use crate::json::Node;
use crate::service::{DELIVERY_ACL, DELIVERY_SERVICE};

/// Parses a statement of this kind for the grant's bucket and folder.
pub(crate) fn read(grant: &Grant, kind: Kind, statement: document::Statement<'_>) -> Option<Statement> {
    let known = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];
    let mut names: Vec<&str> = statement.members.iter().map(|member| member.key.as_ref()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) || names.iter().any(|name| !known.contains(name)) {
        return None;
    }
    let effect = statement.get("Effect")?.as_str()?;
    let principal = statement.get("Principal")?;
    let actions = lowercase_set(statement.get("Action")?)?;
    let resources = strings(statement.get("Resource")?)?;
    let conditions = conditions(statement.get("Condition"))?;
    let is_service = principal.members().is_some_and(|members| {
        matches!(members, [only] if only.key == "Service" && matches!(strings(&only.value).as_deref(), Some([DELIVERY_SERVICE])))
    });
    let bucket = grant.bucket_arn();
    let whole_bucket = || {
        let all: BTreeSet<&str> = resources.iter().copied().collect();
        all == BTreeSet::from([bucket.as_str(), format!("{bucket}/*").as_str()])
    };
    match kind {
        Kind::Write => {
            if effect != "Allow" || !is_service || actions != BTreeSet::from(["s3:putobject".to_owned()]) {
                return None;
            }
            let (source, acl) = source(grant, &conditions)?;
            Some(Statement::Write(Write { folders: folders(grant, &resources)?, source, acl }))
        }
        Kind::AclCheck => {
            let same = |of: &AclActions| {
                actions == of.names().iter().map(|name| name.to_ascii_lowercase()).collect()
            };
            let actions = [AclActions::Acl, AclActions::AclAndList].into_iter().find(same)?;
            if effect != "Allow" || !is_service || resources != [bucket.as_str()] {
                return None;
            }
            let (source, acl) = source(grant, &conditions)?;
            (acl == AclCondition::None).then_some(Statement::AclCheck(AclCheck { actions, source }))
        }
        Kind::DenyOthers => {
            let all = actions == BTreeSet::from(["s3:*".to_owned()]);
            let [(operator, key, values)] = conditions.as_slice() else { return None };
            if effect != "Deny" || !is_service || !all || !whole_bucket() || operator != "stringnotequals" {
                return None;
            }
            let accounts = values.iter().map(|text| AccountId::parse(text).ok()).collect::<Option<_>>()?;
            (key == "aws:sourceaccount").then_some(Statement::DenyOthers(DenyOthers { accounts }))
        }
        Kind::DenyInsecureTransport => {
            let all = actions == BTreeSet::from(["s3:*".to_owned()]);
            let everyone = principal.as_str() == Some("*");
            let [(operator, key, values)] = conditions.as_slice() else { return None };
            let insecure = operator == "bool" && key == "aws:securetransport" && values == &["false"];
            (effect == "Deny" && everyone && all && whole_bucket() && insecure)
                .then_some(Statement::DenyInsecureTransport)
        }
    }
}

fn folders(grant: &Grant, resources: &[&str]) -> Option<Folders> {
    let folder = grant.folder_arn();
    if let [only] = resources {
        if *only == format!("{folder}*") {
            return Some(Folders::Any);
        }
        if *only == format!("{folder}${{aws:SourceAccount}}/*") {
            return Some(Folders::Own);
        }
    }
    let account = |arn: &&str| AccountId::parse(arn.strip_prefix(folder.as_str())?.strip_suffix("/*")?).ok();
    let accounts = resources.iter().map(account).collect::<Option<BTreeSet<_>>>()?;
    (!accounts.is_empty()).then_some(Folders::Each(accounts))
}

fn source(grant: &Grant, conditions: &[(String, String, Vec<&str>)]) -> Option<(Source, AclCondition)> {
    let mut source = Source::default();
    let mut acl = AclCondition::None;
    for (operator, key, values) in conditions {
        match (operator.as_str(), key.as_str()) {
            ("stringequals" | "stringlike", "aws:sourceaccount") => {
                source.accounts =
                    Some(values.iter().map(|text| AccountId::parse(text).ok()).collect::<Option<_>>()?);
            }
            ("stringequals", "aws:sourceorgid") => {
                let [id] = values.as_slice() else { return None };
                source.organization = Some(OrganizationId::parse(id).ok()?);
            }
            ("foranyvalue:stringlike", "aws:sourceorgpaths") => source.units = Some(units(values)?),
            ("arnlike" | "arnequals", "aws:sourcearn") => {
                source.arns = Some(values.iter().map(|text| source_arn(grant, text)).collect::<Option<_>>()?);
            }
            ("stringequals", "s3:x-amz-acl") if values == &[DELIVERY_ACL] => acl = AclCondition::Required,
            ("stringequalsifexists", "s3:x-amz-acl") if values == &[DELIVERY_ACL] => {
                acl = AclCondition::IfExists
            }
            _ => return None,
        }
    }
    Some((source, acl))
}

/// Parses `o-…/*/ou-…/*` values of one organization.
fn units(values: &[&str]) -> Option<(OrganizationId, BTreeSet<OrganizationalUnitId>)> {
    let parts =
        values.iter().map(|text| text.strip_suffix("/*")?.split_once("/*/")).collect::<Option<Vec<_>>>()?;
    let id = OrganizationId::parse(parts.first()?.0).ok()?;
    if parts.iter().any(|(organization, _)| *organization != id.as_str()) {
        return None;
    }
    let units =
        parts.iter().map(|(_, unit)| OrganizationalUnitId::parse(unit).ok()).collect::<Option<_>>()?;
    Some((id, units))
}

fn source_arn(grant: &Grant, text: &str) -> Option<SourceArn> {
    let rest = text.strip_prefix("arn:")?.strip_prefix(grant.partition.as_str())?.strip_prefix(":logs:")?;
    let (region, account) = rest.strip_suffix(":*")?.split_once(':')?;
    let region = if region == "*" { None } else { Some(Region::parse(region).ok()?) };
    Some(SourceArn { account: AccountId::parse(account).ok()?, region })
}

/// Lists every operator, key (both in lower case) and its values. `None` if the structure is invalid or a pair is
/// duplicated.
fn conditions<'d>(node: Option<&'d Node<'d>>) -> Option<Vec<(String, String, Vec<&'d str>)>> {
    let mut found = Vec::new();
    for operator in node.map_or(Some(&[][..]), |node| node.members())? {
        for key in operator.value.members()? {
            let names = (operator.key.to_ascii_lowercase(), key.key.to_ascii_lowercase());
            if found.iter().any(|(operator, key, _)| (operator, key) == (&names.0, &names.1)) {
                return None;
            }
            let values = key.value.elements().iter().map(Node::as_scalar).collect::<Option<Vec<_>>>()?;
            found.push((names.0, names.1, values));
        }
    }
    // Two operators on one key must both hold; flowagg's statements never have two.
    let mut keys: Vec<&str> = found.iter().map(|(_, key, _)| key.as_str()).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) || found.iter().any(|(_, _, values)| values.is_empty())
    {
        return None;
    }
    Some(found)
}

fn strings<'d>(node: &'d Node<'d>) -> Option<Vec<&'d str>> {
    node.elements().iter().map(Node::as_str).collect()
}

fn lowercase_set(node: &Node<'_>) -> Option<BTreeSet<String>> {
    Some(strings(node)?.into_iter().map(str::to_ascii_lowercase).collect())
}
