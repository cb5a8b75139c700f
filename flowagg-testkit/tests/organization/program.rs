//! The real program in an organization.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::id::{AccountId, OrganizationalUnitId, Partition};
use flowagg_testkit::emulator::Moto;
use flowagg_testkit::faults::{Answer, CallFilter, Faults};
use flowagg_testkit::organization::MotoOrganization;
use flowagg_testkit::world::Ran;
use serde_json::Value;
use snapbox::data::Inline;
use snapbox::{assert_data_eq, str};

use super::{bucket, fleet, list, region, set};

/// A small organization: `shop` in the root, `bank` and a closed account in the unit `work`, `mill` in `prod` below it.
struct Corner {
    organization: MotoOrganization,
    work: OrganizationalUnitId,
    prod: OrganizationalUnitId,
    shop: AccountId,
    bank: AccountId,
    mill: AccountId,
    closed: AccountId,
}

impl Corner {
    async fn found() -> Self {
        let organization = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap();
        let work = organization.unit("work", None).await.unwrap();
        let prod = organization.unit("prod", Some(&work)).await.unwrap();
        let shop = organization.account("shop", None).await.unwrap();
        let bank = organization.account("bank", Some(&work)).await.unwrap();
        let mill = organization.account("mill", Some(&prod)).await.unwrap();
        let closed = organization.account("closed", Some(&work)).await.unwrap();
        organization.close(closed).await.unwrap();
        Self { organization, work, prod, shop, bank, mill, closed }
    }

    fn management(&self) -> AccountId {
        self.organization.management()
    }

    /// A fleet file with discovered accounts in one region, and these additional lines.
    fn fleet(&self, lines: &str) -> String {
        fleet(&self.organization, &format!("regions = [\"eu-west-1\"]\n{lines}"))
    }

    async fn run(&self, lines: &str, args: &[&str]) -> Ran {
        self.organization.flowagg(&self.fleet(lines), args).await.unwrap()
    }

    async fn apply(&self, lines: &str) -> Ran {
        self.run(lines, &["apply", "--yes"]).await.exits(0)
    }

    async fn apply_json(&self, lines: &str) -> Value {
        self.run(lines, &["apply", "--yes", "--json"]).await.exits(0).json()
    }

    /// The errors of a run with their advice, with the names of the documentation.
    fn errors(&self, ran: &Ran) -> String {
        let text = format!("{}{}", ran.stdout, ran.stderr);
        let is_error = |line: &&str| line.starts_with("error: ") || line.starts_with("       ");
        let errors = text.lines().filter(is_error).collect::<Vec<_>>().join("\n");
        let names = [
            (self.management().to_string(), "111122223333"),
            (self.shop.to_string(), "222222222222"),
            (self.organization.id().to_string(), "o-a1b2c3d4e5"),
        ];
        names.iter().fold(errors, |text, (id, name)| text.replace(id, name))
    }

    /// Number of flow logs of an account in a region.
    async fn flow_logs(&self, account: AccountId, place: &str) -> usize {
        let ec2 = self.organization.ec2(account, &region(place)).await.unwrap();
        ec2.describe_flow_logs().send().await.unwrap().flow_logs().len()
    }

    async fn policy(&self) -> String {
        let s3 = self.organization.s3(self.management(), &region("eu-west-1")).await.unwrap();
        let answer = s3.get_bucket_policy().bucket(bucket(&self.organization)).send().await.unwrap();
        answer.policy.unwrap()
    }
}

/// The accounts that a policy names.
fn named(policy: &str) -> BTreeSet<AccountId> {
    policy.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| AccountId::parse(digits).ok()).collect()
}

/// The accounts in which a plan changes flow logs.
fn planned(plan: &Value) -> BTreeSet<AccountId> {
    let changes = plan["flow-logs"].as_array().unwrap().iter();
    changes.map(|change| AccountId::parse(change["account"].as_str().unwrap()).unwrap()).collect()
}

/// The policy that a plan writes.
fn written(plan: &Value) -> &str {
    let mut texts = plan["hub"].as_array().unwrap().iter().filter_map(|change| change["text"].as_str());
    texts.next().unwrap()
}

/// The calls of a phase of `apply`, by operation.
fn calls(report: &Value, phase: &str) -> BTreeMap<String, u64> {
    serde_json::from_value(report["calls"][phase].clone()).unwrap()
}

/// Checks that a run printed this line.
#[track_caller]
fn says(ran: &Ran, line: &str) {
    assert!(ran.stdout.lines().any(|it| it == line), "`{line}`: {ran}");
}

#[tokio::test]
async fn whole_organization_is_granted_by_id_and_new_accounts_are_discovered() {
    let corner = Corner::found().await;
    let ran = corner.apply("").await;
    says(&ran, &format!("note: skipped {} (closed) of the organization: SUSPENDED", corner.closed));
    for account in [corner.management(), corner.shop, corner.bank, corner.mill] {
        assert_eq!(corner.flow_logs(account, "eu-west-1").await, 1, "{account}");
    }
    assert_eq!(corner.flow_logs(corner.closed, "eu-west-1").await, 0);
    let policy = corner.policy().await;
    assert!(
        policy.contains("aws:SourceOrgID") && policy.contains(corner.organization.id().as_str()),
        "{policy}"
    );
    assert_eq!(named(&policy), BTreeSet::new(), "{policy}");
    corner.run("", &["plan", "--exit-code"]).await.exits(0);

    let new = corner.organization.account("new", Some(&corner.prod)).await.unwrap();
    let report = corner.apply_json("").await;
    assert_eq!(planned(&report["plan"]), set(&[new]));
    assert_eq!(report["plan"]["hub"], serde_json::json!([]), "the grant already covers it");
    assert_eq!(corner.flow_logs(new, "eu-west-1").await, 1);
    assert_eq!(corner.policy().await, policy);
}

#[tokio::test]
async fn unit_and_account_filters_select_the_granted_accounts() {
    let corner = Corner::found().await;
    let Corner { work, prod, shop, bank, mill, .. } = &corner;
    let (shop, bank, mill, management) = (*shop, *bank, *mill, corner.management());
    for (lines, expected) in [
        (format!("units = [\"{work}\"]"), vec![bank, mill]),
        (format!("units = [\"{work}\", \"{prod}\"]"), vec![bank, mill]),
        (format!("units = [\"{work}\"]\nexcept-units = [\"{prod}\"]"), vec![bank]),
        (format!("except-units = [\"{work}\"]"), vec![management, shop]),
        (format!("accounts = {}", list(&[shop, management])), vec![management, shop]),
        (format!("units = [\"{prod}\"]\naccounts = {}", list(&[shop])), vec![mill, shop]),
        (format!("except-accounts = {}", list(&[management, bank])), vec![mill, shop]),
        (format!("units = [\"{work}\"]\nexcept-accounts = {}", list(&[mill])), vec![bank]),
    ] {
        let plan = corner.run(&lines, &["plan", "--json"]).await.exits(0).json();
        assert_eq!(planned(&plan), set(&expected), "{lines}");
        assert_eq!(named(written(&plan)), set(&expected), "{lines}");
        assert!(!written(&plan).contains("aws:SourceOrg"), "{lines}: {}", written(&plan));
    }
}

#[tokio::test]
async fn skipped_accounts_are_reported_with_a_reason_even_if_selected_by_id() {
    let corner = Corner::found().await;
    let lines = format!("accounts = {}", list(&[corner.closed, corner.shop]));
    let ran = corner.run(&lines, &["plan"]).await.exits(0);
    says(&ran, &format!("note: skipped {} (closed) of the organization: SUSPENDED", corner.closed));
    let plan = corner.run(&lines, &["plan", "--json"]).await.exits(0).json();
    assert_eq!(named(written(&plan)), set(&[corner.shop]));

    let two = format!("except-accounts = {}", list(&[corner.bank, corner.mill]));
    let ran = corner.run(&two, &["plan"]).await.exits(0);
    let mut two = [(corner.bank, "bank"), (corner.mill, "mill")];
    two.sort();
    let [one, other] = two.map(|(account, name)| format!("{account} ({name})"));
    says(&ran, &format!("note: skipped {one}, {other} of the organization: excluded by the fleet file"));
}

#[tokio::test]
async fn declared_member_overrides_discovery_and_outside_account_is_granted_by_id() {
    let corner = Corner::found().await;
    let foreign = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap().management();
    let member = |account| format!("[[members]]\naccount = \"{account}\"\nregions = [\"us-east-1\"]\n");
    let lines = format!("{}{}", member(corner.shop), member(foreign));
    corner.apply(&lines).await;
    for (account, ireland, virginia) in [(corner.shop, 0, 1), (foreign, 0, 1), (corner.bank, 1, 0)] {
        assert_eq!(corner.flow_logs(account, "eu-west-1").await, ireland, "{account}");
        assert_eq!(corner.flow_logs(account, "us-east-1").await, virginia, "{account}");
    }
    let policy = corner.policy().await;
    assert!(policy.contains("aws:SourceOrgID"), "{policy}");
    assert_eq!(named(&policy), set(&[foreign]), "{policy}");
    corner.run(&lines, &["plan", "--exit-code"]).await.exits(0);
}

#[tokio::test]
async fn all_regions_means_the_enabled_regions_of_the_account() {
    let corner = Corner::found().await;
    let shop = corner.shop;
    let text = fleet(&corner.organization, &format!("regions = [\"all\"]\naccounts = {}", list(&[shop])));
    let ran = corner.organization.flowagg(&text, ["apply", "--yes", "--json"]).await.unwrap().exits(0);
    let report = ran.json();

    let ec2 = corner.organization.ec2(shop, &region("eu-west-1")).await.unwrap();
    let listed = ec2.describe_regions().send().await.unwrap();
    // moto does not separate partitions: it lists the regions of all.
    let own = listed.regions().iter().filter(|it| {
        let name = it.region_name().unwrap_or_default();
        region(name).partition() == Partition::Aws
    });
    let (not, enabled): (Vec<_>, Vec<_>) =
        own.partition(|region| region.opt_in_status() == Some("not-opted-in"));
    assert!(!not.is_empty() && enabled.len() > 10, "{listed:?}");
    let reading = calls(&report, "reading");
    let expected = enabled.len() as u64;
    assert_eq!(reading["DescribeRegions"], 1);
    assert_eq!((reading["DescribeVpcs"], reading["DescribeFlowLogs"]), (expected, expected), "{reading:?}");
    for place in enabled {
        let place = place.region_name().unwrap();
        assert_eq!(corner.flow_logs(shop, place).await, 1, "{place}");
    }
    corner.organization.flowagg(&text, ["plan", "--exit-code"]).await.unwrap().exits(0);
}

/// An account of all regions in which this call is denied is one failure, and the others are completed.
async fn is_one_failure(call: &str, code: &str, expected: Inline) {
    let mut corner = Corner::found().await;
    let faults = Faults::in_front_of(corner.organization.url()).await.unwrap();
    let denied = Answer::error(403, code, "You are not authorized.");
    faults.on(CallFilter::operation(call).in_account(corner.shop), denied);
    corner.organization.send_program_to(faults.url());
    let lines = format!("regions = [\"all\"]\naccounts = {}", list(&[corner.shop]));
    let named_one = format!("[[members]]\naccount = \"{}\"\nregions = [\"eu-west-1\"]\n", corner.bank);
    let text = fleet(&corner.organization, &format!("{lines}\n{named_one}"));
    let ran = corner.organization.flowagg(&text, ["apply", "--yes", "--json"]).await.unwrap().exits(1);
    let report = ran.json();
    for look in ["plan", "remaining"] {
        let failures = report[look]["failures"].as_array().unwrap();
        let [failure] = &failures[..] else { panic!("{ran}") };
        assert_eq!(failure["account"], corner.shop.to_string());
        assert_eq!((&failure["call"], &failure["code"]), (&call.into(), &code.into()));
    }
    assert_eq!(corner.flow_logs(corner.bank, "eu-west-1").await, 1);
    assert_eq!(named(&corner.policy().await), set(&[corner.shop, corner.bank]), "both are granted already");

    // The account may or may not be in the requested region, so the failure is reported.
    let plan = ["plan", "--only", "eu-west-1"];
    let ran = corner.organization.flowagg(&text, plan).await.unwrap().exits(1);
    assert_data_eq!(corner.errors(&ran), expected);
}

#[tokio::test]
async fn denied_region_lookup_is_one_failure_and_others_complete() {
    is_one_failure(
        "DescribeRegions",
        "UnauthorizedOperation",
        str![[r#"
error: 222222222222 (shop) us-east-1: DescribeRegions: UnauthorizedOperation: You are not authorized.
       allow ec2:DescribeRegions for the role or user used in 222222222222; `flowagg permissions` prints the IAM policies
"#]],
    )
    .await;
}

#[tokio::test]
async fn denied_role_for_all_regions_is_one_failure_and_others_complete() {
    is_one_failure("AssumeRole", "AccessDenied", str![[r#"
error: 222222222222 (shop) eu-west-1: arn:aws:iam::222222222222:role/OrganizationAccountAccessRole: AssumeRole: AccessDenied: You are not authorized.
       create the role in 222222222222 with a trust policy for the caller and allow the caller sts:AssumeRole on it, or set `role` to another role; `flowagg permissions` prints the policies, and `aws iam get-role` in 222222222222 shows the role
"#]]).await;
}

#[tokio::test]
async fn wrong_organization_id_ends_the_run_without_changes() {
    let corner = Corner::found().await;
    let id = corner.organization.id().to_string();
    let text = corner.fleet("").replace(&format!("id = \"{id}\""), "id = \"o-zzzzzzzzzz\"");
    for args in [&["plan"][..], &["apply", "--yes"]] {
        let ran = corner.organization.flowagg(&text, args).await.unwrap().exits(1);
        assert_data_eq!(
            corner.errors(&ran),
            str![[r#"
error: 111122223333 us-east-1: ListAccounts: the credentials belong to organization o-a1b2c3d4e5, but the fleet file names o-zzzzzzzzzz
       correct `organization.id`, or use credentials of that organization
"#]]
        );
    }
    assert_eq!(corner.flow_logs(corner.management(), "eu-west-1").await, 0);
    let s3 = corner.organization.s3(corner.management(), &region("eu-west-1")).await.unwrap();
    assert!(s3.list_buckets().send().await.unwrap().buckets().is_empty());
}

#[tokio::test]
async fn empty_selection_is_a_failure_and_revokes_nothing() {
    let corner = Corner::found().await;
    corner.apply(&format!("accounts = {}", list(&[corner.shop]))).await;
    let before = corner.policy().await;
    let empty = corner.organization.unit("empty", None).await.unwrap();
    let lines = format!("units = [\"{empty}\"]\naccounts = {}", list(&[corner.closed]));
    let ran = corner.run(&lines, &["apply", "--yes", "--prune"]).await.exits(1);
    says(&ran, &format!("note: skipped {} (closed) of the organization: SUSPENDED", corner.closed));
    assert_data_eq!(
        corner.errors(&ran),
        str![[r#"
error: 111122223333 eu-west-1: o-a1b2c3d4e5: the fleet file selects no account of the organization
       fix `organization.units`, `organization.accounts` or their exceptions
"#]]
    );
    assert_eq!(corner.policy().await, before);
}

#[tokio::test]
async fn account_joining_a_unit_is_granted_and_leaving_one_keeps_its_grant_until_pruned() {
    let corner = Corner::found().await;
    let Corner { organization, work, shop, bank, mill, .. } = &corner;
    let lines = format!("units = [\"{work}\"]");
    corner.apply(&lines).await;
    assert_eq!(named(&corner.policy().await), set(&[*bank, *mill]));

    organization.put(*shop, Some(work)).await.unwrap();
    let report = corner.apply_json(&lines).await;
    assert_eq!(planned(&report["plan"]), set(&[*shop]));
    let [change] = &report["plan"]["hub"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!(change["granted"], serde_json::json!([shop.to_string()]));
    assert_eq!(change["revoked"], serde_json::json!([]));
    assert_eq!(named(&corner.policy().await), set(&[*shop, *bank, *mill]));

    organization.put(*bank, None).await.unwrap();
    let before = corner.policy().await;
    let ran = corner.apply(&lines).await;
    let still_named = format!("the fleet's statements still name {bank}, which is not in the fleet file");
    says(&ran, &format!("note: {still_named}; `--prune` removes it"));
    assert_eq!(corner.policy().await, before);
    corner.run(&lines, &["apply", "--yes", "--prune"]).await.exits(0);
    assert_eq!(named(&corner.policy().await), set(&[*shop, *mill]));
    assert_eq!(
        corner.flow_logs(*bank, "eu-west-1").await,
        1,
        "flowagg assumes no role in an account outside the fleet"
    );
}

#[tokio::test]
async fn destroy_covers_discovered_accounts() {
    let corner = Corner::found().await;
    corner.apply("").await;
    let ran = corner.run("", &["verify"]).await.exits(3);
    says(&ran, "verify: not every flow log delivers: 4 waiting");
    corner.run("", &["destroy", "--yes"]).await.exits(0);
    for account in [corner.management(), corner.shop, corner.bank, corner.mill] {
        assert_eq!(corner.flow_logs(account, "eu-west-1").await, 0, "{account}");
    }
    let s3 = corner.organization.s3(corner.management(), &region("eu-west-1")).await.unwrap();
    let policy = s3.get_bucket_policy().bucket(bucket(&corner.organization)).send().await.unwrap_err();
    assert_eq!(policy.into_service_error().meta().code(), Some("NoSuchBucketPolicy"));
}

#[tokio::test]
async fn only_option_limits_assumed_roles_to_the_selected_account() {
    let mut corner = Corner::found().await;
    let faults = Faults::in_front_of(corner.organization.url()).await.unwrap();
    corner.organization.send_program_to(faults.url());
    let ran = corner.run("", &["plan", "--json", "--only", &corner.shop.to_string()]).await.exits(0);
    let entered = CallFilter::operation("AssumeRole");
    assert_eq!(faults.count(&entered), 1);
    assert_eq!(faults.count(&entered.in_account(corner.shop)), 1);
    assert_eq!(faults.count(&CallFilter::operation("DescribeVpcs")), 1);
    assert_eq!(planned(&ran.json()), set(&[corner.shop]));
    assert_eq!(named(written(&ran.json())), BTreeSet::new(), "the grant is still for the whole organization");
}

#[tokio::test]
async fn apply_makes_one_call_per_page_account_and_region_and_the_next_makes_no_writes() {
    /// The page size of moto; AWS's is 20.
    const ON_A_PAGE: usize = 100;
    let corner = Corner::found().await;
    let mut crowd = Vec::new();
    while crowd.len() < ON_A_PAGE {
        crowd.push(corner.organization.account(&format!("crowd-{}", crowd.len()), None).await.unwrap());
    }
    let lines = format!("except-accounts = {}", list(&crowd));
    let text =
        corner.fleet(&lines).replace("regions = [\"eu-west-1\"]", "regions = [\"eu-west-1\", \"us-east-1\"]");
    let args = ["apply", "--yes", "--json"];
    let first = corner.organization.flowagg(&text, args).await.unwrap().exits(0).json();
    // The management account, which is the caller, and three others; two regions.
    let reading = calls(&first, "reading");
    for (call, times) in [
        ("GetCallerIdentity", 1),
        ("ListAccounts", 2),
        ("AssumeRole", 3),
        ("DescribeVpcs", 8),
        ("DescribeFlowLogs", 8),
    ] {
        assert_eq!(reading.get(call), Some(&times), "{call}: {reading:?}");
    }
    let applying = calls(&first, "applying");
    for (call, times) in [("CreateFlowLogs", 8), ("CreateBucket", 1), ("PutBucketPolicy", 1)] {
        assert_eq!(applying.get(call), Some(&times), "{call}: {applying:?}");
    }
    assert!(!applying.contains_key("AssumeRole"), "a role is assumed once: {applying:?}");
    let again = calls(&first, "looking-again");
    assert!(!again.contains_key("DescribeFlowLogs"), "AWS's responses name every flow log: {again:?}");

    let second = corner.organization.flowagg(&text, args).await.unwrap().exits(0).json();
    assert_eq!(calls(&second, "reading")["DescribeVpcs"], 8);
    for phase in ["applying", "looking-again"] {
        assert_eq!(calls(&second, phase), BTreeMap::new(), "{phase}");
    }
}
