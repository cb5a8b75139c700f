//! Fleets, their files, and the keys of their flow logs' objects.

use flowagg_core::fleet::{Fleet, FleetFile, GrantForm, Part, Regions, Remark};
use flowagg_core::id::AccountId;
use flowagg_core::layout::{FileName, Layout};
use flowagg_policy::{DecisionKind, Grant, GrantError, MergeError, Policy, Request, Unnamed, assure, merge};
use flowagg_testkit::arbitrary::{WrittenFleet, fleet, id};
use jiff::civil::DateTime;
use proptest::prelude::*;
use proptest::strategy::Union;

use crate::cases;

fn any_fleet() -> impl Strategy<Value = WrittenFleet> {
    Union::new(flowagg_core::id::Partition::ALL.map(fleet))
}

/// The name of a file with the fleet's format. Everything except account, region, time and format is constant.
fn file(fleet: &Fleet, account: AccountId, region: &flowagg_core::id::Region, time: DateTime) -> FileName {
    let format = fleet.flow_logs.files.format;
    let mut name = FileName::example(account, region);
    name.time = time;
    name.format = format;
    name.hash = "0a1b2c3d".to_owned();
    name
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn fleet_file_is_parsed_as_its_fleet(file in any_fleet()) {
        prop_assert_eq!(&file.read().map_err(|error| TestCaseError::fail(format!("{error}\n{}", file.text)))?, &file.fleet, "{}", file.text);
        let alone = Fleet::parse(&file.text);
        prop_assert_eq!(alone.is_ok(), file.is_named());
        if let Ok(alone) = alone {
            prop_assert_eq!(&alone, &file.fleet);
        }
    }

    #[test]
    fn written_fleet_is_read_back_with_any_remarks(
        file in any_fleet(), said in proptest::collection::vec((0usize..6, "[\\PC\\x00-\\x1f]{0,30}"), 0..4),
    ) {
        let declared = FleetFile::parse(&file.text).unwrap();
        let (first, stranger) = (declared.members.values().next(), AccountId::parse("000000000000").unwrap());
        let account = first.map_or(stranger, |member| member.account);
        let parts = [Part::File, Part::Hub, Part::FlowLogs, Part::Policy, Part::Member(account), Part::Member(stranger)];
        let remarks: Vec<Remark> =
            said.into_iter().map(|(at, text)| Remark::new(parts[at], text)).collect();
        let written = declared.to_toml(&remarks);
        prop_assert_eq!(written.lines().filter(|line| line.starts_with('#')).count(), remarks.len(), "{}", written);
        let read = FleetFile::parse(&written).map_err(|error| TestCaseError::fail(format!("{error}\n{written}")))?;
        prop_assert_eq!(&read, &declared, "{}", written);
        prop_assert_eq!(read.to_toml(&remarks), written);
    }

    #[test]
    fn grant_allows_exactly_the_keys_of_the_layout(
        file_of in any_fleet(), stranger in id::account(), days in 0i64..20_000, minutes in 0i64..1440,
    ) {
        let fleet = &file_of.fleet;
        let (grant, layout) = (Grant::from(fleet), fleet.layout());
        let written = match merge(None, &grant, Unnamed::Keep) {
            Ok(written) => written,
            // A selection without accounts grants nothing.
            Err(MergeError::Empty | MergeError::Grant(GrantError::NeedsAccounts { .. })) => {
                prop_assert!(fleet.members.is_empty());
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let policy = Policy::compile(&written.text).unwrap();
        let time = DateTime::default().checked_add(jiff::Span::new().days(days + 730_000).minutes(minutes)).unwrap();
        let by_organization = matches!(written.form, GrantForm::Organization | GrantForm::BoundOrganization);
        let organization = fleet.organization.as_ref().filter(|_| by_organization);
        let ask = |account: AccountId, region: &flowagg_core::id::Region, key: &str| {
            let request = Request::put_object(&fleet.hub.bucket, account, region, key);
            let outside = grant.organization.as_ref().is_some_and(|it| it.outside.contains(&account));
            let belongs = grant.accounts.contains(&account) && !outside;
            let request = match organization {
                Some(it) if belongs => {
                    let unit = it.units.first().map(|unit| format!("{unit}/")).unwrap_or_default();
                    request.in_organization(&it.id, &format!("{}/r-ab12/{unit}", it.id))
                }
                _ => request.without_organization(),
            };
            policy.decide(&request).kind
        };
        for member in fleet.members.values() {
            let region = member.regions.iter().next().unwrap();
            let name = file(fleet, member.account, region, time);
            let key = layout.key(&name);
            prop_assert_eq!(ask(member.account, region, &key), DecisionKind::Allow, "{} {}", key, written.text);
            prop_assert_eq!(FileName::parse(key.rsplit('/').next().unwrap()), Ok(name.clone()));
            // Keys outside its folder are denied.
            let other_prefix = Layout::new(Some("elsewhere".parse().unwrap()), layout.files);
            let outside = [other_prefix.key(&name), format!("x{key}"), key.replace("AWSLogs/", "AWSLog/"), name.to_string()];
            for key in outside {
                prop_assert_ne!(ask(member.account, region, &key), DecisionKind::Allow, "{} {}", key, written.text);
            }
            // If the form distinguishes folders, keys in the other folder layout and in another account's folder are
            // denied.
            let any_folder = matches!(written.form, GrantForm::Accounts | GrantForm::Organization);
            if !any_folder {
                let mut renamed = layout.clone();
                renamed.files.hive_compatible_partitions = !layout.files.hive_compatible_partitions;
                let renamed = renamed.key(&name);
                let of_stranger = layout.key(&file(fleet, stranger, region, time));
                for key in [renamed, of_stranger] {
                    prop_assert_ne!(ask(member.account, region, &key), DecisionKind::Allow, "{} {}", key, written.text);
                }
            }
            // If the policy checks regions, deliveries from an undeclared region are denied.
            if let (Some(_), Regions::These(declared), false) = (&grant.regions, &member.regions, by_organization)
                && let Some(other) = id::regions(fleet.partition()).into_iter().find(|other| !declared.contains(other))
            {
                let key = layout.key(&file(fleet, member.account, &other, time));
                prop_assert_ne!(ask(member.account, &other, &key), DecisionKind::Allow, "{} {}", key, written.text);
            }
        }
        // No other account may write to its own folder.
        let left_out = fleet.left_out.keys().filter(|_| !by_organization).copied();
        for account in left_out.chain([stranger]).filter(|account| !fleet.members.contains_key(account)) {
            let region = &fleet.hub.region;
            let key = layout.key(&file(fleet, account, region, time));
            let request = Request::put_object(&fleet.hub.bucket, account, region, &key).without_organization();
            prop_assert_ne!(policy.decide(&request).kind, DecisionKind::Allow, "{} {}", key, written.text);
        }
        let places = fleet.members.values().map(|it| (it.account, it.regions.iter().cloned().collect())).collect();
        let problems = assure(None, &written, &grant, &places).unwrap();
        prop_assert!(problems.is_empty(), "{:?} {}", problems, written.text);
    }
}
