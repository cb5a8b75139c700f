//! CloudFormation templates of any fleet, imported again.

use std::collections::BTreeMap;

use flowagg::export::cloudformation::{TemplateFormat, hub, place};
use flowagg::import::import;
use flowagg::import::template::{TemplateDefaults, TemplateFile, read};
use flowagg_core::fleet::{Choice, Encryption, Fleet, GrantForm, Regions, Selection};
use flowagg_core::flow_log::ForeignFlowLogs;
use flowagg_core::id::{Partition, ResourceKind, RoleName};
use flowagg_core::lifecycle::{Lifecycle, Retention};
use flowagg_policy::{Grant, Unnamed, merge};
use flowagg_testkit::arbitrary::{fleet, id};
use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::strategy::Union;

use crate::cases;

/// A fleet that templates can express completely: each member has VPCs, and possibly transit gateways, by ID and in one
/// region; no account is looked up, and there are no names or roles.
fn expressible_in_templates() -> impl Strategy<Value = Fleet> {
    use ResourceKind::{TransitGateway, Vpc};
    let fleets = Union::new(Partition::ALL.map(fleet));
    let ids = (btree_set(id::resource(Vpc), 1..3), btree_set(id::resource(TransitGateway), 0..2));
    (fleets, ids).prop_filter_map("a fleet without members", |(file, (vpcs, gateways))| {
        let mut fleet = file.fleet;
        (fleet.hub.profile, fleet.hub.role, fleet.organization) = (None, None, None);
        (fleet.read_role, fleet.external_id) = (None, None);
        fleet.flow_logs.foreign = ForeignFlowLogs::default();
        fleet.left_out.clear();
        // `import` omits settings that an existing bucket keeps.
        fleet.hub.encryption = fleet.hub.encryption.filter(|encryption| *encryption != Encryption::SseS3);
        fleet.hub.object_ownership = None;
        if fleet.hub.lifecycle.retention == Retention::Days(Lifecycle::DEFAULT_RETENTION_DAYS) {
            fleet.hub.lifecycle.retention = Retention::Unset;
        }
        if matches!(fleet.policy.form, GrantForm::Organization | GrantForm::BoundOrganization) {
            fleet.policy.form = GrantForm::Auto;
        }
        let kinds = [(ResourceKind::Vpc, vpcs), (ResourceKind::TransitGateway, gateways)];
        let kinds = kinds.into_iter().filter(|(_, ids)| !ids.is_empty());
        let kinds: BTreeMap<_, _> = kinds.map(|(kind, ids)| (kind, Choice::Ids(ids))).collect();
        for member in fleet.members.values_mut() {
            let region = member.regions.iter().next()?.clone();
            member.regions = Regions::These([region].into());
            member.resources = Selection::try_from(kinds.clone()).ok()?;
            (member.name, member.role) = (None, RoleName::default());
            (member.in_organization, member.in_units) = (false, false);
        }
        (!fleet.members.is_empty()).then_some(fleet)
    })
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn templates_of_a_fleet_are_imported_as_that_fleet(fleet in expressible_in_templates(), is_json in any::<bool>()) {
        let format = if is_json { TemplateFormat::Json } else { TemplateFormat::Yaml };
        let places = fleet.places().map(|(member, region)| place(&fleet, member.account, region, format).unwrap());
        let files = [hub(&fleet, format).unwrap()].into_iter().chain(places).flat_map(|files| files.files);
        let sources: Vec<TemplateFile> = files.map(|file| TemplateFile::new(file.name, file.text)).collect();
        let imported = import(&read(&sources, &TemplateDefaults::default()).unwrap()).unwrap();
        prop_assert_eq!(&imported.remarks, &[]);
        let policy = |fleet: &Fleet| merge(None, &Grant::from(fleet), Unnamed::Keep).unwrap().text;
        let mut imported = imported.file.without_lookup();
        prop_assert_eq!(policy(&imported), policy(&fleet));
        imported.policy.form = fleet.policy.form;
        prop_assert_eq!(&imported, &fleet);
    }
}
