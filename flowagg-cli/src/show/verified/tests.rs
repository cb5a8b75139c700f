use flowagg_core::arrival::{Arrivals, Carrier, Object, Patience, judged};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Exception, Fleet};
use flowagg_core::id::{AccountId, FlowLogId, Place, Region, ResourceId};
use flowagg_core::names::Names;
use flowagg_core::observed::{FlowLog, RegionState, Resource};
use jiff::{SignedDuration, Timestamp};
use snapbox::{assert_data_eq, str};

use super::*;
use crate::show::Extent;

/// A fleet of accounts with one VPC in each region. Every flow log delivers.
struct Made {
    fleet: Fleet,
    states: BTreeMap<Place, Result<RegionState, Failure>>,
    arrivals: Arrivals,
}

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - SignedDuration::from_mins(minutes)
}

impl Made {
    fn new(accounts: u64, regions: &[&str]) -> Self {
        let mut file =
            "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n".to_owned();
        for n in 1..=accounts {
            file += &format!(
                "[[members]]\naccount = \"{:012}\"\nname = \"prod-{n}\"\nregions = {regions:?}\n",
                222_200_000_000 + n
            );
        }
        let fleet = Fleet::parse(&file).unwrap();
        let (mut states, mut arrivals) = (BTreeMap::new(), Arrivals::default());
        for (n, (member, region)) in fleet.places().enumerate() {
            let mut vpc = Resource::new(ResourceId::parse(&format!("vpc-{n:08x}")).unwrap());
            vpc.tags.insert("Name".to_owned(), "main".to_owned());
            let id = FlowLogId::parse(&format!("fl-{n:08x}")).unwrap();
            let mut log = FlowLog::new(id.clone(), vpc.id.as_str(), fleet.destination().arn());
            log.created = Some(ago(9000));
            arrivals.newest.insert(id.clone(), Object::new(format!("AWSLogs/{id}.log.gz"), ago(6)));
            let state = RegionState::new(vec![vpc], vec![log]);
            states.insert(Place::new(member.account, region), Ok(state));
        }
        Self { fleet, states, arrivals }
    }

    fn of(&mut self, account: u64, region: &str) -> (Place, &mut RegionState) {
        let account = AccountId::parse(&format!("{:012}", 222_200_000_000 + account)).unwrap();
        let place = Place::new(account, &Region::parse(region).unwrap());
        let state = self.states.get_mut(&place).unwrap().as_mut().unwrap();
        (place, state)
    }

    /// Sets the age of the flow log's newest object; `None` removes it.
    fn stops(&mut self, account: u64, region: &str, minutes: Option<i64>) -> &mut FlowLog {
        let id = self.of(account, region).1.flow_logs[0].id.clone();
        let object = self.arrivals.newest.remove(&id).unwrap();
        self.arrivals.newest.extend(minutes.map(|minutes| (id, Object::new(object.key, ago(minutes)))));
        &mut self.of(account, region).1.flow_logs[0]
    }

    fn fails(&mut self, account: u64, region: &str) {
        let log = self.stops(account, region, Some(200));
        log.deliver_status = Some("FAILED".to_owned());
        log.deliver_error = Some("Access error".to_owned());
    }

    fn unread(&mut self, account: u64, region: &str) {
        let (place, _) = self.of(account, region);
        let mut failure = Failure::new(place.clone(), "AssumeRole", "not authorized", "create the role");
        failure.code = Some("AccessDenied".to_owned());
        self.states.insert(place, Err(failure));
    }

    fn verified(&self) -> Verified {
        judged(&self.fleet, &self.states, &self.arrivals, Patience::default(), now())
    }

    fn shown(&self, extent: Extent, width: Option<usize>) -> String {
        let mut out = Vec::new();
        let names = Names::new(&self.fleet, &self.states);
        let view = View::of(&names, extent);
        verified(&self.verified(), view, &mut Sheet::new(&mut out, width)).unwrap();
        String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap()
    }
}

const REGIONS: [&str; 4] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];

#[test]
fn healthy_account_takes_one_line() {
    let mut made = Made::new(3, &REGIONS);
    for region in REGIONS {
        *made.of(2, region).1 = RegionState::default();
    }
    let (place, _) = made.of(3, "eu-west-1");
    made.stops(3, "eu-west-1", None);
    made.arrivals.in_use.insert((place, Carrier::NetworkInterface), Ok(BTreeSet::new()));
    assert_data_eq!(
        made.shown(Extent::Brief, Some(80)),
        str![[r#"
  + 222200000001  prod-1  4 delivering, newest object 6 min old
  = 222200000002  prod-2  nothing to log
  + 222200000003  prod-3  3 delivering, 1 idle, newest object 6 min old

  resources  8 of 8 (100 %) have a flow log
  flow logs  7 of 7 (100 %) deliver, 1 idle

ok: every flow log delivers or is idle

"#]]
    );
}

#[test]
fn problems_have_a_cause_and_a_fix_and_the_worst_is_last() {
    let mut made = Made::new(6, &REGIONS[..2]);
    made.stops(1, "eu-west-1", None).created = Some(ago(3));
    made.stops(2, "eu-west-1", Some(300));
    made.of(3, "eu-central-1").1.flow_logs.clear();
    made.fails(4, "eu-west-1");
    made.unread(5, "eu-west-1");
    assert_data_eq!(
        made.shown(Extent::Brief, Some(100)),
        str![[r#"
  ~ 222200000001  prod-1  1 delivering, 1 waiting, newest object 6 min old
  ! 222200000002  prod-2  1 delivering, 1 silent, newest object 6 min old
  ! 222200000003  prod-3  1 delivering, 1 missing, newest object 6 min old
  ! 222200000004  prod-4  1 delivering, 1 failing, newest object 6 min old
  ! 222200000005  prod-5  1 delivering, 1 region could not be read, newest object 6 min old
  + 222200000006  prod-6  2 delivering, newest object 6 min old

waiting: 1 flow log: new, no objects yet
       run `flowagg verify --wait 30m` to wait for them
  ~ 222200000001  prod-1  eu-west-1  vpc-00000001 (main)  fl-00000001

silent: 1 flow log: in use, but no recent objects
       run `flowagg plan` to check the bucket policy and the KMS key policy
  ! 222200000002  prod-2  eu-west-1  vpc-00000003 (main)  fl-00000003  newest object 5 h old
      AWSLogs/fl-00000003.log.gz

missing: 1 resource: no valid flow log to the bucket
       run `flowagg plan` to see what `apply` creates, and what prevents it
  ! 222200000003  prod-3  eu-central-1  vpc-00000004 (main)  -

failing: 1 flow log: AWS reports: Access error
       run `flowagg plan` to check the bucket policy and the KMS key policy
  ! 222200000004  prod-4  eu-west-1  vpc-00000007 (main)  fl-00000007  newest object 3 h old
      AWSLogs/fl-00000007.log.gz

error: 222200000005 (prod-5) eu-west-1: AssumeRole: AccessDenied: not authorized
       create the role

  resources  10 of 11 have a flow log; 1 account-region could not be read
  flow logs  7 of 11 deliver, 1 waiting, 1 silent, 1 failing, 1 missing

verify: not everything could be read; 1 waiting, 1 silent, 1 failing, 1 missing
next: fix the errors above, then run `flowagg verify` again

"#]]
    );
}

#[test]
fn large_healthy_fleet_is_one_line_and_all_lists_each_flow_log() {
    let made = Made::new(300, &REGIONS);
    assert_data_eq!(
        made.shown(Extent::Brief, Some(80)),
        str![[r#"
  + 300 accounts  delivering  flow logs: 1,200 delivering

  resources  1,200 of 1,200 (100 %) have a flow log
  flow logs  1,200 of 1,200 (100 %) deliver

ok: every flow log delivers

"#]]
    );
    let all = made.shown(Extent::All, None);
    assert_eq!(all.lines().filter(|line| line.starts_with("  + delivering ")).count(), 1200);
    assert_eq!(all.lines().filter(|line| line.starts_with("      AWSLogs/fl-")).count(), 1200);
}

#[test]
fn problems_with_one_cause_are_merged_with_their_accounts() {
    let mut made = Made::new(300, &REGIONS);
    (1..=120).for_each(|n| made.fails(n, "eu-west-1"));
    for account in [1, 2] {
        made.stops(account, "us-east-1", None);
    }
    (200..=290).for_each(|n| made.unread(n, "us-west-2"));
    assert_data_eq!(
        made.shown(Extent::Brief, Some(80)),
        str![[r#"
  + 89 accounts   delivering  flow logs: 356 delivering
  ! 120 accounts  failing     flow logs: 358 delivering, 2 silent, 120 failing
  ! 91 accounts   unknown     flow logs: 273 delivering

silent: 2 flow logs: in use, but no recent objects
       run `flowagg plan` to check the bucket policy and the KMS key policy
  ! 222200000001  prod-1  us-east-1  vpc-00000002 (main)  fl-00000002
  ! 222200000002  prod-2  us-east-1  vpc-00000006 (main)  fl-00000006

failing: 120 flow logs: AWS reports: Access error
       run `flowagg plan` to check the bucket policy and the KMS key policy
       in 120 accounts: 222200000001 (prod-1), 222200000002 (prod-2),
       222200000003 (prod-3), 222200000004 (prod-4), and 116 more accounts
       use `--all` to list each flow log

error: 91 times: AssumeRole: AccessDenied: not authorized
       create the role
       in us-west-2: 222200000200 (prod-200), 222200000201 (prod-201),
       222200000202 (prod-202), 222200000203 (prod-203), and 87 more accounts

  resources  1,109 of 1,109 have a flow log; 91 account-regions could not be
             read
  flow logs  987 of 1,109 deliver, 2 silent, 120 failing

verify: not everything could be read; 2 silent, 120 failing
next: fix the errors above, then run `flowagg verify` again

"#]]
    );
    let all = made.shown(Extent::All, None);
    assert!(!all.contains("`--all`"));
    let failing = all.lines().filter(|line| line.starts_with("  ! 2222") && line.contains(" fl-"));
    assert_eq!(failing.count(), 122);
}

#[test]
fn interrupted_wait_lists_remaining_flow_logs() {
    let mut made = Made::new(2, &REGIONS[..1]);
    made.stops(1, REGIONS[0], None).created = Some(ago(3));
    let shown = |verified: &Verified, exit| {
        let mut out = Vec::new();
        let sheet = &mut Sheet::new(&mut out, None);
        let names = Names::new(&made.fleet, &made.states);
        interrupted(verified, exit, View::of(&names, Extent::Brief), sheet).unwrap();
        String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap()
    };
    assert_data_eq!(
        shown(&made.verified(), Exit::Interrupted),
        str![[r#"
  ~ 222200000001  prod-1  1 waiting
  + 222200000002  prod-2  1 delivering, newest object 6 min old

waiting: 1 flow log: new, no objects yet
       run `flowagg verify --wait 30m` to wait for them
  ~ 222200000001  prod-1  eu-central-1  vpc-00000000 (main)  fl-00000000

  resources  2 of 2 (100 %) have a flow log
  flow logs  1 of 2 (50 %) deliver, 1 waiting

interrupted: 1 of 2 flow logs deliver; remaining: 1 waiting
next: run `flowagg verify` again

"#]]
    );
    let terminated = shown(&made.verified(), Exit::Terminated);
    assert!(terminated.contains("\nterminated: 1 of 2 flow logs deliver; remaining: 1 waiting\n"));
}

#[test]
fn accounts_outside_the_fleet_take_a_line_each_or_are_listed() {
    let strangers = |number: u64| {
        let mut made = Made::new(1, &REGIONS[..1]);
        let stranger = |n: u64| AccountId::parse(&format!("{:012}", 444_400_000_000 + n)).unwrap();
        made.arrivals.strangers =
            (1..=number).map(|n| (stranger(n), Some(Object::new("x", ago(n.cast_signed()))))).collect();
        let text = made.shown(Extent::Brief, Some(80));
        text.split_once("\n\n").unwrap().0.to_owned()
    };
    assert_data_eq!(
        strangers(2),
        str![[r#"
  + 222200000001  prod-1  1 delivering, newest object 6 min old
note: 444400000001 is not in the fleet, but has flow logs in the bucket (newest
      object 60 s old)
note: 444400000002 is not in the fleet, but has flow logs in the bucket (newest
      object 2 min old)
"#]]
    );
    assert_data_eq!(
        strangers(50),
        str![[r#"
  + 222200000001  prod-1  1 delivering, newest object 6 min old
note: 50 accounts outside the fleet have flow logs in the bucket: 444400000001,
      444400000002, 444400000003, and 47 more accounts
"#]]
    );
}

/// A fleet with three exceptions: one accepts a silent flow log, one accepts a failure, and one has expired.
fn with_exceptions() -> Made {
    let mut made = Made::new(3, &["eu-west-1"]);
    let until = |until: &str| until.parse().unwrap();
    let account = |n: u64| AccountId::parse(&format!("{:012}", 222_200_000_000 + n)).unwrap();
    made.fleet.exceptions = vec![
        Exception::of_account(account(1), "being closed", until("2026-12-31")),
        Exception::of_account(account(2), "new firewall", until("2026-11-22")),
        Exception::of_account(account(3), "role is missing", until("2026-11-30")),
    ];
    made.stops(1, "eu-west-1", None);
    made.unread(3, "eu-west-1");
    made
}

#[test]
fn accepted_findings_are_counted_and_expired_exceptions_are_warnings() {
    let mut made = with_exceptions();
    assert_data_eq!(
        made.shown(Extent::Brief, Some(80)),
        str![[r#"
  = 222200000001  prod-1  1 with an exception
  + 222200000002  prod-2  1 delivering, newest object 6 min old
  = 222200000003  prod-3  1 with an exception

warning: an exception expired on 2026-11-22: account 222200000002 (new firewall)
       remove it from the fleet file, or set a later `until`
note: 2 findings have an exception; run `flowagg verify --all` for details

  resources  2 of 2 have a flow log; 1 account-region could not be read
  flow logs  1 of 2 deliver, 1 silent

ok: every flow log delivers, except 1 with an exception; 1 error has an
    exception

"#]]
    );
    assert_data_eq!(
        made.shown(Extent::All, Some(100)),
        str![[r#"
  = silent      222200000001  prod-1  eu-west-1  vpc-00000000 (main)  fl-00000000
      exception until 2026-12-31: being closed
  + delivering  222200000002  prod-2  eu-west-1  vpc-00000001 (main)  fl-00000001
      newest object 6 min old
      AWSLogs/fl-00000001.log.gz

warning: an exception expired on 2026-11-22: account 222200000002 (new firewall)
       remove it from the fleet file, or set a later `until`
  = 222200000003  eu-west-1  AssumeRole: AccessDenied: not authorized  exception until 2026-11-30:
                                                                       role is missing

  resources  2 of 2 have a flow log; 1 account-region could not be read
  flow logs  1 of 2 deliver, 1 silent

ok: every flow log delivers, except 1 with an exception; 1 error has an exception

"#]]
    );
    made.stops(2, "eu-west-1", None);
    let shown = made.shown(Extent::Brief, Some(80));
    assert!(
        shown.contains("\nverify: not every flow log delivers: 1 silent; 1 error has an exception\n"),
        "{shown}"
    );
}

#[test]
fn large_fleet_counts_accounts_with_only_accepted_findings() {
    let mut made = Made::new(45, &["eu-west-1"]);
    for account in 1..=5 {
        made.stops(account, "eu-west-1", None);
        let id = AccountId::parse(&format!("{:012}", 222_200_000_000 + account)).unwrap();
        made.fleet.exceptions.push(Exception::of_account(id, "being closed", "2026-12-31".parse().unwrap()));
    }
    let shown = made.shown(Extent::Brief, Some(80));
    assert_data_eq!(
        shown.lines().take(3).collect::<Vec<_>>().join("\n"),
        str![[r#"
  + 40 accounts  delivering         flow logs: 40 delivering
  = 5 accounts   with an exception

"#]]
    );
}
