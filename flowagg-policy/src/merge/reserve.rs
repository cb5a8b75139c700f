//! Reserves space for the statements that AWS may append when a flow log is created in the account that owns the
//! bucket.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{AclCondition, GrantForm, PolicySettings};

use super::MergeError;
use crate::document::Document;
use crate::evaluate::Policy;
use crate::grant::{Grant, HubMember, Kind, Sid};

/// The compact size of AWS's own pair of statements for the hub account in bytes, including commas; 0 if the hub
/// account is not a member, or if statements with AWS's Sids already let it deliver.
///
/// AWS appends the pair even if another statement allows the delivery. Sources: "Amazon S3 bucket permissions for flow logs"
/// (Amazon VPC User Guide), "Logs sent to Amazon S3" (Amazon CloudWatch Logs User Guide).
pub(super) fn bytes(document: &Document<'_>, grant: &Grant) -> Result<usize, MergeError> {
    let Some(hub) = &grant.hub_member else { return Ok(0) };
    if is_there(document, grant, hub) {
        return Ok(0);
    }
    let account = BTreeSet::from([hub.account]);
    let mut settings = PolicySettings::default();
    settings.form = GrantForm::Prefixes;
    settings.source_arn = true;
    settings.acl_condition = AclCondition::Required;
    let regions = Some(BTreeMap::from([(hub.account, hub.regions.clone())]));
    let pair = Grant { accounts: account.clone(), organization: None, regions, settings, ..grant.clone() };
    let statements = pair.groups(GrantForm::Prefixes, &account)?.concat();
    let lengths = statements.iter().map(|it| pair.text_of(it, it.kind().word()).len() + 1);
    Ok(lengths.sum())
}

/// Whether statements with AWS's own Sids let the hub account deliver from each of its regions.
fn is_there(document: &Document<'_>, grant: &Grant, hub: &HubMember) -> bool {
    let mark = grant.fleet.mark();
    let is_aws = |sid: &str| {
        let kind = Sid::unmarked(sid, mark.clone()).map(|sid| sid.kind);
        matches!(kind, Some(Kind::Write | Kind::AclCheck))
    };
    let own = document.statements().enumerate().filter(|(_, statement)| statement.sid().is_some_and(is_aws));
    let texts: Vec<&str> = own.map(|(index, _)| document.statement_text(index)).collect();
    let text = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", texts.join(","));
    // Statements that cannot be compiled are reported when the whole policy is evaluated.
    let Ok(policy) = Policy::compile(&text) else { return false };
    let first = BTreeSet::from([grant.partition.first_region()]);
    let regions = if hub.regions.is_empty() { &first } else { &hub.regions };
    regions.iter().all(|region| {
        let delivery = grant.delivery(hub.account, region);
        delivery
            .requests(&grant.bucket, &grant.key(hub.account, region))
            .iter()
            .all(|request| policy.decide(request).is_allowed())
    })
}
