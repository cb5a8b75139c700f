//! A plan, and what became of it.

use std::collections::BTreeMap;
use std::io;

use anstyle::Style;
use flowagg_core::fleet::{Fleet, Member};
use flowagg_core::id::Place;
use flowagg_core::plan::{Concern, HubChange, Left, Step, Why};
use flowagg_policy::Plan;

use super::failures::{HANG, error, failures};
use super::sheet::Sheet;
use super::style::{BOLD, DIM, GREEN, RED, YELLOW};
use super::table::{Row, table};
use crate::aws::apply::Applied;

/// What comes after `warning: ` begins here.
const WARNING: usize = 9;

pub(crate) fn plan(fleet: &Fleet, plan: &Plan, out: &mut Sheet<'_>) -> io::Result<()> {
    let hub = &fleet.hub;
    writeln!(out, "{BOLD}hub{BOLD:#} {} {} {}", hub.account, hub.region, hub.bucket)?;
    for change in plan.hub() {
        let (style, sign) = hub_sign(change);
        out.line(4, format_args!("  {style}{sign}{style:#} {change}"))?;
    }
    let is_read = plan.failures().iter().all(|failure| failure.place.account != hub.account);
    let hub_differs = !plan.hub().is_empty() || !plan.not_applied().is_empty();
    if !hub_differs && is_read && plan.obstacles().is_empty() {
        writeln!(out, "  {DIM}={DIM:#} as wanted")?;
    }
    let rows = flow_log_rows(fleet, plan);
    if !rows.is_empty() {
        writeln!(out, "\n{BOLD}flow logs{BOLD:#}")?;
        table(&rows, out)?;
    }
    not_applied(plan, out)?;
    concerns(plan, out)?;
    if !plan.notes().is_empty() {
        writeln!(out)?;
    }
    for note in plan.notes() {
        out.line(6, format_args!("{DIM}note{DIM:#}: {note}"))?;
    }
    if !plan.is_complete() {
        writeln!(out)?;
        for obstacle in plan.obstacles() {
            error(&format!("{}: {}", at(obstacle), obstacle.what), &obstacle.help, out)?;
        }
        failures(plan.failures(), out)?;
    }
    if plan.is_empty() && !plan.is_complete() {
        return writeln!(out, "\n{BOLD}plan{BOLD:#}: nothing can be done before that is settled");
    }
    writeln!(out)?;
    out.line(6, format_args!("{BOLD}plan{BOLD:#}: {}{}", plan.summary(), besides(plan)))
}

/// Changes and flow logs that stay, by account, region and VPC.
fn flow_log_rows(fleet: &Fleet, plan: &Plan) -> Vec<Row> {
    let cells = |Place { account, region }: &Place, rest: [String; 3]| {
        let name =
            fleet.members.get(account).and_then(|member: &Member| member.name.clone()).unwrap_or_default();
        let mut cells = vec![account.to_string(), name, region.to_string()];
        cells.extend(rest);
        cells
    };
    let changes = plan.flow_logs().iter().map(|change| {
        let (style, sign) = sign(&change.step);
        let rest = [change.resource.to_string(), change.step.to_string(), change.reason.clone()];
        Row { style, sign, cells: cells(&change.place, rest), below: None }
    });
    // What stays for the same reason in the same place is told once.
    let mut alike: BTreeMap<(&Place, &Why), Vec<&Left>> = BTreeMap::new();
    for left in plan.left() {
        alike.entry((&left.place, &left.why)).or_default().push(left);
    }
    let left = alike.into_iter().map(|((place, why), left)| {
        let (vpc, what) = match (&left[..], left[0].flow_log.as_ref()) {
            ([one], Some(log)) => (one.resource.clone(), format!("leave {log}")),
            ([one], None) => (one.resource.clone(), "leave".to_owned()),
            (many, _) => (format!("{} resources", many.len()), "leave".to_owned()),
        };
        Row { style: DIM, sign: "=", cells: cells(place, [vpc, what, why.to_string()]), below: None }
    });
    let mut rows: Vec<Row> = changes.chain(left).collect();
    rows.sort_by(|a, b| {
        (&a.cells[0], &a.cells[2], &a.cells[3]).cmp(&(&b.cells[0], &b.cells[2], &b.cells[3]))
    });
    rows
}

/// The sign of a change at the hub, and its style. `!` stands for a change that expires objects of an existing bucket sooner.
pub(super) fn hub_sign(change: &HubChange) -> (Style, &'static str) {
    match change {
        HubChange::SetLifecycle(change) if !change.sooner.is_empty() => (RED, "!"),
        HubChange::RemoveGrant(_) | HubChange::RemoveLifecycle(_) => (RED, "-"),
        _ => (GREEN, "+"),
    }
}

/// Changes that expire objects of an existing bucket sooner, and the option that applies them.
fn not_applied(plan: &Plan, out: &mut Sheet<'_>) -> io::Result<()> {
    if !plan.not_applied().is_empty() {
        writeln!(out, "\n{BOLD}not applied{BOLD:#}")?;
    }
    for change in plan.not_applied() {
        let (style, sign) = hub_sign(change);
        out.line(4, format_args!("  {style}{sign}{style:#} {change}"))?;
        out.aside(
            4,
            "existing objects would expire sooner: run `flowagg apply --allow-expiry` to apply this change",
        )?;
    }
    Ok(())
}

/// The sign of a change, and its style.
pub(super) fn sign(step: &Step) -> (Style, &'static str) {
    match step {
        Step::Create => (GREEN, "+"),
        Step::Replace { .. } | Step::Tag { .. } => (YELLOW, "~"),
        Step::Delete { .. } => (RED, "-"),
    }
}

fn concerns(plan: &Plan, out: &mut Sheet<'_>) -> io::Result<()> {
    if !plan.concerns().is_empty() {
        writeln!(out)?;
    }
    for concern in plan.concerns() {
        let region = concern.region.as_ref().map(|region| format!(" {region}")).unwrap_or_default();
        let place = format_args!("{}{region} {}", concern.account, concern.resource);
        out.line(HANG + 2, format_args!("{YELLOW}not as declared{YELLOW:#}: {place}: {}", concern.what))?;
        out.aside(HANG, &concern.help)?;
    }
    Ok(())
}

/// Where an obstacle is, as for a call that failed.
pub(super) fn at(concern: &Concern) -> String {
    let region = concern.region.as_ref().map(|region| format!(" {region}")).unwrap_or_default();
    format!("{}{region}: {}", concern.account, concern.resource)
}

fn besides(plan: &Plan) -> String {
    let mut parts = String::new();
    match plan.not_applied().len() {
        0 => {}
        n => parts.push_str(&format!(", {n} not applied without `--allow-expiry`")),
    }
    match plan.concerns().len() {
        0 => {}
        n => parts.push_str(&format!(", {n} not as declared and left alone")),
    }
    match plan.failures().len() {
        0 => {}
        n => parts.push_str(&format!(", {n} could not be read")),
    }
    parts
}

/// What was done and what was not, and what a second look found.
pub(crate) fn applied(
    fleet: &Fleet,
    applied: &Applied,
    remaining: &Plan,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    writeln!(out, "\n{BOLD}applied{BOLD:#}")?;
    for done in &applied.done {
        out.line(7, format_args!("  {GREEN}done{GREEN:#} {done}"))?;
    }
    for held_back in &applied.held_back {
        out.line(12, format_args!("  {YELLOW}not tried{YELLOW:#} {held_back}"))?;
    }
    failures(&applied.failures, out)?;
    for warning in &applied.warnings {
        out.line(WARNING, format_args!("{YELLOW}warning{YELLOW:#}: {}: {}", at(warning), warning.what))?;
        out.aside(WARNING, &warning.help)?;
    }
    if remaining.is_settled() {
        let warnings = match applied.warnings.len() {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            n => format!(", {n} warnings"),
        };
        return writeln!(
            out,
            "\n{BOLD}{GREEN}ok{GREEN:#}{BOLD:#}: {} done, and a second look finds nothing to do{warnings}",
            applied.changes()
        );
    }
    writeln!(out, "\n{BOLD}a second look finds{BOLD:#}")?;
    plan(fleet, remaining, out)
}

#[cfg(test)]
mod tests {
    use flowagg_core::plan::{Subject, Unnamed};
    use snapbox::{assert_data_eq, str};

    use super::*;
    use crate::aws::mocked;

    #[test]
    fn a_warning_has_its_place_and_help_on_the_screen() {
        let fleet = mocked::fleet();
        let mut warning = Concern::new(
            Subject::Policy,
            fleet.hub.account,
            "the bucket policy of acme-logs",
            "another process changed it",
            "check its statements",
        );
        warning.region = Some(fleet.hub.region.clone());
        let mut outcome = Applied::default();
        outcome.warnings.push(warning);
        let remaining = flowagg_policy::plan::plan(&fleet, &mocked::observed(None), Unnamed::Keep);
        let mut out = Vec::new();
        applied(&fleet, &outcome, &remaining, &mut Sheet::new(&mut out, None)).unwrap();
        let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap();
        assert_data_eq!(
            text,
            str![[r#"

applied
warning: 111122223333 eu-west-1: the bucket policy of acme-logs: another process changed it
         check its statements

a second look finds
hub 111122223333 eu-west-1 acme-logs
  + create the bucket in eu-west-1
  + block all public access
  + set object ownership BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, unfinished uploads deleted after 7
  + write the bucket policy: grants delivery to 222222222222 (594 bytes)

plan: 6 changes to the hub

"#]]
        );
    }
}
