//! Stories of `docs/operations.md`.

use flowagg_testkit::world::fresh_bucket;
use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::page::Section;
use crate::shell::Stage;

pub(crate) async fn come_and_go(section: &mut Section) {
    let mut stage = Stage::applied(["payments", "shop"]).await;
    stage.deliver().await;

    // An account joins: only the fleet file changes.
    stage.world.member("bank", 1).await.unwrap();
    stage.shell.paper.name("444444444444", stage.world.accounts()["bank"].id);
    stage.write_fleet();
    let plan = stage.shell.also("flowagg plan").await.stdout;
    assert_data_eq!(
        plan,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  ~ update the bucket policy: grants delivery to 444444444444 (bank) (701 -> 784 bytes)

flow logs
  + 444444444444  bank  eu-west-1  vpc-0123456789abcdef4  create
  + 444444444444  bank  us-east-1  vpc-0123456789abcdef5  create
  = 4 up to date

note: flow logs expire after 90 days

cost: unknown until flow logs of the same accounts have delivered for a whole day (UTC)
plan: 1 change to the hub, 2 flow logs to create
next: run `flowagg apply` to make these changes

"#]]
    );
    let missing = stage.shell.also("flowagg verify || test $? = 3").await.stdout;
    assert_data_eq!(
        missing,
        str![[r#"
  + 222222222222  payments  2 delivering, newest object 40 s old
  + 333333333333  shop      2 delivering, newest object 40 s old
  ! 444444444444  bank      2 missing

missing: 2 resources: no valid flow log to the bucket
       run `flowagg plan` to see what `apply` creates, and what prevents it
  ! 444444444444  bank  eu-west-1  vpc-0123456789abcdef4  -
  ! 444444444444  bank  us-east-1  vpc-0123456789abcdef5  -

  resources  4 of 6 (66 %) have a flow log
  flow logs  4 of 6 (66 %) deliver, 2 missing

verify: not every flow log delivers: 2 missing
next: run `flowagg plan` to see the missing flow logs

"#]]
    );
    stage.shell.also("flowagg apply").await;

    // An account leaves.
    let [destroy] = section.next("sh").of();
    stage.shell.exits(&destroy, 0).await;
    assert_eq!(stage.flow_logs("shop").await, 0);
    assert!(stage.policy().await.contains("333333333333"), "the grant stays until the fleet file changes");
    stage.world.leave("shop");
    stage.write_fleet();
    let unpruned = stage.shell.also("flowagg plan").await.stdout;
    // Every plan reports that it keeps its grant.
    assert_data_eq!(
        unpruned.lines().filter(|line| line.starts_with("note: ")).collect::<Vec<_>>().join("\n"),
        str![[r#"
note: flow logs expire after 90 days
note: the fleet's lifecycle rule also expires flow logs of accounts that are not members: 333333333333
note: the fleet's statements still name 333333333333, which is not in the fleet file; `--prune` removes it
"#]]
    );

    let [plan, apply] = section.next("sh").of();
    let plan = stage.shell.exits(&plan, 0).await.stdout;
    assert_data_eq!(
        plan,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  ! update the bucket policy: revokes delivery from 333333333333 (784 -> 701 bytes)

flow logs
  = 4 up to date

note: flow logs expire after 90 days
note: the fleet's lifecycle rule also expires flow logs of accounts that are not members: 333333333333

plan: 1 change to the hub
next: run `flowagg apply --prune` to make these changes

"#]]
    );
    stage.shell.exits(&apply, 0).await;
    let policy = stage.policy().await;
    assert!(!policy.contains("333333333333") && policy.contains("222222222222"), "{policy}");
    stage.deliver().await;
    stage.shell.also("flowagg verify").await;
    assert!(
        stage
            .world
            .keys()
            .await
            .unwrap()
            .iter()
            .any(|key| key.contains(&stage.world.accounts()["shop"].id.to_string())),
        "delivered objects stay"
    );
}

pub(crate) async fn another_key(section: &mut Section) {
    let mut stage = Stage::applied(["payments", "shop"]).await;
    let before = stage.world.fleet_file();
    let key = stage.world.encrypt().await.unwrap();
    let fleet = {
        let paper = &mut stage.shell.paper;
        let id = key.as_str().rsplit('/').next().unwrap();
        paper.name("1234abcd-12ab-34cd-56ef-1234567890ab", id);
        let before = paper.on_paper(&before);
        section.fleet(&before)
    };
    stage.shell.write("flowagg.toml", &fleet);

    stage.shell.shows(&section.next("console"), &[1]).await;
    let early = stage.shell.also("flowagg apply; test $? = 1").await;
    assert_data_eq!(
        early.stdout,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs

flow logs
  = 4 up to date

note: flow logs expire after 90 days

error: 111122223333 eu-west-1: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab: log delivery for 222222222222 in eu-west-1 cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Enable IAM User Permissions` would allow it except for the principal (and for 1 more account)
       {"Sid":"AWSLogDeliveryUseOfKey","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":["222222222222","333333333333"]},"ArnLike":{"aws:SourceArn":["arn:aws:logs:eu-west-1:222222222222:*","arn:aws:logs:us-east-1:222222222222:*","arn:aws:logs:eu-west-1:333333333333:*","arn:aws:logs:us-east-1:333333333333:*"]}}}
       add the statement to the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab and keep the existing statements

plan: no changes can be made until the errors are fixed
next: fix the errors above, then run `flowagg apply` again; completed changes are kept

"#]]
    );
    assert_eq!(encryption(&stage).await, None, "the bucket does not get the key");
    let statement = lacking(&stage).await;
    stage.world.allow_on_key(&key, statement).await.unwrap();
    stage.shell.also("flowagg doctor").await;

    let [apply, verify] = section.next("sh").of();
    stage.shell.exits(&apply, 0).await;
    stage.deliver().await;
    stage.shell.exits(&verify, 0).await;
    assert_eq!(encryption(&stage).await.as_deref(), Some(key.as_str()));

    // flowagg does not change the bucket back to `sse-s3`.
    let back = stage.shell.paper.on_paper(&before);
    stage.shell.write("flowagg.toml", &back);
    stage.shell.also("flowagg apply").await;
    assert_eq!(encryption(&stage).await.as_deref(), Some(key.as_str()));
}

/// The statement that the key policy lacks, from the output of `doctor`.
async fn lacking(stage: &Stage) -> Value {
    let printed = stage.world.flowagg(["doctor", "--json"]).await.unwrap().exits(1).json();
    let checks = printed["checks"].as_array().unwrap();
    let key = checks.iter().find(|check| check["what"] == "key").unwrap();
    let help = key["help"].as_str().unwrap();
    let statement = help.lines().find_map(|line| serde_json::from_str(line).ok());
    statement.unwrap_or_else(|| panic!("no statement: {help}"))
}

/// The key of the bucket's default encryption.
async fn encryption(stage: &Stage) -> Option<String> {
    let read = stage.world.s3().get_bucket_encryption().bucket(stage.world.bucket().as_str()).send().await;
    let read = read.unwrap().server_side_encryption_configuration.unwrap();
    let default = read.rules()[0].apply_server_side_encryption_by_default().unwrap();
    default.kms_master_key_id().map(str::to_owned)
}

pub(crate) async fn retention(section: &mut Section) {
    let mut stage = Stage::with(["payments", "shop", "bank"]).await;
    stage.world.create_bucket(stage.world.hub()).await.unwrap();
    stage.world.set("hub", "retention-days = 30");
    stage.write_fleet();
    let [plan, apply] = section.next("sh").of();
    let plan = stage.shell.exits(&plan, 0).await.stdout;
    let not_applied =
        plan.lines().skip_while(|line| *line != "not applied").take_while(|line| !line.is_empty());
    assert_data_eq!(
        not_applied.collect::<Vec<_>>().join("\n"),
        str![[r#"
not applied
  ! lifecycle of AWSLogs/: expire after 30 days, abort incomplete uploads after 7 days (now never; no flow log files yet)
    existing objects would expire sooner: run `flowagg apply --allow-expiry` to apply this change
"#]]
    );
    stage.shell.exits(&apply, 0).await;
    stage.shell.also("flowagg plan --exit-code").await;
}

pub(crate) async fn another_folder(section: &mut Section) {
    let mut stage = Stage::applied(["payments", "shop", "bank"]).await;
    stage.deliver().await;

    // Another folder for the whole fleet.
    let [plan, apply, verify, prune] = section.next("sh").of();
    let name = format!("name = \"{}\"", stage.world.bucket());
    stage.world.set("fleet", &name);
    stage.world.set("hub", "prefix = \"network\"");
    stage.world.set("hub", "retention-days = 90");
    stage.write_fleet();
    let plan = stage.shell.exits(&plan, 0).await.stdout;
    assert_data_eq!(
        plan,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  ~ update the bucket policy: grants delivery to 222222222222 (payments), 333333333333 (shop), 444444444444 (bank); statement `AWSLogDeliveryWriteFlowaggAcmeFlowLogs` is for another prefix or was modified outside flowagg, and is kept; `--prune` replaces it (784 -> 1556 bytes)

flow logs
  ! 222222222222  payments  eu-west-1  vpc-0123456789abcdef0  replace fl-0123456789abcdef0  destination arn:aws:s3:::acme-flow-logs -> arn:aws:s3:::acme-flow-logs/network/
  ! 222222222222  payments  us-east-1  vpc-0123456789abcdef1  replace fl-0123456789abcdef1  destination arn:aws:s3:::acme-flow-logs -> arn:aws:s3:::acme-flow-logs/network/
  ! 333333333333  shop      eu-west-1  vpc-0123456789abcdef2  replace fl-0123456789abcdef2  destination arn:aws:s3:::acme-flow-logs -> arn:aws:s3:::acme-flow-logs/network/
  ! 333333333333  shop      us-east-1  vpc-0123456789abcdef3  replace fl-0123456789abcdef3  destination arn:aws:s3:::acme-flow-logs -> arn:aws:s3:::acme-flow-logs/network/
  ! 444444444444  bank      eu-west-1  vpc-0123456789abcdef4  replace fl-0123456789abcdef4  destination arn:aws:s3:::acme-flow-logs -> arn:aws:s3:::acme-flow-logs/network/
  ! 444444444444  bank      us-east-1  vpc-0123456789abcdef5  replace fl-0123456789abcdef5  destination arn:aws:s3:::acme-flow-logs -> arn:aws:s3:::acme-flow-logs/network/

not applied
  ! lifecycle of network/AWSLogs/: expire after 90 days, abort incomplete uploads after 7 days (now never; no flow log files yet)
    existing objects would expire sooner: run `flowagg apply --allow-expiry` to apply this change

note: flow logs do not expire

plan: 1 change to the hub, 6 flow logs to replace, 1 not applied without `--allow-expiry`
next: run `flowagg apply` to make these changes

"#]]
    );
    stage.shell.exits(&apply, 0).await;
    let policy = stage.policy().await;
    let (new, old) = ("acme-flow-logs/network/AWSLogs/222222222222", "acme-flow-logs/AWSLogs/222222222222");
    assert!(policy.contains(new) && policy.contains(old), "the old folder stays granted: {policy}");
    stage.deliver().await;
    stage.shell.exits(&verify, 0).await;
    let pruned = stage.shell.exits(&prune, 0).await.stdout;
    assert!(!pruned.contains("delete fl-"), "no flow log is left there: {pruned}");
    let policy = stage.policy().await;
    assert!(policy.contains(new) && !policy.contains(old), "{policy}");
    stage.shell.also("flowagg plan --exit-code").await;
    stage.shell.also("flowagg verify").await;

    // Another bucket for some accounts.
    stage.shell.paper.bucket("acme-flow-logs-second", &fresh_bucket().unwrap());
    let fleet = stage.shell.read("flowagg.toml");
    let (hub, members) = fleet.split_once("[[members]]").unwrap();
    let members: Vec<&str> = members.split("[[members]]").collect();
    let with = |hub: &str, accounts: &[&str]| {
        let chosen = members.iter().filter(|member| accounts.iter().any(|account| member.contains(account)));
        chosen.fold(hub.to_owned(), |text, member| format!("{text}[[members]]{member}"))
    };
    let second = hub.replace("acme-flow-logs", "acme-flow-logs-second");
    stage.shell.write("second.toml", &with(&second, &["333333333333", "444444444444"]));
    let [apply, verify, destroy] = section.next("sh").of();
    stage.shell.exits(&apply, 0).await;
    stage.deliver().await;
    stage.shell.exits(&verify, 0).await;
    stage.shell.also("flowagg verify").await;
    stage.shell.exits(&destroy, 0).await;
    stage.shell.write("flowagg.toml", &with(hub, &["222222222222"]));
    stage.shell.also("flowagg apply --prune").await;
    let policy = stage.policy().await;
    assert!(!policy.contains("333333333333") && !policy.contains("444444444444"), "{policy}");
    stage.deliver().await;
    for fleet in ["flowagg.toml", "second.toml"] {
        stage.shell.also(&format!("flowagg -c {fleet} plan --exit-code")).await;
        stage.shell.also(&format!("flowagg -c {fleet} verify")).await;
    }

    let [size] = section.next("sh").of();
    let size = stage.shell.exits(&size, 0).await.stdout;
    assert_data_eq!(
        size,
        str![[r#"
1 accounts in form `prefixes`: 620 of 20480 bytes

  + prefixes        219 accounts   91 bytes per account
  + accounts        663 accounts   30 bytes per account
  + bound-accounts  662 accounts   30 bytes per account
  + bound-deny      1312 accounts  15 bytes per account

"#]]
    );
}

pub(crate) async fn overwritten(section: &mut Section) {
    let mut stage = Stage::applied(["payments", "shop"]).await;
    let yesterday = stage.world.policy().await.unwrap().unwrap();
    std::fs::write(stage.shell.folder.join("yesterday.json"), yesterday).unwrap();
    let foreign = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Readers","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-flow-logs/*"}]}"#;
    let foreign = stage.shell.paper.in_world(foreign);
    stage.world.put_policy(&foreign).await.unwrap();

    // The emulator has no CloudTrail, so only the AWS CLI validates the command.
    let [mut look_up] = section.next("sh").of();
    look_up.text.push_str(" --generate-cli-skeleton output");
    let answer = stage.shell.exits(&look_up, 0).await;
    assert!(answer.json()["Events"].is_array(), "{answer}");

    let [copy, diff, apply, verify] = section.next("sh").of();
    stage.shell.exits(&copy, 0).await;
    let differs = stage.shell.exits(&diff, 0).await.stdout;
    assert_data_eq!(
        differs,
        str![[r#"
- account 222222222222 may deliver
- account 333333333333 may deliver
+ statement `Readers`
- statement `AWSLogDeliveryWriteFlowaggAcmeFlowLogs`
- statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs`

"#]]
    );
    let missing = stage.shell.also("flowagg plan").await.stdout;
    assert_data_eq!(
        missing,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  ~ update the bucket policy: grants delivery to 222222222222 (payments), 333333333333 (shop) (193 -> 856 bytes)

flow logs
  = 4 up to date

note: flow logs expire after 90 days

plan: 1 change to the hub
next: run `flowagg apply` to make these changes

"#]]
    );
    stage.shell.exits(&apply, 0).await;
    assert!(stage.policy().await.contains("Readers"), "the foreign statement stays");
    stage.deliver().await;
    stage.shell.exits(&verify, 0).await;
}

pub(crate) async fn every_night(section: &mut Section) {
    let mut stage = Stage::applied(["payments"]).await;
    stage.deliver().await;
    let [verify, plan] = section.next("sh").of();
    let line = section.next("crontab");
    let entry = line.text.trim();
    let fields: Vec<&str> = entry.split_ascii_whitespace().take(5).collect();
    let is_time = |field: &&str| *field == "*" || field.parse::<u8>().is_ok_and(|number| number < 60);
    assert!(fields.len() == 5 && fields.iter().all(is_time), "{}: {fields:?}", line.place());
    assert!(!entry.contains('%'), "{}: cron takes a % for the end of a line", line.place());
    let command = fields.iter().fold(entry, |rest, field| rest.trim_start().strip_prefix(field).unwrap());

    stage.shell.exits(&verify, 0).await;
    stage.shell.exits(&plan, 0).await;
    let night = stage.shell.also(command).await;
    assert_eq!(
        (&*night.stdout, &*night.stderr.replace("y\r\n", "")),
        ("", ""),
        "a healthy fleet prints nothing"
    );

    let policy = stage.world.policy().await.unwrap().unwrap();
    stage.world.s3().delete_bucket_policy().bucket(stage.world.bucket().as_str()).send().await.unwrap();
    stage.world.account("neighbour", 1).await.unwrap();
    stage.deliver().await;
    stage.shell.exits(&verify, 3).await;
    stage.shell.exits(&plan, 3).await;
    let night = stage.shell.also(command).await.stdout;
    assert_data_eq!(
        night,
        str![[r#"
  ! 222222222222  payments  2 failing, newest object 40 s old

failing: 2 flow logs: AWS reports: Access error
       run `flowagg plan` to check the bucket policy and the KMS key policy
  ! 222222222222  payments  eu-west-1  vpc-0123456789abcdef0  fl-0123456789abcdef0  newest object 40 s old
      AWSLogs/222222222222/vpcflowlogs/eu-west-1/2026/11/23/222222222222_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_20261123T0910Z_0a1b2c3d.log.gz
  ! 222222222222  payments  us-east-1  vpc-0123456789abcdef1  fl-0123456789abcdef1  newest object 40 s old
      AWSLogs/222222222222/vpcflowlogs/us-east-1/2026/11/23/222222222222_vpcflowlogs_us-east-1_fl-0123456789abcdef1_20261123T0910Z_0a1b2c3e.log.gz

  resources  2 of 2 (100 %) have a flow log
  flow logs  0 of 2 (0 %) deliver, 2 failing

verify: not every flow log delivers: 2 failing
next: run `flowagg plan` to check the bucket policy and the KMS key policy

"#]]
    );
    stage.world.put_policy(&policy).await.unwrap();
    stage.shell.exits(&plan, 0).await;
}
