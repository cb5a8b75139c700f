//! Imports with arbitrary text in rules, prefixes, tags and destinations.

use std::collections::{BTreeMap, BTreeSet};

use flowagg::found::{Folder, FoundFleet, FoundHub, FoundMember, Objects, View};
use flowagg::import::import;
use flowagg::import::template::{TemplateDefaults, TemplateFile, read};
use flowagg_core::fleet::FleetFile;
use flowagg_core::id::{AccountId, BucketName, FlowLogId, Region, ResourceId};
use flowagg_core::lifecycle::{Expiration, FleetRule, Move, Rule};
use flowagg_core::observed::{BucketEncryption, FlowLog, RegionState, Resource};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::foreign::foreign;

const BUCKET: &str = "acme-logs";

fn region() -> Region {
    Region::parse("eu-west-1").unwrap()
}

/// A lifecycle rule with any ID, or with the ID that flowagg would use.
fn rule() -> impl Strategy<Value = Rule> {
    let under = prop_oneof![
        1 => Just(String::new()),
        2 => foreign(),
        2 => foreign().prop_map(|folder| format!("{folder}/AWSLogs/")),
    ];
    let transitions = vec((1..400_u32, foreign()), 0..2);
    let days = || option::of(1..400_u32);
    (option::of(foreign()), under, any::<[bool; 2]>(), days(), days(), days(), transitions).prop_map(
        |(
            id,
            under,
            [is_enabled, is_narrowed],
            expire_days,
            noncurrent_days,
            abort_uploads_days,
            transitions,
        )| {
            let mut rule = Rule::default();
            rule.id = Some(id.unwrap_or_else(|| FleetRule::id(&BUCKET.parse().unwrap(), &under)));
            rule.is_enabled = is_enabled;
            rule.prefix = under;
            rule.is_narrowed = is_narrowed;
            rule.expiration = expire_days.map(Expiration::Days);
            rule.transitions = transitions
                .into_iter()
                .map(|(days, storage_class)| Move::new(Some(days), storage_class))
                .collect();
            rule.noncurrent_days = noncurrent_days;
            rule.abort_uploads_days = abort_uploads_days;
            rule
        },
    )
}

fn flow_log() -> impl Strategy<Value = FlowLog> {
    let destination = prop_oneof![
        2 => Just(format!("arn:aws:s3:::{BUCKET}")),
        1 => foreign().prop_map(|folder| format!("arn:aws:s3:::{BUCKET}/{folder}")),
        1 => foreign(),
    ];
    let resource = prop_oneof![3 => Just("vpc-0000000a".to_owned()), 1 => foreign()];
    let format = prop_oneof![foreign(), foreign().prop_map(|field| format!("${{version}} ${{{field}}}"))];
    let tags = btree_map(foreign(), foreign(), 0..3);
    (any::<u32>(), destination, resource, option::of(foreign()), option::of(format), tags).prop_map(
        |(id, destination, resource, traffic, format, tags)| {
            let mut log = FlowLog::new(
                FlowLogId::parse(&format!("fl-{id:08x}")).unwrap(),
                resource.as_str(),
                destination,
            );
            log.traffic = traffic;
            log.format = format;
            log.interval = Some(600);
            log.tags = tags;
            log
        },
    )
}

fn policy() -> impl Strategy<Value = String> {
    let folder =
        prop_oneof![foreign(), foreign().prop_map(|folder| format!("{folder}/AWSLogs/222222222222/*"))];
    (foreign(), folder).prop_map(|(sid, folder)| {
        let statement = serde_json::json!({
            "Sid": sid, "Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"}, "Action": "s3:PutObject",
            "Resource": [format!("arn:aws:s3:::{BUCKET}/{folder}"), format!("arn:aws:s3:::{BUCKET}/AWSLogs/222222222222/*")],
        });
        serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
    })
}

fn objects() -> impl Strategy<Value = Objects> {
    let account = prop_oneof![Just("222222222222"), Just("333333333333"), Just("444444444444")];
    let account = account.prop_map(|id| AccountId::parse(id).unwrap());
    let folder = prop_oneof![Just(""), Just("nlb"), Just("network/flows")];
    let folder = folder.prop_map(|folder| folder.parse::<Folder>().unwrap());
    let delivered = btree_map(account, Just(BTreeSet::from([region()])), 1..3);
    (btree_map(folder, delivered, 0..3), vec(foreign(), 0..3), option::of(foreign())).prop_map(
        |(delivered, other, unlisted)| {
            let mut objects = Objects::default();
            (objects.delivered, objects.unlisted) = (delivered, unlisted);
            objects.other.extend(other);
            objects
        },
    )
}

fn found() -> impl Strategy<Value = FoundFleet> {
    let text = || option::of(foreign());
    let tags = btree_map(foreign(), foreign(), 0..3);
    let policy = option::of(prop_oneof![4 => policy(), 1 => foreign()]);
    let seen = (vec(flow_log(), 0..4), vec(flow_log(), 0..2), tags, text(), option::of(objects()));
    (vec(rule(), 0..4), text(), text(), policy, seen).prop_map(
        |(rules, algorithm, key, policy, (flow_logs, elsewhere, tags, unread, objects))| {
            let id = ResourceId::parse("vpc-0000000a").unwrap();
            let mut vpc = Resource::new(id);
            vpc.tags = tags;
            let mut member = FoundMember::new(View::Regions);
            member.states.insert(region(), RegionState::new(vec![vpc], flow_logs));
            member.unread.extend(unread.iter().map(|why| (Region::parse("us-east-1").unwrap(), why.clone())));
            let mut unseen = FoundMember::new(View::Nothing(unread.unwrap_or_default()));
            unseen.unread = member.unread.clone();
            let [seen, other] = ["222222222222", "333333333333"].map(|id| AccountId::parse(id).unwrap());
            let account = AccountId::parse("111122223333").unwrap();
            let mut hub = FoundHub::new(account, region(), BucketName::parse(BUCKET).unwrap());
            hub.objects = objects;
            hub.encryption = algorithm.map(|algorithm| {
                let mut encryption = BucketEncryption::new(algorithm);
                encryption.key = key;
                encryption
            });
            (hub.rules, hub.policy) = (Some(rules), policy);
            let mut found = FoundFleet::new(hub);
            found.members = BTreeMap::from([(seen, member), (other, unseen)]);
            found.elsewhere = elsewhere;
            found
        },
    )
}

fn defaults() -> TemplateDefaults {
    let mut defaults = TemplateDefaults::default();
    defaults.hub_account = Some(AccountId::parse("111122223333").unwrap());
    defaults.hub_region = Some(region());
    defaults
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_state_is_imported_with_remarks_as_comments(found in found()) {
        if let Ok(imported) = import(&found) {
            let file = imported.file;
            let (plain, remarked) = (file.to_toml(&[]), file.to_toml(&imported.remarks));
            let read = |text: &str| FleetFile::parse(text).ok();
            prop_assert_eq!(read(&remarked), read(&plain), "{}", remarked);
        }
    }

    #[test]
    fn any_template_is_imported_or_refused(text in foreign(), at in any::<prop::sample::Index>(), more in foreign()) {
        let classic = std::fs::read_to_string(crate::template("classic.yaml")).unwrap();
        let (start, end) = classic.split_at(at.index(classic.len()));
        let quoted = serde_json::to_string(&text).unwrap();
        for text in [
            text.clone(),
            format!("{start}{text}{end}"),
            classic.replace("old-logs", &quoted),
            classic.replace("\"${Name}-${AWS::Region}\"", &quoted),
            classic.replace("\"${Logs.Arn}/*\"", &quoted),
        ] {
            let source = TemplateFile::new(more.clone(), text);
            match read(&[source], &defaults()).and_then(|found| import(&found)) {
                Ok(imported) => drop(imported.file.to_toml(&imported.remarks)),
                Err(error) => drop((error.to_string(), error.help())),
            }
        }
    }
}
