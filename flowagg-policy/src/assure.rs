//! Evaluates a policy for the deliveries of the fleet before it is written: every member must be able to deliver, and
//! other accounts must not gain access.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use flowagg_core::fleet::GrantForm;
use flowagg_core::id::{AccountId, Region};
use serde::Serialize;

use crate::document::DocumentError;
use crate::evaluate::{Cause, Decision, Delivery, Membership, Policy, Request, StatementId};
use crate::grant::Grant;
use crate::merge::Merged;

/// Deliveries for which a policy differs from the grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct DeliveryProblem {
    /// The kind of problem.
    pub kind: ProblemKind,
    /// Whether the deliveries are allowed; `None` if that depends on condition keys with unknown values.
    pub allowed: Option<bool>,
    /// The affected accounts.
    pub accounts: BTreeSet<AccountId>,
    /// The deciding statement, if any.
    pub statement: Option<StatementId>,
    /// The condition keys with unknown values that the decision depends on.
    pub depends_on: BTreeSet<String>,
    /// The first of the deliveries, with the decision of the policy.
    pub message: String,
}

/// The kind of a delivery problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// A member's delivery is certainly denied.
    Denied,
    /// Whether a member's delivery is allowed depends on condition keys with unknown values.
    Undecided,
    /// The policy newly allows a delivery by an account that the grant does not name, or into another account's folder.
    Unintended,
}

impl fmt::Display for DeliveryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.message, and_more(self.accounts.len()))
    }
}

/// The suffix after the first of several accounts: ` (and for 2 more accounts)`; empty for one.
pub fn and_more(accounts: usize) -> String {
    match accounts {
        0 | 1 => String::new(),
        2 => " (and for 1 more account)".to_owned(),
        n => format!(" (and for {} more accounts)", n - 1),
    }
}

/// Evaluates a merged policy and returns the problems that decide whether it may be written.
///
/// Every account of `regions` must be able to deliver to its own folder from each of its regions. Unnamed accounts must
/// not be able to deliver, and in forms that bind accounts to their folders, no account to the folder of another,
/// unless the live policy already allows it.
pub fn assure(
    live: Option<&str>,
    merged: &Merged,
    grant: &Grant,
    regions: &BTreeMap<AccountId, BTreeSet<Region>>,
) -> Result<Vec<DeliveryProblem>, DocumentError> {
    assure_some(live, merged, grant, regions, &BTreeMap::new())
}

/// Like [`assure`], if the merged policy is known to allow the deliveries of `assured`.
pub(crate) fn assure_some(
    live: Option<&str>,
    merged: &Merged,
    grant: &Grant,
    regions: &BTreeMap<AccountId, BTreeSet<Region>>,
    assured: &BTreeMap<AccountId, BTreeSet<Region>>,
) -> Result<Vec<DeliveryProblem>, DocumentError> {
    let after = Policy::compile(&merged.text)?;
    let before = live.map(Policy::compile).transpose()?;
    let mut found = Found::default();
    for (account, regions) in regions {
        let assured = assured.get(account);
        for region in
            regions.iter().filter(|region| !assured.is_some_and(|assured| assured.contains(*region)))
        {
            member(&after, grant, *account, region, &mut found);
        }
    }
    let Some((first, region)) =
        regions.iter().find_map(|(account, regions)| Some((*account, regions.first()?)))
    else {
        return Ok(found.problems);
    };
    let mut intruder = |delivery: &Delivery, folder| {
        let request = delivery.put_object(&grant.bucket, &grant.key(folder, region));
        let decision = after.decide(&request);
        if decision.is_allowed()
            && !before.as_ref().is_some_and(|before| before.decide(&request).is_allowed())
        {
            let message = format!(
                "log delivery for {} could write to the folder of {folder}: {decision}",
                delivery.account
            );
            found.add(ProblemKind::Unintended, delivery.account, "write", decision, message);
        }
    };
    let named: BTreeSet<AccountId> =
        regions.keys().chain(&grant.accounts).chain(&merged.kept).copied().collect();
    if let Some(stranger) = stranger(&named) {
        let stranger = grant.delivery(stranger, region).with_membership(Membership::None);
        intruder(&stranger, stranger.account);
        // Without source conditions, the policy cannot distinguish accounts: AWS's classic form.
        if grant.settings.source_conditions {
            intruder(&stranger, first);
        }
    }
    let bound =
        matches!(merged.form, GrantForm::BoundAccounts | GrantForm::BoundDeny | GrantForm::BoundOrganization);
    if let Some(other) = regions.keys().copied().find(|other| bound && *other != first) {
        intruder(&grant.delivery(first, region), other);
    }
    Ok(found.problems)
}

/// Adds the problem of a member's delivery from a region, if any.
fn member(policy: &Policy, grant: &Grant, account: AccountId, region: &Region, found: &mut Found) {
    let decided = requests(grant, account, region).map(|(request, what)| (policy.decide(&request), what));
    // A certain denial takes precedence over an undecided request.
    let denied = decided.iter().find(|(decision, _)| decision.is_denied());
    let Some((decision, what)) = denied.or(decided.iter().find(|(decision, _)| !decision.is_allowed()))
    else {
        return;
    };
    let (kind, verb) = match decision.is_denied() {
        true => (ProblemKind::Denied, "cannot"),
        false => (ProblemKind::Undecided, "may not be able to"),
    };
    let message = format!("log delivery for {account} in {region} {verb} {what}: {decision}");
    found.add(kind, account, what, decision.clone(), message);
}

/// Problems, merged by cause.
#[derive(Default)]
struct Found {
    problems: Vec<DeliveryProblem>,
    /// The index of each problem, by kind, request and cause.
    places: BTreeMap<(ProblemKind, &'static str, Cause), usize>,
}

impl Found {
    fn add(
        &mut self,
        kind: ProblemKind,
        account: AccountId,
        what: &'static str,
        decision: Decision,
        message: String,
    ) {
        let at = *self.places.entry((kind, what, decision.cause())).or_insert(self.problems.len());
        match self.problems.get_mut(at) {
            Some(problem) => {
                problem.accounts.insert(account);
            }
            None => self.problems.push(DeliveryProblem {
                kind,
                allowed: decision.allowed(),
                accounts: BTreeSet::from([account]),
                statement: decision.statement,
                depends_on: decision.depends_on,
                message,
            }),
        }
    }
}

/// The accounts that a policy certainly allows to deliver from at least one of their regions, with the statement that
/// allows the write.
pub(crate) fn deliverers(
    policy: &str,
    grant: &Grant,
    regions: &BTreeMap<AccountId, BTreeSet<Region>>,
) -> Result<BTreeMap<AccountId, StatementId>, DocumentError> {
    let policy = Policy::compile(policy)?;
    let deliverer = |account: AccountId, region: &Region| {
        let [acl, put] = requests(grant, account, region).map(|(request, _)| policy.decide(&request));
        (acl.is_allowed() && put.is_allowed()).then_some(put.statement).flatten()
    };
    let allowed = regions.iter().filter_map(|(account, regions)| {
        Some((*account, regions.iter().find_map(|region| deliverer(*account, region))?))
    });
    Ok(allowed.collect())
}

/// The requests of the delivery service for an account, each with its description. The write is last.
fn requests(grant: &Grant, account: AccountId, region: &Region) -> [(Request, &'static str); 2] {
    let delivery = grant.delivery(account, region);
    let [check, put] = delivery.requests(&grant.bucket, &grant.key(account, region));
    [(check, "read the bucket's ACL"), (put, "write to its folder")]
}

/// An account ID that is not named.
fn stranger(named: &BTreeSet<AccountId>) -> Option<AccountId> {
    (1u64..)
        .map_while(|n| AccountId::parse(&format!("{n:012}")).ok())
        .find(|account| !named.contains(account))
}

#[cfg(test)]
mod tests {
    use flowagg_core::fleet::Fleet;

    use super::*;
    use crate::grant::GrantedOrganization;
    use crate::merge::{Unnamed, merge};

    fn fleet(policy: &str) -> Fleet {
        let text = format!(
            "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\nprefix = \"net\"\n{policy}\n\
             [organization]\nid = \"o-a1b2c3d4e5\"\n\
             [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n\
             [[members]]\naccount = \"333333333333\"\nregions = [\"eu-west-1\"]\n"
        );
        Fleet::parse(&text).unwrap()
    }

    #[track_caller]
    fn problems(fleet: &Fleet, live: Option<&str>) -> Vec<String> {
        let grant = Grant::from(fleet);
        let merged = merge(live, &grant, Unnamed::Keep).unwrap();
        assure(live, &merged, &grant, &fleet.regions()).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_form_allows_exactly_the_grant() {
        for form in GrantForm::ALL {
            for more in [
                "",
                "source-arn = true\n",
                "acl-condition = \"if-exists\"\nlist-bucket = true\ndeny-insecure-transport = true\n",
            ] {
                let fleet = fleet(&format!("[policy]\nform = \"{}\"\n{more}", form.as_str()));
                assert_eq!(problems(&fleet, None), [""; 0], "{form:?} {more}");
            }
        }
        assert_eq!(problems(&fleet("[policy]\nsource-conditions = false\n"), None), [""; 0]);
    }

    #[test]
    fn foreign_deny_is_reported_once_for_all_accounts_that_it_denies() {
        let live = r#"{"Version":"2012-10-17","Statement":[{"Sid":"OnlyOurVpc","Effect":"Deny","Principal":"*","Action":"s3:*",
            "Resource":["arn:aws:s3:::acme-flow-logs","arn:aws:s3:::acme-flow-logs/*"],
            "Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}}}]}"#;
        assert_eq!(
            problems(&fleet(""), Some(live)),
            [
                "log delivery for 222222222222 in eu-west-1 cannot read the bucket's ACL: ExplicitDeny by statement `OnlyOurVpc` \
              (and for 1 more account)"
            ]
        );
    }

    #[test]
    fn deny_on_an_unknown_key_is_undecided() {
        let live = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Hours","Effect":"Deny","Principal":"*","Action":"s3:PutObject",
            "Resource":"arn:aws:s3:::acme-flow-logs/*",
            "Condition":{"DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}]}"#;
        assert_eq!(
            problems(&fleet(""), Some(live)),
            [
                "log delivery for 222222222222 in eu-west-1 may not be able to write to its folder: Depends on `aws:CurrentTime` in \
              statement `Hours` (and for 1 more account)"
            ]
        );
    }

    #[test]
    fn certain_denial_comes_before_an_undecided_request() {
        let live = r#"{"Version":"2012-10-17","Statement":[
            {"Sid":"Hours","Effect":"Deny","Principal":"*","Action":"s3:Get*","Resource":"*",
             "Condition":{"DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}},
            {"Sid":"NoWrites","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*"}]}"#;
        assert_eq!(
            problems(&fleet(""), Some(live)),
            [
                "log delivery for 222222222222 in eu-west-1 cannot write to its folder: ExplicitDeny by statement `NoWrites` (and for 1 \
              more account)"
            ]
        );
    }

    #[test]
    fn existing_access_by_a_foreign_statement_is_not_a_problem() {
        let live = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow",
            "Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject",
            "Resource":"arn:aws:s3:::acme-flow-logs/*"}]}"#;
        assert_eq!(problems(&fleet(""), Some(live)), [""; 0]);
    }

    #[test]
    fn account_outside_the_organization_needs_a_grant_by_name() {
        let fleet = fleet("[policy]\nform = \"organization\"\n");
        let organization = fleet.organization.clone().unwrap();
        let [inside, outside] = *fleet.members.keys().copied().collect::<Vec<_>>() else { panic!() };
        let grant = |also: &[AccountId]| Grant {
            organization: Some(GrantedOrganization {
                outside: also.iter().copied().collect(),
                ..GrantedOrganization::whole(organization.id.clone())
            }),
            memberships: BTreeMap::from([
                (inside, Membership::Within(organization.id.clone(), BTreeSet::new())),
                (outside, Membership::Outside(organization.id.clone())),
            ]),
            ..Grant::from(&fleet)
        };
        let denied = |grant: &Grant| {
            let merged = merge(None, grant, Unnamed::Keep).unwrap();
            let problems = assure(None, &merged, grant, &fleet.regions()).unwrap();
            problems.into_iter().map(|problem| (problem.kind, problem.accounts)).collect::<Vec<_>>()
        };
        assert_eq!(denied(&grant(&[outside])), []);
        assert_eq!(denied(&grant(&[])), [(ProblemKind::Denied, BTreeSet::from([outside]))]);
    }

    #[test]
    fn policy_that_newly_allows_strangers_is_a_problem() {
        let fleet = fleet("");
        let grant = Grant::from(&fleet);
        let mut merged = merge(None, &grant, Unnamed::Keep).unwrap();
        let regions = BTreeMap::from([(
            grant.accounts.first().copied().unwrap(),
            BTreeSet::from([fleet.hub.region.clone()]),
        )]);
        let open = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::acme-flow-logs*"}}"#;
        merged.text = open.to_owned();
        let problems = assure(None, &merged, &grant, &regions).unwrap();
        let messages: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            ["log delivery for 000000000001 could write to the folder of 000000000001: Allow by statement 1"]
        );
    }
}
