//! Findings and other flow logs, each as a line that expands to its occurrences.

use std::fmt::{self, Write};

use flowagg_core::plan::{AlsoLogged, also_logged_groups};
use flowagg_policy::Severity;

use super::super::words::{count, counted};
use super::super::{AffectedResource, Report, ReportFinding};
use super::text::Text;

/// The maximum number of occurrences that the page lists for one finding.
const NAMED: usize = 200;
/// The maximum number of occurrences in print. The style sheet contains the same number.
const PRINTED: usize = 6;

pub(super) fn findings(report: &Report, out: &mut String) -> fmt::Result {
    writeln!(out, "<section aria-labelledby=\"h-findings\">\n<h2 id=\"h-findings\">Findings</h2>")?;
    if report.open_findings().next().is_none() {
        writeln!(out, "<p>No open findings.</p>")?;
    }
    report.open_findings().try_for_each(|open| finding(report, open, out))?;
    let mut accepted = report.findings.iter().filter(|finding| finding.is_accepted()).peekable();
    if accepted.peek().is_some() {
        writeln!(out, "<h3>Accepted by an exception</h3>")?;
    }
    accepted.try_for_each(|accepted| finding(report, accepted, out))?;
    writeln!(out, "</section>")
}

fn finding(report: &Report, finding: &ReportFinding, out: &mut String) -> fmt::Result {
    let ReportFinding { severity, about, what, help, places } = finding;
    let word = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    writeln!(
        out,
        "<details class=\"finding\"><summary><span class=\"badge {word}\">{word}</span> <span>{}</span> <span class=\"times\">{}, {}</span></summary>",
        Text(what),
        about.as_str(),
        number_of(places)
    )?;
    if let Some(help) = help {
        writeln!(out, "<p>{}</p>", Text(help))?;
    }
    writeln!(out, "<ul>")?;
    let open = places.iter().filter(|place| place.exception.is_none());
    let accepted = places.iter().filter(|place| place.exception.is_some());
    for AffectedResource { account, region, resource, exception } in open.chain(accepted).take(NAMED) {
        write!(out, "<li><code>{account}</code>")?;
        let name = report.names.accounts.get(account).map(|name| format!("({name})"));
        let resource = resource.as_ref().map(|resource| report.names.resource(resource));
        let exception = exception.as_ref().map(|exception| format!("({exception})"));
        let region = region.as_ref().map(ToString::to_string);
        for part in [name, region, resource, exception].into_iter().flatten() {
            write!(out, " {}", Text(&part))?;
        }
        writeln!(out, "</li>")?;
    }
    more(places.len(), out)?;
    writeln!(out, "</ul></details>")
}

/// The number of occurrences of a finding, and how many of them an exception accepts.
fn number_of(places: &[AffectedResource]) -> String {
    let accepted = places.iter().filter(|place| place.exception.is_some()).count();
    let number = counted(places.len(), "occurrence", "occurrences");
    match accepted {
        0 => number,
        _ if accepted == places.len() => format!("{number} with an exception"),
        _ => format!("{number}, {} with an exception", count(accepted as u64)),
    }
}

/// Other flow logs on the fleet's resources: a line for each kind of destination, which expands to the flow logs.
pub(super) fn also_logged(report: &Report, out: &mut String) -> fmt::Result {
    if report.also_logged.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section aria-labelledby=\"h-also\">\n<h2 id=\"h-also\">Also logged</h2>\n<p>Other flow logs record the same \
         traffic, or part of it, and AWS charges for each delivery.</p>"
    )?;
    for group in also_logged_groups(&report.also_logged, &report.hub.destination()) {
        writeln!(
            out,
            "<details class=\"finding\"><summary>{} <span class=\"times\">{}</span></summary>\n<ul>",
            Text(&group.named(&report.names).to_string()),
            counted(group.flow_logs.len(), "flow log", "flow logs")
        )?;
        for log in group.flow_logs.iter().take(NAMED) {
            let AlsoLogged { place, resource, flow_log, .. } = log;
            writeln!(
                out,
                "<li><code>{}</code> {} {resource} {flow_log} {}</li>",
                place.account,
                place.region,
                Text(&log.to_string())
            )?;
        }
        more(group.flow_logs.len(), out)?;
        writeln!(out, "</ul></details>")?;
    }
    writeln!(out, "</section>")
}

/// The number of occurrences that are not listed, on the screen and in print.
fn more(of: usize, out: &mut String) -> fmt::Result {
    if let more @ 1.. = of.saturating_sub(NAMED) {
        let more = count(more as u64);
        writeln!(
            out,
            "<li class=\"screen\">and {more} more; <code>flowagg report --json</code> lists them all</li>"
        )?;
    }
    if let more @ 1.. = of.saturating_sub(PRINTED) {
        writeln!(out, "<li class=\"paper\">and {} more</li>", count(more as u64))?;
    }
    Ok(())
}
