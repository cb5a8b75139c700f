//! What `flowagg export` writes is read as the fleet that it was written from, as far as templates say it.

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

/// The templates of a fleet: the hub, and each place that has one. And the members that have.
fn templates(fleet: &Fleet, format: TemplateFormat) -> (Vec<ExportFiles>, Vec<&Member>) {
    let mut files = vec![hub(fleet, format).unwrap()];
    let mut told = Vec::new();
    for (member, region) in fleet.places() {
        match place(fleet, member.account, region, format) {
            Ok(file) => {
                files.push(file);
                told.push(member);
            }
            Err(ExportError::NotNamed { .. } | ExportError::SeveralRegions(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    (files, told)
}

#[test]
fn hub_and_places_are_read_as_the_fleet_that_they_were_written_from() {
    for (name, told) in [("plain", 1), ("kms", 1), ("china", 1), ("gov", 1), ("many", 0)] {
        for format in TemplateFormat::ALL {
            let fleet = declared(name).without_lookup();
            let (files, members) = templates(&fleet, format);
            assert_eq!(members.len(), told, "{name}");
            let Imported { file, remarks, .. } = imported(files, &TemplateDefaults::default());
            let read = file.without_lookup();

            let mut hub = fleet.hub.clone();
            (hub.profile, hub.role) = (None, None);
            assert_eq!(read.hub, hub, "{name}");
            if told > 0 {
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
            assert_eq!(guessed.count(), fleet.members.len() - told, "{name}: {remarks:?}");

            let policy = |fleet: &Fleet| merge(None, &Grant::from(fleet), Unnamed::Keep).unwrap().text;
            let live = policy(&fleet);
            let again = merge(Some(&live), &Grant::from(&read), Unnamed::Keep).unwrap();
            assert!(!again.changed, "{name}: {again:?}");
        }
    }
}

#[test]
fn the_template_of_one_vpc_says_how_flow_logs_are_and_not_who_has_one() {
    let told = TemplateFormat::ALL.map(|format| {
        let fleet = declared("kms").without_lookup();
        let files = [hub(&fleet, format).unwrap(), member(&fleet, Default::default(), format).unwrap()];
        let read = imported(files, &TemplateDefaults::default());
        assert_eq!(read.file.flow_logs, fleet.flow_logs);
        let told: Vec<&str> = read.remarks.iter().map(|remark| remark.text.as_str()).collect();
        told.join("\n")
    });
    assert_data_eq!(
        told.join("\n"),
        str![[r#"
member.yaml: `FlowLog` only tells how flow logs are: its resource is only known when the template is deployed
no template says what is logged here; the regions are those that the bucket names, and every VPC is a guess: correct `regions` and `vpcs`
no template says what is logged here; the regions are those that the bucket names, and every VPC is a guess: correct `regions` and `vpcs`
member.json: `FlowLog` only tells how flow logs are: its resource is only known when the template is deployed
no template says what is logged here; the regions are those that the bucket names, and every VPC is a guess: correct `regions` and `vpcs`
no template says what is logged here; the regions are those that the bucket names, and every VPC is a guess: correct `regions` and `vpcs`
"#]]
    );
}

#[test]
fn a_stack_set_is_the_organization_that_it_deploys_to() {
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
