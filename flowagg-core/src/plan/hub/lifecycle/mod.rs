//! The lifecycle rules of the fleet: which ones change, whether objects expire sooner, and how all rules of the bucket affect the
//! flow logs.

mod findings;
mod folders;
mod target;

use std::collections::{BTreeMap, BTreeSet};

use self::folders::Folders;
use self::target::{Target, target};
use super::{HubPart, about_bucket};
use crate::failure::Failure;
use crate::fleet::Fleet;
use crate::id::FleetName;
use crate::layout;
use crate::lifecycle::{Fate, FleetRule, LifecycleDocument, LifecycleError, Rule, fate};
use crate::observed::{Bucket, Contents, Scope, Versioning};
use crate::plan::{End, Expiry, HubChange, LifecycleChange, Note, Sooner};

/// A bucket's rules and the contents of the fleet's folder.
pub(super) struct Scene<'a> {
    fleet: &'a Fleet,
    bucket: &'a Bucket,
    scope: &'a Scope,
    name: FleetName,
    /// The fleet's folder of logs.
    root: String,
    rules: Vec<Rule>,
    folders: Result<Folders, &'a Failure>,
}

impl<'a> Scene<'a> {
    fn of(fleet: &'a Fleet, bucket: &'a Bucket, scope: &'a Scope) -> Result<Self, LifecycleError> {
        let root = layout::root(fleet.hub.prefix.as_ref());
        let rules = rules_of(bucket.lifecycle.as_ref())?;
        let folders = match &bucket.contents {
            Contents::Listed(listed) => Ok(Folders::of(&root, listed)),
            Contents::Unread(failure) => Err(failure),
        };
        Ok(Self { fleet, bucket, scope, name: fleet.name(), root, rules, folders })
    }

    /// The fleet's rules for its folder or parts of it. Those for a former folder are not changed.
    fn own(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| rule.is_of(&self.name) && rule.prefix.starts_with(&self.root))
    }

    /// The declared rule for a folder.
    fn rule(&self, under: &str, expire_days: Option<u32>) -> FleetRule {
        rule(self.fleet, under, expire_days)
    }

    /// Whether this folder has objects, or may have some.
    fn is_listed(&self, folder: &str) -> bool {
        match &self.bucket.contents {
            Contents::Listed(listed) => listed.contains(folder),
            Contents::Unread(_) => true,
        }
    }

    /// The given rules that the bucket does not already have in exactly this form.
    fn missing(&self, rules: Vec<FleetRule>) -> Vec<FleetRule> {
        match &self.bucket.lifecycle {
            // Its rules were read before, so this does not fail.
            Some(document) => document.without(rules.clone()).unwrap_or(rules),
            None => rules,
        }
    }

    /// The fleet's rules that apply to every object with their prefix. Rules that were disabled or narrowed are excluded.
    fn live(&self) -> impl Iterator<Item = &Rule> {
        self.own().filter(|rule| rule.is_enabled && !rule.is_narrowed)
    }

    /// The fleet's most specific rule for a folder.
    fn covering(&self, folder: &str) -> Option<&Rule> {
        let covering = self.live().filter(|rule| folder.starts_with(&rule.prefix));
        covering.max_by_key(|rule| rule.prefix.len())
    }

    /// Every current and future folder of the fleet's flow logs, and everything else in the fleet's folder.
    fn reached(&self) -> BTreeSet<String> {
        let mut reached = self.flow_log_folders();
        if let Ok(folders) = &self.folders {
            reached.extend(folders.flow_logs.iter().map(|(_, folder)| folder.clone()));
            reached.extend(folders.other.iter().cloned());
        }
        reached
    }

    /// The folders of the members' flow logs.
    fn flow_log_folders(&self) -> BTreeSet<String> {
        let layout = self.fleet.layout();
        let mut own: BTreeSet<String> =
            self.fleet.members.keys().map(|account| layout.flow_logs_folder(account)).collect();
        if let Ok(folders) = &self.folders {
            let listed = folders.flow_logs.iter();
            let of_members = listed.filter(|(account, _)| self.fleet.members.contains_key(account));
            own.extend(of_members.map(|(_, folder)| folder.clone()));
        }
        own
    }

    /// Whether noncurrent versions exist or may exist.
    fn may_have_versions(&self) -> bool {
        !matches!(self.bucket.usage.versioning, Ok(Versioning::Off))
    }

    /// The change, if there is one, with the folders whose objects expire sooner.
    fn change(&self, target: &Target) -> Result<Option<(LifecycleChange, BTreeSet<String>)>, LifecycleError> {
        if target.is_empty() {
            return Ok(None);
        }
        let replaces = self.bucket.lifecycle.clone();
        let write = LifecycleDocument::edited(replaces.as_ref(), &target.set, &target.removed)?;
        let after = rules_of(write.as_ref())?;
        let mut sooner: BTreeMap<(End, Option<u32>, u32), usize> = BTreeMap::new();
        let mut folders = BTreeSet::new();
        // A new account of a fleet with existing rules has no objects yet.
        let is_new = |folder: &String| {
            self.own().next().is_some()
                && !self.is_listed(folder)
                && !self.may_have_versions()
                && fate(&self.rules, folder).expires.is_none()
        };
        let ends = |folder: &String| {
            let ends = self.ends_sooner(&fate(&self.rules, folder), &fate(&after, folder));
            if is_new(folder) { Vec::new() } else { ends }
        };
        for folder in self.reached() {
            for end in ends(&folder) {
                *sooner.entry(end).or_default() += 1;
                folders.insert(folder.clone());
            }
        }
        // A rule for the whole folder also expires objects that others may write to it.
        for under in target.set.iter().map(|rule| &rule.under) {
            if !folders.iter().any(|folder| folder.starts_with(under)) {
                for end in ends(under) {
                    *sooner.entry(end).or_default() += 1;
                    folders.insert(under.clone());
                }
            }
        }
        let sooner =
            sooner.into_iter().map(|((end, before, after), folders)| Sooner { end, before, after, folders });
        let change = LifecycleChange {
            root: self.root.clone(),
            write,
            replaces,
            set: target.set.clone(),
            removed: target.removed.clone(),
            sooner: sooner.collect(),
            oldest: self.bucket.oldest.clone(),
        };
        Ok(Some((change, folders)))
    }

    fn ends_sooner(&self, before: &Fate<'_>, after: &Fate<'_>) -> Vec<(End, Option<u32>, u32)> {
        let versions = self.may_have_versions();
        let ends = [
            (End::Expiry, before.expires, after.expires),
            (End::Versions, before.noncurrent.filter(|_| versions), after.noncurrent.filter(|_| versions)),
        ];
        let sooner = ends.into_iter().filter_map(|(end, before, after)| {
            let (before, after) = (before.map(|it| it.days), after?.days);
            is_sooner(before, Some(after)).then_some((end, before, after))
        });
        sooner.collect()
    }
}

/// Whether objects end sooner after a change. `None` means never.
fn is_sooner(before: Option<u32>, after: Option<u32>) -> bool {
    after.is_some_and(|after| before.is_none_or(|before| after < before))
}

fn rules_of(document: Option<&LifecycleDocument>) -> Result<Vec<Rule>, LifecycleError> {
    document.map_or(Ok(Vec::new()), LifecycleDocument::rules)
}

fn rule(fleet: &Fleet, under: &str, expire_days: Option<u32>) -> FleetRule {
    let lifecycle = &fleet.hub.lifecycle;
    FleetRule {
        id: FleetRule::id(&fleet.name(), under),
        under: under.to_owned(),
        expire_days,
        transition: lifecycle.transition.clone(),
        noncurrent_days: lifecycle.noncurrent_days,
        abort_uploads_days: lifecycle.abort_uploads_days,
    }
}

/// The lifecycle rule of a bucket that flowagg creates; `None` if the fleet file does not require one.
pub fn rule_of_new_bucket(fleet: &Fleet) -> Option<FleetRule> {
    let days = fleet.hub.lifecycle.retention.in_new_bucket();
    Some(rule(fleet, &layout::root(fleet.hub.prefix.as_ref()), days)).filter(FleetRule::has_effect)
}

/// Adds the lifecycle rule of a new bucket.
pub(super) fn of_new(fleet: &Fleet, part: &mut HubPart) {
    let set: Vec<FleetRule> = rule_of_new_bucket(fleet).into_iter().collect();
    // Without an existing document, this does not fail.
    let Ok(Some(write)) = LifecycleDocument::edited(None, &set, &BTreeSet::new()) else { return };
    part.changes.push(HubChange::SetLifecycle(LifecycleChange {
        root: layout::root(fleet.hub.prefix.as_ref()),
        write: Some(write),
        replaces: None,
        set,
        removed: BTreeSet::new(),
        sooner: Vec::new(),
        oldest: Default::default(),
    }));
}

/// Adds the changes of an existing bucket and the effects of its rules on flow logs. Returns the number of days after which
/// noncurrent versions are deleted, if all of them are.
pub(super) fn of_existing(
    fleet: &Fleet,
    bucket: &Bucket,
    expiry: Expiry,
    scope: &Scope,
    part: &mut HubPart,
) -> Option<u32> {
    match decide(fleet, bucket, expiry, scope, part) {
        Ok(noncurrent) => noncurrent,
        Err(error) => {
            part.concerns.push(about_bucket(fleet, error.to_string(), error.help().to_owned()));
            None
        }
    }
}

fn decide(
    fleet: &Fleet,
    bucket: &Bucket,
    expiry: Expiry,
    scope: &Scope,
    part: &mut HubPart,
) -> Result<Option<u32>, LifecycleError> {
    let scene = Scene::of(fleet, bucket, scope)?;
    let target = target(&scene);
    let mut change = scene.change(&target)?;
    if let (Expiry::Withhold, Some((whole, sooner))) = (expiry, &change)
        && !sooner.is_empty()
    {
        part.not_applied.push(HubChange::SetLifecycle(whole.clone()));
        change =
            scene.change(&scene.without_sooner(&target, sooner))?.filter(|(_, sooner)| sooner.is_empty());
    }
    let change = change.map(|(change, _)| change);
    let after = change.as_ref().map(|change| rules_of(change.write.as_ref())).transpose()?;
    if target.stays_for_part {
        part.notes.push(Note::LifecycleStaysForPart { root: scene.root.clone() });
    }
    if let Some((what, help)) = target.problem {
        part.concerns.push(about_bucket(fleet, what, help));
    }
    let noncurrent = findings::add(&scene, after.as_ref().unwrap_or(&scene.rules), part);
    part.changes.extend(change.map(HubChange::SetLifecycle));
    Ok(noncurrent)
}

/// The folders whose objects or noncurrent versions would expire sooner if the fleet's rules were set, so that the caller can
/// determine their age before the plan.
pub fn folders_that_end_sooner(fleet: &Fleet, bucket: &Bucket, scope: &Scope) -> BTreeSet<String> {
    let change = Scene::of(fleet, bucket, scope).and_then(|scene| scene.change(&target(&scene)));
    // An unreadable document is reported by the plan and never leads to a change.
    change.ok().flatten().map(|(_, folders)| folders).unwrap_or_default()
}

/// The change that removes the fleet's lifecycle rules for all folders; `None` if there are none.
pub fn lifecycle_removal(fleet: &Fleet, bucket: &Bucket) -> Result<Option<LifecycleChange>, LifecycleError> {
    let scene = Scene::of(fleet, bucket, &Scope::Whole)?;
    let of_fleet = scene.rules.iter().filter(|rule| rule.is_of(&scene.name));
    let removed: BTreeSet<String> = of_fleet.filter_map(|rule| rule.id.clone()).collect();
    let target = Target { removed, ..Target::default() };
    Ok(scene.change(&target)?.map(|(change, _)| change))
}
