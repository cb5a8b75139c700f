//! Decides the lifecycle rules of a fleet in an existing bucket.
//!
//! A rule for the whole folder of logs expires everything in it, so it is only written if the folder contains nothing else.
//! Otherwise each account's folder of flow logs gets a rule. An account that leaves the fleet keeps its unchanged rule while the
//! folder exists.

use std::collections::{BTreeMap, BTreeSet};

use super::folders::Folders;
use super::{Scene, is_sooner};
use crate::id::AccountId;
use crate::lifecycle::{FleetRule, Move, Retention, Rule, Transition};
use crate::observed::Scope;

/// The maximum number of rules in a bucket to which flowagg adds rules. S3 allows 1,000; the rest is left to others.
///
/// Source: "Setting an S3 Lifecycle configuration on a bucket" (Amazon S3 User Guide).
pub(super) const MOST_RULES: usize = 900;

/// The changes to the fleet's rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// Rules to write, which replace rules with the same ID.
    pub(super) set: Vec<FleetRule>,
    /// IDs of the fleet's rules to remove.
    pub(super) removed: BTreeSet<String>,
    /// Why flow logs do not get the declared expiration, and how to fix it.
    pub(super) problem: Option<(String, String)>,
    /// Whether a rule for all members is not changed, because only some members are selected.
    pub(super) stays_for_part: bool,
}

impl Target {
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }
}

/// The changes that give the fleet its declared rules.
pub(super) fn target(scene: &Scene<'_>) -> Target {
    if scene.fleet.hub.lifecycle.retention == Retention::Unset && scene.own().next().is_none() {
        return Target::default();
    }
    match &scene.folders {
        Ok(folders) => Chooser { scene, folders }.target(),
        Err(failure) => {
            let what = format!(
                "the lifecycle rules are not changed: `{}` could not be listed ({})",
                scene.root,
                failure.what()
            );
            Target { problem: Some((what, failure.help())), ..Target::default() }
        }
    }
}

struct Chooser<'s, 'a> {
    scene: &'s Scene<'a>,
    folders: &'s Folders,
}

impl<'s> Chooser<'s, '_> {
    fn target(&self) -> Target {
        let scene = self.scene;
        let of_root = scene.live().find(|rule| rule.prefix == scene.root);
        let strangers: Vec<&str> = self.strangers(of_root).collect();
        let other = self.folders.other.iter().map(String::as_str);
        let others: Vec<&str> = other.chain(strangers.iter().copied()).collect();
        // A listing does not contain objects of which only noncurrent versions remain.
        let hides_versions = scene.may_have_versions() && scene.fleet.hub.lifecycle.noncurrent_days.is_some();
        let has_accounts = scene.own().any(|rule| rule.prefix != scene.root);
        if others.is_empty() && !has_accounts && !hides_versions {
            return self.of(BTreeMap::from([(scene.root.clone(), None)]), None);
        }
        let unders = self.account_folders();
        let total = scene.rules.len() - scene.own().count() + unders.len();
        let why = if scene.fleet.organization.as_ref().is_some_and(|organization| organization.is_whole()) {
            "flowagg does not write separate rules for the accounts of a whole organization".to_owned()
        } else if total > MOST_RULES {
            format!(
                "one rule per account would result in {total} rules, more than flowagg's limit of {MOST_RULES}"
            )
        } else {
            return self.of(unders, None);
        };
        let shared = match others.first() {
            Some(other) => format!("`{}` also contains other logs (`{other}`), and ", scene.root),
            None => String::new(),
        };
        let help = "use a separate folder for the flow logs with `hub.prefix`, or a separate bucket";
        let problem = (format!("no lifecycle rule is added: {shared}{why}"), help.to_owned());
        let problem = (scene.fleet.hub.lifecycle.retention != Retention::Forever).then_some(problem);
        // Existing rules stay and follow the fleet file. The rule for the whole folder stays if it only expires flow logs.
        let mut unders = unders;
        unders.retain(|under, _| scene.live().any(|rule| rule.prefix == *under));
        if of_root.is_some() && self.folders.other.is_empty() {
            unders = BTreeMap::from([(scene.root.clone(), None)]);
            if !strangers.is_empty() || hides_versions {
                return Target { problem, ..Target::default() };
            }
        }
        self.of(unders, problem)
    }

    /// The changes that result in rules for these folders, each with its account, if it belongs to one.
    fn of(&self, unders: BTreeMap<String, Option<AccountId>>, problem: Option<(String, String)>) -> Target {
        let scene = self.scene;
        let rule =
            |(under, account): (String, Option<AccountId>)| match (account, self.scene.covering(&under)) {
                (Some(account), Some(found)) if !scene.is_selected(account) => scene.same_rule(found, under),
                (_, found) => scene.rule(&under, self.days(&under, found)),
            };
        let is_untouched = |under: &String| {
            let is_off = |rule: &Rule| !rule.is_enabled || rule.is_narrowed;
            scene.fleet.hub.lifecycle.retention == Retention::Unset
                && scene.own().any(|rule| rule.prefix == *under && is_off(rule))
        };
        let unders = unders.into_iter().filter(|(under, _)| !is_untouched(under));
        let rules: Vec<FleetRule> = unders.map(rule).filter(FleetRule::has_effect).collect();
        let wanted: BTreeSet<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
        // Noncurrent versions may remain in a folder that is no longer listed.
        let goes = |rule: &&Rule| rule.prefix == scene.root || !scene.may_have_versions();
        let ids = scene.live().filter(goes).filter_map(|rule| rule.id.clone());
        let removed: BTreeSet<String> = ids.filter(|id| !wanted.contains(id.as_str())).collect();
        let set = scene.missing(rules);
        // A rule for the whole folder applies to all members, so it is not written for a selection.
        if scene.is_part() && set.iter().any(|rule| rule.under == scene.root) {
            return Target { problem, stays_for_part: true, ..Target::default() };
        }
        Target { set, removed, problem, stays_for_part: false }
    }

    /// The number of days after which a member's objects in this folder expire. `found` is the rule that currently applies.
    fn days(&self, under: &str, found: Option<&Rule>) -> Option<u32> {
        match self.scene.fleet.hub.lifecycle.retention {
            Retention::Days(days) => Some(days),
            Retention::Forever => None,
            Retention::Unset => match found {
                Some(rule) => rule.expire_days(),
                // Objects without expiration keep none. A new account gets the expiration of the others.
                None if self.scene.is_listed(under) => None,
                None => self.scene.live().filter_map(Rule::expire_days).max(),
            },
        }
    }

    /// Folders of flow logs of accounts that are not members, unless the fleet's existing rules already apply to them and do not
    /// get stricter.
    fn strangers(&self, of_root: Option<&'s Rule>) -> impl Iterator<Item = &'s str> {
        let root_stays = of_root.is_some_and(|root| {
            let wanted = self.scene.rule(&self.scene.root, self.days(&self.scene.root, Some(root)));
            let same = self.scene.same_rule(root, self.scene.root.clone());
            let is_longer = !is_sooner(root.expire_days(), wanted.expire_days);
            is_longer && FleetRule { expire_days: wanted.expire_days, ..same } == wanted
        });
        let folders = self.folders.flow_logs.iter();
        let strangers = folders.filter(move |(account, folder)| {
            !(self.scene.is_member(*account) || (root_stays && self.scene.covering(folder).is_some()))
        });
        strangers.map(|(_, folder)| folder.as_str())
    }

    /// The folders of the members, including those without objects, and of other accounts to whose flow logs the fleet's rules
    /// apply.
    fn account_folders(&self) -> BTreeMap<String, Option<AccountId>> {
        let layout = self.scene.fleet.layout();
        let members = self.scene.fleet.members.keys().filter(|account| self.scene.scope.selects(**account));
        let members = members.map(|account| (layout.flow_logs_folder(account), Some(*account)));
        let is_known = |(account, folder): &&(AccountId, String)| {
            self.scene.is_selected(*account) || self.scene.covering(folder).is_some()
        };
        let listed = self.folders.flow_logs.iter().filter(is_known);
        members.chain(listed.map(|(account, folder)| (folder.clone(), Some(*account)))).collect()
    }
}

impl Scene<'_> {
    fn is_member(&self, account: AccountId) -> bool {
        self.fleet.members.contains_key(&account)
    }

    /// Whether it is a member whose rule may change.
    fn is_selected(&self, account: AccountId) -> bool {
        self.is_member(account) && self.scope.selects(account)
    }

    fn is_part(&self) -> bool {
        *self.scope != Scope::Whole
    }

    /// A rule for this folder with the effects of the fleet's rule `found`.
    pub(super) fn same_rule(&self, found: &Rule, under: String) -> FleetRule {
        let transition = match found.transitions.as_slice() {
            [Move { days: Some(days), storage_class }] => {
                Some(Transition { days: *days, storage_class: storage_class.clone() })
            }
            _ => None,
        };
        FleetRule {
            id: FleetRule::id(&self.name, &under),
            under,
            expire_days: found.expire_days(),
            transition,
            noncurrent_days: found.noncurrent_days,
            abort_uploads_days: found.abort_uploads_days,
        }
    }

    /// The part of the change that does not expire objects sooner. A rule that does is replaced by one with the effects of the
    /// fleet's current rule for these objects, or omitted if there is none.
    pub(super) fn without_sooner(&self, target: &Target, sooner: &BTreeSet<String>) -> Target {
        let kept = |rule: &FleetRule| {
            if !sooner.iter().any(|folder| folder.starts_with(&rule.under)) {
                return Some(rule.clone());
            }
            let found = self.covering(&rule.under)?;
            Some(self.same_rule(found, rule.under.clone()))
        };
        let set = self.missing(target.set.iter().filter_map(kept).collect());
        let stays = |id: &String| target.set.iter().any(|rule| rule.id == *id);
        let removed = target.removed.iter().filter(|id| !stays(id)).cloned().collect();
        Target { set, removed, ..Target::default() }
    }
}
