//! The organization that moto returns.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{FlowLogsResourceType, LogDestinationType, TrafficType};
use aws_sdk_organizations::types::{Account, AccountState, AccountStatus, ChildType};
use flowagg_core::id::{AccountId, OrganizationalUnitId};
use flowagg_testkit::emulator::Moto;
use flowagg_testkit::organization::MotoOrganization;

use super::{region, set};

/// Maximum number of accounts on a page of Organizations.
const PAGE: i32 = 20;

/// An organization of 25 accounts and the management account: 12 in the root, 8 in `work`, 5 in `work/prod`. The last
/// one in the root is closed.
struct Acme {
    organization: MotoOrganization,
    work: OrganizationalUnitId,
    prod: OrganizationalUnitId,
    in_root: Vec<AccountId>,
    in_work: Vec<AccountId>,
    in_prod: Vec<AccountId>,
}

impl Acme {
    async fn found() -> Self {
        let organization = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap();
        let work = organization.unit("work", None).await.unwrap();
        let prod = organization.unit("prod", Some(&work)).await.unwrap();
        let mut lists = Vec::new();
        for (name, unit, count) in [("root", None, 12), ("work", Some(&work), 8), ("prod", Some(&prod), 5)] {
            let mut list = Vec::new();
            for number in 1..=count {
                list.push(organization.account(&format!("{name}-{number}"), unit).await.unwrap());
            }
            lists.push(list);
        }
        let [in_root, in_work, in_prod]: [Vec<AccountId>; 3] = lists.try_into().unwrap();
        organization.close(in_root[11]).await.unwrap();
        Self { organization, work, prod, in_root, in_work, in_prod }
    }

    fn closed(&self) -> AccountId {
        self.in_root[11]
    }

    /// The IDs of the accounts directly under a root or unit, and the number on each page.
    async fn under(&self, parent: &str) -> (BTreeSet<AccountId>, Vec<usize>) {
        let ask = self.organization.client().list_accounts_for_parent().parent_id(parent);
        let mut pages = ask.into_paginator().page_size(PAGE).send();
        let (mut all, mut counts) = (BTreeSet::new(), Vec::new());
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            counts.push(page.accounts().len());
            all.extend(page.accounts().iter().map(id));
        }
        (all, counts)
    }
}

fn id(account: &Account) -> AccountId {
    AccountId::parse(account.id().unwrap()).unwrap()
}

#[tokio::test]
async fn all_accounts_including_management_are_listed_in_pages_of_twenty() {
    let acme = Acme::found().await;
    let mut pages = acme.organization.client().list_accounts().into_paginator().page_size(PAGE).send();
    let (mut all, mut counts) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        counts.push(page.accounts().len());
        all.extend(page.accounts().to_vec());
    }
    assert_eq!(counts, [20, 6], "moto has no empty pages");
    let management = acme.organization.management();
    let mut expected: Vec<AccountId> =
        [&acme.in_root, &acme.in_work, &acme.in_prod].into_iter().flatten().copied().collect();
    expected.insert(0, management);
    assert_eq!(all.iter().map(id).collect::<Vec<_>>(), expected, "in the order of creation");

    for account in &all {
        let (own, organization) = (id(account), acme.organization.id());
        let arn = format!("arn:aws:organizations::{management}:account/{organization}/{own}");
        assert_eq!(account.arn(), Some(arn.as_str()));
        let closed = own == acme.closed();
        let (state, status) = if closed {
            (AccountState::Suspended, AccountStatus::Suspended)
        } else {
            (AccountState::Active, AccountStatus::Active)
        };
        assert_eq!(account.state(), Some(&state), "AWS returns `CLOSED` for a closed one");
        #[allow(deprecated, reason = "older programs read it")]
        let seen = account.status();
        assert_eq!(seen, Some(&status));
        assert!(account.paths().is_empty(), "moto has no paths: {account:?}");
        assert!(
            account.name().is_some() && account.email().is_some() && account.joined_timestamp().is_some()
        );
    }
}

#[tokio::test]
async fn unit_lists_only_its_direct_accounts_and_units() {
    let acme = Acme::found().await;
    let (root, work, prod) = (acme.organization.root(), acme.work.as_str(), acme.prod.as_str());
    let mut top = set(&acme.in_root);
    top.insert(acme.organization.management());
    for (parent, accounts) in [(root, top), (work, set(&acme.in_work)), (prod, set(&acme.in_prod))] {
        let (seen, counts) = acme.under(parent).await;
        assert_eq!(counts, [accounts.len()], "{parent}");
        assert_eq!(seen, accounts, "{parent}");
    }
    let client = acme.organization.client();
    for (parent, units) in [(root, vec![work]), (work, vec![prod]), (prod, vec![])] {
        let listed = client.list_organizational_units_for_parent().parent_id(parent).send().await.unwrap();
        let seen: Vec<&str> = listed.organizational_units().iter().filter_map(|unit| unit.id()).collect();
        assert_eq!(seen, units, "{parent}");
        let children = client.list_children().parent_id(parent).child_type(ChildType::OrganizationalUnit);
        let children = children.send().await.unwrap();
        let seen: Vec<&str> = children.children().iter().filter_map(|child| child.id()).collect();
        assert_eq!(seen, units, "{parent}");
    }
    let parents = client.list_parents().child_id(acme.in_prod[0].to_string()).send().await.unwrap();
    assert_eq!(parents.parents()[0].id(), Some(prod));

    let unknown = client.list_accounts_for_parent().parent_id("ou-ab12-11111111").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_parent_not_found_exception());
}

#[tokio::test]
async fn moved_account_is_listed_only_under_its_new_unit() {
    let acme = Acme::found().await;
    let moved = acme.in_work[0];
    acme.organization.put(moved, Some(&acme.prod)).await.unwrap();
    assert!(acme.under(acme.prod.as_str()).await.0.contains(&moved));
    assert!(!acme.under(acme.work.as_str()).await.0.contains(&moved));
}

#[tokio::test]
async fn organizations_on_one_server_are_isolated_and_members_cannot_list_accounts() {
    let server = Moto::shared().unwrap();
    let one = MotoOrganization::found(server).await.unwrap();
    let other = MotoOrganization::found(server).await.unwrap();
    assert_ne!(one.id(), other.id());
    let member = one.account("shop", None).await.unwrap();
    let listed = other.client().list_accounts().send().await.unwrap();
    assert_eq!(listed.accounts().iter().map(id).collect::<Vec<_>>(), [other.management()]);

    let as_member = one.organizations_as(member).await.unwrap();
    let seen = as_member.describe_organization().send().await.unwrap().organization.unwrap();
    assert_eq!(seen.id(), Some(one.id().as_str()));
    assert_eq!(seen.master_account_id(), Some(one.management().to_string().as_str()));
    // AWS denies this with `AccessDeniedException`.
    assert!(as_member.list_accounts().send().await.unwrap().accounts().is_empty());

    let stranger = AccountId::parse("000000000001").unwrap();
    let as_stranger = one.organizations_as(stranger).await.unwrap();
    let error = as_stranger.describe_organization().send().await.unwrap_err().into_service_error();
    assert!(error.is_aws_organizations_not_in_use_exception(), "{error:?}");
}

#[tokio::test]
async fn flow_log_to_another_accounts_bucket_requires_that_the_bucket_exists() {
    let organization = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap();
    let (hub, ireland) = (organization.management(), region("eu-west-1"));
    let member = organization.account("shop", None).await.unwrap();
    let ec2 = organization.ec2(member, &ireland).await.unwrap();
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    let [default] = vpcs.vpcs() else { panic!("{vpcs:?}") };
    assert_eq!((default.is_default(), default.owner_id()), (Some(true), Some(member.to_string().as_str())));

    let bucket = format!("flow-logs-{hub}");
    let create = || {
        ec2.create_flow_logs()
            .resource_ids(default.vpc_id().unwrap())
            .resource_type(FlowLogsResourceType::Vpc)
            .traffic_type(TrafficType::All)
            .log_destination_type(LogDestinationType::S3)
            .log_destination(format!("arn:aws:s3:::{bucket}"))
            .send()
    };
    let refused = create().await.unwrap();
    let error = refused.unsuccessful()[0].error().unwrap();
    assert_eq!(error.message(), Some(format!("LogDestination: {bucket} does not exist.").as_str()));

    let constraint = aws_sdk_s3::types::BucketLocationConstraint::from("eu-west-1");
    let place =
        aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(constraint).build();
    let s3 = organization.s3(hub, &ireland).await.unwrap();
    s3.create_bucket().bucket(&bucket).create_bucket_configuration(place).send().await.unwrap();
    let made = create().await.unwrap();
    assert_eq!((made.flow_log_ids().len(), made.unsuccessful().len()), (1, 0));

    let logs = ec2.describe_flow_logs().send().await.unwrap();
    assert_eq!(logs.flow_logs().len(), 1);
    assert_eq!(logs.flow_logs()[0].deliver_logs_status(), Some("SUCCESS"));
    for (account, elsewhere) in [(member, "us-east-1"), (hub, "eu-west-1")] {
        let ec2 = organization.ec2(account, &region(elsewhere)).await.unwrap();
        assert!(ec2.describe_flow_logs().send().await.unwrap().flow_logs().is_empty());
    }
}

#[tokio::test]
async fn regions_have_an_opt_in_status() {
    let organization = MotoOrganization::found(Moto::shared().unwrap()).await.unwrap();
    let ec2 = organization.ec2(organization.management(), &region("eu-west-1")).await.unwrap();
    let listed = ec2.describe_regions().send().await.unwrap();
    let by_status = |status: &str| -> BTreeSet<&str> {
        let of_status = listed.regions().iter().filter(|region| region.opt_in_status() == Some(status));
        of_status.filter_map(|region| region.region_name()).collect()
    };
    let (always, not) = (by_status("opt-in-not-required"), by_status("not-opted-in"));
    assert_eq!(always.len() + not.len(), listed.regions().len(), "{listed:?}");
    assert!(always.contains("eu-west-1") && always.contains("us-east-1"));
    assert!(!not.is_empty(), "AWS leaves these out unless `AllRegions` is set; moto does not");
}

#[tokio::test]
async fn apply_leaves_nothing_to_do() {
    let acme = Acme::found().await;
    let hub = acme.organization.management();
    let mut fleet =
        format!("[hub]\naccount = \"{hub}\"\nregion = \"eu-west-1\"\nbucket = \"flow-logs-{hub}\"\n");
    for member in &acme.in_prod {
        fleet += &format!("[[members]]\naccount = \"{member}\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n");
    }
    acme.organization.flowagg(&fleet, ["apply", "--yes"]).await.unwrap().exits(0);
    acme.organization.flowagg(&fleet, ["plan", "--exit-code"]).await.unwrap().exits(0);
    for member in &acme.in_prod {
        for place in ["eu-west-1", "us-east-1"] {
            let ec2 = acme.organization.ec2(*member, &region(place)).await.unwrap();
            assert_eq!(
                ec2.describe_flow_logs().send().await.unwrap().flow_logs().len(),
                1,
                "{member} {place}"
            );
        }
    }
}

#[test]
fn moto_runs_until_it_is_dropped_and_keeps_a_log() {
    let moto = Moto::start().unwrap();
    let address = moto.url().trim_start_matches("http://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    assert!(moto.log().contains("/moto-api/"), "{}", moto.log());
    drop(moto);
    assert!(std::net::TcpStream::connect(&address).is_err());
}
