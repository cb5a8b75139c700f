use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::{FlowLogId, ResourceId};
use flowagg_core::lifecycle::{FleetRule, LifecycleDocument};
use flowagg_core::observed::{
    Bucket, BucketEncryption, FlowLog, Observed, PublicAccessBlock, RegionState, Resource,
};
use flowagg_core::plan::Unnamed;
use snapbox::{assert_data_eq, str};

use super::super::{Extent, Failures, plan};
use super::*;

const REGIONS: [&str; 4] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];

/// A fleet of accounts with one VPC in each region, no flow logs and no bucket.
struct Made {
    fleet: Fleet,
    observed: Observed,
}

impl Made {
    fn new(accounts: u64, settings: &str) -> Self {
        let mut file = format!(
            "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n{settings}\n"
        );
        for n in 1..=accounts {
            file += &format!(
                "[[members]]\naccount = \"{:012}\"\nname = \"prod-{n}\"\nregions = {REGIONS:?}\n",
                222_200_000_000 + n
            );
        }
        let fleet = Fleet::parse(&file).unwrap();
        let mut observed = Observed::new(Ok(None));
        for (n, (member, region)) in fleet.places().enumerate() {
            let mut vpc = Resource::new(ResourceId::parse(&format!("vpc-{n:08x}")).unwrap());
            vpc.tags.insert("Name".to_owned(), "main".to_owned());
            let state = RegionState::new(vec![vpc], Vec::new());
            observed.regions.insert(Place::new(member.account, region), Ok(state));
        }
        Self { fleet, observed }
    }

    /// Adds an existing bucket with this policy.
    fn in_bucket(mut self, policy: Option<&str>) -> Self {
        let mut bucket = Bucket::default();
        bucket.policy = policy.map(str::to_owned);
        bucket.ownership = Some("ObjectWriter".to_owned());
        bucket.encryption = Some(BucketEncryption::new("AES256"));
        bucket.public_access_block = PublicAccessBlock::FULL;
        self.observed.bucket = Ok(Some(bucket));
        self
    }

    /// Adds a flow log to every VPC, modified by `change`.
    fn logged(mut self, change: impl Fn(usize, &mut FlowLog)) -> Self {
        let (arn, tags) = (self.fleet.destination().arn(), self.fleet.tags());
        let read = self.observed.regions.values_mut().filter_map(|state| state.as_mut().ok());
        for (n, state) in read.enumerate() {
            let id = FlowLogId::parse(&format!("fl-{n:08x}")).unwrap();
            let mut log = FlowLog::new(id, state.resources[0].id.as_str(), arn.clone());
            log.tags = tags.clone();
            change(n, &mut log);
            state.flow_logs.push(log);
        }
        self
    }

    fn shown(&self, extent: Extent, width: Option<usize>) -> String {
        let made = flowagg_policy::plan::plan(&self.fleet, &self.observed, Unnamed::Prune);
        let mut out = Vec::new();
        plan(&self.fleet, &made, None, extent, Failures::Now, &mut Sheet::new(&mut out, width)).unwrap();
        String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap()
    }
}

#[test]
fn first_plan_of_a_large_fleet_fits_one_screen_and_all_lists_each_flow_log() {
    let made = Made::new(300, "");
    assert_data_eq!(
        made.shown(Extent::Brief, Some(80)),
        str![[r#"
hub 111122223333 eu-west-1 acme-logs
  + create the bucket in eu-west-1
  + block all public access
  + set object ownership to BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, abort incomplete uploads after
    7 days
  + write the bucket policy: grants delivery to 300 accounts (9555 bytes)
      granted: 222200000001 (prod-1), 222200000002 (prod-2),
      222200000003 (prod-3), 222200000004 (prod-4), and 296 more accounts

flow logs
  + create 1,200 flow logs in 300 accounts and 4 regions
      in 222200000001 (prod-1), 222200000002 (prod-2), 222200000003 (prod-3),
      222200000004 (prod-4), 222200000005 (prod-5), and 295 more accounts
      use `--all` to list each flow log

plan: 6 changes to the hub, 1200 flow logs to create

"#]]
    );
    let all = made.shown(Extent::All, None);
    assert_eq!(
        all.lines().filter(|line| line.starts_with("  + 2222") && line.contains("(main)")).count(),
        1200
    );
    assert!(all.contains("222200000300 (prod-300)") && !all.contains("more"), "{all}");
}

#[test]
fn bucket_setting_changes_show_old_and_new_values() {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let mut made = Made::new(1, &format!("encryption = \"{key}\"\nretention-days = 30")).in_bucket(None);
    let rule = |days| {
        let name = made.fleet.name();
        let mut rule = FleetRule::new(FleetRule::id(&name, "AWSLogs/"), "AWSLogs/");
        (rule.expire_days, rule.abort_uploads_days) = (Some(days), Some(7));
        LifecycleDocument::edited(None, &[rule], &BTreeSet::new()).unwrap()
    };
    let documents = [rule(14), rule(90)];
    let Ok(Some(bucket)) = &mut made.observed.bucket else { panic!() };
    bucket.public_access_block.block_acls = false;
    bucket.policy = Some("{\"Version\":\"2012-10-17\",\"Statement\":[]}".to_owned());
    let shown = documents.map(|document| {
        let Ok(Some(bucket)) = &mut made.observed.bucket else { panic!() };
        bucket.lifecycle = document;
        made.shown(Extent::Brief, Some(100))
    });
    assert_data_eq!(
        shown.concat(),
        str![[r#"
hub 111122223333 eu-west-1 acme-logs
  ~ block public access: BlockPublicAcls off -> on (stronger)
  ~ object ownership: ObjectWriter -> BucketOwnerEnforced (stronger)
  ~ default encryption: AES256 -> the KMS key
    arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab and a bucket key
    (stronger)
  ~ lifecycle of AWSLogs/: expire after 14 days -> expire after 30 days, abort incomplete uploads
    after 7 days
  ~ update the bucket policy: grants delivery to 222200000001 (prod-1) (39 -> 594 bytes)

flow logs
  + 222200000001  prod-1  eu-central-1  vpc-00000000 (main)  create
  + 222200000001  prod-1  eu-west-1     vpc-00000001 (main)  create
  + 222200000001  prod-1  us-east-1     vpc-00000002 (main)  create
  + 222200000001  prod-1  us-west-2     vpc-00000003 (main)  create

note: flow logs expire after 14 days

plan: 5 changes to the hub, 4 flow logs to create
hub 111122223333 eu-west-1 acme-logs
  ~ block public access: BlockPublicAcls off -> on (stronger)
  ~ object ownership: ObjectWriter -> BucketOwnerEnforced (stronger)
  ~ default encryption: AES256 -> the KMS key
    arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab and a bucket key
    (stronger)
  ~ update the bucket policy: grants delivery to 222200000001 (prod-1) (39 -> 594 bytes)

flow logs
  + 222200000001  prod-1  eu-central-1  vpc-00000000 (main)  create
  + 222200000001  prod-1  eu-west-1     vpc-00000001 (main)  create
  + 222200000001  prod-1  us-east-1     vpc-00000002 (main)  create
  + 222200000001  prod-1  us-west-2     vpc-00000003 (main)  create

not applied
  ! lifecycle of AWSLogs/: expire after 90 days -> expire after 30 days, abort incomplete uploads
    after 7 days (now after 90 days; the age of the objects was not read)
    existing objects would expire sooner: run `flowagg apply --allow-expiry` to apply this change

note: flow logs expire after 90 days

plan: 4 changes to the hub, 4 flow logs to create, 1 not applied without `--allow-expiry`

"#]]
    );
}

#[test]
fn flow_logs_of_some_accounts_are_counted_by_account() {
    let mut made = Made::new(12, "retention-days = \"forever\"\n[flow-logs.tags]\ncost-center = \"42\"");
    made = made.in_bucket(None).logged(|n, log| match n % 4 {
        0 => log.traffic = Some("REJECT".to_owned()),
        1 => drop(log.tags.insert("cost-center".to_owned(), "41".to_owned())),
        _ => {}
    });
    for (n, state) in made.observed.regions.values_mut().enumerate() {
        state.as_mut().unwrap().flow_logs.retain(|_| n % 4 < 2);
    }
    assert_data_eq!(
        made.shown(Extent::Brief, Some(100)),
        str![[r#"
hub 111122223333 eu-west-1 acme-logs
  ~ object ownership: ObjectWriter -> BucketOwnerEnforced (stronger)
  + lifecycle of AWSLogs/: no expiration, abort incomplete uploads after 7 days
  + write the bucket policy: grants delivery to 12 accounts (1458 bytes)
      granted: 222200000001 (prod-1), 222200000002 (prod-2), 222200000003 (prod-3),
      222200000004 (prod-4), 222200000005 (prod-5), 222200000006 (prod-6), and 6 more accounts

flow logs
  + 222200000001  prod-1   create 2 flow logs  us-east-1, us-west-2
  ~ 222200000001  prod-1   tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000001  prod-1   replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000002  prod-2   create 2 flow logs  us-east-1, us-west-2
  ~ 222200000002  prod-2   tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000002  prod-2   replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000003  prod-3   create 2 flow logs  us-east-1, us-west-2
  ~ 222200000003  prod-3   tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000003  prod-3   replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000004  prod-4   create 2 flow logs  us-east-1, us-west-2
  ~ 222200000004  prod-4   tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000004  prod-4   replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000005  prod-5   create 2 flow logs  us-east-1, us-west-2
  ~ 222200000005  prod-5   tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000005  prod-5   replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000006  prod-6   create 2 flow logs  us-east-1, us-west-2
  ~ 222200000006  prod-6   tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000006  prod-6   replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000007  prod-7   create 2 flow logs  us-east-1, us-west-2
  ~ 222200000007  prod-7   tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000007  prod-7   replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000008  prod-8   create 2 flow logs  us-east-1, us-west-2
  ~ 222200000008  prod-8   tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000008  prod-8   replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000009  prod-9   create 2 flow logs  us-east-1, us-west-2
  ~ 222200000009  prod-9   tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000009  prod-9   replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000010  prod-10  create 2 flow logs  us-east-1, us-west-2
  ~ 222200000010  prod-10  tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000010  prod-10  replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000011  prod-11  create 2 flow logs  us-east-1, us-west-2
  ~ 222200000011  prod-11  tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000011  prod-11  replace 1 flow log  eu-central-1          traffic REJECT -> ALL
  + 222200000012  prod-12  create 2 flow logs  us-east-1, us-west-2
  ~ 222200000012  prod-12  tag 1 flow log      eu-west-1             tags: cost-center 41 -> 42
  ! 222200000012  prod-12  replace 1 flow log  eu-central-1          traffic REJECT -> ALL
      use `--all` to list each flow log

note: flow logs do not expire

plan: 3 changes to the hub, 24 flow logs to create, 12 flow logs to replace, 12 flow logs to tag

"#]]
    );
}

#[test]
fn replacements_are_counted_with_their_reason_and_accounts() {
    let made = Made::new(300, "").in_bucket(None).logged(|n, log| match n % 8 {
        0 => log.traffic = Some("REJECT".to_owned()),
        1 => log.interval = Some(60),
        2 => log.tags.clear(),
        _ => {}
    });
    assert_data_eq!(
        made.shown(Extent::Brief, Some(80)),
        str![[r#"
hub 111122223333 eu-west-1 acme-logs
  ~ object ownership: ObjectWriter -> BucketOwnerEnforced (stronger)
  + write the bucket policy: grants delivery to 300 accounts (9555 bytes)
      granted: 222200000001 (prod-1), 222200000002 (prod-2),
      222200000003 (prod-3), 222200000004 (prod-4), and 296 more accounts

flow logs
  ! replace 150 flow logs in 150 accounts and 1 region: aggregation interval 60
    s -> 600 s
      in 222200000001 (prod-1), 222200000003 (prod-3), 222200000005 (prod-5),
      222200000007 (prod-7), 222200000009 (prod-9), and 145 more accounts
  ! replace 150 flow logs in 150 accounts and 1 region: traffic REJECT -> ALL
      in 222200000001 (prod-1), 222200000003 (prod-3), 222200000005 (prod-5),
      222200000007 (prod-7), 222200000009 (prod-9), and 145 more accounts
      use `--all` to list each flow log
  = 750 up to date, 150 foreign and up to date

needs attention: 111122223333 eu-west-1 acme-logs: flow logs do not expire, and
         `hub.retention-days` is not set
       set `hub.retention-days` to a number of days, or to "forever"

note: flow logs do not expire

plan: 2 changes to the hub, 300 flow logs to replace, 1 needs attention

"#]]
    );
}

#[test]
fn account_regions_with_nothing_to_log_are_one_note() {
    let mut made = Made::new(300, "");
    for state in made.observed.regions.values_mut() {
        *state = Ok::<_, Failure>(RegionState::default());
    }
    assert_data_eq!(
        made.shown(Extent::Brief, Some(80)),
        str![[r#"
hub 111122223333 eu-west-1 acme-logs
  + create the bucket in eu-west-1
  + block all public access
  + set object ownership to BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, abort incomplete uploads after
    7 days
  + write the bucket policy: grants delivery to 300 accounts (9555 bytes)
      granted: 222200000001 (prod-1), 222200000002 (prod-2),
      222200000003 (prod-3), 222200000004 (prod-4), and 296 more accounts

note: nothing to log in 1,200 account-regions: 222200000001 (prod-1),
      222200000002 (prod-2), 222200000003 (prod-3), and 297 more accounts

plan: 6 changes to the hub

"#]]
    );
}
