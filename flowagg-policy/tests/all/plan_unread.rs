//! Plans for every combination of failed reads: only safe changes are made.

use std::collections::BTreeMap;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::{AccountId, FlowLogId, Place, Region, ResourceId};
use flowagg_core::observed::{Bucket, FlowLog, Key, Observed, RegionState, Resource, Scope};
use flowagg_core::plan::{HubChange, Note, Step, Subject, Unnamed};
use flowagg_policy::plan::{Plan, destroy, plan};
use flowagg_policy::{Grant, merge};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const MEMBERS: [&str; 2] = ["222222222222", "333333333333"];

fn fleet(kms: bool) -> Fleet {
    let encryption = if kms { format!("encryption = \"{KEY}\"\n") } else { String::new() };
    let members = MEMBERS.map(|member| {
        format!("[[members]]\naccount = \"{member}\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n")
    });
    Fleet::parse(&format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n{encryption}{}",
        members.concat()
    ))
    .unwrap()
}

fn failure(call: &str, account: AccountId) -> Failure {
    let mut failure = Failure::new(
        Place::new(account, &Region::parse("eu-west-1").unwrap()),
        call.to_owned(),
        "not authorized",
        "allow it",
    );
    failure.code = Some("AccessDenied".to_owned());
    failure
}

/// An account-region with one VPC; `logged` adds a managed flow log that matches the fleet file.
fn region(fleet: &Fleet, place: &Place, logged: bool) -> RegionState {
    let id = ResourceId::parse("vpc-0000000a").unwrap();
    let mut resource = Resource::new(id.clone());
    resource.owner = Some(place.account);
    let mut log =
        FlowLog::new(FlowLogId::parse("fl-00000001").unwrap(), id.as_str(), fleet.destination().arn());
    log.traffic = Some("ALL".to_owned());
    log.interval = Some(600);
    log.tags = fleet.tags();
    RegionState::new(vec![resource], if logged { vec![log] } else { Vec::new() })
}

/// The result of reading the bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
enum BucketRead {
    Unread,
    Missing,
    There,
    /// A policy that is not JSON.
    Broken,
    /// A policy that blocks delivery.
    Denied,
}

#[derive(Clone, Debug)]
struct Case {
    bucket: BucketRead,
    kms: bool,
    key: Option<bool>,
    /// Whether each of the four account-regions was read; `None` if it was not selected.
    regions: Vec<Option<bool>>,
    logged: bool,
}

fn cases() -> impl Iterator<Item = Case> {
    use BucketRead::*;
    const READ: [Option<bool>; 3] = [None, Some(false), Some(true)];
    let keys = [(false, None), (true, None), (true, Some(false)), (true, Some(true))];
    let hubs = [Unread, Missing, There, Broken, Denied]
        .into_iter()
        .flat_map(move |bucket| keys.map(|key| (bucket, key)));
    hubs.flat_map(|(bucket, (kms, key))| {
        (0..81 * 2).map(move |n: usize| {
            let regions = (0..4).map(|place| READ[n / 2 / 3_usize.pow(place) % 3]).collect();
            Case { bucket, kms, key, regions, logged: n % 2 == 1 }
        })
    })
}

fn deny() -> String {
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"OnlyOurVpc","Effect":"Deny","Principal":"*","Action":"s3:*",
        "Resource":["arn:aws:s3:::acme-logs","arn:aws:s3:::acme-logs/*"],
        "Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}}}]}"#
        .to_owned()
}

fn observed(fleet: &Fleet, case: &Case) -> Observed {
    let policy = match case.bucket {
        BucketRead::Broken => Some("not JSON".to_owned()),
        BucketRead::Denied => Some(deny()),
        BucketRead::There => Some(merge(None, &Grant::from(fleet), Unnamed::Keep).unwrap().text),
        _ => None,
    };
    let bucket = match case.bucket {
        BucketRead::Unread => Err(failure("HeadBucket", fleet.hub.account)),
        BucketRead::Missing => Ok(None),
        _ => {
            let mut bucket = Bucket::default();
            bucket.policy = policy;
            Ok(Some(bucket))
        }
    };
    // A key policy that allows the service, or a key that could not be read.
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"kms:*","Resource":"*"}]}"#;
    let key = case.key.filter(|_| case.kms).map(|read| match read {
        true => Ok(Key::new(policy.to_owned())),
        false => Err(failure("DescribeKey", fleet.hub.account)),
    });
    let places = fleet.places().map(|(member, region)| Place::new(member.account, region));
    let regions = places.zip(&case.regions).filter_map(|(place, read)| {
        let state = match (*read)? {
            true => Ok(region(fleet, &place, case.logged)),
            false => Err(failure("DescribeVpcs", place.account)),
        };
        Some((place, state))
    });
    let regions: BTreeMap<_, _> = regions.collect();
    let members = fleet.members.keys().copied().collect();
    let scope = if regions.len() == case.regions.len() { Scope::Whole } else { Scope::Part { members } };
    let mut observed = Observed::new(bucket);
    observed.key = key;
    observed.regions = regions;
    observed.scope = scope;
    observed
}

fn unread(case: &Case) -> usize {
    case.regions.iter().filter(|read| **read == Some(false)).count()
}

fn read(case: &Case) -> usize {
    case.regions.iter().filter(|read| **read == Some(true)).count()
}

#[test]
fn nothing_changes_if_the_hub_is_unread_or_undecided() {
    for case in cases() {
        let fleet = fleet(case.kms);
        let plan = plan(&fleet, &observed(&fleet, &case), Unnamed::Prune);
        let obstacle = match case.bucket {
            BucketRead::Broken | BucketRead::Denied => Some(Subject::Policy),
            BucketRead::Unread => None,
            _ if case.key == Some(false) => Some(Subject::Key),
            _ => None,
        };
        assert_eq!(plan.obstacles().first().map(|obstacle| obstacle.about), obstacle, "{case:?}");
        let held = case.bucket == BucketRead::Unread || obstacle.is_some();
        assert_eq!(plan.is_empty(), held, "{case:?}");
        let changes = if held { &plan.held_back().flow_logs[..] } else { plan.flow_logs() };
        assert_eq!(changes.len(), if case.logged { 0 } else { read(&case) }, "{case:?}");
        let failed = usize::from(case.bucket == BucketRead::Unread) + unread(&case);
        assert_eq!(plan.failures().is_empty(), failed == 0, "{case:?}");
        assert_eq!(plan.is_complete(), failed == 0 && obstacle.is_none(), "{case:?}");
    }
}

#[test]
fn unread_account_region_is_never_changed() {
    for case in cases() {
        let fleet = fleet(case.kms);
        let observed = observed(&fleet, &case);
        for plan in [destroy(&fleet, &observed), plan(&fleet, &observed, Unnamed::Prune)] {
            for change in plan.flow_logs().iter().chain(&plan.held_back().flow_logs) {
                assert!(matches!(observed.regions.get(&change.place), Some(Ok(_))), "{case:?} {change:?}");
            }
        }
    }
}

#[test]
fn grant_is_only_removed_if_every_account_region_was_read() {
    for case in cases() {
        let fleet = fleet(case.kms);
        let observed = observed(&fleet, &case);
        let plan = destroy(&fleet, &observed);
        let removes =
            |changes: &[HubChange]| changes.iter().any(|change| matches!(change, HubChange::RemoveGrant(_)));
        let (granted, whole) = (case.bucket == BucketRead::There, read(&case) == 4);
        assert_eq!(removes(plan.hub()), granted && whole, "{case:?}");
        assert_eq!(removes(&plan.held_back().hub), granted && !whole, "{case:?}");
        let note = match observed.scope {
            Scope::Part { .. } => Note::GrantStaysForPart,
            Scope::Whole => Note::GrantStaysForUnread,
        };
        assert_eq!(plan.notes().contains(&note), granted && !whole, "{case:?}");
        let deletes = plan.flow_logs().iter().all(|change| matches!(change.step, Step::Delete { .. }));
        let decided = !matches!(case.bucket, BucketRead::Unread | BucketRead::Broken);
        let expected = if case.logged && decided { read(&case) } else { 0 };
        assert_eq!((plan.flow_logs().len(), deletes), (expected, true), "{case:?}");
    }
}

/// The repeated plan for a bucket with this policy, without any other observed state.
fn replan(before: &Plan, fleet: &Fleet, policy: Option<&str>) -> Plan {
    let mut bucket = Bucket::default();
    bucket.policy = policy.map(str::to_owned);
    before.again(fleet, &Observed::new(Ok(Some(bucket))))
}

#[test]
fn repeated_plan_only_revokes_access_that_the_first_showed() {
    let fleet = fleet(false);
    let (members, rest): (Vec<_>, Vec<_>) =
        fleet.members.clone().into_iter().partition(|(account, _)| account.to_string() == MEMBERS[0]);
    assert_eq!((members.len(), rest.len()), (1, 1));
    let mut smaller = fleet.clone();
    smaller.members = members.into_iter().collect();
    let case =
        Case { bucket: BucketRead::Missing, kms: false, key: None, regions: vec![None; 4], logged: false };
    let first = plan(&smaller, &observed(&smaller, &case), Unnamed::Prune);
    assert!(first.is_complete() && first.policy_write().is_some());

    // Meanwhile, someone grants delivery to the other account.
    let both = merge(None, &Grant::from(&fleet), Unnamed::Keep).unwrap().text;
    let second = replan(&first, &smaller, Some(&both));
    assert_eq!(second.policy_write(), None);
    assert_eq!(
        second.obstacles()[0].what,
        "the new plan would also revoke delivery from 333333333333, which the first plan did not show, so nothing was revoked"
    );
}

/// The obstacle of a plan with this goal that is made for the first policy and repeated for the second.
fn obstacle(
    goal: impl Fn(&Fleet, &Observed) -> Plan,
    fleet: &Fleet,
    first: &str,
    second: &str,
) -> Option<String> {
    let observed = |policy: &str| {
        let mut bucket = Bucket::default();
        bucket.policy = Some(policy.to_owned());
        Observed::new(Ok(Some(bucket)))
    };
    let first = goal(fleet, &observed(first));
    assert!(first.is_complete(), "{first:?}");
    let again = first.again(fleet, &observed(second));
    assert_eq!(again.is_empty(), !again.is_complete());
    again.obstacles().first().map(|obstacle| obstacle.what.clone())
}

#[test]
fn repeated_plan_ends_no_grant_that_the_first_did_not_show() {
    let fleet = fleet(false);
    let listed = merge(None, &Grant::from(&fleet), Unnamed::Keep).unwrap().text;
    let smaller = listed.replace(&format!(",\"{}\"", MEMBERS[1]), "");
    assert_ne!(smaller, listed);
    let by_organization = listed
        .replace(
            "\"aws:SourceAccount\":[\"222222222222\",\"333333333333\"]",
            "\"aws:SourceOrgID\":\"o-a1b2c3d4e5\"",
        )
        .replace("AWSLogs/222222222222/*\",\"arn:aws:s3:::acme-logs/AWSLogs/333333333333/*", "AWSLogs/*");
    let edited = listed.replacen("s3:PutObject", "s3:PutObject*", 1);
    let edited_again = listed.replacen("s3:PutObject", "s3:Put*", 1);
    let prune = |fleet: &Fleet, observed: &Observed| plan(fleet, observed, Unnamed::Prune);
    let mut obstacles = Vec::new();
    for second in [&by_organization, &edited] {
        obstacles.extend(obstacle(prune, &fleet, &smaller, second));
        obstacles.extend(obstacle(destroy, &fleet, &smaller, second));
        // The second plan may make changes that the first plan shows.
        assert_eq!(obstacle(prune, &fleet, second, second), None);
        assert_eq!(obstacle(destroy, &fleet, second, second), None);
    }
    snapbox::assert_data_eq!(
        obstacles.join("\n"),
        snapbox::str![[r#"
the new plan would also revoke the grant for members of organization o-a1b2c3d4e5 that the fleet file does not list, which the first plan did not show, so nothing was revoked
the new plan would also revoke the grant for members of organization o-a1b2c3d4e5 that the fleet file does not list, which the first plan did not show, so nothing was revoked
the new plan would also revoke the grant for everyone that statement `AWSLogDeliveryWriteFlowaggAcmeLogs` allows, which is for another prefix or was modified outside flowagg, which the first plan did not show, so nothing was revoked
the new plan would also revoke delivery from 333333333333; the grant for everyone that statement `AWSLogDeliveryWriteFlowaggAcmeLogs` allows, which is for another prefix or was modified outside flowagg, which the first plan did not show, so nothing was revoked
"#]]
    );
    assert!(
        obstacle(prune, &fleet, &edited, &edited_again).is_some(),
        "the changed statement may allow other access"
    );
}

#[test]
fn repeated_plan_after_its_own_write_writes_no_policy() {
    let fleet = fleet(false);
    let case =
        Case { bucket: BucketRead::Missing, kms: false, key: None, regions: vec![None; 4], logged: false };
    let first = plan(&fleet, &observed(&fleet, &case), Unnamed::Keep);
    let written = first.policy_write().and_then(|write| write.text).unwrap();
    let second = replan(&first, &fleet, Some(written));
    assert_eq!(second.policy_write(), None);
    assert!(second.is_complete());
}

#[test]
fn organization_without_selected_accounts_is_an_obstacle() {
    let mut fleet = fleet(false);
    fleet.members = BTreeMap::new();
    let case = Case { bucket: BucketRead::There, kms: false, key: None, regions: vec![], logged: false };
    let observed = observed(&super::plan_unread::fleet(false), &case);
    let plan = plan(&fleet, &observed, Unnamed::Prune);
    assert_eq!(plan.obstacles()[0].about, Subject::Organization);
    assert!(plan.is_empty());
}
