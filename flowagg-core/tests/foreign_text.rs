//! Foreign text: no reader panics on it, and derived values respect AWS's limits.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::acl::{AclGrant, Grantee};
use flowagg_core::failure::{Advice, Failure};
use flowagg_core::fleet::{Fleet, FleetFile, Part, Remark};
use flowagg_core::flow_log::{Files, LogDestination};
use flowagg_core::id::{AccountId, FleetName, FlowLogId, Place, Prefix, Region, ResourceId};
use flowagg_core::layout::{self, FileName};
use flowagg_core::lifecycle::{FleetRule, LifecycleDocument};
use flowagg_core::observed::*;
use flowagg_core::plan::{
    Expiry, Step, Unnamed, also_logged_groups, flow_log_changes, flow_log_removals, hub_changes,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;

const FLEET: &str = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\n\
                     [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
const FILE: &str = "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456.log.gz";

fn config() -> ProptestConfig {
    let failure_persistence = Some(Box::new(FileFailurePersistence::Off) as _);
    ProptestConfig { failure_persistence, ..ProptestConfig::default() }
}

/// Arbitrary characters, words of problematic characters, and one such word repeated many times.
fn foreign() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "a",
        "0",
        " ",
        "/",
        "_",
        "-",
        ":",
        "\"",
        "'",
        "\\",
        "`",
        "${",
        "*",
        "=",
        "AWSLogs",
        "é",
        "e\u{301}",
        "界",
        "🦀",
        "👩\u{200d}👩\u{200d}👧",
        "\u{5d0}\u{5d1}",
        "\u{202e}",
        "\u{feff}",
        "\u{a0}",
        "\u{2028}",
        "\0",
        "\n",
        "\r\n",
        "\t",
        "\u{1b}[31m",
        "\u{1b}]",
        "\u{7f}",
        "\u{10ffff}",
    ]);
    prop_oneof![
        2 => any::<String>(),
        3 => vec(odd.clone(), 0..30).prop_map(|words| words.concat()),
        2 => ("[a-z]{0,4}", odd, 1..400_usize).prop_map(|(start, odd, times)| start + &odd.repeat(times)),
    ]
}

fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
    let key = prop_oneof![2 => foreign(), 1 => Just("managed-by".to_owned()), 1 => Just("flowagg:fleet".to_owned())];
    let value = prop_oneof![2 => foreign(), 1 => Just("flowagg".to_owned())];
    btree_map(key, value, 0..4)
}

fn flow_log() -> impl Strategy<Value = FlowLog> {
    let resource = prop_oneof![3 => Just("vpc-0000000a".to_owned()), 1 => foreign()];
    let destination = prop_oneof![
        1 => Just("arn:aws:s3:::acme-logs".to_owned()),
        1 => foreign().prop_map(|folder| format!("arn:aws:s3:::acme-logs/{folder}")),
        1 => foreign(),
    ];
    let destination = (destination, any::<bool>()).prop_map(|(name, is_group)| match is_group {
        true => LogDestination::CloudWatchLogs { log_group: name },
        false => LogDestination::from(name),
    });
    let words = || option::of(foreign());
    (any::<u32>(), resource, destination, words(), words(), tags(), words(), words()).prop_map(
        |(id, resource, destination, traffic, format, tags, status, error)| {
            let mut log = FlowLog::new(
                FlowLogId::parse(&format!("fl-{id:08x}")).unwrap(),
                resource.as_str(),
                destination,
            );
            log.traffic = traffic;
            log.format = format.clone();
            log.interval = Some(600);
            log.files = format.map(Files::new);
            log.tags = tags;
            log.deliver_status = status;
            log.deliver_error = error;
            log
        },
    )
}

fn bucket() -> impl Strategy<Value = Bucket> {
    let words = || option::of(foreign());
    let grants = btree_set((foreign(), foreign()), 0..5);
    (words(), words(), words(), words(), words(), btree_set(foreign(), 0..3), grants).prop_map(
        |(algorithm, key, under, ownership, id, contents, grants)| {
            let mut bucket = Bucket::default();
            bucket.encryption = algorithm.map(|algorithm| {
                let mut encryption = BucketEncryption::new(algorithm);
                encryption.key = key;
                encryption
            });
            bucket.lifecycle = lifecycle(id.unwrap_or_default(), under.unwrap_or_default());
            bucket.ownership = ownership;
            bucket.contents = Contents::Listed(contents);
            bucket.usage.acl = Ok(grants.into_iter().map(grant).collect());
            bucket
        },
    )
}

/// A configuration with one rule. `None` if the text cannot be represented in XML.
fn lifecycle(id: String, under: String) -> Option<LifecycleDocument> {
    let mut rule = FleetRule::new(id, under);
    rule.expire_days = Some(30);
    LifecycleDocument::edited(None, &[rule], &BTreeSet::new()).ok().flatten()
}

fn grant((text, permission): (String, String)) -> AclGrant {
    let grantee = match text.chars().count() % 3 {
        0 => Grantee::from_group_uri(&text),
        1 => Grantee::from_canonical_id(&text),
        _ => Grantee::Other(text),
    };
    AclGrant::new(grantee, permission)
}

fn place() -> Place {
    Place::new(AccountId::parse("222222222222").unwrap(), &Region::parse("eu-west-1").unwrap())
}

fn failure() -> impl Strategy<Value = Failure> {
    (foreign(), option::of(foreign()), option::of(foreign()), foreign(), foreign()).prop_map(
        |(call, resource, code, message, help)| {
            let advice = Advice::from(help);
            let mut failure = Failure::new(place(), call, message, advice);
            failure.resource = resource;
            failure.code = code;
            failure
        },
    )
}

/// The ID of the lifecycle rule of fleet `acme` for this folder.
fn id(root: &str) -> String {
    FleetRule::id(&FleetName::parse("acme").unwrap(), root)
}

#[test]
fn id_of_an_ascii_folder_is_stable() {
    let root = |folder: &str| format!("{folder}/{}/", layout::AWS_LOGS);
    let longest = "x".repeat(227);
    let start = "flowagg-expiry/acme/";
    assert_eq!(id(&root(&longest)), format!("{start}{longest}/AWSLogs"));
    let longer = "x".repeat(228);
    let cut = format!("{start}{}-d9c0954d81370d6c", "x".repeat(218));
    assert_eq!(id(&root(&longer)), cut);
}

#[test]
fn id_is_truncated_at_a_character_boundary() {
    let fits = "é".repeat(235);
    assert_eq!(id(&fits), format!("flowagg-expiry/acme/{fits}"));
    // Byte 238, where an ASCII ID is truncated, is inside a character of the first folder.
    for folder in ["界".repeat(300), format!("a{}", "界".repeat(300))] {
        let id = id(&folder);
        assert_eq!(id.chars().count(), 255, "{id}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn id_of_any_folder_is_valid_in_s3(root in foreign()) {
        for root in [format!("{root}/{}/", layout::AWS_LOGS), root] {
            let id = id(&root);
            prop_assert!(id.starts_with("flowagg-expiry") && id.chars().count() <= 255, "{}", id);
        }
    }

    #[test]
    fn ids_of_different_folders_differ(start in foreign(), ends in [foreign(), foreign()]) {
        let [one, other] = ends.map(|end| format!("{start}{end}").trim_end_matches('/').to_owned());
        let of = |folder: &str| id(&format!("{folder}/{}/", layout::AWS_LOGS));
        prop_assert_eq!(of(&one) == of(&other), one == other);
    }

    #[test]
    fn ids_of_different_fleets_differ(
        names in ["[a-z0-9]([a-z0-9.-]{0,78}[a-z0-9])?", "[a-z0-9]([a-z0-9.-]{0,78}[a-z0-9])?"],
        roots in [foreign(), foreign()],
    ) {
        let [one, other] = names.map(|name| FleetName::parse(&name).unwrap());
        let [of_one, of_other] = [(&one, &roots[0]), (&other, &roots[1])].map(|(name, root)| FleetRule::id(name, root));
        prop_assert!(one == other || of_one != of_other, "{} {}", one, other);
    }

    #[test]
    fn any_key_or_folder_is_accepted_or_rejected(text in foreign(), at in any::<prop::sample::Index>()) {
        let (start, end) = FILE.split_at(at.index(FILE.len()));
        for name in [text.clone(), format!("{start}{text}{end}"), format!("{start}{text}")] {
            if let Ok(file) = FileName::parse(&name) {
                prop_assert_eq!(FileName::parse(&file.to_string()), Ok(file));
            }
        }
        for folder in [&text, &format!("aws-account-id={text}"), &format!("aws-region={text}"), &format!("aws-service={text}")] {
            let _ = (layout::account_of(folder), layout::region_of(folder), layout::is_of_flow_logs(folder));
        }
        if let Ok(prefix) = Prefix::parse(&text) {
            prop_assert_eq!(Prefix::parse(prefix.as_str()), Ok(prefix));
        }
    }

    #[test]
    fn only_managed_flow_logs_are_changed(
        logs in vec(flow_log(), 0..4),
        bucket in bucket(),
        tags in tags(),
        prune in any::<bool>(),
    ) {
        let fleet = Fleet::parse(&format!("{FLEET}vpcs = {{ tags = {{ logged = \"yes\" }} }}\n")).unwrap();
        let id = ResourceId::parse("vpc-0000000a").unwrap();
        let mut vpc = Resource::new(id);
        vpc.tags = tags;
        let state = RegionState::new(vec![vpc], logs.clone());
        let unnamed = if prune { Unnamed::Prune } else { Unnamed::Keep };
        let regions = BTreeMap::from([(place(), Ok(state))]);
        for part in [flow_log_changes(&fleet, &regions, unnamed), flow_log_removals(&fleet, &regions)] {
            for change in &part.changes {
                let (Step::Replace { old: id, .. } | Step::Tag { flow_log: id, .. } | Step::Delete { flow_log: id, .. }) = &change.step
                else { continue };
                prop_assert!(logs.iter().any(|log| log.id == *id && log.is_managed_by(&fleet.name())), "{}", change);
            }
            let _ = part.left.iter().map(|left| left.why.to_string()).collect::<Vec<_>>();
            let _ = part.also_logged.iter().map(ToString::to_string).collect::<Vec<_>>();
            let groups = also_logged_groups(&part.also_logged, &fleet.destination());
            let _ = groups.iter().map(ToString::to_string).collect::<Vec<_>>();
        }
        let part = hub_changes(&fleet, Some(&bucket), Expiry::Allow, &Scope::Whole);
        let _ = part.changes.iter().map(ToString::to_string).collect::<Vec<_>>();
        let _ = part.notes.iter().map(ToString::to_string).collect::<Vec<_>>();
    }

    #[test]
    fn failure_with_any_text_is_displayed(failure in failure()) {
        prop_assert!(failure.to_string().contains(&failure.message));
        let _ = (failure.what(), failure.help());
    }

    #[test]
    fn fleet_file_with_any_text_round_trips(name in foreign(), tags in tags(), remarks in vec(foreign(), 0..4)) {
        let mut fleet = FleetFile::parse(FLEET).unwrap();
        let is_name = !name.trim().is_empty() && !name.chars().any(char::is_control);
        for member in fleet.members.values_mut() {
            member.name = is_name.then(|| name.clone());
        }
        let is_tag = |key: &str, value: &str| {
            let fits = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
            fits && key != "managed-by" && key != "flowagg:fleet" && !key.to_ascii_lowercase().starts_with("aws:")
        };
        fleet.flow_logs.tags.extend(tags.into_iter().filter(|(key, value)| is_tag(key, value)));
        let parts = [Part::File, Part::Hub, Part::FlowLogs, Part::Member(place().account)];
        let remarks: Vec<_> = remarks.into_iter().zip(parts).map(|(text, about)| Remark::new(about, text)).collect();
        let text = fleet.to_toml(&remarks);
        let read = FleetFile::parse(&text);
        prop_assert_eq!(read.as_ref(), Ok(&fleet), "{}", text);
    }

    #[test]
    fn error_positions_are_within_the_file(text in foreign(), at in any::<prop::sample::Index>()) {
        let (start, end) = FLEET.split_at(at.index(FLEET.len()));
        let file = format!("{start}{text}{end}");
        if let Err(error) = Fleet::parse(&file) {
            for fault in &error.faults {
                let line = file.split('\n').nth(fault.line - 1).unwrap_or_default();
                prop_assert!((1..=line.chars().count() + 1).contains(&fault.column), "{:?} in {:?}", fault, line);
            }
        }
    }
}
