//! Regions of accounts if `aws:SourceArn` is tested: a region that is removed from the fleet file stays until it is
//! pruned.

use std::collections::BTreeSet;

use flowagg_core::fleet::Fleet;
use flowagg_core::observed::{Bucket, Observed};
use flowagg_core::plan::{HubChange, Note, PolicyChange, Unnamed};
use flowagg_policy::plan::{Plan, plan};
use flowagg_policy::{Grant, merge};

/// A fleet whose members have these regions.
fn fleet(members: &[(&str, &[&str])], form: &str) -> Fleet {
    let members = members
        .iter()
        .map(|(account, regions)| format!("[[members]]\naccount = \"{account}\"\nregions = {regions:?}\n"));
    let members: String = members.collect();
    Fleet::parse(&format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n{members}\
         [policy]\nsource-arn = true\nform = \"{form}\"\n[organization]\nid = \"o-a1b2c3d4e5\"\n"
    ))
    .unwrap()
}

fn written(fleet: &Fleet) -> String {
    merge(None, &Grant::from(fleet), Unnamed::Keep).unwrap().text
}

fn planned(fleet: &Fleet, live: &str, unnamed: Unnamed) -> Plan {
    let mut bucket = Bucket::default();
    bucket.policy = Some(live.to_owned());
    let observed = Observed::new(Ok(Some(bucket)));
    let plan = plan(fleet, &observed, unnamed);
    assert!(plan.is_complete(), "{plan:?}");
    plan
}

fn change(plan: &Plan) -> Option<&PolicyChange> {
    plan.hub().iter().find_map(|change| match change {
        HubChange::PutPolicy(change) => Some(change),
        _ => None,
    })
}

fn notes(plan: &Plan) -> Vec<String> {
    let notes = plan.notes().iter().filter(|note| matches!(note, Note::StillGrantedIn { .. }));
    notes.map(ToString::to_string).collect()
}

#[test]
fn removed_region_stays_with_a_note_until_it_is_pruned() {
    let live = written(&fleet(
        &[("222222222222", &["eu-west-1", "us-east-1"]), ("333333333333", &["us-east-1"])],
        "auto",
    ));
    let fewer = fleet(&[("222222222222", &["eu-west-1"]), ("333333333333", &["us-east-1"])], "auto");
    let kept = planned(&fewer, &live, Unnamed::Keep);
    assert_eq!(change(&kept), None);
    assert_eq!(
        notes(&kept),
        [
            "the fleet's statements still cover 222222222222 in us-east-1, which is not in the fleet file; `--prune` removes it"
        ]
    );

    let pruned = planned(&fewer, &live, Unnamed::Prune);
    let change = change(&pruned).unwrap();
    assert_eq!(change.text, written(&fewer));
    assert_eq!((change.revoked.len(), notes(&pruned).len()), (0, 0));
    let words = HubChange::PutPolicy(change.clone()).to_string();
    snapbox::assert_data_eq!(
        words,
        snapbox::str![[
            r#"update the bucket policy: revokes the grant for 222222222222 in us-east-1 (978 -> 898 bytes)"#
        ]]
    );
}

#[test]
fn removed_region_stays_when_another_is_added() {
    let live = written(&fleet(&[("222222222222", &["us-east-1"])], "auto"));
    let kept = planned(&fleet(&[("222222222222", &["eu-west-1"])], "auto"), &live, Unnamed::Keep);
    let text = &change(&kept).unwrap().text;
    for region in ["eu-west-1", "us-east-1"] {
        assert!(text.contains(&format!("arn:aws:logs:{region}:222222222222:*")), "{text}");
    }
    assert_eq!(notes(&kept).len(), 1);
}

#[test]
fn grant_for_every_region_stays_until_it_is_pruned() {
    let one = fleet(&[("222222222222", &["eu-west-1"])], "auto");
    let live = written(&one).replace("logs:eu-west-1:", "logs:*:");
    let kept = planned(&one, &live, Unnamed::Keep);
    assert_eq!(change(&kept), None);
    snapbox::assert_data_eq!(
        notes(&kept).join("\n"),
        snapbox::str![[
            r#"the fleet's statements still cover 222222222222 in all other regions, which is not in the fleet file; `--prune` removes it"#
        ]]
    );
    assert_eq!(change(&planned(&one, &live, Unnamed::Prune)).unwrap().text, written(&one));

    // The same applies to an account that the fleet file does not name, and with a named region next to `*`.
    let both = live.replace(
        "\"arn:aws:logs:*:222222222222:*\"",
        "[\"arn:aws:logs:*:222222222222:*\",\"arn:aws:logs:us-east-1:222222222222:*\"]",
    );
    let text = &change(&planned(&fleet(&[("333333333333", &["eu-west-1"])], "auto"), &both, Unnamed::Keep))
        .unwrap()
        .text
        .clone();
    assert!(text.contains("arn:aws:logs:*:222222222222:*"), "{text}");
}

#[test]
fn account_covered_by_the_organization_loses_no_region() {
    let members: &[(&str, &[&str])] = &[("222222222222", &["eu-west-1", "us-east-1"])];
    let live = written(&fleet(members, "prefixes"));
    let fewer = fleet(&[("222222222222", &["eu-west-1"])], "organization");
    for unnamed in [Unnamed::Keep, Unnamed::Prune] {
        let plan = planned(&fewer, &live, unnamed);
        let change = change(&plan).unwrap();
        assert_eq!((&change.revoked_access, notes(&plan).len()), (&BTreeSet::new(), 0));
        assert!(!change.text.contains("aws:SourceArn"), "{}", change.text);
    }
}
