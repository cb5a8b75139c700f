//! Importing the output of `flowagg export` yields the original fleet, as far as templates contain it.

use flowagg::export::cloudformation::{TemplateFormat, hub, member, place, stack_set};
use flowagg::export::{ExportError, ExportFiles};
use flowagg::import::template::{TemplateDefaults, TemplateFile, read};
use flowagg::import::{Imported, import};
use flowagg_core::fleet::{Fleet, FleetFile, Member, Part};
use flowagg_core::id::RoleName;
use flowagg_policy::{Grant, Unnamed, merge};
use snapbox::{assert_data_eq, str};

fn declared(name: &str) -> FleetFile {
    let path = crate::here().join("../export/fleets").join(name).with_extension("toml");
    FleetFile::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn imported(files: impl IntoIterator<Item = ExportFiles>, defaults: &TemplateDefaults) -> Imported {
    let files = files.into_iter().flat_map(|files| files.files);
    let sources: Vec<TemplateFile> = files.map(|file| TemplateFile::new(file.name, file.text)).collect();
    let imported = import(&read(&sources, defaults).unwrap()).unwrap();
    let text = imported.file.to_toml(&imported.remarks);
    FleetFile::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    imported
}

/// The templates of a fleet for the hub and for account-regions, and the members that have a template.
fn templates(fleet: &Fleet, format: TemplateFormat) -> (Vec<ExportFiles>, Vec<&Member>) {
    let mut files = vec![hub(fleet, format).unwrap()];
    let mut described = Vec::new();
    for (member, region) in fleet.places() {
        match place(fleet, member.account, region, format) {
            Ok(file) => {
                files.push(file);
                described.push(member);
            }
            Err(ExportError::NotNamed { .. } | ExportError::SeveralRegions(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    (files, described)
}

#[test]
fn hub_and_member_templates_round_trip() {
    for (name, described) in [("plain", 1), ("kms", 1), ("china", 1), ("gov", 1), ("many", 0)] {
        for format in TemplateFormat::ALL {
            let fleet = declared(name).without_lookup();
            let (files, members) = templates(&fleet, format);
            assert_eq!(members.len(), described, "{name}");
            let Imported { file, remarks, .. } = imported(files, &TemplateDefaults::default());
            let read = file.without_lookup();

            let mut hub = fleet.hub.clone();
            (hub.profile, hub.role) = (None, None);
            assert_eq!(read.hub, hub, "{name}");
            if described > 0 {
                assert_eq!(read.flow_logs, fleet.flow_logs, "{name}");
            }
            assert!(read.members.keys().eq(fleet.members.keys()), "{name}");
            for member in members {
                let of_read = &read.members[&member.account];
                assert_eq!(
                    (&of_read.regions, &of_read.resources),
                    (&member.regions, &member.resources),
                    "{name}"
                );
                assert!(
                    !remarks.iter().any(|remark| remark.about == Part::Member(member.account)),
                    "{remarks:?}"
                );
            }
            let guessed = remarks.iter().filter(|remark| matches!(remark.about, Part::Member(_)));
            assert_eq!(guessed.count(), fleet.members.len() - described, "{name}: {remarks:?}");

            let policy = |fleet: &Fleet| merge(None, &Grant::from(fleet), Unnamed::Keep).unwrap().text;
            let live = policy(&fleet);
            let again = merge(Some(&live), &Grant::from(&read), Unnamed::Keep).unwrap();
            assert!(!again.changed, "{name}: {again:?}");
        }
    }
}

#[test]
fn template_of_one_vpc_provides_settings_and_no_members() {
    let remarks = TemplateFormat::ALL.map(|format| {
        let fleet = declared("kms").without_lookup();
        let files = [hub(&fleet, format).unwrap(), member(&fleet, Default::default(), format).unwrap()];
        let read = imported(files, &TemplateDefaults::default());
        assert_eq!(read.file.flow_logs, fleet.flow_logs);
        let texts: Vec<&str> = read.remarks.iter().map(|remark| remark.text.as_str()).collect();
        texts.join("\n")
    });
    assert_data_eq!(
        remarks.join("\n"),
        str![[r#"
member.yaml: `FlowLog` is used only for the settings of flow logs: its resource is known only when the template is deployed
no template contains the logged resources; the regions are taken from the bucket, and all VPCs are assumed: check `regions` and `vpcs`
no template contains the logged resources; the regions are taken from the bucket, and all VPCs are assumed: check `regions` and `vpcs`
member.json: `FlowLog` is used only for the settings of flow logs: its resource is known only when the template is deployed
no template contains the logged resources; the regions are taken from the bucket, and all VPCs are assumed: check `regions` and `vpcs`
no template contains the logged resources; the regions are taken from the bucket, and all VPCs are assumed: check `regions` and `vpcs`
"#]]
    );
}

#[test]
fn stack_set_is_imported_as_its_organization() {
    for name in ["organization", "whole"] {
        for format in TemplateFormat::ALL {
            let fleet = declared(name).without_lookup();
            let (account, region) = (fleet.hub.account, fleet.hub.region.clone());
            let mut defaults = TemplateDefaults::default();
            (defaults.hub_account, defaults.hub_region) = (Some(account), Some(region));
            defaults.bucket = Some(fleet.hub.bucket.clone());
            let files = stack_set(&fleet, format).unwrap();
            let read = imported([files], &defaults).file;
            let mut organization = fleet.organization.clone().unwrap();
            let how = organization.discovery.as_mut().unwrap();
            (how.role, how.lookup) = (RoleName::default(), None);
            assert_eq!(read.organization, Some(organization), "{name}");
            assert_eq!((read.hub, read.flow_logs), (fleet.hub, fleet.flow_logs), "{name}");
        }
    }
}
