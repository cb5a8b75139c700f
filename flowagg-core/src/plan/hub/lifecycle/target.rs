//! Which lifecycle rules a fleet has in an existing bucket.
//!
//! A rule for the whole folder of logs expires whatever is in it. It is only written if nothing else is there; otherwise each
//! account's folder of flow logs has a rule. An account that leaves the fleet keeps its rule, as it is, while the folder exists.

use std::collections::{BTreeMap, BTreeSet};

use super::folders::Folders;
use super::{Scene, is_sooner};
use crate::id::AccountId;
use crate::lifecycle::{FleetRule, Move, Retention, Rule, Transition};
use crate::observed::Scope;

/// Up to this many rules a bucket has if flowagg adds some. S3 takes 1,000; the rest is for others.
///
/// Source: "Setting an S3 Lifecycle configuration on a bucket" (Amazon S3 User Guide).
pub(super) const MOST_RULES: usize = 900;

/// What changes among the fleet's rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// Rules to write, over those with the same id.
    pub(super) set: Vec<FleetRule>,
    /// Ids of the fleet's rules to remove.
    pub(super) removed: BTreeSet<String>,
    /// Why flow logs do not get the declared expiry, and what to do about it.
    pub(super) problem: Option<(String, String)>,
    /// Whether a rule that is for every member stays as it is, because only some are selected.
    pub(super) stays_for_part: bool,
}

impl Target {
    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }
}

/// The rules that the fleet should have.
pub(super) fn target(scene: &Scene<'_>) -> Target {
    if scene.fleet.hub.lifecycle.retention == Retention::Unset && scene.own().next().is_none() {
        return Target::default();
    }
    match &scene.folders {
        Ok(folders) => Chooser { scene, folders }.target(),
        Err(failure) => {
            let what = format!(
                "lifecycle rules stay as they are: what is under `{}` could not be listed ({})",
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
        // A listing does not show objects of which only old versions are left.
        let hides_versions = scene.may_have_versions() && scene.fleet.hub.lifecycle.noncurrent_days.is_some();
        let has_accounts = scene.own().any(|rule| rule.prefix != scene.root);
        if others.is_empty() && !has_accounts && !hides_versions {
            return self.of(BTreeMap::from([(scene.root.clone(), None)]), None);
        }
        let unders = self.account_folders();
        let total = scene.rules.len() - scene.own().count() + unders.len();
        let why = if scene.fleet.organization.as_ref().is_some_and(|organization| organization.is_whole()) {
            "the accounts of a whole organization get no rules of their own".to_owned()
        } else if total > MOST_RULES {
            format!(
                "a rule for each account would make {total} rules, and flowagg leaves a bucket at most {MOST_RULES}"
            )
        } else {
            return self.of(unders, None);
        };
        let shared = match others.first() {
            Some(other) => format!("other logs are under `{}` too (`{other}`), and ", scene.root),
            None => String::new(),
        };
        let help = "give the flow logs a folder of their own with `hub.prefix`, or a bucket of their own";
        let problem = (format!("no new lifecycle rule is set: {shared}{why}"), help.to_owned());
        let problem = (scene.fleet.hub.lifecycle.retention != Retention::Forever).then_some(problem);
        // Rules that exist stay, and follow the fleet file. The one for the whole folder stays if it only expires flow logs.
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

    /// The change to rules for these folders, each with the account if it is of one.
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
        // Old versions may be left in a folder that is not listed any more.
        let goes = |rule: &&Rule| rule.prefix == scene.root || !scene.may_have_versions();
        let ids = scene.live().filter(goes).filter_map(|rule| rule.id.clone());
        let removed: BTreeSet<String> = ids.filter(|id| !wanted.contains(id.as_str())).collect();
        let set = scene.missing(rules);
        // A rule for some members would stay when all of them are selected, and one for the whole folder is for all of them.
        if scene.is_part() && set.iter().any(|rule| rule.under == scene.root) {
            return Target { problem, stays_for_part: true, ..Target::default() };
        }
        Target { set, removed, problem, stays_for_part: false }
    }

    /// After how many days a member's objects in this folder expire. `found` is the rule by which they expire now.
    fn days(&self, under: &str, found: Option<&Rule>) -> Option<u32> {
        match self.scene.fleet.hub.lifecycle.retention {
            Retention::Days(days) => Some(days),
            Retention::Forever => None,
            Retention::Unset => match found {
                Some(rule) => rule.expire_days(),
                // Objects that do not expire stay. A new account gets what the others have.
                None if self.scene.is_listed(under) => None,
                None => self.scene.live().filter_map(Rule::expire_days).max(),
            },
        }
    }

    /// Folders of flow logs of accounts that are not members, unless they expire by the fleet's rules as they would.
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

    /// The folders of the members, also of those without objects, and of other accounts whose flow logs expire by the fleet's
    /// rules.
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

    /// A rule for this folder that does what the fleet's rule `found` does.
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

    /// What of the change can be made without objects that end sooner: in the place of a rule that does, one that does what the
    /// fleet's rule for these objects does now, or none.
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
