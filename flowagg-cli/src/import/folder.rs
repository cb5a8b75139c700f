//! Finds the folder of the bucket for flow logs. Actual deliveries take precedence over grants.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::Part;
use flowagg_core::id::{FleetName, Prefix};
use flowagg_core::layout;
use flowagg_core::lifecycle::FleetRule;
use flowagg_core::observed::FlowLog;

use super::statements::{bucket_arn, writes};
use super::{ImportError, Remarks, flow_logs};
use crate::found::{Folder, FoundHub};

/// The selected folder, else the folder that most flow logs deliver to, else the folder with flow log files, else the folder that the
/// policy allows log delivery to write to, else the folder of the fleet's lifecycle rule.
///
/// A statement is weak evidence: AWS log delivery writes the logs of other services with the same kind of grant.
pub(super) fn prefix(hub: &FoundHub, logs: &[&FlowLog]) -> Result<Option<Prefix>, ImportError> {
    if let Some(asked) = &hub.folder {
        return Ok(asked.prefix().cloned());
    }
    let granted: BTreeSet<Folder> = granted(hub).into_keys().collect();
    let several = |what, folders: &BTreeSet<Folder>| ImportError::SeveralFolders {
        what,
        folders: folders.iter().map(|folder| format!("`{}`", root(folder))).collect::<Vec<_>>().join(", "),
    };

    let votes = flow_logs::votes(logs.iter().filter_map(|log| delivers_to(hub, log)));
    let most = votes.iter().map(|(_, count)| *count).max();
    let of_logs = votes.into_iter().filter(|(_, count)| Some(*count) == most).map(|(folder, _)| folder);
    let of_logs: BTreeSet<Folder> = of_logs.collect();
    let of_objects: BTreeSet<Folder> = hub.delivered().map(|(folder, _)| folder.clone()).collect();
    for (what, folders) in
        [("flow logs deliver to", of_logs), ("the bucket has flow log files under", of_objects)]
    {
        if folders.is_empty() {
            continue;
        }
        let folder = the_only(&folders)
            .or_else(|| the_only(&(&folders & &granted)))
            .ok_or_else(|| several(what, &folders))?;
        return Ok(folder.prefix().cloned());
    }
    let of_rule = rule(hub);
    let folder = if granted.is_empty() {
        of_rule
    } else {
        let chosen = the_only(&granted).or_else(|| of_rule.filter(|folder| granted.contains(folder)));
        Some(chosen.ok_or_else(|| several("the bucket policy allows log delivery to write to", &granted))?)
    };
    Ok(folder.and_then(|folder| folder.prefix().cloned()))
}

fn the_only(folders: &BTreeSet<Folder>) -> Option<Folder> {
    folders.first().filter(|_| folders.len() == 1).cloned()
}

/// `[folder/]AWSLogs/`.
pub(super) fn root(folder: &Folder) -> String {
    layout::root(folder.prefix())
}

/// The folder that a flow log delivers to, if it is in the bucket.
fn delivers_to(hub: &FoundHub, log: &FlowLog) -> Option<Folder> {
    let rest = log.destination.s3_arn()?.strip_prefix(&bucket_arn(hub.region.partition(), hub))?;
    if rest.is_empty() {
        Some(Folder::TOP)
    } else {
        rest.strip_prefix('/')?.trim_end_matches('/').parse().ok()
    }
}

/// The folders that the policy allows log delivery to write to, and whether their account folders have Hive-compatible names, if that is
/// known. A grant for the whole bucket counts as one for the top, the default location of flow logs.
pub(super) fn granted(hub: &FoundHub) -> BTreeMap<Folder, Option<bool>> {
    let mut granted = BTreeMap::new();
    for write in writes(hub) {
        granted.extend(write.folders().map(|(folder, hive)| (folder, Some(hive))));
        if write.is_for_all() {
            granted.entry(Folder::TOP).or_insert(None);
        }
    }
    granted
}

/// The folder of the fleet's own lifecycle rule.
fn rule(hub: &FoundHub) -> Option<Folder> {
    hub.rules.iter().flatten().find_map(|rule| {
        let above = rule.prefix.strip_suffix(&layout::root(None))?;
        let folder: Folder = above.trim_end_matches('/').parse().ok()?;
        let name = FleetName::default_for(&hub.bucket, folder.prefix());
        (rule.id.as_deref() == Some(&FleetRule::id(&name, &rule.prefix))).then_some(folder)
    })
}

/// Reports the other folders in the bucket.
pub(super) fn report_others(hub: &FoundHub, chosen: &Folder, remarks: &mut Remarks) {
    for (folder, accounts) in hub.delivered().filter(|(folder, _)| *folder != chosen) {
        let whose = match accounts.keys().collect::<Vec<_>>()[..] {
            [account] => account.to_string(),
            ref several => format!("{} accounts", several.len()),
        };
        let prefix = folder.prefix().map(ToString::to_string).unwrap_or_default();
        let text = format!(
            "the flow log files of {whose} under `{}` are not imported: `--prefix \"{prefix}\"` imports that folder to a separate fleet file",
            root(folder)
        );
        remarks.add(Part::Hub, text);
    }
    let Some(objects) = &hub.objects else { return };
    let services: BTreeSet<String> = objects.other.iter().map(|folder| of_any_account(folder)).collect();
    if !services.is_empty() {
        let services: Vec<String> = services.iter().map(|folder| format!("`{folder}`")).collect();
        let text =
            format!("{} are not imported: they do not contain flow logs of a fleet", services.join(", "));
        remarks.add(Part::Hub, text);
    }
    if let Some(why) = &objects.unlisted {
        let text = format!("searched only the root and the folders in the policy for flow log files: {why}");
        remarks.add(Part::Hub, text);
    }
}

/// `AWSLogs/222222222222/elasticloadbalancing/` as `AWSLogs/*/elasticloadbalancing/`.
fn of_any_account(folder: &str) -> String {
    let mut segments: Vec<&str> = folder.split('/').collect();
    if let [.., account, _, _] = &mut segments[..] {
        *account = "*";
    }
    segments.join("/")
}
