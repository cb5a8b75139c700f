//! A plan as Markdown for a comment on a pull request, and a report as Markdown for the summary of a workflow run.
//!
//! Source: a GitHub comment is limited to 65,536 characters (a limit of its API, not documented on any page).

use std::collections::BTreeMap;
use std::io::{self, Write};

use flowagg_core::estimate::NewFlowLogCost;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::flow_log::Destination;
use flowagg_core::id::Place;
use flowagg_core::plan::{AlsoLogged, Concern, FlowLogChange, Sign, also_logged_groups};
use flowagg_policy::{Plan, Severity};

use super::also_logged::MEANING;
use super::cost::of_new_flow_logs;
use super::sheet::TIE;
use super::verdict::{account_regions, numbers};
use super::view::{Extent, View};
use crate::report::words::counted;
use crate::report::{Report, ReportFinding};

/// The maximum number of changes that are listed. More are counted by account-region.
const LISTED: usize = 100;
/// The maximum number of account-regions with a row each.
const COUNTED: usize = 300;
/// The maximum number of failures that are listed.
const FAILURES: usize = 50;

pub(crate) fn markdown(
    fleet: &Fleet,
    plan: &Plan,
    cost: Option<&NewFlowLogCost>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let hub = &fleet.hub;
    writeln!(out, "### flowagg: {}\n", verdict(plan))?;
    writeln!(out, "Hub `{}`, account {}, {}.", hub.bucket, hub.account, hub.region)?;
    if !plan.hub().is_empty() {
        writeln!(out, "\n**Hub**\n")?;
        for change in plan.hub() {
            let mark = if change.sign() == Sign::Destructive { "**!** " } else { "" };
            writeln!(out, "- {mark}{}", text(&change.named(plan.names()).to_string()))?;
        }
    }
    if !plan.not_applied().is_empty() {
        writeln!(
            out,
            "\n**Not applied without `--allow-expiry`, because existing objects would expire sooner**\n"
        )?;
        for change in plan.not_applied() {
            writeln!(out, "- {}", text(&change.to_string()))?;
        }
    }
    flow_logs(fleet, plan.flow_logs(), out)?;
    if let Some(cost) = cost {
        let view = View::of(plan.names(), Extent::Brief);
        writeln!(out, "\nCost of new flow logs: {}.", text(&of_new_flow_logs(cost, view)))?;
    }
    concerns("Blocks every change", plan.obstacles(), out)?;
    concerns("Needs attention, not changed by flowagg", plan.concerns(), out)?;
    failures(plan.failures(), out)?;
    also_logged(plan.also_logged(), &fleet.destination(), out)?;
    if !plan.notes().is_empty() {
        writeln!(out, "\n**Notes**\n")?;
        for note in plan.notes().iter().take(LISTED) {
            writeln!(out, "- {}", text(&note.to_string()))?;
        }
        more(plan.notes().len(), LISTED, out)?;
    }
    Ok(())
}

/// Writes the totals and the findings of a report.
pub fn report_markdown(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Report { hub, made, totals, .. } = report;
    let findings: Vec<&ReportFinding> = report.open_findings().collect();
    writeln!(out, "### flowagg: {}\n", report.outcome().words())?;
    writeln!(
        out,
        "Hub `{}`, account {}, {}, at {made}.\n\n| | |\n|---|---|",
        hub.bucket, hub.account, hub.region
    )?;
    let regions = ("regions", account_regions(totals).replace(TIE, " "));
    for (what, text) in [regions].into_iter().chain(numbers(&totals.coverage, &totals.flow_logs)) {
        writeln!(out, "| {what} | {text} |")?;
    }
    if !findings.is_empty() {
        writeln!(out, "\n**Findings**\n")?;
    }
    for ReportFinding { severity, what, help, places, about: _ } in findings.iter().copied().take(LISTED) {
        let word = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let help = help.as_ref().map_or(String::new(), |help| format!("; {}", text(help)));
        let places = counted(places.len(), "occurrence", "occurrences");
        writeln!(out, "- {word}: {} ({places}){help}", text(what))?;
    }
    match findings.len().saturating_sub(LISTED) {
        0 => {}
        n => writeln!(out, "\n... and {n} more: run `flowagg report` to list them all.")?,
    }
    also_logged(&report.also_logged, &hub.destination(), out)
}

/// Writes other flow logs on the fleet's resources, a line for each kind of destination.
fn also_logged(all: &[AlsoLogged], hub: &Destination, out: &mut dyn Write) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n**Also logged by {MEANING}**\n")?;
    also_logged_groups(all, hub).iter().try_for_each(|group| writeln!(out, "- {}", text(&group.to_string())))
}

fn concerns(heading: &str, concerns: &[Concern], out: &mut dyn Write) -> io::Result<()> {
    if concerns.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n**{heading}**\n")?;
    for concern in concerns.iter().take(LISTED) {
        let region = concern.region.as_ref().map(|region| format!(" {region}")).unwrap_or_default();
        let (what, help) = (text(&concern.what), text(&concern.help));
        writeln!(out, "- {}{region} `{}` {what}: {help}", concern.account, concern.resource)?;
    }
    more(concerns.len(), LISTED, out)
}

fn verdict(plan: &Plan) -> String {
    match plan.failures().len() {
        _ if !plan.obstacles().is_empty() => "blocked until an obstacle is removed".to_owned(),
        0 => plan.summary(),
        n => format!("{}, {n} could not be read", plan.summary()),
    }
}

fn flow_logs(fleet: &Fleet, changes: &[FlowLogChange], out: &mut dyn Write) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let name = |place: &Place| {
        let name = fleet.members.get(&place.account).and_then(|member| member.name.as_deref());
        name.map_or(String::new(), text)
    };
    writeln!(
        out,
        "\n<details{}><summary>Flow logs</summary>\n",
        if changes.len() > 20 { "" } else { " open" }
    )?;
    if changes.len() <= LISTED {
        writeln!(
            out,
            "| | account | name | region | resource | change | reason |\n|---|---|---|---|---|---|---|"
        )?;
        for change in changes {
            let place = &change.place;
            let sign = change.step.sign().as_str();
            let (step, why) = (text(&change.step.to_string()), text(&change.reason));
            writeln!(
                out,
                "| {sign} | {} | {} | {} | `{}` | {step} | {why} |",
                place.account,
                name(place),
                place.region,
                change.resource
            )?;
        }
    } else {
        let mut places: BTreeMap<&Place, BTreeMap<Sign, usize>> = BTreeMap::new();
        for change in changes {
            *places.entry(&change.place).or_default().entry(change.step.sign()).or_default() += 1;
        }
        writeln!(
            out,
            "| account | name | region | create | tag | delete | replace |\n|---|---|---|---:|---:|---:|---:|"
        )?;
        for (place, of) in places.iter().take(COUNTED) {
            let [create, tag, delete, replace] =
                Sign::ALL.map(|sign| of.get(&sign).copied().unwrap_or_default());
            writeln!(
                out,
                "| {} | {} | {} | {create} | {tag} | {delete} | {replace} |",
                place.account,
                name(place),
                place.region
            )?;
        }
        more(places.len(), COUNTED, out)?;
    }
    writeln!(out, "\n</details>")
}

fn failures(failures: &[Failure], out: &mut dyn Write) -> io::Result<()> {
    if failures.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n**Could not be read**\n")?;
    for failure in failures.iter().take(FAILURES) {
        writeln!(out, "- {}", text(&failure.to_string()))?;
    }
    more(failures.len(), FAILURES, out)
}

/// Writes the number of items that are not listed.
fn more(of: usize, listed: usize, out: &mut dyn Write) -> io::Result<()> {
    match of.saturating_sub(listed) {
        0 => Ok(()),
        n => writeln!(out, "\n... and {n} more: run `flowagg plan` to list them all."),
    }
}

/// Escapes text as one line of Markdown: names and messages come from other sources.
fn text(words: &str) -> String {
    let mut safe = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '\n' | '\r' => safe.push(' '),
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '|' | '*' | '_' | '[' | ']' | '@' | '#' | '~' | '\\' => safe.extend(['\\', c]),
            c if c.is_control() => {}
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use flowagg_core::id::{AccountId, Region, ResourceId};
    use flowagg_core::observed::{Observed, RegionState, Resource};
    use flowagg_core::plan::Unnamed;

    use super::*;

    fn fleet(name: &str) -> Fleet {
        let file = format!(
            "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\n\
             [[members]]\naccount = \"222222222222\"\nname = {name:?}\nregions = [\"eu-west-1\"]\n"
        );
        Fleet::parse(&file).unwrap()
    }

    fn account(n: usize) -> AccountId {
        AccountId::parse(&format!("{n:012}")).unwrap()
    }

    /// A plan that creates `changes` flow logs, for up to ten VPCs in each account, with `unread` accounts that could not be read.
    fn plan(changes: usize, unread: usize) -> Plan {
        let mut fleet = fleet("any");
        let region = Region::parse("eu-west-1").unwrap();
        let model = fleet.members.values().next().unwrap().clone();
        fleet.policy.form = flowagg_core::fleet::GrantForm::BoundOrganization;
        let organization = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
                            [organization]\nid = \"o-a1b2c3d4e5\"\n[[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n";
        fleet.organization = Fleet::parse(organization).unwrap().organization;
        let mut regions = BTreeMap::new();
        let mut add = |account: AccountId, state| {
            let mut member = model.clone();
            member.account = account;
            member.in_organization = true;
            member.in_units = true;
            fleet.members.insert(account, member);
            regions.insert(Place::new(account, &region), state);
        };
        let vpc = |n: usize| Resource::new(ResourceId::parse(&format!("vpc-{n:08x}")).unwrap());
        for (n, vpcs) in (0..changes).collect::<Vec<_>>().chunks(10).enumerate() {
            let resources = vpcs.iter().map(|n| vpc(*n)).collect();
            add(account(222_222_222_222 + n), Ok(RegionState::new(resources, Vec::new())));
        }
        for n in 0..unread {
            let account = account(333_333_333_333 + n);
            let mut failure = Failure::new(
                Place::new(account, &region),
                "AssumeRole",
                "User: arn:aws:iam::111122223333:user/x is not authorized",
                "create the role with a trust policy for the caller, or set another role with `role`",
            );
            failure.code = Some("AccessDenied".into());
            add(account, Err(failure));
        }
        let mut observed = Observed::new(Ok(None));
        observed.regions = regions;
        flowagg_policy::plan::plan(&fleet, &observed, Unnamed::Keep)
    }

    fn written(fleet: &Fleet, plan: &Plan) -> String {
        let mut out = Vec::new();
        markdown(fleet, plan, None, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_change_is_a_row_with_its_reason() {
        let text = written(&fleet("payments"), &plan(2, 0));
        let row = "| + | 222222222222 | payments | eu-west-1 | `vpc-00000001` | create a flow log | no flow log to this bucket |";
        assert!(text.lines().any(|line| line == row), "{text}");
    }

    #[test]
    fn markdown_in_names_is_escaped() {
        let text = written(&fleet("a|b <img src=x> @all [x](y)"), &plan(1, 0));
        let row = text.lines().find(|line| line.starts_with("| + |"));
        let escaped = r"| + | 222222222222 | a\|b &lt;img src=x> \@all \[x\](y) | eu-west-1 | `vpc-00000000` | create a flow log | no flow log to this bucket |";
        assert_eq!(row, Some(escaped));
    }

    #[test]
    fn comment_of_a_large_fleet_fits_the_github_limit() {
        let plan = plan(40_000, 4_000);
        let text = written(&fleet("payments"), &plan);
        assert!(text.chars().count() < 65_536, "{} characters", text.chars().count());
        let cut: Vec<&str> = text.lines().filter(|line| line.starts_with("... and ")).collect();
        assert_eq!(
            cut,
            [3700, 3950].map(|n| format!("... and {n} more: run `flowagg plan` to list them all."))
        );
    }
}
