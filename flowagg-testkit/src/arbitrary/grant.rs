use std::collections::BTreeSet;

use flowagg_core::fleet::{AclCondition, GrantForm, PolicySettings};
use flowagg_core::id::{AccountId, FleetName};
use flowagg_policy::{Extent, Grant, GrantedOrganization, HubMember};
use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;
use proptest::sample::select;

use super::Scene;
use super::id::known;

/// Bucket policy settings that a fleet file may contain: every form and every combination of conditions, except those
/// that would let any account deliver.
///
/// ```
/// use flowagg_testkit::arbitrary::settings;
/// use proptest::prelude::*;
///
/// proptest!(|(settings in settings())| {
///     prop_assert!(settings.source_conditions || ["auto", "prefixes"].contains(&settings.form.as_str()));
/// });
/// ```
pub fn settings() -> impl Strategy<Value = PolicySettings> {
    let (forms, acls) = (GrantForm::ALL.to_vec(), AclCondition::ALL.to_vec());
    (select(forms), select(acls), any::<[bool; 4]>()).prop_map(|(form, acl_condition, flags)| {
        let [unconditional, source_arn, list_bucket, deny_insecure_transport] = flags;
        let mut settings = PolicySettings::default();
        settings.form = form;
        settings.source_conditions = !unconditional || !matches!(form, GrantForm::Prefixes | GrantForm::Auto);
        settings.source_arn = source_arn;
        settings.acl_condition = acl_condition;
        settings.list_bucket = list_bucket;
        settings.deny_insecure_transport = deny_insecure_transport;
        settings
    })
}

/// A valid grant: to accounts, to an organization or to some of its units, in every form, with and without conditions,
/// in every folder of the scene.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_policy::statements;
/// use flowagg_testkit::arbitrary::{Scene, grant};
/// use proptest::prelude::*;
///
/// proptest!(|(grant in grant(&Scene::new(Partition::Aws)))| prop_assert!(statements(&grant).is_ok()));
/// ```
pub fn grant(scene: &Scene) -> impl Strategy<Value = Grant> + use<> {
    grant_to(scene, btree_set(select(scene.accounts.clone()), 0..5))
}

/// A grant to the given number of accounts, or to an organization with that many known accounts. The largest ones may
/// not fit into a policy.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_testkit::arbitrary::{Scene, crowded_grant};
/// use proptest::prelude::*;
///
/// proptest!(|(grant in crowded_grant(&Scene::new(Partition::Aws), 30..60))| {
///     prop_assert!(grant.accounts.len() >= 30);
/// });
/// ```
pub fn crowded_grant(
    scene: &Scene,
    accounts: std::ops::Range<usize>,
) -> impl Strategy<Value = Grant> + use<> {
    // Sequential numbers serve as well as random ones, and their set shrinks quickly.
    let crowd = (0u64..1 << 39, 1u64..1 << 20, accounts).prop_map(|(first, step, count)| {
        (0u64..).take(count).map(|n| known(&format!("{:012}", first + n * step))).collect()
    });
    grant_to(scene, crowd)
}

fn grant_to<S: Strategy<Value = BTreeSet<AccountId>>>(
    scene: &Scene,
    accounts: S,
) -> impl Strategy<Value = Grant> + use<S> {
    let some_accounts = || btree_set(select(scene.accounts.clone()), 0..3);
    let units = btree_set(select(scene.units.clone()), 0..=2);
    let regions = btree_map(
        select(scene.accounts.clone()),
        btree_set(select(scene.regions.clone()), 0..3),
        0..=scene.accounts.len(),
    );
    let outside = some_accounts();
    let extent = select(vec![Extent::Units, Extent::Unlisted, Extent::LeftOut]);
    let hub_regions = btree_set(select(scene.regions.clone()), 0..3);
    let hub_member = proptest::option::of((select(scene.accounts.clone()), hub_regions));
    let scene = scene.clone();
    let place = (select(scene.prefixes.clone()), any::<bool>());
    (
        settings(),
        place,
        accounts,
        units,
        (some_accounts(), outside, some_accounts(), extent, hub_member),
        regions,
        any::<[bool; 2]>(),
    )
        .prop_map(
            move |(
                settings,
                (prefix, hive),
                mut accounts,
                units,
                (within, outside, others, extent, hub_member),
                regions,
                [whole, alone],
            )| {
                let by_organization = settings.form.is_by_organization();
                let extent = if whole
                    && (by_organization || settings.form == GrantForm::Auto && settings.source_conditions)
                {
                    Extent::Whole
                } else {
                    extent
                };
                let (outside, others) = if extent == Extent::Whole {
                    let outside = accounts.clone();
                    accounts.extend(&within);
                    (outside, &others - &accounts)
                } else {
                    if accounts.is_empty() {
                        accounts.extend(scene.accounts.first());
                    }
                    (&accounts & &outside, BTreeSet::new())
                };
                let mut regions = regions;
                regions.retain(|account, _| accounts.contains(account));
                let id = scene.organization.clone();
                let is_named = by_organization || extent == Extent::Whole || !alone;
                let mut granted = GrantedOrganization::whole(id);
                granted.units = units;
                granted.extent = extent;
                granted.outside = outside;
                granted.others = others;
                let organization = is_named.then_some(granted);
                let fleet = FleetName::default_for(&scene.bucket, None);
                let mut grant = Grant::new(fleet, scene.partition(), scene.bucket.clone());
                grant.prefix = prefix;
                grant.hive = hive;
                grant.accounts = accounts;
                grant.organization = organization;
                grant.regions = settings.source_arn.then_some(regions);
                grant.hub_member = hub_member.map(|(account, regions)| HubMember::new(account, regions));
                grant.settings = settings;
                grant
            },
        )
}

/// The same grant with additional accounts.
///
/// ```
/// use flowagg_core::id::Partition;
/// use flowagg_testkit::arbitrary::{Scene, grant, grown};
/// use proptest::prelude::*;
///
/// let scene = Scene::new(Partition::Aws);
/// proptest!(|(grant in grant(&scene))| {
///     let grown = grown(&grant, [scene.strangers[0]]);
///     prop_assert_eq!(grown.accounts.len(), grant.accounts.len() + 1);
/// });
/// ```
#[must_use]
pub fn grown(grant: &Grant, more: impl IntoIterator<Item = AccountId>) -> Grant {
    let mut grown = grant.clone();
    for account in more {
        if let (true, Some(organization)) = (grown.accounts.insert(account), &mut grown.organization) {
            organization.outside.insert(account);
        }
    }
    grown
}
