//! Selection of the fleet's folder in a bucket, its members, and errors without members.

use std::collections::{BTreeMap, BTreeSet};

use flowagg::found::{Folder, FoundFleet, FoundHub, FoundMember, Objects, View};
use flowagg::import::{ImportError, Imported, granted, import, named_folders};
use flowagg_core::fleet::{Regions, Selection};
use flowagg_core::id::{AccountId, BucketName, FleetName, FlowLogId, Region};
use flowagg_core::lifecycle::{Expiration, FleetRule, Rule};
use flowagg_core::observed::{FlowLog, RegionState};
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

const SHOP: &str = "222222222222";
const BANK: &str = "333333333333";

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn folder(name: &str) -> Folder {
    name.parse().unwrap()
}

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

/// A statement that allows log delivery to write these keys for an account.
fn grant(keys: &str, id: &str) -> Value {
    json!({
        "Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::acme-logs/{keys}"),
        "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceAccount": id}},
    })
}

fn flow_log(destination: &str) -> FlowLog {
    let mut log =
        FlowLog::new(FlowLogId::example(), "vpc-0a1b2c3d4e5f67890", format!("arn:aws:s3:::{destination}"));
    log.traffic = Some("ALL".to_owned());
    log.interval = Some(600);
    log
}

/// An account that was read in eu-west-1, with flow logs to these destinations.
fn member(id: &str, destinations: &[&str]) -> (AccountId, FoundMember) {
    let flow_logs = destinations.iter().map(|destination| flow_log(destination)).collect();
    let mut member = FoundMember::new(View::Regions);
    member.states.insert(region("eu-west-1"), RegionState::new(Vec::new(), flow_logs));
    (account(id), member)
}

/// A bucket whose folders have flow log files of these accounts in eu-west-1.
fn found<const N: usize>(
    statements: &[Value],
    files: &[(&str, &str)],
    members: [(AccountId, FoundMember); N],
) -> FoundFleet {
    let mut objects = Objects::default();
    for (name, id) in files {
        let accounts: &mut BTreeMap<_, _> = objects.delivered.entry(folder(name)).or_default();
        accounts.insert(account(id), BTreeSet::from([region("eu-west-1")]));
    }
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let bucket = BucketName::parse("acme-logs").unwrap();
    let mut hub = FoundHub::new(account("111122223333"), region("eu-west-1"), bucket);
    (hub.objects, hub.rules) = (Some(objects), Some(Vec::new()));
    hub.policy = (!statements.is_empty()).then_some(policy);
    let mut found = FoundFleet::new(hub);
    found.members = BTreeMap::from(members);
    found
}

fn prefix(found: &FoundFleet) -> Result<String, ImportError> {
    import(found).map(|it| it.file.hub.prefix.map(|prefix| prefix.to_string()).unwrap_or_default())
}

/// The remarks, each with its subject.
fn remarks(imported: &Imported) -> String {
    imported.remarks.iter().map(|remark| format!("{:?}: {}\n", remark.about, remark.text)).collect()
}

#[test]
fn folder_is_taken_from_flow_logs_then_files_then_statements() {
    let statements = [grant("nlb/AWSLogs/222222222222/*", SHOP)];
    let files = [("old", SHOP)];
    let logs = || member(SHOP, &["acme-logs/new/", "acme-logs/new"]);
    for (expected, found) in [
        ("new", found(&statements, &files, [logs()])),
        ("old", found(&[grant("*", SHOP)], &files, [member(SHOP, &[])])),
        ("nlb", found(&statements, &[], [member(SHOP, &[])])),
        ("", found(&[], &[], [member(SHOP, &["acme-logs"])])),
        ("", found(&statements, &[], [member(SHOP, &["acme-logs"])])),
    ] {
        assert_eq!(prefix(&found), Ok(expected.to_owned()));
    }
    let mut asked = found(&statements, &files, [logs()]);
    asked.hub.folder = Some(folder("nlb"));
    assert_eq!(prefix(&asked), Ok("nlb".to_owned()));
}

#[test]
fn folder_of_most_flow_logs_is_selected_and_others_are_reported() {
    let logs = member(SHOP, &["acme-logs/new/", "acme-logs/new/", "acme-logs/old/"]);
    let imported = import(&found(&[], &[("old", BANK), ("new", SHOP)], [logs])).unwrap();
    assert_eq!(imported.file.hub.prefix.as_ref().unwrap().to_string(), "new");
    assert_data_eq!(
        remarks(&imported),
        str![[r#"
Hub: the flow log files of 333333333333 under `old/AWSLogs/` are not imported: `--prefix "old"` imports that folder to a separate fleet file
Hub: flow logs do not expire; to expire them, set `retention-days` to a number of days
Policy: `apply` changes the bucket policy: adds 222222222222 to the grant
Member(AccountId(222222222222)): eu-west-1: fl-0123456789abcdef0 of vpc-0a1b2c3d4e5f67890 delivers to `arn:aws:s3:::acme-logs/old/`, a different folder

"#]]
    );
}

#[test]
fn tie_between_folders_is_decided_by_the_policy_or_an_error() {
    let logs = || member(SHOP, &["acme-logs/new/", "acme-logs/old/"]);
    let several = |what: &'static str| {
        Err(ImportError::SeveralFolders { what, folders: "`new/AWSLogs/`, `old/AWSLogs/`".to_owned() })
    };
    assert_eq!(prefix(&found(&[], &[], [logs()])), several("flow logs deliver to"));
    let granted = [grant("old/AWSLogs/*", SHOP)];
    assert_eq!(prefix(&found(&granted, &[], [logs()])), Ok("old".to_owned()));

    let files = [("new", SHOP), ("old", BANK)];
    assert_eq!(prefix(&found(&[], &files, [])), several("the bucket has flow log files under"));
    assert_eq!(prefix(&found(&granted, &files, [member(SHOP, &[])])), Ok("old".to_owned()));

    let both = [grant("old/AWSLogs/*", SHOP), grant("new/AWSLogs/*", SHOP)];
    let mut statements = found(&both, &[], [member(SHOP, &[])]);
    assert_eq!(prefix(&statements), several("the bucket policy allows log delivery to write to"));
    let under = "new/AWSLogs/".to_owned();
    let id =
        FleetRule::id(&FleetName::default_for(&statements.hub.bucket, Some(&"new".parse().unwrap())), &under);
    let mut rule = Rule::default();
    rule.id = Some(id);
    rule.prefix = under;
    rule.is_enabled = true;
    statements.hub.rules = Some(vec![rule]);
    assert_eq!(prefix(&statements), Ok("new".to_owned()), "the fleet's own rule decides");
}

#[test]
fn account_with_a_grant_and_no_flow_log_is_a_member() {
    let statements = [grant("AWSLogs/222222222222/*", SHOP), grant("AWSLogs/*", BANK)];
    let imported =
        import(&found(&statements, &[], [member(SHOP, &["acme-logs"]), member(BANK, &[])])).unwrap();
    let bank = &imported.file.members[&account(BANK)];
    assert_eq!(bank.regions, Regions::These(BTreeSet::from([region("eu-west-1")])));
    assert_eq!(bank.resources, Selection::default());
    assert_data_eq!(
        remarks(&imported),
        str![[r#"
Hub: flow logs do not expire; to expire them, set `retention-days` to a number of days
Policy: `apply` changes the bucket policy: adds 222222222222, 333333333333 to the grant
Policy: statement 1 is about log delivery but is foreign: it is kept unchanged
Policy: statement 2 is about log delivery but is foreign: it is kept unchanged
Member(AccountId(333333333333)): the account is granted delivery but has no flow log to the bucket; the regions that were read are used, and all VPCs are assumed: check `regions` and `vpcs`

"#]]
    );
}

#[test]
fn account_with_a_grant_for_another_folder_only_is_left_out() {
    let statements = [grant("AWSLogs/*", SHOP), grant("nlb/AWSLogs/*", BANK)];
    let found = found(&statements, &[("", SHOP)], [member(SHOP, &["acme-logs"]), member(BANK, &[])]);
    let imported = import(&found).unwrap();
    assert!(imported.file.members.keys().eq([&account(SHOP)]));
    assert_data_eq!(
        remarks(&imported),
        str![[r#"
Hub: flow logs do not expire; to expire them, set `retention-days` to a number of days
Policy: `apply` changes the bucket policy: adds 222222222222 to the grant
Policy: statement 1 is about log delivery but is foreign: it is kept unchanged
Policy: statement 2 is about log delivery but is foreign: it is kept unchanged
Member(AccountId(333333333333)): account 333333333333 has no flow log to the bucket and is not in its policy for `AWSLogs/`: it is not imported

"#]]
    );
}

#[test]
fn accounts_of_every_folder_are_read_unless_a_folder_is_requested() {
    let statements = [grant("*", SHOP), grant("nlb/AWSLogs/*", BANK)];
    let mut hub = found(&statements, &[], []).hub;
    assert_eq!(named_folders(&hub), BTreeSet::from([folder(""), folder("nlb")]));
    assert_eq!(granted(&hub), BTreeSet::from([account(SHOP), account(BANK)]));
    hub.folder = Some(folder("network"));
    assert_eq!(granted(&hub), BTreeSet::from([account(SHOP)]), "the grant for the whole bucket covers it");
}

#[test]
fn unused_data_is_reported_with_the_reason() {
    let other = grant("*", "2222*");
    let readers = json!({"Sid": "Readers", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-logs/*"});
    let mut wrong = grant("x", SHOP);
    wrong["Resource"] = json!(["arn:aws:s3:::others/AWSLogs/*", {"Ref": "Logs"}]);
    let mut found = found(&[readers, other, wrong], &[], [member(SHOP, &["acme-logs", "others/flows/"])]);
    let objects = found.hub.objects.as_mut().unwrap();
    objects.other =
        ["AWSLogs/222222222222/elasticloadbalancing/", "AWSLogs/333333333333/elasticloadbalancing/"]
            .map(str::to_owned)
            .into();
    objects.unlisted = Some("the bucket has more than 5000 folders".to_owned());
    let rule = |id: &str, under: &str, is_enabled| {
        let mut read_rule = Rule::default();
        read_rule.id = Some(id.to_owned());
        read_rule.prefix = under.to_owned();
        read_rule.is_enabled = is_enabled;
        read_rule.expiration = Some(Expiration::Days(30));
        read_rule
    };
    found.hub.rules = Some(vec![rule("off", "", false), rule("reports", "reports/", true)]);
    let imported = import(&found).unwrap();
    assert_data_eq!(
        remarks(&imported),
        str![[r#"
Hub: `AWSLogs/*/elasticloadbalancing/` are not imported: they do not contain flow logs of a fleet
Hub: searched only the root and the folders in the policy for flow log files: the bucket has more than 5000 folders
Hub: the lifecycle rule `off` for the whole bucket, which expires objects after 30 days, is ignored because it is disabled, and is kept
Hub: the lifecycle rule `reports` for `reports/`, which expires objects after 30 days, is ignored because it applies to other objects, and is kept
Hub: flow logs do not expire; to expire them, set `retention-days` to a number of days
Policy: `apply` changes the bucket policy: adds 222222222222 to the grant
Policy: statement 2 is about log delivery but is foreign: it is kept unchanged
Policy: statement 3 is about log delivery but is foreign: it is kept unchanged
Policy: other statements are kept unchanged: `Readers`
Policy: statement 2 is only partly imported: `"2222*"` in `aws:SourceAccount` is not an account ID
Policy: statement 3 is only partly imported: its resource `arn:aws:s3:::others/AWSLogs/*` is not in this bucket
Policy: statement 3 is only partly imported: its resource `{"Ref":"Logs"}` has a value that cannot be resolved
Member(AccountId(222222222222)): eu-west-1: flow logs to other destinations are not imported: fl-0123456789abcdef0 to `arn:aws:s3:::others/flows/`

"#]]
    );
}

#[test]
fn import_without_accounts_is_an_error_that_lists_the_searched_places() {
    let sought = |found: &FoundFleet| match import(found) {
        Err(error @ ImportError::NoMembers { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let start = "no account delivers flow logs to `acme-logs` or is allowed to: ";
    assert_eq!(
        sought(&found(&[], &[], [])),
        format!(
            "{start}the bucket has no policy; there are no flow log files in any folder of the bucket; no accounts were searched for flow logs"
        )
    );
    let readers = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-logs/*"});
    let old = found(&[], &[("old", SHOP)], [member(SHOP, &[])]);
    assert_data_eq!(
        sought(&old),
        str![[
            r#"no account delivers flow logs to `acme-logs` or is allowed to: the bucket has no policy; the flow log files in `old/AWSLogs/` belong to accounts that now have neither a flow log nor a grant: 222222222222; no flow log delivers to `arn:aws:s3:::acme-logs/old/` in 222222222222"#
        ]]
    );
    let mut asked = found(&[readers], &[], [member(BANK, &["others"])]);
    asked.hub.folder = Some(folder("network"));
    assert_eq!(
        sought(&asked),
        format!(
            "{start}no statement of the bucket policy allows log delivery to write; there are no flow log files in `network/AWSLogs/`; \
             no flow log delivers to `arn:aws:s3:::acme-logs/network/` in 333333333333"
        )
    );
}
