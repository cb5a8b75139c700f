//! Converts a grant to the statements of a form, and statements to text.

use std::collections::BTreeSet;

use flowagg_core::fleet::{AclCondition, GrantForm};
use flowagg_core::id::{AccountId, OrganizationId, OrganizationalUnitId};

use super::statement::{AclActions, AclCheck, DenyOthers, Folders, Source, SourceArn, Statement, Write};
use super::{Extent, Grant};
use crate::service::{DELIVERY_ACL, DELIVERY_SERVICE};

/// A grant that cannot be written in the form that its settings require.
///
/// [`Display`](std::fmt::Display) describes the error; [`help`](Self::help) how to fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The form lists accounts, but the grant has none.
    #[error("form `{}` lists accounts, but this grant is for an organization whose accounts are not listed", form.as_str())]
    NeedsAccounts {
        /// The form.
        form: GrantForm,
    },
    /// The form names an organization, but none is known.
    #[error("form `{}` requires an organization, but none is set", form.as_str())]
    NeedsOrganization {
        /// The form.
        form: GrantForm,
    },
    /// Without source conditions, the form would allow every account to deliver.
    #[error("form `{}` allows every AWS account to deliver if `source-conditions` is false", form.as_str())]
    NeedsSourceConditions {
        /// The form.
        form: GrantForm,
    },
}

impl GrantError {
    /// How to fix it, as an imperative sentence.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NeedsAccounts { .. } => {
                "use form `organization` or `bound-organization`, or list the accounts"
            }
            Self::NeedsOrganization { .. } => "set the organization ID, or use form `prefixes` or `accounts`",
            Self::NeedsSourceConditions { .. } => "use form `prefixes`, or set `source-conditions` to true",
        }
    }
}

impl Grant {
    /// The statements of this form (which must not be `auto`), in groups with one number each; these accounts are
    /// listed individually.
    pub(crate) fn groups(
        &self,
        form: GrantForm,
        accounts: &BTreeSet<AccountId>,
    ) -> Result<Vec<Vec<Statement>>, GrantError> {
        let by_organization = form.is_by_organization();
        if form != GrantForm::Prefixes && !self.settings.source_conditions {
            return Err(GrantError::NeedsSourceConditions { form });
        }
        let mut groups = Vec::new();
        if by_organization {
            let organization = self.organization.as_ref().ok_or(GrantError::NeedsOrganization { form })?;
            groups.push(self.organization_group(form, &organization.id, &organization.units));
        } else if self.accounts.is_empty()
            && self.organization.as_ref().is_some_and(|organization| organization.extent == Extent::Whole)
        {
            return Err(GrantError::NeedsAccounts { form });
        }
        if !accounts.is_empty() {
            let form = match form {
                GrantForm::Organization => GrantForm::Prefixes,
                GrantForm::BoundOrganization => GrantForm::BoundAccounts,
                form => form,
            };
            groups.push(self.accounts_group(form, accounts));
        }
        if let (Some(first), true) = (groups.first_mut(), self.settings.deny_insecure_transport) {
            first.push(Statement::DenyInsecureTransport);
        }
        Ok(groups)
    }

    fn organization_group(
        &self,
        form: GrantForm,
        id: &OrganizationId,
        units: &BTreeSet<OrganizationalUnitId>,
    ) -> Vec<Statement> {
        let source = if units.is_empty() {
            Source { organization: Some(id.clone()), ..Source::default() }
        } else {
            Source { units: Some((id.clone(), units.clone())), ..Source::default() }
        };
        let folders = if form == GrantForm::BoundOrganization { Folders::Own } else { Folders::Any };
        self.pair(folders, source)
    }

    fn accounts_group(&self, form: GrantForm, accounts: &BTreeSet<AccountId>) -> Vec<Statement> {
        let arns = self.regions.as_ref().map(|regions| {
            let arns_of = |account: &AccountId| match regions.get(account) {
                Some(regions) if !regions.is_empty() => regions
                    .iter()
                    .map(|region| SourceArn { account: *account, region: Some(region.clone()) })
                    .collect(),
                _ => vec![SourceArn { account: *account, region: None }],
            };
            accounts.iter().flat_map(arns_of).collect()
        });
        let listed = self.settings.source_conditions.then(|| accounts.clone());
        let source = Source { accounts: listed, arns, ..Source::default() };
        match form {
            GrantForm::BoundDeny => {
                let mut pair = self.pair(Folders::Own, Source { accounts: None, ..source });
                pair.push(Statement::DenyOthers(DenyOthers { accounts: accounts.clone() }));
                pair
            }
            GrantForm::BoundAccounts => self.pair(Folders::Own, source),
            GrantForm::Accounts => self.pair(Folders::Any, source),
            _ => self.pair(Folders::Each(accounts.clone()), source),
        }
    }

    fn pair(&self, folders: Folders, source: Source) -> Vec<Statement> {
        let actions = if self.settings.list_bucket { AclActions::AclAndList } else { AclActions::Acl };
        let write = Write { folders, source: source.clone(), acl: self.settings.acl_condition };
        vec![Statement::Write(write), Statement::AclCheck(AclCheck { actions, source })]
    }

    /// The statement as compact JSON.
    pub(crate) fn text_of(&self, statement: &Statement, sid: &str) -> String {
        let bucket = self.bucket_arn();
        let service = format!("{{\"Service\":\"{DELIVERY_SERVICE}\"}}");
        let head = |effect: &str, principal: &str| {
            format!("{{\"Sid\":\"{sid}\",\"Effect\":\"{effect}\",\"Principal\":{principal},\"Action\":")
        };
        let mut out;
        match statement {
            Statement::Write(Write { folders, source, acl }) => {
                out = head("Allow", &service) + "\"s3:PutObject\",\"Resource\":";
                let folder = self.folder_arn();
                match folders {
                    Folders::Each(accounts) => {
                        list(&mut out, accounts.iter().map(|id| format!("{folder}{id}/*")))
                    }
                    Folders::Any => list(&mut out, [format!("{folder}*")]),
                    Folders::Own => list(&mut out, [format!("{folder}${{aws:SourceAccount}}/*")]),
                }
                self.conditions(&mut out, source, *acl);
            }
            Statement::AclCheck(AclCheck { actions, source }) => {
                out = head("Allow", &service);
                list(&mut out, actions.names().iter().copied());
                out += ",\"Resource\":";
                list(&mut out, [&bucket]);
                self.conditions(&mut out, source, AclCondition::None);
            }
            Statement::DenyOthers(DenyOthers { accounts }) => {
                out = head("Deny", &service) + "\"s3:*\",\"Resource\":";
                list(&mut out, [&bucket, &format!("{bucket}/*")]);
                out += ",\"Condition\":{\"StringNotEquals\":{\"aws:SourceAccount\":";
                list(&mut out, accounts);
                out += "}}";
            }
            Statement::DenyInsecureTransport => {
                out = head("Deny", "\"*\"") + "\"s3:*\",\"Resource\":";
                list(&mut out, [&bucket, &format!("{bucket}/*")]);
                out += ",\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"}}";
            }
        }
        out.push('}');
        out
    }

    fn conditions(&self, out: &mut String, source: &Source, acl: AclCondition) {
        let mut operators: Vec<String> = Vec::new();
        let mut equals: Vec<String> = Vec::new();
        if let Some(accounts) = &source.accounts {
            equals.push(key("aws:SourceAccount", accounts));
        }
        if let Some(organization) = &source.organization {
            equals.push(key("aws:SourceOrgID", [organization]));
        }
        if acl == AclCondition::Required {
            equals.push(key("s3:x-amz-acl", [DELIVERY_ACL]));
        }
        if !equals.is_empty() {
            operators.push(format!("\"StringEquals\":{{{}}}", equals.join(",")));
        }
        if acl == AclCondition::IfExists {
            operators.push(format!("\"StringEqualsIfExists\":{{{}}}", key("s3:x-amz-acl", [DELIVERY_ACL])));
        }
        if let Some((organization, units)) = &source.units {
            let paths = units.iter().map(|unit| format!("{organization}/*/{unit}/*"));
            operators.push(format!("\"ForAnyValue:StringLike\":{{{}}}", key("aws:SourceOrgPaths", paths)));
        }
        if let Some(arns) = &source.arns {
            let texts = arns.iter().map(|SourceArn { account, region }| {
                let region = region.as_ref().map_or("*", |region| region.as_str());
                format!("arn:{}:logs:{region}:{account}:*", self.partition)
            });
            operators.push(format!("\"ArnLike\":{{{}}}", key("aws:SourceArn", texts)));
        }
        if !operators.is_empty() {
            *out += &format!(",\"Condition\":{{{}}}", operators.join(","));
        }
    }
}

impl AclActions {
    pub(crate) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Acl => &["s3:GetBucketAcl"],
            Self::AclAndList => &["s3:GetBucketAcl", "s3:ListBucket"],
        }
    }
}

fn key(name: &str, values: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let mut out = format!("\"{name}\":");
    list(&mut out, values);
    out
}

/// Writes a list; a single element is written without brackets, as S3 returns it.
pub(crate) fn list(out: &mut String, values: impl IntoIterator<Item = impl std::fmt::Display>) {
    let start = out.len();
    let mut count = 0;
    for value in values {
        // flowagg's values never contain characters that JSON escapes: accounts, regions, validated names and fixed
        // words.
        let _ =
            std::fmt::Write::write_fmt(out, format_args!("{}\"{value}\"", if count == 0 { "" } else { "," }));
        count += 1;
    }
    if count != 1 {
        out.insert(start, '[');
        out.push(']');
    }
}
