//! Accounts that a plan reports as granted or revoked: those whose evaluation changes.

use std::collections::BTreeSet;

use flowagg_core::fleet::{Fleet, FleetFile, FoundAccount};
use flowagg_core::id::AccountId;
use flowagg_core::observed::{Bucket, Observed};
use flowagg_core::plan::{GrantRemoval, HubChange, PolicyChange, Unnamed};
use flowagg_policy::plan::{Plan, destroy, plan};
use flowagg_policy::{Grant, merge};

/// AWS's documented grant for the logs of a Network Load Balancer in account 222222222222.
const LOAD_BALANCER: &str = include_str!("../data/nlb-documented-top.json");
const HUB: &str = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n";

fn accounts(ids: &[&str]) -> BTreeSet<AccountId> {
    ids.iter().map(|id| AccountId::parse(id).unwrap()).collect()
}

fn fleet(members: &[&str]) -> Fleet {
    let member = |id: &&str| format!("[[members]]\naccount = \"{id}\"\nregions = [\"eu-west-1\"]\n");
    Fleet::parse(&format!("{HUB}{}", members.iter().map(member).collect::<String>())).unwrap()
}

fn observed(policy: &str) -> Observed {
    let mut bucket = Bucket::default();
    bucket.policy = Some(policy.to_owned());
    Observed::new(Ok(Some(bucket)))
}

/// A live policy merged with the grant of a fleet of these members.
fn merged(live: Option<&str>, members: &[&str]) -> String {
    merge(live, &Grant::from(&fleet(members)), Unnamed::Keep).unwrap().text
}

fn change(plan: &Plan) -> &PolicyChange {
    let change = plan.hub().iter().find_map(|change| match change {
        HubChange::PutPolicy(change) => Some(change),
        _ => None,
    });
    change.unwrap()
}

fn removal(plan: &Plan) -> &GrantRemoval {
    let removal = plan.hub().iter().find_map(|change| match change {
        HubChange::RemoveGrant(removal) => Some(removal),
        _ => None,
    });
    removal.unwrap()
}

const BOTH: &[&str] = &["222222222222", "333333333333"];

#[test]
fn account_already_allowed_by_a_foreign_statement_is_also_granted() {
    let plan = plan(&fleet(BOTH), &observed(LOAD_BALANCER), Unnamed::Keep);
    let change = change(&plan);
    assert_eq!((&change.granted, &change.also_granted), (&accounts(&BOTH[1..]), &accounts(&BOTH[..1])));
    let words = HubChange::PutPolicy(change.clone()).to_string();
    snapbox::assert_data_eq!(
        words,
        snapbox::str![[
            r#"update the bucket policy: grants delivery to 333333333333; also grants delivery to 222222222222, which other statements already allow (758 -> 1398 bytes)"#
        ]]
    );
}

#[test]
fn account_still_allowed_by_a_foreign_statement_is_not_revoked() {
    let live = merged(Some(LOAD_BALANCER), BOTH);
    let next = fleet(&["444444444444"]);
    // The regions of an account that the fleet file does not name are unknown: this account loses all but one.
    assert_eq!(change(&plan(&next, &observed(&live), Unnamed::Prune)).revoked, accounts(BOTH));
    let everywhere = merged(Some(&LOAD_BALANCER.replace(":eu-west-1:", ":*:")), BOTH);
    let pruned = plan(&next, &observed(&everywhere), Unnamed::Prune);
    assert_eq!(change(&pruned).revoked, accounts(&BOTH[1..]));
    let words = HubChange::PutPolicy(change(&pruned).clone()).to_string();
    snapbox::assert_data_eq!(
        words,
        snapbox::str![[
            r#"update the bucket policy: grants delivery to 444444444444; revokes delivery from 333333333333 (1382 -> 1298 bytes)"#
        ]]
    );

    let destroyed = destroy(&fleet(BOTH), &observed(&live));
    assert_eq!(removal(&destroyed).revoked, accounts(&BOTH[1..]));
    let alone = destroy(&fleet(BOTH), &observed(&merged(None, BOTH)));
    assert_eq!(removal(&alone).revoked, accounts(BOTH));
}

#[test]
fn account_that_could_not_deliver_is_not_revoked() {
    let denied = r#"{"Version":"2012-10-17","Statement":[{"Sid":"NotThisOne","Effect":"Deny","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/*","Condition":{"StringEquals":{"aws:SourceAccount":"333333333333"}}}]}"#;
    let live = merged(Some(denied), BOTH);
    let pruned = plan(&fleet(&BOTH[..1]), &observed(&live), Unnamed::Prune);
    assert_eq!((change(&pruned).revoked.len(), change(&pruned).revoked_access.len()), (0, 0));
    assert_eq!(removal(&destroy(&fleet(BOTH), &observed(&live))).revoked, accounts(&BOTH[..1]));
}

#[test]
fn members_allowed_by_an_organization_are_revoked_with_it() {
    let text = format!("{HUB}[organization]\nid = \"o-a1b2c3d4e5\"\nregions = [\"eu-west-1\"]\n");
    let mut resolution = FleetFile::parse(&text).unwrap().resolve();
    for id in accounts(BOTH) {
        let mut found = FoundAccount::new(id, "ACTIVE");
        found.in_units = true;
        resolution.find(found);
    }
    let fleet = resolution.finish();
    let first = plan(&fleet, &observed(LOAD_BALANCER), Unnamed::Keep);
    assert_eq!(change(&first).granted, accounts(&BOTH[1..]));
    let live = change(&first).text.clone();
    let destroyed = destroy(&fleet, &observed(&live));
    assert_eq!(removal(&destroyed).revoked, accounts(&BOTH[1..]));
    snapbox::assert_data_eq!(
        HubChange::RemoveGrant(removal(&destroyed).clone()).to_string(),
        snapbox::str![
            "remove flowagg's statements from the bucket policy and keep all others: revokes delivery from 333333333333; revokes the grant for members of organization o-a1b2c3d4e5 that the fleet file does not list"
        ]
    );
}
