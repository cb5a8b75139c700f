//! The lifecycle rules of a fleet: which rules are set, when `--allow-expiry` is required, the combined effect of all rules, and the
//! preservation of foreign rules.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::BTreeSet;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::FleetName;
use flowagg_core::lifecycle::{FleetRule, LifecycleDocument, Rule, fate, foreign_losses};
use flowagg_core::observed::*;
use flowagg_core::plan::{
    Expiry, HubChange, HubPart, LifecycleChange, folders_that_end_sooner, hub_changes, lifecycle_removal,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use snapbox::{assert_data_eq, str};

const OWN: &str = "AWSLogs/222222222222/vpcflowlogs/";

/// A fleet with these lines in `[hub]` and the member 222222222222.
fn fleet(hub: &str) -> Fleet {
    fleet_of(hub, &["222222222222"])
}

fn fleet_of(hub: &str, members: &[&str]) -> Fleet {
    let mut text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n{hub}\n[fleet]\nname = \"acme\"\n"
    );
    for member in members {
        text.push_str(&format!("[[members]]\naccount = \"{member}\"\nregions = [\"eu-west-1\"]\n"));
    }
    Fleet::parse(&text).unwrap()
}

fn document(rules: &str) -> Option<LifecycleDocument> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{rules}\
         </LifecycleConfiguration>"
    );
    let mut document = LifecycleDocument::new(text);
    document.minimum_object_size = Some("varies_by_storage_class".to_owned());
    Some(document)
}

/// A rule that expires objects with this prefix.
fn expiring(id: &str, prefix: &str, days: u32) -> String {
    format!(
        "<Rule><ID>{id}</ID><Filter><Prefix>{prefix}</Prefix></Filter><Status>Enabled</Status><Expiration><Days>{days}</Days></Expiration></Rule>"
    )
}

/// The fleet's rule, as flowagg writes it.
fn own(folder: &str, days: u32) -> String {
    let id = format!("flowagg-expiry/acme/{}", folder.trim_end_matches('/'));
    let abort = "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>";
    expiring(&id, folder, days).replace("</Rule>", abort)
}

fn bucket(rules: &str, contents: &[&str]) -> Bucket {
    let mut bucket = Bucket::default();
    bucket.encryption = Some(BucketEncryption::new("AES256"));
    bucket.lifecycle = if rules.is_empty() { None } else { document(rules) };
    bucket.public_access_block = PublicAccessBlock::FULL;
    bucket.ownership = Some("BucketOwnerEnforced".into());
    bucket.contents = Contents::Listed(contents.iter().map(|it| (*it).to_owned()).collect());
    bucket
}

fn part(fleet: &Fleet, bucket: &Bucket, expiry: Expiry) -> HubPart {
    hub_changes(fleet, Some(bucket), expiry, &Scope::Whole)
}

fn allowed(fleet: &Fleet, bucket: &Bucket) -> LifecycleChange {
    let part = part(fleet, bucket, Expiry::Allow);
    let [HubChange::SetLifecycle(change)] = &part.changes[..] else { unreachable!("{part:?}") };
    change.clone()
}

fn unders(change: &LifecycleChange) -> Vec<&str> {
    change.set.iter().map(|rule| rule.under.as_str()).collect()
}

fn concerns(part: &HubPart) -> Vec<&str> {
    part.concerns.iter().map(|concern| concern.what.as_str()).collect()
}

fn notes(part: &HubPart) -> Vec<String> {
    part.notes.iter().map(ToString::to_string).collect()
}

fn changes(part: &HubPart) -> Vec<String> {
    part.changes.iter().map(ToString::to_string).collect()
}

fn not_applied(part: &HubPart) -> Vec<String> {
    part.not_applied.iter().map(ToString::to_string).collect()
}

#[test]
fn existing_bucket_gets_no_rule_without_retention() {
    for contents in [&[][..], &[OWN]] {
        let part = part(&fleet(""), &bucket("", contents), Expiry::Allow);
        assert_eq!(changes(&part), [""; 0]);
        assert_eq!(concerns(&part), ["flow logs do not expire, and `hub.retention-days` is not set"]);
        assert_eq!(notes(&part), ["flow logs do not expire"]);
    }
}

#[test]
fn retention_forever_removes_the_finding() {
    let rules = "<Rule><ID>flowagg-expiry/acme/AWSLogs</ID><Filter><Prefix>AWSLogs/</Prefix></Filter><Status>Enabled</Status>\
                 <AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>";
    let part = part(&fleet("retention-days = \"forever\""), &bucket(rules, &[OWN]), Expiry::Withhold);
    assert!(part.changes.is_empty() && part.concerns.is_empty() && part.not_applied.is_empty(), "{part:?}");
    assert_eq!(notes(&part), ["flow logs do not expire"]);
}

#[test]
fn new_expiration_of_an_existing_bucket_requires_permission() {
    let day = jiff::civil::date(2024, 1, 3);
    let mut bucket = bucket("", &[OWN]);
    bucket.oldest = Oldest::Day(day);
    let fleet = fleet("retention-days = 30");
    let withheld = part(&fleet, &bucket, Expiry::Withhold);
    let expected = "lifecycle of AWSLogs/: expire after 30 days, abort incomplete uploads after 7 days (now never; oldest flow logs: 2024-01-03)";
    assert_eq!(not_applied(&withheld), [expected]);
    assert!(withheld.changes.is_empty() && withheld.concerns.is_empty(), "{withheld:?}");
    let allowed = part(&fleet, &bucket, Expiry::Allow);
    assert_eq!(changes(&allowed), [expected]);
    assert_eq!(not_applied(&allowed), [""; 0]);
    assert_eq!(folders_that_end_sooner(&fleet, &bucket, &Scope::Whole), BTreeSet::from([OWN.to_owned()]));
}

#[test]
fn only_a_shorter_expiration_requires_permission() {
    let bucket = bucket(&own("AWSLogs/", 90), &[OWN]);
    let shorter = part(&fleet("retention-days = 30"), &bucket, Expiry::Withhold);
    assert_data_eq!(
        not_applied(&shorter).join("\n"),
        str![[
            r#"lifecycle of AWSLogs/: expire after 90 days -> expire after 30 days, abort incomplete uploads after 7 days (now after 90 days; the age of the objects was not read)"#
        ]]
    );
    assert!(changes(&shorter).is_empty());
    for hub in ["retention-days = 91", "retention-days = \"forever\""] {
        let longer = part(&fleet(hub), &bucket, Expiry::Withhold);
        assert_eq!((longer.changes.len(), longer.not_applied.len()), (1, 0), "{longer:?}");
    }
    let same = part(&fleet("retention-days = 90"), &bucket, Expiry::Withhold);
    assert!(same.changes.is_empty() && same.not_applied.is_empty() && same.concerns.is_empty(), "{same:?}");
    assert_eq!(notes(&same), ["flow logs expire after 90 days"]);
}

#[test]
fn rule_of_a_created_bucket_stays_without_retention() {
    let part = part(&fleet(""), &bucket(&own("AWSLogs/", 90), &[OWN]), Expiry::Withhold);
    assert!(part.changes.is_empty() && part.not_applied.is_empty() && part.concerns.is_empty(), "{part:?}");
}

#[test]
fn deleting_noncurrent_versions_requires_permission() {
    let rules = own("AWSLogs/", 90);
    let fleet = fleet("retention-days = 90\nnoncurrent-days = 5");
    for (versioning, needs) in
        [(Versioning::Off, false), (Versioning::Enabled, true), (Versioning::Suspended, true)]
    {
        let mut bucket = bucket(&rules, &[OWN]);
        bucket.usage.versioning = Ok(versioning);
        let part = part(&fleet, &bucket, Expiry::Withhold);
        assert_eq!(part.not_applied.len(), usize::from(needs), "{versioning:?} {part:?}");
    }
}

#[test]
fn other_logs_lead_to_one_rule_per_account() {
    let other = "AWSLogs/222222222222/CloudTrail/";
    let fleet = fleet_of("retention-days = 30", &["222222222222", "333333333333"]);
    for other in [
        other,
        "AWSLogs/o-a1b2c3d4e5/",
        "AWSLogs/222222222222/ELBAccessLogTestFile",
        "AWSLogs/999999999999/vpcflowlogs/",
    ] {
        let change = allowed(&fleet, &bucket("", &[OWN, other]));
        assert_eq!(unders(&change), [OWN, "AWSLogs/333333333333/vpcflowlogs/"], "{other}");
    }
}

#[test]
fn account_rules_follow_the_layout() {
    let text = "[flow-logs]\nhive-compatible-partitions = true\n";
    let hive = "AWSLogs/aws-account-id=222222222222/aws-service=vpcflowlogs/";
    let mut fleet = fleet("retention-days = 30\nprefix = \"net\"");
    fleet.flow_logs = Fleet::parse(&format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n{text}[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n"
    ))
    .unwrap()
    .flow_logs;
    let change = allowed(
        &fleet,
        &bucket("", &["net/AWSLogs/222222222222/elasticloadbalancing/", &format!("net/{OWN}")]),
    );
    assert_eq!(unders(&change), [format!("net/{OWN}"), format!("net/{hive}")]);
}

#[test]
fn rule_for_the_whole_folder_is_narrowed_when_other_logs_appear() {
    let other = "AWSLogs/222222222222/CloudTrail/";
    let left = "AWSLogs/444444444444/vpcflowlogs/";
    let bucket = bucket(&own("AWSLogs/", 30), &[OWN, other, left]);
    let part = part(&fleet("retention-days = 30"), &bucket, Expiry::Withhold);
    let [HubChange::SetLifecycle(change)] = &part.changes[..] else { unreachable!("{part:?}") };
    assert_eq!(unders(change), [OWN, left], "flow logs that expire already still do");
    assert_eq!(change.removed, BTreeSet::from(["flowagg-expiry/acme/AWSLogs".to_owned()]));
    assert!(change.sooner.is_empty(), "{change:?}");
}

#[test]
fn former_member_keeps_its_rule_while_its_folder_exists() {
    let left = "AWSLogs/444444444444/vpcflowlogs/";
    let rules = own(OWN, 30) + &own(left, 30);
    let fleet = fleet("retention-days = 30");
    let stays = part(&fleet, &bucket(&rules, &[OWN, left]), Expiry::Withhold);
    assert!(stays.changes.is_empty() && stays.not_applied.is_empty(), "{stays:?}");
    let gone = allowed(&fleet, &bucket(&rules, &[OWN]));
    assert_eq!(
        gone.removed,
        BTreeSet::from(["flowagg-expiry/acme/AWSLogs/444444444444/vpcflowlogs".to_owned()])
    );
    assert!(gone.set.is_empty());
}

#[test]
fn number_of_rules_is_limited() {
    let other = "AWSLogs/222222222222/CloudTrail/";
    let fleet = fleet("retention-days = 30");
    let foreign =
        |number: usize| (0..number).map(|n| expiring(&format!("theirs-{n}"), "else/", 1)).collect::<String>();
    let fits = allowed(&fleet, &bucket(&foreign(899), &[other]));
    assert_eq!(fits.set.len(), 1);
    let part = part(&fleet, &bucket(&foreign(900), &[other]), Expiry::Allow);
    assert!(part.changes.is_empty() && part.not_applied.is_empty(), "{part:?}");
    assert_eq!(
        concerns(&part),
        [
            "no lifecycle rule is added: `AWSLogs/` also contains other logs (`AWSLogs/222222222222/CloudTrail/`), and one rule per account \
          would result in 901 rules, more than flowagg's limit of 900"
        ]
    );
    assert_data_eq!(
        &part.concerns[0].help,
        str!["use a separate folder for the flow logs with `hub.prefix`, or a separate bucket"]
    );
}

#[test]
fn other_changes_are_applied_without_permission() {
    let fleet = fleet_of("retention-days = 365", &["222222222222", "333333333333"]);
    let [other, third] = ["AWSLogs/222222222222/CloudTrail/", "AWSLogs/333333333333/vpcflowlogs/"];
    let part = part(&fleet, &bucket(&own(OWN, 30), &[OWN, third, other]), Expiry::Withhold);
    let [HubChange::SetLifecycle(change)] = &part.changes[..] else { unreachable!("{part:?}") };
    assert_eq!((unders(change), change.set[0].expire_days), (vec![OWN], Some(365)));
    let [HubChange::SetLifecycle(withheld)] = &part.not_applied[..] else { unreachable!("{part:?}") };
    assert_eq!(unders(withheld), [OWN, third]);
}

#[test]
fn new_account_without_objects_requires_no_permission() {
    let other = "AWSLogs/222222222222/CloudTrail/";
    for hub in ["retention-days = 30", ""] {
        let fleet = fleet_of(hub, &["222222222222", "333333333333"]);
        let part = part(&fleet, &bucket(&own(OWN, 30), &[OWN, other]), Expiry::Withhold);
        let [HubChange::SetLifecycle(change)] = &part.changes[..] else { unreachable!("{part:?}") };
        assert_eq!(
            (unders(change), change.set[0].expire_days),
            (vec!["AWSLogs/333333333333/vpcflowlogs/"], Some(30))
        );
        assert_eq!(not_applied(&part), [""; 0]);
    }
}

#[test]
fn objects_without_expiration_keep_none_without_retention() {
    let third = "AWSLogs/333333333333/vpcflowlogs/";
    let fleet = fleet_of("", &["222222222222", "333333333333"]);
    let change = allowed(&fleet, &bucket(&own(OWN, 30), &[OWN, third, "AWSLogs/222222222222/CloudTrail/"]));
    assert_eq!((unders(&change), change.set[0].expire_days), (vec![third], None));
}

#[test]
fn disabled_rule_stays_disabled_without_retention() {
    let disabled = own("AWSLogs/", 30).replace("Enabled", "Disabled");
    let part = part(&fleet(""), &bucket(&disabled, &[OWN]), Expiry::Allow);
    assert!(part.changes.is_empty() && part.not_applied.is_empty(), "{part:?}");
    assert_eq!(concerns(&part), ["flow logs do not expire, and `hub.retention-days` is not set"]);
    // Flow logs of another account do not expire with it, so they count as other logs.
    let stranger = "AWSLogs/444444444444/vpcflowlogs/";
    let change = allowed(&fleet("retention-days = 30"), &bucket(&disabled, &[OWN, stranger]));
    assert_eq!(unders(&change), [OWN]);
}

#[test]
fn unlisted_noncurrent_versions_are_not_deleted() {
    let fleet = fleet("retention-days = 30\nnoncurrent-days = 5");
    let versioned = |rules: &str| {
        let mut bucket = bucket(rules, &[OWN]);
        bucket.usage.versioning = Ok(Versioning::Enabled);
        bucket
    };
    let change = allowed(&fleet, &versioned(""));
    assert_eq!(unders(&change), [OWN], "not the whole folder");
    let left = own("AWSLogs/444444444444/vpcflowlogs/", 30);
    let part = part(&fleet, &versioned(&left), Expiry::Allow);
    let [HubChange::SetLifecycle(change)] = &part.changes[..] else { unreachable!("{part:?}") };
    assert!(change.removed.is_empty(), "noncurrent versions of a former member may remain");
}

#[test]
fn rule_for_the_whole_folder_does_not_delete_versions_if_no_rule_is_added() {
    let foreign: String = (0..900).map(|n| expiring(&format!("theirs-{n}"), "else/", 1)).collect();
    let mut bucket = bucket(&(foreign + &own("AWSLogs/", 30)), &[OWN]);
    bucket.usage.versioning = Ok(Versioning::Enabled);
    let part = part(&fleet("retention-days = 30\nnoncurrent-days = 5"), &bucket, Expiry::Allow);
    assert!(part.changes.is_empty() && part.not_applied.is_empty(), "{part:?}");
    assert_data_eq!(
        concerns(&part).join("\n"),
        str![
            "no lifecycle rule is added: one rule per account would result in 901 rules, more than flowagg's limit of 900"
        ]
    );
}

#[test]
fn retention_forever_applies_if_no_rule_is_added() {
    let other = "AWSLogs/222222222222/CloudTrail/";
    let foreign: String = (0..900).map(|n| expiring(&format!("theirs-{n}"), "else/", 1)).collect();
    let bucket = bucket(&(foreign + &own(OWN, 30)), &[OWN, other]);
    let change = allowed(&fleet("retention-days = \"forever\""), &bucket);
    assert_eq!((unders(&change), change.set[0].expire_days), (vec![OWN], None));
}

#[test]
fn expiring_flow_logs_of_other_accounts_are_noted() {
    let stranger = "AWSLogs/444444444444/vpcflowlogs/";
    let part = part(&fleet(""), &bucket(&own("AWSLogs/", 90), &[OWN, stranger]), Expiry::Withhold);
    assert!(part.changes.is_empty() && part.concerns.is_empty(), "{part:?}");
    let note =
        "the fleet's lifecycle rule also expires flow logs of accounts that are not members: 444444444444";
    assert_eq!(notes(&part), ["flow logs expire after 90 days", note]);
}

#[test]
fn rule_of_another_fleet_is_reported_with_the_fleet() {
    let rules = own("AWSLogs/", 30).replace("/acme/", "/other/");
    let part = part(&fleet("retention-days = \"forever\""), &bucket(&rules, &[OWN]), Expiry::Allow);
    assert_data_eq!(
        concerns(&part).join("\n"),
        str![[
            r#"lifecycle rule `flowagg-expiry/other/AWSLogs` (managed by flowagg fleet other) expires flow logs in 1 folders after 30 days, although `hub.retention-days` is "forever""#
        ]]
    );
}

#[test]
fn unlisted_folder_changes_no_rule() {
    let hub = fleet("").hub;
    let mut denied = Failure::new(hub.place(), "ListObjectsV2", "denied", "allow s3:ListBucket");
    denied.code = Some("AccessDenied".into());
    let contents = Contents::Unread(denied);
    let mut bucket = bucket(&own("AWSLogs/", 90), &[]);
    bucket.contents = contents;
    let part = part(&fleet("retention-days = 30"), &bucket, Expiry::Allow);
    assert!(part.changes.is_empty() && part.not_applied.is_empty(), "{part:?}");
    assert_eq!(
        concerns(&part),
        [
            "the lifecycle rules are not changed: `AWSLogs/` could not be listed (ListObjectsV2: AccessDenied: denied)",
            "it is unknown whether lifecycle rule `flowagg-expiry/acme/AWSLogs` also expires other logs under `AWSLogs/` (ListObjectsV2: \
             AccessDenied: denied)",
        ]
    );
}

#[test]
fn shorter_foreign_rule_is_reported() {
    let rules = own("AWSLogs/", 365) + &expiring("purge", "", 30);
    let part = part(&fleet("retention-days = 365"), &bucket(&rules, &[OWN]), Expiry::Withhold);
    assert!(part.changes.is_empty() && part.not_applied.is_empty());
    let expected = "lifecycle rule `purge` (foreign) expires flow logs after 30 days, earlier than the 365 days of \
                    `hub.retention-days`";
    assert_eq!(concerns(&part), [expected]);
    assert_eq!(notes(&part), ["flow logs expire after 30 days by the lifecycle rule `purge` (foreign)"]);
}

#[test]
fn foreign_rule_for_some_flow_logs_is_reported() {
    for (rule, what) in [
        (
            "<Rule><ID>small</ID><Filter><And><Prefix>AWSLogs/</Prefix><ObjectSizeLessThan>10</ObjectSizeLessThan></And></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>",
            "expires flow logs that its filter selects (`AWSLogs/`) after 1 days",
        ),
        (
            "<Rule><ID>year-end</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Date>2027-01-01T00:00:00.000Z</Date></Expiration></Rule>",
            "expires flow logs under its prefix (``) on 2027-01-01T00:00:00.000Z",
        ),
        (
            "<Rule><ID>part</ID><Prefix>AWSLogs/222222222222/vpcflowlogs/eu-west-1/</Prefix><Status>Enabled</Status><Expiration><Days>5</Days></Expiration></Rule>",
            "expires flow logs under its prefix (`AWSLogs/222222222222/vpcflowlogs/eu-west-1/`) after 5 days",
        ),
    ] {
        let rules = own("AWSLogs/", 90) + rule;
        let part = part(&fleet("retention-days = 90"), &bucket(&rules, &[OWN]), Expiry::Withhold);
        assert!(concerns(&part)[0].ends_with(what), "{part:?}");
        let off = rules.replace(rule, &rule.replace("Enabled", "Disabled"));
        assert!(
            hub_changes(
                &fleet("retention-days = 90"),
                Some(&bucket(&off, &[OWN])),
                Expiry::Withhold,
                &Scope::Whole
            )
            .concerns
            .is_empty()
        );
    }
}

#[test]
fn managed_rules_that_expire_other_logs_are_narrowed() {
    let others = ["AWSLogs/222222222222/CloudTrail/", "AWSLogs/222222222222/elasticloadbalancing/"];
    let bucket = bucket(&own("AWSLogs/", 30), &[OWN, others[0], others[1]]);
    let fleet = fleet("retention-days = 10");
    let withheld = part(&fleet, &bucket, Expiry::Withhold);
    assert_eq!(withheld.not_applied.len(), 1);
    let [HubChange::SetLifecycle(narrowed)] = &withheld.changes[..] else { unreachable!("{withheld:?}") };
    assert_eq!((unders(narrowed), narrowed.set[0].expire_days), (vec![OWN], Some(30)));
    assert_eq!(concerns(&withheld), [""; 0], "once the narrowing is made");
    assert_eq!(concerns(&part(&fleet, &bucket, Expiry::Allow)), [""; 0]);
}

#[test]
fn whole_organization_next_to_other_logs_gets_no_rule() {
    let text = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\nretention-days = 30\n[fleet]\nname = \"acme\"\n\
                [organization]\nid = \"o-a1b2c3d4e5\"\nregions = [\"eu-west-1\"]\n";
    let organization = flowagg_core::fleet::FleetFile::parse(text).unwrap().organization;
    let mut fleet = fleet("retention-days = 30");
    fleet.organization = organization;
    let other = "AWSLogs/222222222222/CloudTrail/";
    let part = part(&fleet, &bucket(&own("AWSLogs/", 30), &[OWN, other]), Expiry::Withhold);
    assert_eq!(changes(&part), ["lifecycle of AWSLogs/: remove the rule `flowagg-expiry/acme/AWSLogs`"]);
    assert_data_eq!(
        concerns(&part).join("\n"),
        str![
            "no lifecycle rule is added: `AWSLogs/` also contains other logs (`AWSLogs/222222222222/CloudTrail/`), and flowagg does not write separate rules for the accounts of a whole organization"
        ]
    );
}

#[test]
fn foreign_rules_and_unknown_elements_keep_their_text() {
    let theirs = "\n  <Rule><ID>theirs</ID><!-- keep --><Filter><Tag><Key>a</Key><Value>b &amp; c</Value></Tag></Filter>\
                  <Status>Disabled</Status><NewKind><X>1</X></NewKind><Expiration><Days>400</Days></Expiration></Rule>\n  <Future attr='1'/>";
    let of_other = own("AWSLogs/", 14).replace("/acme/", "/other/");
    let before = document(&format!("{theirs}{}{of_other}", own("AWSLogs/", 90))).unwrap();
    let mut bucket = bucket("", &[OWN]);
    bucket.lifecycle = Some(before.clone());
    let change = allowed(&fleet("retention-days = 30"), &bucket);
    let after = change.write.unwrap();
    assert_eq!(after.text, before.text.replace("<Days>90</Days>", "<Days>30</Days>"));
    assert_eq!(after.minimum_object_size, before.minimum_object_size);
    assert_eq!(foreign_losses(Some(&before), Some(&after), &"acme".parse().unwrap()), Ok(vec![]));
}

#[test]
fn new_rule_has_the_form_of_existing_rules() {
    let base = "<Rule><ID>old-style</ID><Prefix>trail/</Prefix><Status>Enabled</Status><Expiration><Days>400</Days></Expiration></Rule>";
    let fleet = fleet("retention-days = 30");
    let rule = |form: &str| {
        let actions = "<Expiration><Days>30</Days></Expiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
        format!("<Rule><ID>flowagg-expiry/acme/AWSLogs</ID>{form}<Status>Enabled</Status>{actions}</Rule>")
    };
    let written = |rules: &str| allowed(&fleet, &bucket(rules, &[OWN])).write;
    assert_eq!(written(base), document(&format!("{base}{}", rule("<Prefix>AWSLogs/</Prefix>"))));
    let base = base.replace("<Prefix>trail/</Prefix>", "<Filter/>");
    let filter = rule("<Filter><Prefix>AWSLogs/</Prefix></Filter>");
    assert_eq!(written(&base), document(&format!("{base}{filter}")));
    let text = "<s3:LifecycleConfiguration xmlns:s3='urn:x'><s3:Rule><s3:ID>x</s3:ID><s3:Status>Enabled</s3:Status></s3:Rule></s3:LifecycleConfiguration>";
    let lifecycle = Some(LifecycleDocument::new(text.to_owned()));
    let mut bucket = bucket("", &[OWN]);
    bucket.lifecycle = lifecycle;
    let written = allowed(&fleet, &bucket).write.unwrap();
    assert_data_eq!(
        &written.text,
        str![[
            r#"<s3:LifecycleConfiguration xmlns:s3='urn:x'><s3:Rule><s3:ID>x</s3:ID><s3:Status>Enabled</s3:Status></s3:Rule><s3:Rule><s3:ID>flowagg-expiry/acme/AWSLogs</s3:ID><s3:Filter><s3:Prefix>AWSLogs/</s3:Prefix></s3:Filter><s3:Status>Enabled</s3:Status><s3:Expiration><s3:Days>30</s3:Days></s3:Expiration><s3:AbortIncompleteMultipartUpload><s3:DaysAfterInitiation>7</s3:DaysAfterInitiation></s3:AbortIncompleteMultipartUpload></s3:Rule></s3:LifecycleConfiguration>"#
        ]]
    );
    assert_eq!(written.rules().unwrap().len(), 2);
}

#[test]
fn incomplete_document_changes_nothing() {
    let whole = document(&expiring("theirs", "x/", 3)).unwrap().text;
    let [almost, start] = [whole.len() - 5, 60].map(|end| whole.get(..end).unwrap());
    for text in ["", "{}", "<LifecycleConfiguration>", "<Error/>", almost, start] {
        let lifecycle = Some(LifecycleDocument::new(text.to_owned()));
        let mut bucket = bucket("", &[OWN]);
        bucket.lifecycle = lifecycle;
        let part = part(&fleet("retention-days = 30"), &bucket, Expiry::Allow);
        assert!(part.changes.is_empty() && part.concerns.len() == 1, "{text}: {part:?}");
    }
}

#[test]
fn removal_deletes_only_the_rules_of_the_fleet() {
    let theirs = expiring("theirs", "x/", 3);
    let of_other = own("AWSLogs/", 14).replace("/acme/", "/acme-2/");
    let rules = format!("{theirs}{}{of_other}{}", own("AWSLogs/", 90), own("former/AWSLogs/", 90));
    let removal = lifecycle_removal(&fleet(""), &bucket(&rules, &[])).unwrap().unwrap();
    assert_eq!(removal.write, document(&format!("{theirs}{of_other}")));
    let only = lifecycle_removal(&fleet(""), &bucket(&own("AWSLogs/", 90), &[])).unwrap().unwrap();
    assert_eq!(only.write, None, "a configuration without rules is deleted");
    assert_eq!(lifecycle_removal(&fleet(""), &bucket(&theirs, &[])), Ok(None));
}

#[test]
fn unknown_elements_are_not_deleted_with_the_last_rule() {
    let bucket = bucket(&(own("AWSLogs/", 90) + "<Future/>"), &[]);
    assert_eq!(lifecycle_removal(&fleet(""), &bucket), Err(flowagg_core::lifecycle::LifecycleError::NotKept));
}

#[test]
fn differently_rendered_documents_are_equal() {
    let one = document("<Rule><ID>a</ID><Filter>\n</Filter><Status>Enabled</Status></Rule>").unwrap();
    for other in [
        "<Rule><Status>Enabled</Status><ID>a</ID><Filter/></Rule>",
        "<Rule><ID>a</ID><Prefix></Prefix><Status>Enabled</Status></Rule>",
        "<Rule><ID>a</ID><Filter><Prefix/></Filter><Status>Enabled</Status></Rule>",
    ] {
        assert!(one.is_same_as(&document(other).unwrap()).unwrap(), "{other}");
    }
    let narrower =
        document("<Rule><ID>a</ID><Filter><Prefix>x</Prefix></Filter><Status>Enabled</Status></Rule>");
    assert!(!one.is_same_as(&narrower.unwrap()).unwrap());
}

#[test]
fn lost_foreign_rules_are_reported() {
    let name: FleetName = "acme".parse().unwrap();
    let before = document(&(expiring("theirs", "x/", 3) + &own("AWSLogs/", 30)));
    let names =
        |after: Option<LifecycleDocument>| foreign_losses(before.as_ref(), after.as_ref(), &name).unwrap();
    assert_eq!(names(before.clone()), [""; 0]);
    assert_eq!(names(None), ["the rule `theirs`"]);
    assert_eq!(names(document(&expiring("theirs", "x/", 4))), ["the rule `theirs`"]);
    let mut other_header = before.clone().unwrap();
    other_header.minimum_object_size = None;
    assert_eq!(
        names(Some(other_header)),
        ["the minimum object size for transitions, `varies_by_storage_class`"]
    );
}

/// Rules that were recorded from AWS.
const RECORDED: [&str; 12] = [
    "<Filter><Prefix>foo/</Prefix></Filter><Transition><Days>60</Days><StorageClass>GLACIER</StorageClass></Transition>",
    "<Filter><Prefix>evaluations/</Prefix></Filter><Expiration><Days>30</Days></Expiration><NoncurrentVersionExpiration><NoncurrentDays>10</NoncurrentDays></NoncurrentVersionExpiration>",
    "<Filter><Prefix/></Filter><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration><NoncurrentVersionExpiration><NoncurrentDays>14</NoncurrentDays></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>4</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
    "<Filter><Tag><Key>dataSetRegistered</Key><Value>2022-12-03</Value></Tag></Filter><Expiration><Date>2022-03-04T00:00:00.000Z</Date></Expiration>",
    "<Filter><And><Tag><Key>a</Key><Value>b</Value></Tag><Tag><Key>c</Key><Value>d</Value></Tag></And></Filter><Expiration><Days>7</Days></Expiration>",
    "<Filter><ObjectSizeGreaterThan>20</ObjectSizeGreaterThan></Filter><Expiration><Days>7</Days></Expiration>",
    "<Filter><ObjectSizeLessThan>10</ObjectSizeLessThan></Filter><Expiration><Days>7</Days></Expiration>",
    "<Filter/><Expiration><Days>7</Days></Expiration>",
    "<Filter/><Expiration><Date>2026-02-21T01:04:22.000Z</Date></Expiration>",
    "<Prefix>logs/</Prefix><Expiration><Days>365</Days></Expiration><Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition><Transition><Days>90</Days><StorageClass>GLACIER</StorageClass></Transition>",
    "<Prefix></Prefix><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
    "<Prefix>mike/</Prefix><NoncurrentVersionExpiration><NoncurrentDays>180</NoncurrentDays></NoncurrentVersionExpiration><NoncurrentVersionTransition><NoncurrentDays>90</NoncurrentDays><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>",
];

#[test]
fn recorded_rules_are_judged_and_keep_their_text() {
    // The number of days after which the rule expires all flow logs, and whether it expires some of them.
    let expected = [
        (None, false),
        (None, false),
        (None, false),
        (None, true),
        (None, true),
        (None, true),
        (None, true),
        (Some(7), false),
        (None, true),
        (None, false),
        (None, false),
        (None, false),
    ];
    for (shape, (days, some)) in RECORDED.into_iter().zip(expected) {
        let rule = format!("<Rule><ID>theirs</ID>{shape}<Status>Enabled</Status></Rule>");
        let bucket = bucket(&rule, &[OWN]);
        let read = rules(&bucket);
        let fate = fate(&read, OWN);
        assert_eq!((fate.expires.map(|end| end.days), !fate.some.is_empty()), (days, some), "{shape}");
        let written = allowed(&fleet("retention-days = 5"), &bucket).write.unwrap();
        assert!(written.text.contains(&rule), "{shape}");
        let name: FleetName = "acme".parse().unwrap();
        assert_eq!(foreign_losses(bucket.lifecycle.as_ref(), Some(&written), &name), Ok(vec![]), "{shape}");
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    }
}

/// A foreign rule in one of the forms that S3 returns.
fn foreign_rule() -> impl Strategy<Value = String> {
    let prefix =
        prop_oneof![Just(String::new()), Just("AWSLogs/".to_owned()), Just(OWN.to_owned()), "[a-z]{1,4}/",];
    let scope = (prefix, 0..4usize).prop_map(|(prefix, form)| match form {
        0 => format!("<Prefix>{prefix}</Prefix>"),
        1 => format!("<Filter><Prefix>{prefix}</Prefix></Filter>"),
        2 => format!(
            "<Filter><And><Prefix>{prefix}</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>"
        ),
        _ => "<Filter/>".to_owned(),
    });
    let action = prop_oneof![
        (1..4000u32).prop_map(|days| format!("<Expiration><Days>{days}</Days></Expiration>")),
        Just("<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>".to_owned()),
        Just("<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>".to_owned()),
        Just("<Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition>".to_owned()),
        Just("<Unknown><Deep>1</Deep></Unknown>".to_owned()),
    ];
    let id = prop_oneof![
        "[a-z-]{1,8}",
        Just("flowagg-expiry/other/AWSLogs".to_owned()),
        Just("flowagg-expiry/acme".to_owned())
    ];
    let status = prop_oneof![Just("Enabled"), Just("Disabled")];
    (id, scope, status, action, prop_oneof![Just(""), Just("\n  ")]).prop_map(
        |(id, scope, status, action, space)| {
            format!("{space}<Rule><ID>{id}</ID>{scope}<Status>{status}</Status>{action}</Rule>")
        },
    )
}

fn contents() -> impl Strategy<Value = BTreeSet<String>> {
    let entry = prop_oneof![
        Just(OWN.to_owned()),
        Just("AWSLogs/333333333333/vpcflowlogs/".to_owned()),
        Just("AWSLogs/222222222222/elasticloadbalancing/".to_owned()),
        Just("AWSLogs/aws-account-id=222222222222/aws-service=vpcflowlogs/".to_owned()),
        Just("AWSLogs/o-abc/".to_owned()),
    ];
    prop::collection::btree_set(entry, 0..4)
}

fn hub_lines() -> impl Strategy<Value = String> {
    let retention = prop_oneof![
        Just(String::new()),
        (1..500u32).prop_map(|days| format!("retention-days = {days}")),
        Just("retention-days = \"forever\"".to_owned()),
    ];
    (retention, prop_oneof![Just(""), Just("\nnoncurrent-days = 4")])
        .prop_map(|(retention, more)| retention + more)
}

/// The bucket after a planned change.
fn applied(bucket: &Bucket, part: &HubPart) -> Bucket {
    let change = part.changes.iter().find_map(|change| match change {
        HubChange::SetLifecycle(change) => Some(change.write.clone()),
        _ => None,
    });
    let mut found = bucket.clone();
    found.lifecycle = change.unwrap_or_else(|| bucket.lifecycle.clone());
    found
}

fn rules(bucket: &Bucket) -> Vec<Rule> {
    bucket.lifecycle.as_ref().map(|document| document.rules().unwrap()).unwrap_or_default()
}

proptest! {
    #![proptest_config(config())]

    /// For any plans and removals of two fleets, foreign rules keep their text, and a second plan is empty.
    #[test]
    fn two_fleets_never_change_foreign_rules(
        foreign in prop::collection::vec(foreign_rule(), 0..5),
        contents in contents(),
        steps in prop::collection::vec((any::<bool>(), any::<bool>(), hub_lines()), 1..6),
    ) {
        let start = bucket(&foreign.concat(), &[]);
        let mut bucket = start.clone();
        bucket.contents = Contents::Listed(contents);
        for (is_second, removes, hub) in steps {
            let mut fleet = fleet(&hub);
            if is_second {
                fleet.declared_name = Some("acme-2".parse().unwrap());
            }
            if removes {
                if let Some(removal) = lifecycle_removal(&fleet, &bucket).unwrap() {
                    bucket.lifecycle = removal.write;
                }
            } else {
                bucket = applied(&bucket, &part(&fleet, &bucket, Expiry::Allow));
                let again = part(&fleet, &bucket, Expiry::Withhold);
                prop_assert!(changes(&again).is_empty() && again.not_applied.is_empty(), "{:?}", again);
            }
            let text = bucket.lifecycle.as_ref().map(|document| document.text.clone()).unwrap_or_default();
            for rule in &foreign {
                prop_assert!(text.contains(rule.as_str()), "{} is not in {}", rule, text);
            }
        }
        for name in ["acme", "acme-2"] {
            let mut fleet = fleet("");
            fleet.declared_name = Some(name.parse().unwrap());
            if let Some(removal) = lifecycle_removal(&fleet, &bucket).unwrap() {
                bucket.lifecycle = removal.write;
            }
        }
        prop_assert_eq!(bucket.lifecycle, start.lifecycle);
    }

    /// Without permission nothing expires sooner in any folder; with it, only flow logs of members do.
    #[test]
    fn nothing_expires_sooner_without_the_permission(
        foreign in prop::collection::vec(foreign_rule(), 0..4),
        fleet_rules in prop::collection::vec((prop_oneof![Just("AWSLogs/"), Just(OWN)], 1..500u32), 0..2),
        contents in contents(),
        hub in hub_lines(),
    ) {
        let own: String = fleet_rules.iter().map(|(folder, days)| own(folder, *days)).collect();
        let mut bucket = bucket(&(foreign.concat() + &own), &[]);
        bucket.contents = Contents::Listed(contents.clone());
        let fleet = fleet(&hub);
        let days = |rules: &[Rule], folder: &str| fate(rules, folder).expires.map(|end| end.days);
        let before = rules(&bucket);
        let sooner = |after: &[Rule], folder: &str| match (days(&before, folder), days(after, folder)) {
            (None, Some(_)) => true,
            (Some(before), Some(after)) => after < before,
            (_, None) => false,
        };
        let withheld = rules(&applied(&bucket, &part(&fleet, &bucket, Expiry::Withhold)));
        let allowed = rules(&applied(&bucket, &part(&fleet, &bucket, Expiry::Allow)));
        for folder in contents.iter().map(String::as_str).chain([OWN, "AWSLogs/444444444444/vpcflowlogs/", "else/"]) {
            // The first rule of a new account does not expire anything.
            let is_new = !own.is_empty() && !contents.contains(folder) && days(&before, folder).is_none();
            prop_assert!(is_new || !sooner(&withheld, folder), "{}", folder);
            let is_member = folder == OWN || folder.contains("aws-account-id=222222222222/");
            let is_listed = contents.contains(folder);
            prop_assert!(is_member || !is_listed || !sooner(&allowed, folder), "{} {:?}", folder, allowed);
        }
    }
}

#[test]
fn rule_for_the_whole_folder_requires_permission_if_only_members_expire() {
    let foreign = format!(
        "<Rule><ID>theirs</ID><Prefix>{OWN}</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
    );
    let mut bucket = bucket(&foreign, &[]);
    bucket.contents = Contents::Listed(BTreeSet::new());
    let part = part(&fleet("retention-days = 1"), &bucket, Expiry::Withhold);
    assert_eq!((changes(&part).len(), part.not_applied.len()), (0, 1), "{part:?}");
}

#[test]
fn written_rules_round_trip() {
    let mut rule = FleetRule::new("flowagg-expiry/acme/a&b", "a&b <c>/AWSLogs/");
    rule.expire_days = Some(90);
    rule.transition = Some(flowagg_core::lifecycle::Transition::new(30, "GLACIER_IR"));
    rule.noncurrent_days = Some(3);
    let document =
        LifecycleDocument::edited(None, std::slice::from_ref(&rule), &BTreeSet::new()).unwrap().unwrap();
    assert!(document.has(&rule).unwrap());
    let read = &document.rules().unwrap()[0];
    assert_eq!(
        (read.prefix.as_str(), read.expire_days(), read.noncurrent_days),
        ("a&b <c>/AWSLogs/", Some(90), Some(3))
    );
    assert_eq!(read.transitions[0].days, Some(30));
    rule.expire_days = Some(91);
    assert!(!document.has(&rule).unwrap());
}

const OTHER: &str = "AWSLogs/333333333333/vpcflowlogs/";

/// The changes for the first of two members only.
fn for_one(hub: &str, bucket: &Bucket) -> HubPart {
    let fleet = fleet_of(hub, &["222222222222", "333333333333"]);
    let members = BTreeSet::from(["222222222222".parse().unwrap()]);
    hub_changes(&fleet, Some(bucket), Expiry::Allow, &Scope::Part { members })
}

#[test]
fn account_rules_change_only_for_selected_members() {
    let rules = [own(OWN, 90), own(OTHER, 90)].concat();
    let contents = [OWN, OTHER, "AWSLogs/222222222222/CloudTrail/"];
    let changed = for_one("retention-days = 60", &bucket(&rules, &contents));
    assert_eq!(
        changes(&changed),
        [
            "lifecycle of AWSLogs/222222222222/vpcflowlogs/: expire after 90 days -> expire after 60 days, abort incomplete uploads after 7 days (now after 90 days; the age of the objects was not read)"
        ]
    );
    let new = for_one(
        "retention-days = 60",
        &bucket(&own(OTHER, 90), &[OTHER, "AWSLogs/222222222222/CloudTrail/"]),
    );
    assert_eq!(
        changes(&new),
        [
            "lifecycle of AWSLogs/222222222222/vpcflowlogs/: expire after 60 days, abort incomplete uploads after 7 days"
        ]
    );
    let divided = for_one("retention-days = 60", &bucket(&own("AWSLogs/", 90), &contents));
    let [HubChange::SetLifecycle(change)] = &divided.changes[..] else { panic!("{divided:?}") };
    let days: Vec<_> = change.set.iter().map(|rule| (rule.under.as_str(), rule.expire_days)).collect();
    assert_eq!(days, [(OWN, Some(60)), (OTHER, Some(90))], "the other member keeps its expiration");
}

#[test]
fn shared_rule_is_unchanged_for_a_partial_selection() {
    for rules in [String::new(), own("AWSLogs/", 90)] {
        let part = for_one("retention-days = 60", &bucket(&rules, &[OWN, OTHER]));
        assert_eq!(changes(&part), Vec::<String>::new());
        let note = "the lifecycle rule of AWSLogs/ applies to every member and is not changed while only part of the fleet is selected";
        assert!(notes(&part).iter().any(|it| it == note), "{:?}", notes(&part));
    }
    let settled = for_one("retention-days = 60", &bucket(&own("AWSLogs/", 60), &[OWN, OTHER]));
    assert_eq!(notes(&settled), ["flow logs expire after 60 days"]);
}
