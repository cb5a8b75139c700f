//! Bucket policies and key policies from the field with their expected results.

use std::collections::BTreeSet;

use flowagg_core::fleet::Fleet;
use flowagg_core::id::{AccountId, BucketName, Region};
use flowagg_core::layout::FileName;
use flowagg_core::observed::{Bucket, BucketEncryption, Key, Observed};
use flowagg_core::plan::{Note, Subject, Unnamed};
use flowagg_policy::plan::{destroy, evaluate, plan};
use flowagg_policy::{Grant, Policy, diff, foreign_losses, merge};
use serde::Deserialize;
use serde_json::value::RawValue;

const FIELD: &str = include_str!("../data/field-policies.jsonl");
const RECORDED: &str = include_str!("../data/recorded-policies.jsonl");
const KEYS: &str = include_str!("../data/field-keys.jsonl");

#[derive(Deserialize)]
struct Case<'a> {
    name: &'a str,
    #[serde(borrow)]
    policy: &'a RawValue,
}

fn cases(lines: &str) -> impl Iterator<Item = Case<'_>> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap())
}

fn fleet(more: &str) -> Fleet {
    fleet_with("acme-logs", more)
}

fn fleet_with(bucket: &str, more: &str) -> Fleet {
    let text = format!(
        "{more}[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"{bucket}\"\n\
         [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n\
         [[members]]\naccount = \"333333333333\"\nregions = [\"eu-west-1\"]\n"
    );
    Fleet::parse(&text).unwrap()
}

fn accounts(texts: &[&str]) -> BTreeSet<AccountId> {
    texts.iter().map(|text| AccountId::parse(text).unwrap()).collect()
}

const BOTH: &[&str] = &["222222222222", "333333333333"];

/// The accounts that a merge newly allows to deliver, and the remaining problems.
#[track_caller]
fn merged(name: &str, fleet: &Fleet) -> (BTreeSet<AccountId>, Vec<String>) {
    let case = cases(FIELD).find(|case| case.name == name).unwrap();
    let grant = Grant::from(fleet);
    let merged = merge(Some(case.policy.get()), &grant, Unnamed::Keep).unwrap();
    let (effects, problems) = evaluate(fleet, &grant, Some(case.policy.get()), &merged).unwrap();
    (effects.granted, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn merge_grants_delivery_only_if_no_foreign_statement_denies_it() {
    for (name, granted, problem) in [
        (
            "deny-unencrypted-kms",
            &[][..],
            Some(
                "log delivery for 222222222222 in eu-west-1 cannot write to its folder: ExplicitDeny by statement \
                  `DenyUnencryptedObjectUploads` (and for 1 more account)",
            ),
        ),
        (
            "deny-unencrypted-null",
            &[],
            Some(
                "log delivery for 222222222222 in eu-west-1 cannot write to its folder: ExplicitDeny by statement \
                  `DenyUnEncryptedObjectUploads` (and for 1 more account)",
            ),
        ),
        (
            "notprincipal-deny-all",
            &[],
            Some(
                "log delivery for 222222222222 in eu-west-1 cannot read the bucket's ACL: ExplicitDeny by statement \
                  `OnlyLogTeam` (and for 1 more account)",
            ),
        ),
        (
            "access-points-only",
            &[],
            Some(
                "log delivery for 222222222222 in eu-west-1 cannot read the bucket's ACL: ExplicitDeny by statement \
                  `OnlyThroughAccessPoints` (and for 1 more account)",
            ),
        ),
        (
            "perimeter-services",
            &[],
            Some(
                "log delivery for 222222222222 in eu-west-1 may not be able to read the bucket's ACL: Depends on \
                  `aws:SourceOrgID` in statement `EnforceConfusedDeputyProtection` (and for 1 more account)",
            ),
        ),
        ("check-on-objects", BOTH, None),
        ("misspelt-acl-key", BOTH, None),
        ("folder-without-star", BOTH, None),
        ("nlb-documented-prefix", BOTH, None),
        ("lb-module", BOTH, None),
        ("perimeter-identity", BOTH, None),
        ("perimeter-network", BOTH, None),
        ("deny-unencrypted-if-sent", BOTH, None),
        ("mfa-and-retention", BOTH, None),
        ("https-and-sigv4", BOTH, None),
        ("principal-org-id", BOTH, None),
        // Allowed before.
        ("no-sids", &[], None),
        ("three-services-one-statement", &["333333333333"], None),
    ] {
        let problems: Vec<_> = problem.iter().map(ToString::to_string).collect();
        assert_eq!(merged(name, &fleet("")), (accounts(granted), problems), "{name}");
    }
}

#[test]
fn organization_in_the_fleet_file_decides_a_service_perimeter() {
    let inside = "[organization]\nid = \"o-a1b2c3d4e5\"\n";
    assert_eq!(merged("perimeter-services", &fleet(inside)), (accounts(BOTH), vec![]));
    let outside = inside.replace("o-a1b2c3d4e5", "o-zzzzzzzzzz");
    let (granted, problems) = merged("perimeter-services", &fleet(&outside));
    assert_eq!(granted, accounts(&[]));
    assert_eq!(
        problems,
        [
            "log delivery for 222222222222 in eu-west-1 cannot read the bucket's ACL: ExplicitDeny by statement \
          `EnforceConfusedDeputyProtection` (and for 1 more account)"
        ]
    );
}

/// Whether both requests of a delivery to the fleet's folder are certainly allowed.
fn may_deliver(policy: &str, grant: &Grant, account: AccountId, region: &Region) -> bool {
    let policy = Policy::compile(policy).unwrap();
    let delivery = grant.delivery(account, region);
    let key = grant.layout().key(&FileName::example(account, region));
    [delivery.acl_check(&grant.bucket), delivery.put_object(&grant.bucket, &key)]
        .iter()
        .all(|request| policy.decide(request).is_allowed())
}

#[test]
fn recorded_policies_merge_without_foreign_changes_and_grants_match_the_evaluation() {
    let mut count = 0;
    // Recorded policies are named after their buckets, unless the name is a placeholder.
    let recorded = cases(RECORDED)
        .map(|case| (if BucketName::parse(case.name).is_ok() { case.name } else { "acme-logs" }, case));
    for (bucket, case) in recorded.chain(cases(FIELD).map(|case| ("acme-logs", case))) {
        let live = case.policy.get();
        let fleet = fleet_with(bucket, "");
        let grant = Grant::from(&fleet);
        let after =
            merge(Some(live), &grant, Unnamed::Keep).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert!(!merge(Some(&after.text), &grant, Unnamed::Keep).unwrap().changed, "{}", case.name);
        assert_eq!(foreign_losses(Some(live), Some(&after.text), &grant).unwrap(), [""; 0], "{}", case.name);
        let difference = diff(live, &after.text).unwrap();
        let evaluated = evaluate(&fleet, &grant, Some(live), &after);
        if let Some(why) = &difference.not_evaluated {
            assert!(evaluated.is_err() && Policy::compile(live).is_err(), "{}: {why}", case.name);
            continue;
        }
        count += 1;
        let (effects, _) = evaluated.unwrap();
        for (account, regions) in &fleet.regions() {
            let may = |policy: &str| {
                regions.iter().map(|it| may_deliver(policy, &grant, *account, it)).collect::<Vec<_>>()
            };
            let (before, after) = (may(live), may(&after.text));
            let newly = before.iter().zip(&after).any(|(before, after)| !before && *after);
            assert_eq!(effects.granted.contains(account), newly, "{} {account}", case.name);
            let no_longer = before.iter().zip(&after).any(|(before, after)| *before && !after);
            assert_eq!(effects.revoked.contains(account), no_longer, "{} {account}", case.name);
            // The diff knows neither the organization nor the owner, so it may leave more undecided.
            if difference.granted.contains(account) {
                assert!(after.contains(&true), "{} {account}", case.name);
            }
        }
    }
    assert_eq!(count, 75, "S3 would reject one of the recorded policies");
}

#[test]
fn plan_and_destroy_report_a_deleted_principal_before_the_write() {
    let case = cases(FIELD).find(|case| case.name == "deleted-principal").unwrap();
    let observed = |policy: &str| {
        let mut bucket = Bucket::default();
        bucket.policy = Some(policy.to_owned());
        Observed::new(Ok(Some(bucket)))
    };
    let fleet = fleet("");
    let merged = merge(Some(case.policy.get()), &Grant::from(&fleet), Unnamed::Keep).unwrap().text;
    let plans =
        [plan(&fleet, &observed(case.policy.get()), Unnamed::Keep), destroy(&fleet, &observed(&merged))];
    for plan in plans {
        assert!(plan.is_empty(), "the plan has no changes");
        let obstacles: Vec<_> = plan.obstacles().iter().map(|obstacle| obstacle.what.as_str()).collect();
        assert_eq!(
            obstacles,
            [
                "S3 would reject the new policy: statement `Readers` names the deleted principal AROAEXAMPLEEXAMPLE123"
            ]
        );
    }
}

/// What a plan reports about the key of the bucket.
fn key_finding(policy: &str, bucket_key: bool) -> Option<String> {
    let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let mut encryption = BucketEncryption::new("aws:kms");
    encryption.key = Some(key.into());
    encryption.bucket_key = bucket_key;
    let mut bucket = Bucket::default();
    bucket.encryption = Some(encryption);
    let state = Key::new(policy.to_owned());
    let mut observed = Observed::new(Ok(Some(bucket)));
    observed.key = Some(Ok(state));
    let plan = plan(&fleet(""), &observed, Unnamed::Keep);
    let about = plan.concerns().iter().chain(plan.obstacles()).find(|concern| concern.about == Subject::Key);
    let undecided = plan.notes().iter().find_map(|note| match note {
        Note::Undecided { about: Subject::Key, what } => Some(what.clone()),
        _ => None,
    });
    about.map(|concern| concern.what.clone()).or(undecided)
}

#[test]
fn key_finding_names_the_closest_statement_and_its_mismatch() {
    let first = "log delivery for 222222222222 in eu-west-1";
    for (name, finding) in [
        ("cloudposse", None),
        ("deny-outside-org-spares", None),
        ("open", None),
        ("via-service", None),
        (
            "cloudposse-before-33",
            Some(
                "cannot use the key with `kms:Decrypt`: ImplicitDeny: statement 2 would allow it except for the action",
            ),
        ),
        (
            "generate-only",
            Some(
                "cannot use the key with `kms:Decrypt`: ImplicitDeny: statement `Allow CloudFront to use the key to deliver logs` \
                  would allow it except for the action",
            ),
        ),
        (
            "context-objects",
            Some(
                "cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Logs` would allow it except for \
                  `kms:EncryptionContext:aws:s3:arn`, which is `arn:aws:s3:::acme-logs`",
            ),
        ),
        (
            "one-member-account",
            Some(
                "cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Logs` would allow it except for \
                  `aws:SourceArn`, which is `arn:aws:logs:eu-west-1:222222222222:log-delivery`",
            ),
        ),
        (
            "v2-delivery-source",
            Some(
                "cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Allow Logs Delivery to use the key` \
                  would allow it except for `aws:SourceArn`, which is `arn:aws:logs:eu-west-1:222222222222:log-delivery`",
            ),
        ),
        (
            "vpc-flow-logs-principal",
            Some(
                "cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Allow_logs` would allow it except for the \
                  principal",
            ),
        ),
        (
            "principal-org",
            Some(
                "cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Logs` would allow it except for \
                  `aws:PrincipalOrgID`, which the request does not have",
            ),
        ),
        (
            "deny-outside-org",
            Some("cannot use the key with `kms:GenerateDataKey`: ExplicitDeny by statement `DenyOutsideOrg`"),
        ),
        (
            "member-roots",
            Some(
                "cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Enable IAM User Permissions` would \
                  allow it except for the principal",
            ),
        ),
        (
            "caller-account",
            Some(
                "may not be able to use the key with `kms:GenerateDataKey`: Depends on `kms:CallerAccount` in statement \
                  `Allow access through S3 for all principals of the accounts`",
            ),
        ),
    ] {
        let case = cases(KEYS).find(|case| case.name == name).unwrap();
        let expected = finding.map(|finding| format!("{first} {finding} (and for 1 more account)"));
        assert_eq!(key_finding(case.policy.get(), true), expected, "{name}");
    }
    assert_eq!(cases(KEYS).count(), 14);
    let context = cases(KEYS).find(|case| case.name == "context-objects").unwrap();
    let elsewhere = key_finding(context.policy.get(), false).unwrap();
    // The condition names another bucket.
    snapbox::assert_data_eq!(
        elsewhere,
        snapbox::str![[
            r#"log delivery for 222222222222 in eu-west-1 cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Logs` would allow it except for `kms:EncryptionContext:aws:s3:arn`, which is `arn:aws:s3:::acme-logs/AWSLogs/222222222222/vpcflowlogs/eu-west-1/2026/01/01/222222222222_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_20260101T0000Z_00000000.log.gz` (and for 1 more account)"#
        ]]
    );
}
