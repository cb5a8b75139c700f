mod incomplete;
mod refused;

use aws_config::retry::RetryConfig;
use aws_sdk_organizations::operation::describe_account::DescribeAccountOutput;
use aws_sdk_organizations::operation::list_accounts::ListAccountsOutput;
use aws_sdk_organizations::operation::list_accounts_for_parent::ListAccountsForParentOutput;
use aws_sdk_organizations::operation::list_organizational_units_for_parent::ListOrganizationalUnitsForParentOutput;
use aws_sdk_organizations::types::builders::AccountBuilder;
use aws_sdk_organizations::types::{AccountState, AccountStatus, OrganizationalUnit};
use aws_smithy_mocks::{Rule, mock};
use flowagg_core::fleet::{Fleet, FleetFile};
use flowagg_core::id::Region;
use snapbox::{assert_data_eq, str};

use super::super::mocked::{answered, role};
use super::super::open_hub;
use super::*;
use crate::aws::call::organization_reads;
use crate::aws::mocked;

const ID: &str = "o-a1b2c3d4e5";

const WORK: &str = "ou-ab12-work0000";
const PROD: &str = "ou-ab12-prod0000";
const BANK: &str = "ou-ab12-bank0000";
const PLAY: &str = "ou-ab12-play0000";
const TOYS: &str = "ou-ab12-toys0000";

/// Each unit with its direct child units and accounts: `work` contains `prod` (with `bank`) and `play` (with `toys`).
const UNITS: [(&str, &[&str], &[u64]); 5] = [
    (WORK, &[PROD, PLAY], &[1, 2]),
    (PROD, &[BANK], &[3]),
    (BANK, &[], &[4]),
    (PLAY, &[TOYS], &[5]),
    (TOYS, &[], &[6]),
];

fn account(n: u64) -> AccountBuilder {
    account_of(ID, n).state(AccountState::Active)
}

fn account_of(organization: &str, n: u64) -> AccountBuilder {
    let id = format!("{n:012}");
    let arn = format!("arn:aws:organizations::111122223333:account/{organization}/{id}");
    types::Account::builder().id(id).arn(arn).name(format!("account {n}"))
}

fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<AccountId> {
    numbers.into_iter().map(|n| AccountId::parse(&format!("{n:012}")).unwrap()).collect()
}

/// `ListAccounts` with these pages. The token of a page is its number.
fn listed(pages: Vec<Vec<types::Account>>) -> Rule {
    mock!(Client::list_accounts).then_compute_output(move |request| {
        let page: usize = request.next_token().map_or(0, |token| token.parse().unwrap());
        ListAccountsOutput::builder()
            .set_accounts(Some(pages[page].clone()))
            .set_next_token((page + 1 < pages.len()).then(|| (page + 1).to_string()))
            .build()
    })
}

fn unit(id: &str) -> (&'static [&'static str], &'static [u64]) {
    let (_, units, accounts) = UNITS.into_iter().find(|(unit, ..)| *unit == id).unwrap();
    (units, accounts)
}

/// The accounts directly in a unit, after an empty page.
fn accounts_in_units() -> Rule {
    mock!(Client::list_accounts_for_parent).then_compute_output(|request| {
        let answer = ListAccountsForParentOutput::builder();
        if request.next_token().is_none() {
            return answer.next_token("rest").build();
        }
        let accounts = unit(request.parent_id().unwrap()).1;
        answer.set_accounts(Some(accounts.iter().map(|n| account(*n).build()).collect())).build()
    })
}

/// The child units of a unit, one on each page.
fn units_in_units() -> Rule {
    mock!(Client::list_organizational_units_for_parent).then_compute_output(|request| {
        let units = unit(request.parent_id().unwrap()).0;
        let page: usize = request.next_token().map_or(0, |token| token.parse().unwrap());
        let here = units
            .get(page)
            .map(|id| OrganizationalUnit::builder().id(*id).name(id.get(8..12).unwrap()).build());
        ListOrganizationalUnitsForParentOutput::builder()
            .set_organizational_units(Some(here.into_iter().collect()))
            .set_next_token((page + 1 < units.len()).then(|| (page + 1).to_string()))
            .build()
    })
}

fn described() -> Rule {
    mock!(Client::describe_account).then_compute_output(|request| {
        let n = request.account_id().unwrap().parse().unwrap();
        DescribeAccountOutput::builder().account(account(n).build()).build()
    })
}

fn file(organization: &str) -> FleetFile {
    let text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
         [organization]\nid = \"{ID}\"\nregions = [\"eu-west-1\"]\n{organization}\n"
    );
    FleetFile::parse(&text).unwrap()
}

/// The accounts found with these lines in the fleet file, in order, and the resulting fleet.
async fn search(organization: &str, rules: &[&Rule]) -> Result<(Vec<AccountId>, Fleet), Failure> {
    with_units(organization, rules).await.map(|(found, fleet, _)| (found, fleet))
}

/// Like [`search`], with the unit paths of the accounts.
async fn with_units(
    organization: &str,
    rules: &[&Rule],
) -> Result<(Vec<AccountId>, Fleet, BTreeMap<AccountId, String>), Failure> {
    let file = file(organization);
    let (named, discovery) = file.discovery().unwrap();
    let (found, mut finds) = mpsc::unbounded_channel();
    let mut search = Search {
        client: mocked::organizations(rules),
        place: Place::new(file.hub.account, &Region::parse("us-east-1").unwrap()),
        id: named.id.clone(),
        found,
        units: BTreeMap::new(),
        seen: BTreeSet::new(),
    };
    search.run(named, discovery).await?;
    let units = std::mem::take(&mut search.units);
    drop(search);
    let mut resolution = file.resolve();
    let mut all = Vec::new();
    while let Some(account) = finds.recv().await {
        all.push(account.id);
        resolution.find(account);
    }
    Ok((all, resolution.finish(), units))
}

fn members(fleet: &Fleet) -> Vec<AccountId> {
    fleet.members.keys().copied().collect()
}

fn left_out(fleet: &Fleet) -> Vec<AccountId> {
    fleet.left_out.keys().copied().collect()
}

/// The accounts that are left out, with reasons.
fn reasons(fleet: &Fleet) -> String {
    fleet.left_out.iter().map(|(account, reason)| format!("{account}: {reason}\n")).collect()
}

#[tokio::test]
async fn pages_after_an_empty_page_are_read() {
    let page = |numbers: &[u64]| numbers.iter().map(|n| account(*n).build()).collect::<Vec<_>>();
    let listed = listed(vec![page(&[1, 2]), page(&[]), page(&[]), page(&[3])]);
    let (found, fleet) = search("", &[&listed]).await.unwrap();
    assert_eq!(found, ids(1..=3));
    assert_eq!(members(&fleet), ids(1..=3));
    assert_eq!(fleet.members[&ids([3])[0]].name.as_deref(), Some("account 3"));
    assert_eq!(listed.num_calls(), 4, "once for each page");
}

#[tokio::test]
async fn only_active_and_closing_accounts_become_members() {
    let states = [
        AccountState::Active,
        AccountState::PendingClosure,
        AccountState::PendingActivation,
        AccountState::Suspended,
        AccountState::Closed,
        AccountState::from("NEW_WORD"),
    ];
    let accounts = (1..).zip(states).map(|(n, state)| account_of(ID, n).state(state).build());
    let (_, fleet) = search("", &[&listed(vec![accounts.collect()])]).await.unwrap();
    assert_eq!(members(&fleet), ids([1, 2]));
    assert_data_eq!(
        reasons(&fleet),
        str![[r#"
000000000003: PENDING_ACTIVATION
000000000004: SUSPENDED
000000000005: CLOSED
000000000006: NEW_WORD

"#]]
    );
}

#[tokio::test]
#[allow(deprecated, reason = "older endpoints return only `Status`")]
async fn deprecated_status_is_used_only_without_a_state() {
    let accounts = vec![
        account_of(ID, 1).status(AccountStatus::Active).build(),
        account_of(ID, 2).status(AccountStatus::PendingClosure).build(),
        account_of(ID, 3).status(AccountStatus::Suspended).build(),
        account_of(ID, 4).state(AccountState::Closed).status(AccountStatus::Suspended).build(),
        account_of(ID, 5).state(AccountState::PendingActivation).status(AccountStatus::Active).build(),
        account_of(ID, 6).state(AccountState::Active).status(AccountStatus::Suspended).build(),
    ];
    let (_, fleet) = search("", &[&listed(vec![accounts])]).await.unwrap();
    assert_eq!(members(&fleet), ids([1, 2, 6]));
    assert_data_eq!(
        reasons(&fleet),
        str![[r#"
000000000003: SUSPENDED
000000000004: CLOSED
000000000005: PENDING_ACTIVATION

"#]]
    );
}

#[tokio::test]
async fn unit_includes_nested_units_except_excepted_ones() {
    let rules = [accounts_in_units(), units_in_units()];
    let rules = [&rules[0], &rules[1]];
    for (lines, expected) in [
        (format!("units = [\"{WORK}\"]"), vec![1, 2, 3, 4, 5, 6]),
        (format!("units = [\"{PROD}\"]"), vec![3, 4]),
        (format!("units = [\"{WORK}\"]\nexcept-units = [\"{PLAY}\"]"), vec![1, 2, 3, 4]),
        (format!("units = [\"{WORK}\"]\nexcept-units = [\"{BANK}\", \"{TOYS}\"]"), vec![1, 2, 3, 5]),
        (format!("units = [\"{WORK}\"]\nexcept-accounts = [\"000000000003\"]"), vec![1, 2, 4, 5, 6]),
    ] {
        let (_, fleet) = search(&lines, &rules).await.unwrap();
        assert_eq!(members(&fleet), ids(expected), "{lines}");
    }
}

#[tokio::test]
async fn unit_selected_twice_is_listed_once() {
    let (accounts, units) = (accounts_in_units(), units_in_units());
    let lines = format!("units = [\"{BANK}\", \"{PROD}\", \"{WORK}\"]");
    let (mut found, fleet) = search(&lines, &[&accounts, &units]).await.unwrap();
    found.sort();
    assert_eq!(found, ids(1..=6), "no account twice");
    assert_eq!(members(&fleet), ids(1..=6));
    assert_eq!(accounts.num_calls(), 2 * UNITS.len(), "two pages for each unit");
    assert_eq!(units.num_calls(), UNITS.len() + 1, "`work` has two pages");
}

#[tokio::test]
async fn unit_paths_have_names_if_units_were_listed() {
    let (accounts, units) = (accounts_in_units(), units_in_units());
    let (.., units) = with_units(&format!("units = [\"{WORK}\"]"), &[&accounts, &units]).await.unwrap();
    let units: Vec<&str> = units.values().map(String::as_str).collect();
    let ways = ["", "", "/prod", "/prod/bank", "/play", "/play/toys"].map(|way| format!("{WORK}{way}"));
    assert_eq!(units, ways);
}

#[tokio::test]
async fn unit_paths_have_ids_if_all_accounts_were_listed() {
    let path = |n: u64, path: &str| account(n).paths(format!("{ID}/r-ab12/{path}{n:012}/")).build();
    let all =
        listed(vec![vec![path(1, ""), path(2, "ou-ab12-work0000/ou-ab12-prod0000/"), account(3).build()]]);
    let (.., units) = with_units("", &[&all]).await.unwrap();
    let units: Vec<&str> = units.values().map(String::as_str).collect();
    assert_eq!(units, ["r-ab12", "ou-ab12-work0000/ou-ab12-prod0000"], "the third account has no path");
}

#[tokio::test]
async fn accounts_of_excepted_units_are_left_out_with_a_reason() {
    let all = listed(vec![(1..=9).map(|n| account(n).build()).collect()]);
    let (accounts, units) = (accounts_in_units(), units_in_units());
    let lines = format!("except-units = [\"{PLAY}\", \"{BANK}\"]");
    let (_, fleet) = search(&lines, &[&all, &accounts, &units]).await.unwrap();
    assert_eq!(members(&fleet), ids([1, 2, 3, 7, 8, 9]));
    assert_eq!(left_out(&fleet), ids([4, 5, 6]));
}

#[tokio::test]
async fn listed_accounts_are_described_individually_with_or_without_units() {
    let lines = "accounts = [\"000000000008\", \"000000000009\"]";
    let one_by_one = described();
    let (_, fleet) = search(lines, &[&one_by_one]).await.unwrap();
    assert_eq!(members(&fleet), ids([8, 9]));
    assert_eq!(one_by_one.num_calls(), 2, "no listing");

    let lines = format!("{lines}\nunits = [\"{BANK}\"]");
    let (_, fleet) = search(&lines, &[&described(), &accounts_in_units(), &units_in_units()]).await.unwrap();
    assert_eq!(members(&fleet), ids([4, 8, 9]));
}

#[tokio::test]
async fn role_of_discovered_accounts_is_assumed_in_the_hub() {
    let caller = answered("444455556666", RetryConfig::disabled(), |_, body| {
        assert!(body.contains("111122223333%3Arole%2Freader"), "{body}");
        role()
    });
    let hub = open_hub(&caller, &file("role = \"reader\"")).await.unwrap();
    assert_eq!(hub.id.to_string(), "111122223333");
    // The read role is also used if the hub has no role and is not discovered.
    let text = "[fleet]\nread-role = \"reader\"\n\
        [hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
        [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
    let reading = FleetFile::parse(text).unwrap().for_reading();
    let hub = open_hub(&caller, &reading).await.unwrap();
    assert_eq!(hub.id.to_string(), "111122223333");
}

#[tokio::test]
async fn untrusted_read_role_in_the_hub_is_named_in_the_advice() {
    let caller = answered("999999999999", RetryConfig::disabled(), |_, _| {
        let error = "<Code>AccessDenied</Code><Message>not authorized to perform sts:AssumeRole</Message>";
        (403, format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"))
    });
    let text = "[fleet]\nread-role = \"reader\"\n\
        [hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
        [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
    let file = FleetFile::parse(text).unwrap();
    let mut advice = Vec::new();
    for file in [file.clone(), file.for_reading()] {
        advice.push(open_hub(&caller, &file).await.unwrap_err().advice.without_place());
    }
    assert_data_eq!(
        advice.join("\n"),
        str![[r#"
the credentials are for account 999999999999, but the hub account is 111122223333: set `hub.profile` or `hub.role`, or use the hub's own credentials
the credentials are for account 999999999999, but the hub account is 111122223333: use the hub's own credentials (`hub.profile`), or create the role `reader` in the hub account with a trust policy for the caller
"#]]
    );
}

#[tokio::test]
async fn search_makes_only_calls_that_its_policy_allows() {
    for lines in [
        String::new(),
        "accounts = [\"000000000001\"]".to_owned(),
        format!("units = [\"{PROD}\"]"),
        format!("units = [\"{PROD}\"]\naccounts = [\"000000000001\"]"),
        format!("except-units = [\"{PROD}\"]"),
    ] {
        let rules = [
            (LIST_ACCOUNTS, listed(vec![vec![account(1).build()]])),
            (LIST_ACCOUNTS_FOR_PARENT, accounts_in_units()),
            (LIST_UNITS_FOR_PARENT, units_in_units()),
            (DESCRIBE_ACCOUNT, described()),
        ];
        search(&lines, &rules.iter().map(|(_, rule)| rule).collect::<Vec<_>>()).await.unwrap();
        let sent = rules.iter().filter(|(_, rule)| rule.num_calls() > 0);
        let sent: BTreeSet<&str> = sent.map(|(call, _)| call.action).collect();
        let file = file(&lines);
        let (organization, how) = file.discovery().unwrap();
        let allowed = organization_reads(organization, how);
        assert_eq!(sent, allowed.iter().map(|call| call.action).collect(), "{lines}");
    }
}

#[tokio::test]
async fn lookup_role_lists_the_accounts() {
    let caller = answered("111122223333", RetryConfig::disabled(), |signature, body| {
        if body.contains("Action=AssumeRole") {
            assert!(body.contains("444455556666%3Arole%2Flist"), "{body}");
            return role();
        }
        assert!(signature.contains("Credential=ROLE/"), "{signature}");
        let arn = "arn:aws:organizations::444455556666:account/o-a1b2c3d4e5/000000000001";
        (200, format!(r#"{{"Accounts":[{{"Id":"000000000001","Arn":"{arn}","State":"ACTIVE"}}]}}"#))
    });
    let session = Session { hub: caller.clone(), caller, external_id: None };
    let file = file("lookup = { account = \"444455556666\", role = \"list\" }");
    let (organization, discovery) = file.discovery().unwrap();
    let (found, mut finds) = mpsc::unbounded_channel();
    find_accounts(&session, organization, discovery, &BTreeSet::new(), found).await.unwrap();
    assert_eq!(finds.recv().await.map(|account| account.id), ids([1]).pop());
    assert_eq!(finds.recv().await, None);
}

#[tokio::test]
async fn regions_without_opt_in_are_left_out() {
    let account = answered("222222222222", RetryConfig::disabled(), |_, body| {
        assert!(body.contains("Action=DescribeRegions") && !body.contains("AllRegions=true"), "{body}");
        let region = |(name, status)| {
            format!("<item><regionName>{name}</regionName><optInStatus>{status}</optInStatus></item>")
        };
        let items: String = [
            ("eu-west-1", "opt-in-not-required"),
            ("af-south-1", "not-opted-in"),
            ("me-south-1", "opted-in"),
        ]
        .map(region)
        .concat();
        let answer =
            format!("<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>");
        (200, answer)
    });
    let enabled: Vec<String> =
        account.enabled_regions().await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(enabled, ["eu-west-1", "me-south-1"]);
}

#[tokio::test]
async fn unit_names_are_added_next_to_ids_if_readable() {
    let caller = answered("111122223333", RetryConfig::disabled(), |_, body| {
        if body.contains(WORK) {
            return (200, format!(r#"{{"OrganizationalUnit":{{"Id":"{WORK}","Name":"Workloads"}}}}"#));
        }
        (400, r#"{"__type":"AccessDeniedException","Message":"no"}"#.to_owned())
    });
    let session = Session { hub: caller.clone(), caller, external_id: None };
    let file = file("");
    let (_, discovery) = file.discovery().unwrap();
    let paths = ["r-ab12".to_owned(), format!("{WORK}/{PROD}"), format!("{WORK}/Bank")];
    let units: BTreeMap<AccountId, String> = ids([1, 2, 3]).into_iter().zip(paths).collect();
    let named: Vec<String> = named_units(&session, discovery, &units).await.into_values().collect();
    assert_eq!(
        named,
        ["r-ab12".to_owned(), format!("Workloads ({WORK})/{PROD}"), format!("Workloads ({WORK})/Bank")]
    );
}
