//! What the bucket policy tells: under which folder, and whom it lets in; and the settings that leave it as it is.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{Fleet, GrantForm, Member, Part, PolicySettings};
use flowagg_core::flow_log::{Destination, FlowLogSpec};
use flowagg_core::id::{AccountId, FleetName, Partition, Prefix};
use flowagg_core::layout;
use flowagg_core::observed::{FlowLog, LifecycleRule};
use flowagg_policy::{DELIVERY_SERVICE, Grant, Unnamed, Who, granted_by, granted_by_anyone, merge, remove};
use serde_json::Value;

use super::{ImportError, Remarks, flow_logs};
use crate::found::{Folder, Found, FoundHub};

/// The folder that is asked for; else the policy's; else the one that most flow logs deliver to; else our lifecycle rule's.
pub(super) fn prefix(hub: &FoundHub, logs: &[&FlowLog]) -> Result<Option<Prefix>, ImportError> {
    if let Some(Folder(asked)) = &hub.folder {
        return Ok(asked.clone());
    }
    let named: BTreeSet<Folder> = folders(hub).into_keys().collect();
    if named.len() > 1 {
        let name = |Folder(prefix): &Folder| format!("`{}`", layout::root(prefix.as_ref()));
        return Err(ImportError::SeveralFolders(named.iter().map(name).collect::<Vec<_>>().join(", ")));
    }
    let delivered = flow_logs::most(flow_logs::votes(logs.iter().filter_map(|log| folder_of(hub, log))));
    let of_rule = hub.rules.iter().flatten().find_map(|rule| {
        let under = rule.under.strip_suffix(&format!("{}/", layout::AWS_LOGS))?;
        let Folder(prefix) = under.parse().ok()?;
        let name = FleetName::of(&hub.bucket, prefix.as_ref());
        (rule.id == LifecycleRule::id(&name, &rule.under)).then_some(Folder(prefix))
    });
    let found = named.into_iter().next().or(delivered).or(of_rule);
    Ok(found.and_then(|Folder(prefix)| prefix))
}

/// The folder of the bucket that a flow log delivers to.
fn folder_of(hub: &FoundHub, log: &FlowLog) -> Option<Folder> {
    let arn = bucket_arn(hub.region.partition(), hub);
    let rest = log.destination.strip_prefix(&arn)?;
    if rest.is_empty() {
        Some(Folder(None))
    } else {
        rest.strip_prefix('/')?.trim_end_matches('/').parse().ok()
    }
}

fn bucket_arn(partition: Partition, hub: &FoundHub) -> String {
    format!("arn:{partition}:s3:::{}", hub.bucket)
}

/// The folders that the delivery service may write to, and whether they are named in Hive's way.
fn folders(hub: &FoundHub) -> BTreeMap<Folder, bool> {
    let arn = format!("{}/", bucket_arn(hub.region.partition(), hub));
    let text = hub.policy.as_deref().unwrap_or_default();
    let mut folders = BTreeMap::new();
    for statement in statements(text).iter().filter(|it| it["Effect"] == "Allow" && is_of_delivery(it)) {
        for key in each(&statement["Resource"]).filter_map(|resource| resource.as_str()?.strip_prefix(&arn)) {
            let root = format!("{}/", layout::AWS_LOGS);
            let at_the_top = key.strip_prefix(&root).map(|after| ("", after));
            let Some((before, after)) = at_the_top.or_else(|| key.rsplit_once(&format!("/{root}"))) else {
                continue;
            };
            let Ok(folder) = before.parse() else { continue };
            folders.insert(folder, after.starts_with(layout::HIVE_ACCOUNT));
        }
    }
    folders
}

fn statements(policy: &str) -> Vec<Value> {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    each(&policy["Statement"]).cloned().collect()
}

/// `"a"` and `["a"]` are the same.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let one = (!value.is_array() && !value.is_null()).then_some(value);
    value.as_array().into_iter().flatten().chain(one)
}

fn is_of_delivery(statement: &Value) -> bool {
    each(&statement["Principal"]["Service"]).any(|service| service == DELIVERY_SERVICE)
}

/// What the policy grants under this folder: with the fleet's own statements, else with those of the documented shape. How its folders are named is the policy's to say, and the flow logs' where it
/// does not.
pub(super) fn grant(
    hub: &FoundHub,
    prefix: Option<&Prefix>,
    name: &FleetName,
    logs: &[&FlowLog],
    spec: &mut FlowLogSpec,
) -> Option<Grant> {
    let policy = hub.policy.as_deref()?;
    let named = folders(hub).get(&Folder(prefix.cloned())).copied();
    let hive = named.unwrap_or(spec.files.hive_compatible_partitions);
    if logs.is_empty() {
        spec.files.hive_compatible_partitions = hive;
    }
    let target = target(hub, prefix, name, hive);
    let own = granted_by(policy, &target).ok().flatten();
    own.or_else(|| granted_by_anyone(policy, &target).ok().flatten())
}

fn target(hub: &FoundHub, prefix: Option<&Prefix>, name: &FleetName, hive: bool) -> Grant {
    Grant {
        fleet: name.clone(),
        partition: hub.region.partition(),
        bucket: hub.bucket.clone(),
        prefix: prefix.cloned(),
        hive,
        who: Who::Accounts(BTreeSet::new()),
        organization: None,
        outside: BTreeSet::new(),
        regions: None,
        hub_member: None,
        settings: PolicySettings::default(),
    }
}

/// The accounts that a grant names, and those that any other statement about delivery tests for.
pub(super) fn granted(hub: &FoundHub, grant: Option<&Grant>) -> BTreeSet<AccountId> {
    let mut accounts = grant.map(|grant| grant.who.accounts().clone()).unwrap_or_default();
    let text = hub.policy.as_deref().unwrap_or_default();
    for statement in statements(text).iter().filter(|it| it["Effect"] == "Allow" && is_of_delivery(it)) {
        let operators = statement["Condition"].as_object().into_iter().flatten();
        let keys = operators
            .filter(|(operator, _)| POSITIVE.iter().any(|it| operator.eq_ignore_ascii_case(it)))
            .flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
        let values = keys.filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceAccount"));
        let named = values.flat_map(|(_, values)| each(values)).filter_map(Value::as_str);
        accounts.extend(named.filter_map(|text| AccountId::parse(text).ok()));
    }
    accounts
}

/// The operators whose values are the accounts that a statement allows.
const POSITIVE: [&str; 2] = ["StringEquals", "StringLike"];

/// The settings with which the policy stays as it is: form `auto` where it gives the live one.
pub(super) fn settings(
    found: &Found,
    fleet: &Fleet,
    grant: Option<&Grant>,
    remarks: &mut Remarks,
) -> PolicySettings {
    let read = grant.map(|grant| grant.settings.clone()).unwrap_or_default();
    let live = found.hub.policy.as_deref();
    let merged = |settings: &PolicySettings| {
        let mut fleet = looked_up(found, fleet);
        fleet.policy = settings.clone();
        merge(live, &Grant::of(&fleet), Unnamed::Keep)
    };
    let settles = |settings: &PolicySettings| merged(settings).is_ok_and(|merged| !merged.changed);
    let auto = PolicySettings { form: GrantForm::Auto, ..read.clone() };
    let is_own = live.is_some_and(|live| matches!(granted_by(live, &Grant::of(fleet)), Ok(Some(_))));
    let settings = if settles(&auto) || !is_own { auto } else { read };
    match merged(&settings) {
        Ok(merged) if !merged.changed => {}
        Ok(merged) => {
            let names = |accounts: &BTreeSet<AccountId>| {
                accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            };
            let whom = [("grants delivery to", &merged.granted), ("revokes delivery from", &merged.revoked)];
            let whom = whom.into_iter().filter(|(_, accounts)| !accounts.is_empty());
            let mut what: Vec<String> =
                whom.map(|(verb, accounts)| format!("{verb} {}", names(accounts))).collect();
            what.extend(merged.notes);
            let what = if what.is_empty() {
                "it says the same in flowagg's own way".to_owned()
            } else {
                what.join("; ")
            };
            remarks.add(Part::Policy, format!("`apply` changes the bucket policy: {what}"));
        }
        Err(error) => remarks.add(Part::Policy, format!("no policy can be made: {error}; {}", error.help())),
    }
    unread(found, &Destination { partition: fleet.partition(), ..fleet.destination() }, fleet, remarks);
    settings
}

/// The fleet with the accounts that the organization has, as a lookup would put them in.
fn looked_up(found: &Found, fleet: &Fleet) -> Fleet {
    let mut fleet = fleet.clone();
    let Some(how) = fleet.organization.as_ref().and_then(|it| it.discovery.clone()) else { return fleet };
    // Only a lookup of the whole organization is imported.
    let in_units = fleet.organization.as_ref().is_some_and(|it| it.units.is_empty());
    for (&account, _) in found.members.iter().filter(|(_, member)| member.in_organization) {
        if let Some(member) = fleet.members.get_mut(&account) {
            (member.in_organization, member.in_units) = (true, in_units);
        } else if how.except_accounts.contains(&account) {
            fleet.left_out.insert(account, String::new());
        } else {
            let (regions, role, resources) = (how.regions.clone(), how.role.clone(), how.resources.clone());
            let member =
                Member { account, name: None, regions, role, resources, in_organization: true, in_units };
            fleet.members.insert(account, member);
        }
    }
    fleet
}

/// Names the statements about log delivery that are not this fleet's.
fn unread(found: &Found, to: &Destination, fleet: &Fleet, remarks: &mut Remarks) {
    let Some(policy) = found.hub.policy.as_deref() else { return };
    let hive = Grant::of(fleet).hive;
    let rest = match remove(policy, &target(&found.hub, to.prefix.as_ref(), &fleet.name(), hive)) {
        Ok(rest) => rest.unwrap_or_default(),
        Err(error) => {
            remarks.add(Part::Policy, format!("{error}; {}", error.help()));
            return;
        }
    };
    for (index, statement) in statements(&rest).iter().enumerate().filter(|(_, it)| is_of_delivery(it)) {
        let name = statement["Sid"].as_str().map_or((index + 1).to_string(), |sid| format!("`{sid}`"));
        let text =
            format!("statement {name} is about log delivery and is not this fleet's: it stays as it is");
        remarks.add(Part::Policy, text);
    }
}
