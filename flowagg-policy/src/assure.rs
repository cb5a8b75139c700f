//! Asks a policy, before it is written, whether it does what the grant says: members may deliver, others no more than
//! before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use flowagg_core::fleet::GrantForm;
use flowagg_core::id::{AccountId, OrganizationId, Region};
use flowagg_core::layout::FileName;
use serde::Serialize;

use crate::document::DocumentError;
use crate::evaluate::{DecisionKind, Policy, Request, StatementId};
use crate::grant::{Grant, Who};
use crate::merge::Merged;

/// Something that a policy does and should not, or does not and should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// The account that may or may not deliver.
    pub account: AccountId,
    /// The statement that decides so, where one does.
    pub statement: Option<StatementId>,
    /// What is so, and why.
    pub message: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Puts the questions to a merged policy that decide whether it may be written.
///
/// Every account of `regions` must be able to deliver to its own folder from each of its regions. An account that nobody
/// named must not, and in a form that binds accounts to their folders no account to another's, unless the live policy
/// lets it already.
pub fn assure(
    live: Option<&str>,
    merged: &Merged,
    grant: &Grant,
    regions: &BTreeMap<AccountId, BTreeSet<Region>>,
) -> Result<Vec<Doubt>, DocumentError> {
    let after = Policy::compile(&merged.text)?;
    let before = live.map(Policy::compile).transpose()?;
    let asker = Asker { before, after, grant };
    let mut doubts = Vec::new();
    for (account, region) in
        regions.iter().flat_map(|(account, regions)| regions.iter().map(move |r| (*account, r)))
    {
        doubts.extend(asker.member(account, region));
    }
    let Some((member, region)) =
        regions.iter().find_map(|(account, regions)| Some((*account, regions.first()?)))
    else {
        return Ok(doubts);
    };
    let named: BTreeSet<AccountId> =
        regions.keys().chain(grant.who.accounts()).chain(&merged.kept).copied().collect();
    if let Some(stranger) = stranger(&named) {
        doubts.extend(asker.intruder(stranger, stranger, region));
        // Without source conditions the policy cannot tell one account from another: AWS's classic form.
        if grant.settings.source_conditions {
            doubts.extend(asker.intruder(stranger, member, region));
        }
    }
    let bound =
        matches!(merged.form, GrantForm::BoundAccounts | GrantForm::BoundDeny | GrantForm::BoundOrganization);
    if let Some(other) = regions.keys().copied().find(|other| bound && *other != member) {
        doubts.extend(asker.intruder(member, other, region));
    }
    Ok(doubts)
}

/// The accounts that a policy lets deliver from one of their regions at least, with the statement that allows the write.
pub(crate) fn deliverers(
    policy: &str,
    grant: &Grant,
    regions: &BTreeMap<AccountId, BTreeSet<Region>>,
) -> Result<BTreeMap<AccountId, StatementId>, DocumentError> {
    let asker = Asker { before: None, after: Policy::compile(policy)?, grant };
    let allowed = regions.iter().filter_map(|(account, regions)| {
        let statement = regions.iter().find_map(|region| asker.deliverer(*account, region))?;
        Some((*account, statement))
    });
    Ok(allowed.collect())
}

/// The regions from which a policy lets each account deliver, of those given. The accounts in `covered` ask as members of the
/// grant's organization.
pub(crate) fn deliveries(
    policy: &str,
    grant: &Grant,
    covered: &BTreeSet<AccountId>,
    regions: &BTreeMap<AccountId, BTreeSet<Region>>,
) -> Result<BTreeMap<AccountId, BTreeSet<Region>>, DocumentError> {
    let asker = Asker { before: None, after: Policy::compile(policy)?, grant };
    let allowed = regions.iter().map(|(account, regions)| {
        let may = |region: &&Region| {
            let requests = asker.requests_of(*account, region, covered.contains(account));
            requests.iter().all(|(request, _)| asker.after.decide(request).is_allowed())
        };
        (*account, regions.iter().filter(may).cloned().collect())
    });
    Ok(allowed.collect())
}

/// An account id that nobody named.
fn stranger(named: &BTreeSet<AccountId>) -> Option<AccountId> {
    (1u64..)
        .map_while(|n| AccountId::parse(&format!("{n:012}")).ok())
        .find(|account| !named.contains(account))
}

struct Asker<'a> {
    before: Option<Policy>,
    after: Policy,
    grant: &'a Grant,
}

impl Asker<'_> {
    fn organization(&self) -> Option<(&OrganizationId, String)> {
        let (id, units) = match (&self.grant.who, &self.grant.organization) {
            (Who::Organization { id, units, .. }, _) => (id, units),
            (Who::Accounts(_), Some(organization)) => (&organization.id, &organization.units),
            (Who::Accounts(_), None) => return None,
        };
        let unit = units.first().map(|unit| format!("{unit}/")).unwrap_or_default();
        Some((id, format!("{id}/r-0000/{unit}")))
    }

    /// Whether the account is taken for a member of the organization, when it asks for its own folder. Where the members
    /// are known, the others have to get along without it.
    fn belongs(&self, account: AccountId) -> bool {
        match &self.grant.who {
            Who::Accounts(_) => !self.grant.outside.contains(&account),
            Who::Organization { within, .. } => within.is_empty() || within.contains(&account),
        }
    }

    fn key(&self, account: AccountId, region: &Region) -> String {
        self.grant.layout().key(&FileName::example(account, region))
    }

    /// What the delivery service asks for on behalf of an account, and what each request is for. The write is last.
    fn requests(&self, account: AccountId, region: &Region) -> [(Request, &'static str); 2] {
        self.requests_of(account, region, self.belongs(account))
    }

    fn requests_of(
        &self,
        account: AccountId,
        region: &Region,
        belongs: bool,
    ) -> [(Request, &'static str); 2] {
        let bucket = &self.grant.bucket;
        let acl = Request::acl_check(bucket, account, region);
        let put = Request::put_object(bucket, account, region, &self.key(account, region));
        [(acl, "read the bucket's ACL"), (put, "write to its folder")].map(|(request, what)| {
            let request = match self.organization() {
                Some((id, path)) if belongs => request.in_organization(id, &path),
                _ => request,
            };
            (request, what)
        })
    }

    /// The statement by which an account may write, if the policy allows all that delivery takes.
    fn deliverer(&self, account: AccountId, region: &Region) -> Option<StatementId> {
        let [acl, put] = self.requests(account, region).map(|(request, _)| self.after.decide(&request));
        put.statement.filter(|_| acl.is_allowed() && put.kind == DecisionKind::Allow)
    }

    fn member(&self, account: AccountId, region: &Region) -> Option<Doubt> {
        for (request, what) in self.requests(account, region) {
            let decision = self.after.decide(&request);
            if !decision.is_allowed() {
                let message =
                    format!("log delivery for {account} in {region} could not {what}: {}", decision);
                return Some(Doubt { account, statement: decision.statement, message });
            }
        }
        None
    }

    /// An account that should not be able to write to a folder, its own or another's.
    fn intruder(&self, account: AccountId, folder: AccountId, region: &Region) -> Option<Doubt> {
        let request = Request::put_object(&self.grant.bucket, account, region, &self.key(folder, region));
        let who = &self.grant.who;
        let is_member = who.accounts().contains(&account)
            || who.covered().is_some_and(|within| within.contains(&account));
        let request = match self.organization() {
            // A member of the organization reaching for another's folder; a stranger has no organization.
            Some((id, path)) if account != folder && is_member => request.in_organization(id, &path),
            _ => request,
        };
        let decision = self.after.decide(&request);
        let allowed_before = self.before.as_ref().is_some_and(|before| before.decide(&request).is_allowed());
        (decision.is_allowed() && !allowed_before).then(|| Doubt {
            account,
            message: format!(
                "log delivery for {account} could write to the folder of {folder}: {}",
                decision
            ),
            statement: decision.statement,
        })
    }
}

#[cfg(test)]
mod tests {
    use flowagg_core::fleet::Fleet;

    use super::*;
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
    fn doubts(fleet: &Fleet, live: Option<&str>) -> Vec<String> {
        let grant = Grant::of(fleet);
        let merged = merge(live, &grant, Unnamed::Keep).unwrap();
        assure(live, &merged, &grant, &fleet.regions()).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_form_does_what_the_grant_says() {
        for form in GrantForm::ALL {
            for more in [
                "",
                "source-arn = true\n",
                "acl-condition = \"if-exists\"\nlist-bucket = true\ndeny-insecure-transport = true\n",
            ] {
                let fleet = fleet(&format!("[policy]\nform = \"{}\"\n{more}", form.as_str()));
                assert_eq!(doubts(&fleet, None), [""; 0], "{form:?} {more}");
            }
        }
        assert_eq!(doubts(&fleet("[policy]\nsource-conditions = false\n"), None), [""; 0]);
    }

    #[test]
    fn a_foreign_deny_is_named_with_the_account_it_stops() {
        let live = r#"{"Version":"2012-10-17","Statement":[{"Sid":"OnlyOurVpc","Effect":"Deny","Principal":"*","Action":"s3:*",
            "Resource":["arn:aws:s3:::acme-flow-logs","arn:aws:s3:::acme-flow-logs/*"],
            "Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}}}]}"#;
        let doubts = doubts(&fleet(""), Some(live));
        assert_eq!(doubts.len(), 3, "{doubts:?}");
        assert!(doubts[0].contains("222222222222") && doubts[0].contains("`OnlyOurVpc`"), "{doubts:?}");
    }

    #[test]
    fn what_a_foreign_statement_allows_already_is_no_new_doubt() {
        let live = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow",
            "Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject",
            "Resource":"arn:aws:s3:::acme-flow-logs/*"}]}"#;
        assert_eq!(doubts(&fleet(""), Some(live)), [""; 0]);
    }

    #[test]
    fn who_is_not_known_to_be_within_the_organization_must_do_without_it() {
        let fleet = fleet("[policy]\nform = \"organization\"\n");
        let organization = fleet.organization.clone().unwrap();
        let [inside, outside] = *fleet.members.keys().copied().collect::<Vec<_>>() else { panic!() };
        let grant = |also: &[AccountId]| Grant {
            who: Who::Organization {
                id: organization.id.clone(),
                units: organization.units.clone(),
                also: also.iter().copied().collect(),
                within: BTreeSet::from([inside]),
            },
            ..Grant::of(&fleet)
        };
        let ask = |grant: &Grant| {
            let merged = merge(None, grant, Unnamed::Keep).unwrap();
            let doubts = assure(None, &merged, grant, &fleet.regions()).unwrap();
            doubts.iter().map(|doubt| doubt.account).collect::<Vec<_>>()
        };
        assert_eq!(ask(&grant(&[outside])), []);
        assert_eq!(ask(&grant(&[])), [outside]);
    }

    #[test]
    fn a_policy_that_lets_strangers_in_is_doubted() {
        let fleet = fleet("");
        let grant = Grant::of(&fleet);
        let mut merged = merge(None, &grant, Unnamed::Keep).unwrap();
        let regions = BTreeMap::from([(
            grant.who.accounts().iter().copied().next().unwrap(),
            BTreeSet::from([fleet.hub.region.clone()]),
        )]);
        let open = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::acme-flow-logs*"}}"#;
        merged.text = open.to_owned();
        let doubts = assure(None, &merged, &grant, &regions).unwrap();
        assert_eq!(doubts.len(), 2, "to its own folder and to a member's: {doubts:?}");
    }
}
