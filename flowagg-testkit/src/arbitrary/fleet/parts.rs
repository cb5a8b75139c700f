use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{
    Choice, Discovery, Encryption, Filter, Hub, Lookup, ObjectOwnership, Organization, Regions, Selection,
};
use flowagg_core::flow_log::{
    AggregationInterval, Field, FieldSet, FileFormat, Files, FlowLogSpec, ForeignFlowLogs, RecordFormat,
    TrafficType,
};
use flowagg_core::id::{BucketName, Partition, ResourceKind, RoleName};
use flowagg_core::lifecycle::{Lifecycle, Retention, StorageClass, Transition};
use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::super::id;

/// Names as people write them: one line of words, with all characters that a quoted string may contain.
fn words() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9][a-zA-Z0-9 éß\"'#=\\\\\\[\\]-]{0,11}"
}

pub(super) fn hub(partition: Partition) -> impl Strategy<Value = Hub> {
    // The KMS key and an account-regional bucket are in the hub's region.
    let encryption = option::of(option::of((id::kms_key_of(), any::<bool>())));
    let settings = (encryption, option::of(select(ObjectOwnership::ALL.to_vec())));
    let bucket = prop_oneof![
        4 => id::bucket().prop_map(|bucket| (bucket.to_string(), false)),
        1 => "[a-z][a-z0-9]{0,9}".prop_map(|text| (text, true)),
    ];
    let place = (id::account(), id::region(partition), bucket, option::of(id::prefix()));
    (place, lifecycle(), settings, option::of(words()), option::of(id::role())).prop_map(
        |(
            (account, region, (bucket, own), prefix),
            lifecycle,
            (encryption, object_ownership),
            profile,
            role,
        )| {
            let suffix =
                if own { BucketName::account_regional_suffix(account, &region) } else { String::new() };
            let encryption = encryption.map(|key| {
                key.map_or(Encryption::SseS3, |(key, bucket_key)| Encryption::SseKms {
                    key: id::kms_key_in(&region, key),
                    bucket_key,
                })
            });
            let bucket = id::known(&format!("{bucket}{suffix}"));
            let mut hub = Hub::new(account, region, bucket);
            hub.prefix = prefix;
            hub.lifecycle = lifecycle;
            hub.encryption = encryption;
            hub.object_ownership = object_ownership;
            hub.profile = profile;
            hub.role = role;
            hub
        },
    )
}

fn lifecycle() -> impl Strategy<Value = Lifecycle> {
    let days = || 1u32..4000;
    let transition = option::of((select(StorageClass::ALL.to_vec()), 0u32..4000));
    let retention = select(vec![Retention::Unset, Retention::Days(0), Retention::Forever]);
    (retention, days(), transition, option::of(days()), days()).prop_map(
        |(retention, after, transition, noncurrent_days, abort_uploads_days)| {
            let transition = transition
                .map(|(class, days)| Transition::new(days + class.fewest_days(), class.as_str().to_owned()));
            let last = transition.as_ref().map_or(0, |transition| transition.days);
            let retention = match retention {
                Retention::Days(_) => Retention::Days(after + last),
                Retention::Unset if last >= Lifecycle::DEFAULT_RETENTION_DAYS => Retention::Forever,
                other => other,
            };
            let mut lifecycle = Lifecycle::default();
            lifecycle.retention = retention;
            lifecycle.transition = transition;
            lifecycle.noncurrent_days = noncurrent_days;
            lifecycle.abort_uploads_days = Some(abort_uploads_days);
            lifecycle
        },
    )
}

fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
    // The initial capital keeps them from being AWS's reserved tags or flowagg's own.
    btree_map("[A-Z][a-zA-Z0-9 +=._:/@\"-]{0,9}", "[a-zA-Z0-9 é+=._:/@\\\\\"-]{0,9}", 0..3)
}

pub(super) fn flow_log_spec() -> impl Strategy<Value = FlowLogSpec> {
    let known =
        ["version", "account-id", "srcaddr", "pkt-srcaddr", "flow-direction", "ecs-task-id", "az-id", "end"];
    let fields: Vec<Field> = known.map(id::known).to_vec();
    let fields = subsequence(fields, 1..=known.len()).prop_shuffle();
    let format = prop_oneof![
        Just(RecordFormat::default()),
        select(FieldSet::ALL.to_vec()).prop_map(FieldSet::format),
        fields.prop_map(|fields| RecordFormat::try_from(fields).unwrap_or_default()),
    ];
    let file_format = select(FileFormat::ALL.to_vec());
    let files = (file_format, any::<bool>(), any::<bool>()).prop_map(|(format, hive, hourly)| {
        let mut written = Files::new(format);
        written.hive_compatible_partitions = hive;
        written.per_hour_partition = hourly;
        written
    });
    let interval = select(AggregationInterval::ALL.to_vec());
    let foreign = select(ForeignFlowLogs::ALL.to_vec());
    (select(TrafficType::ALL.to_vec()), interval, format, files, tags(), foreign).prop_map(
        |(traffic, aggregation_interval, format, files, tags, foreign)| {
            let mut spec = FlowLogSpec::default();
            spec.traffic = traffic;
            spec.aggregation_interval = aggregation_interval;
            spec.format = format;
            spec.files = files;
            spec.tags = tags;
            spec.foreign = foreign;
            spec
        },
    )
}

/// What the fleet file sets for an account.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) name: Option<String>,
    pub(super) regions: Regions,
    pub(super) role: RoleName,
    pub(super) resources: Selection,
    pub(super) in_organization: bool,
}

pub(super) fn member(partition: Partition) -> impl Strategy<Value = Chosen> {
    (option::of(words()), regions(partition), role(), selection(), any::<bool>()).prop_map(
        |(name, regions, role, resources, in_organization)| Chosen {
            name,
            regions,
            role,
            resources,
            in_organization,
        },
    )
}

fn regions(partition: Partition) -> impl Strategy<Value = Regions> {
    let these = btree_set(id::region(partition), 1..=2).prop_map(Regions::These);
    prop_oneof![3 => these, 1 => Just(Regions::ALL)]
}

fn role() -> impl Strategy<Value = RoleName> {
    option::of(id::role()).prop_map(Option::unwrap_or_default)
}

fn selection() -> impl Strategy<Value = Selection> {
    use ResourceKind::{NetworkInterface, Subnet, TransitGateway, Vpc};
    let others = (
        option::of(choice(Subnet)),
        option::of(choice(NetworkInterface)),
        option::of(choice(TransitGateway)),
    );
    let vpcs = prop_oneof![3 => Just(Some(Choice::All(Filter::default()))), 3 => choice(Vpc).prop_map(Some), 1 => Just(None)];
    (vpcs, prop_oneof![2 => Just((None, None, None)), 1 => others]).prop_map(
        |(vpcs, (subnets, interfaces, gateways))| {
            let kinds = ResourceKind::ALL.into_iter().zip([vpcs, subnets, interfaces, gateways]);
            let choices: BTreeMap<_, _> = kinds.filter_map(|(kind, choice)| Some((kind, choice?))).collect();
            Selection::try_from(choices).unwrap_or_default()
        },
    )
}

fn choice(kind: ResourceKind) -> impl Strategy<Value = Choice> {
    let ids = |least: usize| btree_set(id::resource(kind), least..3);
    let filter = (tags(), ids(0), any::<bool>()).prop_map(move |(tags, except, default_vpcs)| {
        let mut filter = Filter::default();
        filter.tags = tags;
        filter.except = except;
        filter.default_vpcs = default_vpcs || kind != ResourceKind::Vpc;
        filter
    });
    prop_oneof![ids(1).prop_map(Choice::Ids), filter.prop_map(Choice::All)]
}

/// Why an account of the organization is in the fleet or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// In the units that the file selects.
    InUnits,
    /// Named by the file, so it belongs to the fleet whatever its unit.
    Named,
    /// Excluded by the file.
    Excepted,
    /// In another unit.
    Outside,
    /// Suspended or pending closure.
    Suspended,
}

pub(super) fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::InUnits),
        1 => Just(Fate::Named),
        1 => Just(Fate::Excepted),
        1 => Just(Fate::Outside),
        1 => Just(Fate::Suspended),
    ]
}

/// An organization with discovered accounts.
pub(super) fn organization(partition: Partition) -> impl Strategy<Value = Organization> {
    let units = || prop_oneof![2 => Just(BTreeSet::new()), 1 => btree_set(id::unit(), 1..3)];
    let lookup = option::of((id::account(), id::role()));
    let lookup = lookup.prop_map(|lookup| lookup.map(|(account, role)| Lookup::new(account, role)));
    let discovery = (units(), regions(partition), role(), selection(), lookup).prop_map(
        |(except_units, regions, role, resources, lookup)| {
            let mut discovery = Discovery::new(regions, role);
            discovery.except_units = except_units;
            discovery.resources = resources;
            discovery.lookup = lookup;
            discovery
        },
    );
    (id::organization(), units(), discovery).prop_map(|(id, units, discovery)| {
        let mut organization = Organization::new(id);
        organization.units = units;
        organization.discovery = Some(discovery);
        organization
    })
}
