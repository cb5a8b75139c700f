//! Imports of organizations: settings that most accounts share become the organization's, and differing accounts are listed.

use std::collections::{BTreeMap, BTreeSet};

use flowagg::found::{Folder, FoundFleet, FoundHub, FoundMember, Objects, View};
use flowagg::import::import;
use flowagg_core::fleet::{Fleet, FleetFile, FoundAccount, Part, Regions, Selection};
use flowagg_core::id::{AccountId, FlowLogId, Region, ResourceId, RoleName};
use flowagg_core::lifecycle::{Expiration, FleetRule, Rule};
use flowagg_core::observed::{FlowLog, RegionState, Resource};
use flowagg_policy::{Grant, Unnamed, merge};
use snapbox::{assert_data_eq, str};

const FLEET: &str = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\n\
                     [organization]\nid = \"o-a1b2c3d4e5\"\nregions = [\"eu-west-1\", \"us-east-1\"]\nrole = \"flowagg\"\n";
const ALIKE: [&str; 2] = ["222222222222", "333333333333"];
const OTHER: &str = "444444444444";
const SILENT: &str = "555555555555";
const CLOSED: &str = "666666666666";

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

/// A region with these VPCs, some of which are logged.
fn region(vpcs: &[&str], logged: &[&str]) -> RegionState {
    let resource = |id: &&str| Resource::new(ResourceId::parse(id).unwrap());
    let log = |id: &&str| {
        let mut flow_log = FlowLog::new(FlowLogId::example(), *id, "arn:aws:s3:::acme-logs");
        flow_log.traffic = Some("ALL".to_owned());
        flow_log.interval = Some(600);
        flow_log.tags = FleetFile::parse(FLEET).unwrap().without_lookup().tags();
        flow_log
    };
    RegionState::new(vpcs.iter().map(resource).collect(), logged.iter().map(log).collect())
}

fn member(states: [(&str, RegionState); 2], view: View) -> FoundMember {
    let states = states.into_iter().map(|(region, state)| (Region::parse(region).unwrap(), state)).collect();
    let mut member = FoundMember::new(view);
    (member.in_organization, member.states) = (true, states);
    member
}

/// The fleet after looking up the organization's accounts.
fn looked_up(declared: &FleetFile) -> Fleet {
    let mut resolution = declared.clone().resolve();
    for id in ALIKE.into_iter().chain([OTHER, SILENT, CLOSED]) {
        let mut found = FoundAccount::new(account(id), "ACTIVE");
        found.in_units = true;
        resolution.find(found);
    }
    resolution.finish()
}

fn found() -> FoundFleet {
    let declared = FleetFile::parse(FLEET).unwrap();
    let policy = merge(None, &Grant::from(&looked_up(&declared)), Unnamed::Keep).unwrap().text;
    let (one, two) = ("vpc-0a1b2c3d4e5f67890", "vpc-1a2b3c4d");
    let both = |first, second| [("eu-west-1", first), ("us-east-1", second)];
    let all = || member(both(region(&[one], &[one]), region(&[two], &[two])), View::Regions);
    let (organization, how) = declared.discovery().unwrap();
    let mut discovery = how.clone();
    discovery.regions = Regions::ALL;
    let mut organization = organization.clone();
    organization.discovery = Some(discovery);
    let mut members: BTreeMap<_, _> = ALIKE.map(|id| (account(id), all())).into();
    members
        .insert(account(OTHER), member(both(region(&[one, two], &[two]), region(&[], &[])), View::Regions));
    members.insert(account(SILENT), member(both(region(&[one], &[]), region(&[], &[])), View::Regions));
    let closed = View::Nothing("AssumeRole: no".to_owned());
    members.insert(account(CLOSED), member(both(region(&[], &[]), region(&[], &[])), closed));
    let mut rule = Rule::default();
    rule.id = Some(FleetRule::id(&declared.name(), "AWSLogs/"));
    rule.is_enabled = true;
    rule.prefix = "AWSLogs/".to_owned();
    rule.expiration = Some(Expiration::Days(90));
    rule.abort_uploads_days = Some(7);
    let hub = &declared.hub;
    let mut hub = FoundHub::new(hub.account, hub.region.clone(), hub.bucket.clone());
    (hub.rules, hub.policy) = (Some(vec![rule]), Some(policy));
    let mut found = FoundFleet::new(hub);
    found.members = members;
    found.role = RoleName::parse("flowagg").unwrap();
    found.organization = Some(organization);
    found
}

#[test]
fn common_settings_become_the_organizations_and_others_are_listed() {
    let imported = import(&found()).unwrap();
    let written = imported.file.to_toml(&imported.remarks);
    let expected = FLEET
        .replace("regions = [\"eu-west-1\", \"us-east-1\"]", "except-accounts = [\"555555555555\"]\nregions = [\"eu-west-1\", \"us-east-1\"]")
        .replace("[organization]\n", "[policy]\nform = \"organization\"\n\n[organization]\n# 666666666666 could not be read: AssumeRole: no\n");
    let head = "# account 555555555555 has no flow log to the bucket and is not in its policy for `AWSLogs/`: it is not imported\n\n";
    let other = "\n[[members]]\naccount = \"444444444444\"\nregions = [\"eu-west-1\"]\nrole = \"flowagg\"\nvpcs = [\"vpc-1a2b3c4d\"]\n";
    assert_eq!(written, format!("{head}{expected}{other}"));
    let read = FleetFile::parse(&written).unwrap();
    let live = found().hub.policy.unwrap();
    assert!(!merge(Some(&live), &Grant::from(&looked_up(&read)), Unnamed::Keep).unwrap().changed);
}

#[test]
fn organization_in_the_policy_without_lookup_is_reported() {
    let mut found = found();
    found.organization = None;
    let imported = import(&found).unwrap();
    let organization = imported.file.organization.unwrap();
    assert_eq!((organization.id.as_str(), organization.discovery), ("o-a1b2c3d4e5", None));
    assert!(
        imported
            .file
            .members
            .keys()
            .map(ToString::to_string)
            .eq(ALIKE.into_iter().chain([OTHER, CLOSED]).map(str::to_owned))
    );
    let remark = imported.remarks.iter().find(|remark| remark.about == Part::Organization).unwrap();
    assert_data_eq!(
        &remark.text,
        str![[
            r#"the policy allows all of o-a1b2c3d4e5, but only accounts that were found are listed; `--organization o-a1b2c3d4e5` looks up all of them"#
        ]]
    );
    let closed = &imported.file.members[&account(CLOSED)];
    assert_eq!(closed.resources, Selection::default());
    assert!(!imported.remarks.iter().any(|remark| remark.about == Part::Policy), "{:?}", imported.remarks);
}

#[test]
fn account_with_old_files_but_no_grant_and_no_role_is_not_a_member() {
    let declared = FleetFile::parse(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\n\
         [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n",
    );
    let policy = merge(None, &Grant::from(&declared.unwrap().without_lookup()), Unnamed::Keep).unwrap().text;
    let mut found = found();
    found.organization = None;
    found.hub.policy = Some(policy);
    found.members.retain(|id, _| [ALIKE[0], CLOSED].map(account).contains(id));
    let before = import(&found).unwrap();
    assert!(before.file.members.contains_key(&account(CLOSED)), "it may be new");
    let delivered =
        BTreeMap::from([(account(CLOSED), BTreeSet::from([Region::parse("eu-west-1").unwrap()]))]);
    let mut objects = Objects::default();
    objects.delivered.insert(Folder::TOP, delivered);
    found.hub.objects = Some(objects);
    let imported = import(&found).unwrap();
    assert!(imported.file.members.keys().eq([&account(ALIKE[0])]));
    assert_data_eq!(
        &imported.remarks[0].text,
        str![[
            r#"account 666666666666 has delivered before, but has no grant and could not be read: AssumeRole: no; it is not imported"#
        ]]
    );
}
