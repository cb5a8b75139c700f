//! Only statements with the fleet's mark are managed by it: all others keep their bytes, regardless of Sid and
//! contents.

use flowagg_core::fleet::{Fleet, GrantForm};
use flowagg_core::id::{AccountId, FleetName};
use flowagg_core::observed::{Bucket, Observed};
use flowagg_core::plan::{HubChange, Note, Unnamed};
use flowagg_policy::plan::{Plan, destroy, plan};
use flowagg_policy::{Grant, Policy, Request, foreign_losses, merge, remove};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::support::{DELIVERY, account, cases, foreign_statement};

/// AWS's documented grant for Network Load Balancer logs.
const LOAD_BALANCER: &str = include_str!("../data/nlb-documented-top.json");
/// One ACL check for the writes of three services.
const THREE_SERVICES: &str = include_str!("../data/three-services-one-statement.json");
/// One ACL check, and a write for each account.
const SID_PER_ACCOUNT: &str = include_str!("../data/sid-per-account.json");
/// AWS's documented grant for one account in the whole bucket.
const WHOLE_BUCKET: &str = include_str!("../data/whole-bucket-one-account.json");

fn fleet(members: &[&str]) -> Fleet {
    let members = members
        .iter()
        .map(|member| format!("[[members]]\naccount = \"{member}\"\nregions = [\"eu-west-1\"]\n"))
        .collect::<String>();
    let hub = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n";
    Fleet::parse(&format!("{hub}{members}")).unwrap()
}

fn observed(policy: &str) -> Observed {
    let mut bucket = Bucket::default();
    bucket.policy = Some(policy.to_owned());
    Observed::new(Ok(Some(bucket)))
}

/// The statements as written in the policy. S3 also returns them in order.
fn body(policy: &str) -> &str {
    let (_, statements) = policy.split_once("\"Statement\": [").unwrap();
    statements.rsplit_once(']').unwrap().0.trim_end()
}

fn notes(plan: &Plan) -> Vec<String> {
    let notes = plan.notes().iter().map(ToString::to_string);
    notes.filter(|note| note.contains("also allows delivery")).collect()
}

/// The policy after `apply` for these members, with or without pruning.
#[track_caller]
fn applied(policy: &str, members: &[&str], unnamed: Unnamed) -> (String, Plan) {
    let (text, plan) = applied_text(&fleet(members), policy, unnamed);
    assert!(text.contains(body(policy)), "{text}");
    (text, plan)
}

#[track_caller]
fn applied_text(fleet: &Fleet, policy: &str, unnamed: Unnamed) -> (String, Plan) {
    let plan = plan(fleet, &observed(policy), unnamed);
    let change = plan.hub().iter().find_map(|change| match change {
        HubChange::PutPolicy(change) => Some(change),
        _ => None,
    });
    let change = change.unwrap();
    assert!(change.revoked.is_empty(), "{change:?}");
    (change.text.clone(), plan)
}

#[test]
fn grants_written_by_aws_for_other_services_stay_byte_for_byte() {
    for policy in [LOAD_BALANCER, THREE_SERVICES, SID_PER_ACCOUNT, WHOLE_BUCKET] {
        for unnamed in [Unnamed::Keep, Unnamed::Prune] {
            let (text, _) = applied(policy, &["333333333333"], unnamed);
            let plan = destroy(&fleet(&["333333333333"]), &observed(&text));
            assert_eq!(plan.policy_write().unwrap().text, Some(policy));
        }
        let nothing = destroy(&fleet(&["222222222222", "333333333333"]), &observed(policy));
        assert_eq!(nothing.policy_write(), None);
    }
}

#[test]
fn foreign_statement_that_allows_members_is_reported() {
    let members = ["222222222222", "333333333333"];
    for (policy, expected) in [
        (LOAD_BALANCER, vec!["statement `AWSLogDeliveryWrite` also allows delivery from 222222222222"]),
        (THREE_SERVICES, vec!["statement `AWSLogWrite` also allows delivery from 222222222222"]),
        (
            SID_PER_ACCOUNT,
            vec![
                "statement `AWSLogDeliveryWrite222222222222` also allows delivery from 222222222222",
                "statement `AWSLogDeliveryWrite333333333333` also allows delivery from 333333333333",
            ],
        ),
        (WHOLE_BUCKET, vec!["statement `AWSLogDeliveryWrite` also allows delivery from 222222222222"]),
    ] {
        let (_, plan) = applied(policy, &members, Unnamed::Prune);
        assert_eq!(notes(&plan), expected);
        assert_eq!(notes(&destroy(&fleet(&members), &observed(policy))), expected);
    }
    assert_eq!(notes(&applied(LOAD_BALANCER, &members[1..], Unnamed::Keep).1), [""; 0]);
}

#[test]
fn statement_of_another_fleet_is_reported_with_its_name_or_mark() {
    let members = ["222222222222", "333333333333"];
    let notes_next_to = |name: &str| {
        let mut other = fleet(&members);
        other.declared_name = Some(FleetName::parse(name).unwrap());
        let live = merge(None, &Grant::from(&other), Unnamed::Keep).unwrap().text;
        notes(&plan(&fleet(&members), &observed(&live), Unnamed::Keep)).join("\n")
    };
    assert_data_eq!(
        notes_next_to("other-fleet"),
        str![[
            r#"statement `AWSLogDeliveryWriteFlowaggOtherFleet`, managed by flowagg fleet other-fleet, also allows delivery from 222222222222, 333333333333"#
        ]]
    );
    assert_data_eq!(
        notes_next_to("other.fleet"),
        str![[
            r#"statement `AWSLogDeliveryWriteFlowagg06d818913`, managed by a flowagg fleet with the mark 06d818913, also allows delivery from 222222222222, 333333333333"#
        ]]
    );
}

#[test]
fn changed_managed_statement_is_reported_until_it_is_pruned() {
    let fleet = fleet(&["222222222222"]);
    let written = merge(None, &Grant::from(&fleet), Unnamed::Keep).unwrap().text;
    let edited = written.replacen("s3:PutObject", "s3:PutObject*", 1);
    let (first, _) = applied_text(&fleet, &edited, Unnamed::Keep);
    let settled = plan(&fleet, &observed(&first), Unnamed::Keep);
    assert_eq!(settled.policy_write(), None);
    let kept = settled.notes().iter().filter(|note| matches!(note, Note::StatementKept { .. }));
    assert_eq!(kept.count(), 1, "{:?}", settled.notes());
    assert_eq!(applied_text(&fleet, &first, Unnamed::Prune).0, written);
    assert_eq!(destroy(&fleet, &observed(&first)).policy_write().unwrap().text, None);
}

#[test]
fn broad_foreign_grant_keeps_its_effect() {
    let (text, _) = applied(WHOLE_BUCKET, &["222222222222"], Unnamed::Prune);
    let grant = Grant::from(&fleet(&["222222222222"]));
    let member = AccountId::parse("222222222222").unwrap();
    let region = flowagg_core::id::Region::parse("eu-west-1").unwrap();
    let elsewhere = Request::put_object(&grant.bucket, member, &region, "VpcFlowLogs/vpc-0a1b2c3d/AWSLogs/x");
    assert!(Policy::compile(&text).unwrap().decide(&elsewhere).is_allowed());
}

/// Statements that AWS writes for other services with its own Sids, and statements of a flowagg version without marks.
fn documented() -> impl Strategy<Value = serde_json::Value> {
    let sids = vec![
        "AWSLogDeliveryWrite",
        "AWSLogDeliveryAclCheck",
        "AWSLogDeliveryCheck",
        "AWSLogDeliveryWrite2",
        "AWSLogDeliveryWriteFlowagg",
        "FlowaggDenyOtherAccounts",
    ];
    (select(sids), account(), any::<bool>()).prop_map(|(sid, account, is_write)| {
        let (action, resource) = match is_write {
            true => ("s3:PutObject", format!("arn:aws:s3:::acme-logs/AWSLogs/{account}/*")),
            false => ("s3:GetBucketAcl", "arn:aws:s3:::acme-logs".to_owned()),
        };
        json!({
            "Sid": sid, "Effect": "Allow", "Principal": {"Service": DELIVERY}, "Action": action, "Resource": resource,
            "Condition": {"StringEquals": {"aws:SourceAccount": [account]}},
        })
    })
}

/// A live policy of foreign statements, and their texts.
fn live() -> impl Strategy<Value = (Vec<String>, String)> {
    let statement = prop_oneof![2 => documented(), 1 => foreign_statement()];
    (vec(statement, 1..5), any::<bool>()).prop_map(|(statements, pretty)| {
        let write = |value: &serde_json::Value| {
            if pretty { serde_json::to_string_pretty(value).unwrap() } else { value.to_string() }
        };
        let statements: Vec<String> = statements.iter().map(write).collect();
        let list = statements.join(if pretty { " ,\n\t" } else { "," });
        (statements, format!("{{\"Version\": \"2012-10-17\",\"Statement\":[ {list}\n] }}\n"))
    })
}

/// An operation of one of two fleets on the policy.
#[derive(Clone, Debug)]
struct Turn {
    grant: Grant,
    does: Does,
}

#[derive(Clone, Copy, Debug)]
enum Does {
    Merge(Unnamed),
    Remove,
}

fn turn() -> impl Strategy<Value = Turn> {
    let does = select(vec![Does::Merge(Unnamed::Keep), Does::Merge(Unnamed::Prune), Does::Remove]);
    let forms = select(GrantForm::ALL.to_vec());
    let name = select(vec!["acme-logs", "acme-logs-2"]);
    (name, btree_set(account(), 1..4), forms, any::<bool>(), does).prop_map(
        |(name, accounts, form, tls, does)| {
            let mut grant = crate::merging::grant(&[]);
            grant.fleet = FleetName::parse(name).unwrap();
            grant.accounts = accounts;
            grant.settings.form = form;
            grant.settings.deny_insecure_transport = tls;
            Turn { grant, does }
        },
    )
}

/// Whether the policy contains these texts in this order.
fn has_in_order(policy: &str, texts: &[String]) -> bool {
    let mut rest = policy;
    texts.iter().all(|text| match rest.split_once(text.as_str()) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn two_fleets_never_change_foreign_statements_or_each_others(
        (foreign, live) in live(),
        turns in vec(turn(), 1..6),
    ) {
        let mut policy = live.clone();
        for Turn { grant, does } in &turns {
            // The foreign statements remain, so the policy is never empty.
            let after = match does {
                Does::Merge(unnamed) => merge(Some(&policy), grant, *unnamed).map_or(policy.clone(), |merged| merged.text),
                Does::Remove => remove(&policy, grant).unwrap().unwrap(),
            };
            prop_assert!(has_in_order(&after, &foreign), "{}", after);
            let others = |policy: &str| remove(policy, grant).unwrap().unwrap();
            prop_assert_eq!(others(&policy), others(&after), "{}", after);
            policy = after;
        }
        for Turn { grant, .. } in &turns {
            policy = remove(&policy, grant).unwrap().unwrap();
        }
        prop_assert_eq!(policy, live);
    }
}

#[test]
fn lost_foreign_statement_is_reported_by_its_old_name() {
    let foreign = |sid: &str| {
        let resource = "arn:aws:s3:::acme-logs/x";
        let principal = json!({ "AWS": "999999999999" });
        let statement = json!({
            "Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": resource,
        });
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    };
    let grant = Grant::from(&fleet(&["222222222222"]));
    let [old, new] = ["Old", "New"].map(foreign);
    let granted = merge(Some(&old), &grant, Unnamed::Keep).unwrap().text;
    let lost = |before: Option<&str>, after: Option<&str>| foreign_losses(before, after, &grant).unwrap();
    assert_eq!(lost(Some(&granted), Some(&new)), ["`Old`"]);
    assert_eq!(lost(Some(&granted), None), ["`Old`"]);
    assert_eq!(lost(Some(&granted), Some(&old)), [""; 0]);
    assert_eq!(lost(None, Some(&granted)), [""; 0]);
}
