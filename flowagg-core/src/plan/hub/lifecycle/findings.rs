//! Reports the effects of a bucket's rules on flow logs and on other logs in the same folder.

use std::collections::BTreeSet;

use super::Scene;
use crate::id::AccountId;
use crate::lifecycle::{Expiration, Fate, Retention, Rule, fate};
use crate::plan::hub::{HubPart, about_bucket};
use crate::plan::{ExpiryGroup, Note};

/// More folders or rules than this are counted instead of listed.
const LISTED: usize = 3;

/// Adds the notes and concerns. `rules` are the rules of the bucket after the plan is applied. Returns the number of days after
/// which noncurrent versions are deleted, if all of them are.
pub(super) fn add(scene: &Scene<'_>, rules: &[Rule], part: &mut HubPart) -> Option<u32> {
    let folders = scene.flow_log_folders();
    let fates = || folders.iter().map(|folder| fate(rules, folder));
    let mut concern = |what: String, help: String| part.concerns.push(about_bucket(scene.fleet, what, help));
    let lifecycle = &scene.fleet.hub.lifecycle;
    for ((days, some, rule), number) in grouped(fates()) {
        let manager = rule.map(|rule| managed_by(scene, rule));
        match (lifecycle.retention, days, rule, manager) {
            (Retention::Unset, None, ..) => concern(
                format!(
                    "{}flow logs do not expire, and `hub.retention-days` is not set",
                    if some { "some " } else { "" }
                ),
                format!("set `hub.retention-days` to a number of days, or to \"{}\"", Retention::FOREVER),
            ),
            (Retention::Days(wanted), Some(days), Some(rule), Some(manager)) if days < wanted => concern(
                format!(
                    "lifecycle rule {} ({manager}) expires flow logs after {days} days, earlier than the {wanted} days of \
                     `hub.retention-days`",
                    rule.name()
                ),
                format!("narrow or remove that rule, or set `hub.retention-days = {days}`"),
            ),
            (Retention::Forever, Some(days), Some(rule), Some(manager)) => concern(
                format!(
                    "lifecycle rule {} ({manager}) expires flow logs in {number} folders after {days} days, although \
                     `hub.retention-days` is \"{}\"",
                    rule.name(),
                    Retention::FOREVER
                ),
                format!("narrow or remove that rule, or set `hub.retention-days = {days}`"),
            ),
            _ => {}
        }
    }
    let some: BTreeSet<String> =
        fates().flat_map(|fate| fate.some).map(|rule| some_of(scene, rule)).collect();
    for what in some {
        concern(what, "narrow or remove that rule, or keep it if it is meant for flow logs".to_owned());
    }
    if lifecycle.retention == Retention::Unset
        && scene.own().next().is_none()
        && (lifecycle.transition.is_some() || lifecycle.noncurrent_days.is_some())
    {
        concern(
            "`hub.transition` and `hub.noncurrent-days` have no effect without `hub.retention-days`"
                .to_owned(),
            format!("set `hub.retention-days` to a number of days, or to \"{}\"", Retention::FOREVER),
        );
    }
    if let Some(hit) = hit(scene, rules) {
        concern(
            hit,
            "use a separate folder for the flow logs with `hub.prefix`, or a separate bucket".to_owned(),
        );
    }
    let now = grouped(folders.iter().map(|folder| fate(&scene.rules, folder)));
    let groups = now.into_iter().map(|((days, some, rule), folders)| {
        let foreign = rule.filter(|rule| !rule.is_of(&scene.name));
        let rule = foreign.map(|rule| format!("{} ({})", rule.name(), managed_by(scene, rule)));
        ExpiryGroup { days, some, rule, folders }
    });
    part.notes.push(Note::Expiry { groups: groups.collect() });
    let strangers = strangers(scene, rules);
    if !strangers.is_empty() {
        part.notes.push(Note::AlsoExpires { accounts: strangers });
    }
    let deleted: Option<Vec<u32>> = fates().map(|fate| fate.noncurrent.map(|end| end.days)).collect();
    deleted.and_then(|days| days.into_iter().max())
}

/// The number of days after which all objects of a folder expire, whether a rule expires some of them differently, and the rule that
/// expires all of them.
type Group<'r> = (Option<u32>, bool, Option<&'r Rule>);

/// Groups folders by fate, with the number of folders.
fn grouped<'r>(fates: impl Iterator<Item = Fate<'r>>) -> Vec<(Group<'r>, usize)> {
    let mut groups: Vec<(Group<'r>, usize)> = Vec::new();
    for fate in fates {
        let (days, rule) = (fate.expires.map(|end| end.days), fate.expires.map(|end| end.rule));
        let some = !fate.some.is_empty();
        // Rules of one fleet for several folders count as the same rule.
        let is_alike = |(other_days, other_some, other): &Group<'_>| {
            (*other_days, *other_some) == (days, some) && (*other == rule || of_one_fleet(*other, rule))
        };
        match groups.iter_mut().find(|(group, _)| is_alike(group)) {
            Some((_, number)) => *number += 1,
            None => groups.push(((days, some, rule), 1)),
        }
    }
    groups.sort_by_key(|((days, some, rule), _)| (*days, *some, rule.map(|rule| rule.id.clone())));
    groups
}

fn of_one_fleet(one: Option<&Rule>, other: Option<&Rule>) -> bool {
    let fleet = one.and_then(Rule::fleet);
    fleet.is_some() && fleet == other.and_then(Rule::fleet)
}

/// Who manages a rule, according to its ID.
fn managed_by(scene: &Scene<'_>, rule: &Rule) -> String {
    match rule.fleet() {
        Some(fleet) if fleet == scene.name.as_str() => "managed by this fleet".to_owned(),
        Some(fleet) => format!("managed by flowagg fleet {}", fleet.escape_debug()),
        None => "foreign".to_owned(),
    }
}

/// The fleet's rules that expire objects.
fn expiring<'r>(scene: &Scene<'_>, rules: &'r [Rule]) -> impl Iterator<Item = &'r Rule> {
    let is_own = |rule: &&Rule| rule.is_enabled && rule.is_of(&scene.name) && rule.expire_days().is_some();
    rules.iter().filter(is_own)
}

/// Accounts that are not members and whose flow logs the fleet's rule for the whole folder expires.
fn strangers(scene: &Scene<'_>, rules: &[Rule]) -> BTreeSet<AccountId> {
    let mut of_root = expiring(scene, rules).filter(|rule| rule.prefix == scene.root);
    match (&scene.folders, of_root.next()) {
        (Ok(folders), Some(_)) => {
            let accounts = folders.flow_logs.iter().map(|(account, _)| *account);
            accounts.filter(|account| !scene.fleet.members.contains_key(account)).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// A rule that expires some flow logs sooner than the other rules.
fn some_of(scene: &Scene<'_>, rule: &Rule) -> String {
    let when = match &rule.expiration {
        Some(Expiration::Days(days)) => format!("after {days} days"),
        Some(Expiration::Date(date)) => format!("on {}", date.escape_debug()),
        Some(Expiration::DeleteMarkers | Expiration::Unknown) | None => "at an unknown time".to_owned(),
    };
    let which = if rule.is_narrowed { "that its filter selects" } else { "under its prefix" };
    format!(
        "lifecycle rule {} ({}) expires flow logs {which} (`{}`) {when}",
        rule.name(),
        managed_by(scene, rule),
        rule.prefix.escape_debug()
    )
}

/// A concern about other logs that the fleet's rules also expire.
fn hit(scene: &Scene<'_>, rules: &[Rule]) -> Option<String> {
    let own = || expiring(scene, rules);
    let folders = match &scene.folders {
        Ok(folders) => folders,
        Err(failure) => {
            let whole = own().find(|rule| rule.prefix == scene.root)?;
            return Some(format!(
                "it is unknown whether lifecycle rule {} also expires other logs under `{}` ({})",
                whole.name(),
                scene.root,
                failure.what()
            ));
        }
    };
    let hit: BTreeSet<&str> = folders
        .other
        .iter()
        .filter(|other| own().any(|rule| other.starts_with(&rule.prefix)))
        .map(String::as_str)
        .collect();
    if hit.is_empty() {
        return None;
    }
    let mut listed: Vec<String> =
        hit.iter().take(LISTED).map(|it| format!("`{}`", it.escape_debug())).collect();
    if hit.len() > LISTED {
        listed.push(format!("{} more", hit.len() - LISTED));
    }
    Some(format!("the lifecycle rules of this fleet also expire other logs: {}", listed.join(", ")))
}
