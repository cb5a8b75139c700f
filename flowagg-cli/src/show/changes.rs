//! The changes of a plan. If there are many, they are counted; changes that need a decision keep their reason and accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use anstyle::Style;
use flowagg_core::fleet::Hub;
use flowagg_core::id::{AccountId, FlowLogId, Place, Region};
use flowagg_core::plan::{FlowLogChange, HubChange, Sign, Step};
use flowagg_policy::Plan;

use super::sheet::{Sheet, TIE};
use super::style::{BOLD, DIM, GREEN, RED, YELLOW};
use super::table::{Row, table};
use super::view::View;
use crate::report::words::counted;

/// The maximum number of flow log changes with a line each.
const LISTED: usize = 40;
/// The maximum number of reasons with a line each, for one kind of change.
const REASONS: usize = 5;
/// The maximum number of regions that are listed.
const REGIONS: usize = 3;
/// The maximum number of accounts in the sentence about a policy change.
const ACCOUNTS: usize = 6;
/// The indent of a list below a change.
const BELOW: usize = 6;

/// Writes the changes to the hub and to the flow logs, and the number of unchanged flow logs.
pub(super) fn changes(hub: &Hub, plan: &Plan, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    writeln!(out, "{BOLD}hub{BOLD:#} {} {}", view.place(&hub.place()).replace(TIE, " "), hub.bucket)?;
    plan.hub().iter().try_for_each(|change| at_hub(change, view, out))?;
    let is_read = plan.failures().iter().all(|failure| failure.place.account != hub.account);
    let hub_differs = !plan.hub().is_empty() || !plan.not_applied().is_empty();
    if !hub_differs && is_read && plan.obstacles().is_empty() {
        writeln!(out, "  {DIM}={DIM:#} up to date")?;
    }
    let counts = if view.is_all() { Vec::new() } else { counts(plan) };
    let stays = !plan.left().is_empty() || !plan.also_logged().is_empty();
    let has_rows = !plan.flow_logs().is_empty() || (view.is_all() && stays);
    if has_rows || !counts.is_empty() {
        writeln!(out, "\n{BOLD}flow logs{BOLD:#}")?;
    }
    if view.is_all() || plan.flow_logs().len() <= LISTED {
        table(&rows(plan, view), out)?;
    } else {
        grouped(plan.flow_logs(), view, out)?;
    }
    if !counts.is_empty() {
        out.line(4, format_args!("  {DIM}={DIM:#} {}", counts.join(", ")))?;
    }
    Ok(())
}

/// Writes a change to the hub, and below it the accounts that its sentence only counts.
pub(super) fn at_hub(change: &HubChange, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let style = style(change.sign());
    let sign = change.sign().as_str();
    out.line(4, format_args!("  {style}{sign}{style:#} {}", change.named(view.names())))?;
    let none = BTreeSet::new();
    let (granted, revoked) = match change {
        HubChange::PutPolicy(change) => (&change.granted, &change.revoked),
        HubChange::RemoveGrant(change) => (&none, &change.revoked),
        _ => (&none, &none),
    };
    for (word, accounts) in [("granted", granted), ("revoked", revoked)] {
        if accounts.len() > ACCOUNTS {
            view.accounts(&format!("{:BELOW$}{word}:", ""), accounts.iter().copied(), BELOW, out)?;
        }
    }
    Ok(())
}

pub(super) fn style(sign: Sign) -> Style {
    match sign {
        Sign::Create => GREEN,
        Sign::Change => YELLOW,
        Sign::Remove | Sign::Destructive => RED,
    }
}

/// The number of unchanged flow logs for each reason.
fn counts(plan: &Plan) -> Vec<String> {
    let mut counts: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    for left in plan.left() {
        *counts.entry((!left.is_as_wanted(), left.why.short())).or_default() += 1;
    }
    counts.into_iter().map(|((_, why), count)| format!("{count} {why}")).collect()
}

/// Changes and, with `--all`, unchanged flow logs, sorted by account, region and resource.
fn rows(plan: &Plan, view: View<'_>) -> Vec<Row> {
    let cells = |Place { account, region }: &Place, rest: [String; 3]| {
        let name = view.name(*account).unwrap_or_default().to_owned();
        let mut cells = vec![account.to_string(), name, region.to_string()];
        cells.extend(rest);
        cells
    };
    let changes = plan.flow_logs().iter().map(|change| {
        let sign = change.step.sign();
        let (what, why) = match &change.step {
            Step::Create => ("create".to_owned(), String::new()),
            step => (step.to_string(), change.reason.clone()),
        };
        let cells = cells(&change.place, [view.resource(change.resource.as_str()), what, why]);
        Row { style: style(sign), sign: sign.as_str(), cells, below: None }
    });
    let stays = |place: &Place, resource: &str, log: Option<&FlowLogId>, why: String| {
        let what = log.map_or_else(String::new, |log| format!("keep {log}"));
        let cells = cells(place, [view.resource(resource), what, why]);
        Row { style: DIM, sign: "=", cells, below: None }
    };
    let left = plan
        .left()
        .iter()
        .map(|left| stays(&left.place, &left.resource, left.flow_log.as_ref(), left.why.to_string()));
    let also = plan
        .also_logged()
        .iter()
        .map(|also| stays(&also.place, also.resource.as_str(), Some(&also.flow_log), also.to_string()));
    let unchanged = left.chain(also).filter(|_| view.is_all());
    let mut rows: Vec<Row> = changes.chain(unchanged).collect();
    rows.sort_by(|a, b| {
        (&a.cells[0], &a.cells[2], &a.cells[3]).cmp(&(&b.cells[0], &b.cells[2], &b.cells[3]))
    });
    rows
}

/// Changes of one kind.
#[derive(Default)]
struct Group<'a> {
    number: usize,
    accounts: BTreeSet<AccountId>,
    regions: BTreeSet<&'a Region>,
    reasons: BTreeSet<&'a str>,
}

impl<'a> Group<'a> {
    fn add(&mut self, change: &'a FlowLogChange) {
        self.number += 1;
        self.accounts.insert(change.place.account);
        self.regions.insert(&change.place.region);
        if change.step != Step::Create {
            self.reasons.insert(&change.reason);
        }
    }

    /// Formats the change: `create 12 flow logs`.
    fn what(&self, verb: &str) -> String {
        format!("{verb} {}", counted(self.number, "flow log", "flow logs"))
    }

    fn regions(&self) -> String {
        if self.regions.len() > REGIONS {
            return format!("{} regions", self.regions.len());
        }
        self.regions.iter().map(|region| region.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn reason(&self) -> String {
        match self.reasons.len() {
            0 => String::new(),
            1 => self.reasons.iter().copied().collect(),
            n => format!("for {n} reasons"),
        }
    }
}

/// The kind of a change: its sign, and its verb.
fn kind(change: &FlowLogChange) -> (Sign, &'static str) {
    let verb = match change.step {
        Step::Create => "create",
        Step::Replace { .. } => "replace",
        Step::Tag { .. } => "tag",
        Step::Delete { .. } => "delete",
    };
    (change.step.sign(), verb)
}

/// Writes a line for each account and kind of change; if these are also too many, a line for each kind and reason, with its accounts.
fn grouped(changes: &[FlowLogChange], view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let mut by_account: BTreeMap<(AccountId, (Sign, &str)), Group<'_>> = BTreeMap::new();
    for change in changes {
        by_account.entry((change.place.account, kind(change))).or_default().add(change);
    }
    if by_account.len() <= LISTED {
        let rows = by_account.iter().map(|((account, (sign, verb)), group)| {
            let name = view.name(*account).unwrap_or_default().to_owned();
            let cells = vec![account.to_string(), name, group.what(verb), group.regions(), group.reason()];
            Row { style: style(*sign), sign: sign.as_str(), cells, below: None }
        });
        table(&rows.collect::<Vec<_>>(), out)?;
    } else {
        for ((sign, verb, _), group) in by_reason(changes) {
            let (style, places) = (style(sign), places(&group));
            let reason = group.reason();
            let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
            let what = group.what(verb);
            out.line(4, format_args!("  {style}{}{style:#} {what} in {places}{reason}", sign.as_str()))?;
            view.accounts(&format!("{:BELOW$}in", ""), group.accounts, BELOW, out)?;
        }
    }
    out.aside(BELOW, "use `--all` to list each flow log")
}

/// Groups changes by kind and reason, or only by kind if there are too many reasons.
fn by_reason(changes: &[FlowLogChange]) -> BTreeMap<(Sign, &'static str, &str), Group<'_>> {
    let mut reasons: BTreeMap<(Sign, &str), BTreeSet<&str>> = BTreeMap::new();
    for change in changes {
        reasons.entry(kind(change)).or_default().insert(&change.reason);
    }
    let mut groups: BTreeMap<(Sign, &str, &str), Group<'_>> = BTreeMap::new();
    for change in changes {
        let (sign, verb) = kind(change);
        let is_few = reasons.get(&(sign, verb)).is_some_and(|reasons| reasons.len() <= REASONS);
        let reason = if is_few { change.reason.as_str() } else { "" };
        groups.entry((sign, verb, reason)).or_default().add(change);
    }
    groups
}

fn places(group: &Group<'_>) -> String {
    let accounts = counted(group.accounts.len(), "account", "accounts");
    format!("{accounts} and {}", counted(group.regions.len(), "region", "regions"))
}

#[cfg(test)]
mod tests;
