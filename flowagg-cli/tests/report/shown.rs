//! The report in a terminal and as JSON, compared with the files in `snapshots`.

use std::collections::BTreeMap;
use std::path::Path;

use flowagg::report::{Report, chargeback, html};
use flowagg::show::{self, Extent, Glyphs, Sheet};
use flowagg_core::cost::MonthlyCost;
use flowagg_core::flow_log::LogDestination;
use flowagg_core::id::FlowLogId;
use snapbox::{Data, assert_data_eq, str};

use crate::sample_fleet::SampleFleet;

fn terminal(report: &Report, glyphs: Glyphs, width: Option<usize>) -> String {
    shown(report, glyphs, Extent::Brief, width)
}

fn shown(report: &Report, glyphs: Glyphs, extent: Extent, width: Option<usize>) -> String {
    let mut out = Vec::new();
    show::report(report, glyphs, extent, &mut Sheet::new(&mut out, width)).unwrap();
    anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
}

#[track_caller]
fn is_the_snapshot(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/snapshots").join(name);
    assert_data_eq!(text, Data::read_from(&file, None).raw());
}

#[test]
fn terminal_output_matches_the_snapshots() {
    let few = SampleFleet::new(3).unwrap().report();
    is_the_snapshot("3.ascii.txt", &terminal(&few, Glyphs::Ascii, Some(80)));
    let many = SampleFleet::new(60).unwrap().report();
    for (name, width) in
        [("60.txt", None), ("60.60.txt", Some(60)), ("60.80.txt", Some(80)), ("60.200.txt", Some(200))]
    {
        is_the_snapshot(name, &terminal(&many, Glyphs::Unicode, width));
    }
}

#[test]
fn lines_fit_terminals_of_46_or_more_columns() {
    for accounts in [3, 60] {
        let report = SampleFleet::new(accounts).unwrap().report();
        for width in 46..160 {
            let text = terminal(&report, Glyphs::Unicode, Some(width));
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{} columns of {width}: {line}", line.chars().count());
            }
        }
    }
}

#[test]
fn names_are_not_truncated_without_a_width() {
    let report = SampleFleet::new(60).unwrap().report();
    let text = shown(&report, Glyphs::Unicode, Extent::All, None);
    for name in report.accounts.iter().filter_map(|account| account.name.as_deref()) {
        assert!(text.contains(name), "{name}");
    }
}

#[test]
fn ascii_output_contains_no_unicode() {
    assert!(terminal(&SampleFleet::new(60).unwrap().report(), Glyphs::Ascii, None).is_ascii());
}

#[test]
fn accounts_with_few_regions_fit_in_80_columns_with_any_names() {
    let mut fleet = SampleFleet::new(3).unwrap();
    for member in fleet.fleet.members.values_mut() {
        member.name = Some("a name that nobody would want to type twice 🦀🦀🦀".to_owned());
    }
    let text = terminal(&fleet.report(), Glyphs::Unicode, Some(80));
    let table =
        text.lines().skip_while(|line| !line.starts_with("accounts")).take_while(|line| *line != "findings");
    for line in table {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn markdown_matches_the_snapshot() {
    let mut out = Vec::new();
    show::report_markdown(&SampleFleet::new(60).unwrap().report(), &mut out).unwrap();
    is_the_snapshot("60.md", &String::from_utf8(out).unwrap());
}

#[test]
fn chargeback_has_one_line_for_each_account() {
    is_the_snapshot("3.csv", &chargeback(&SampleFleet::new(3).unwrap().report()));
}

#[test]
fn costs_only_include_completed_days() {
    let mut fleet = SampleFleet::new(3).unwrap();
    let report = fleet.report();
    let account = report.accounts.iter().find(|account| account.cost.is_some()).unwrap();
    let (_, over) = account.days.split_last().unwrap();
    let a_day = over.iter().map(|day| day.bytes).sum::<u64>() / over.len() as u64;
    assert_eq!(account.cost, Some(report.prices.month(a_day, 90)));
    let mut sum = MonthlyCost::default();
    report.accounts.iter().filter_map(|account| account.cost).for_each(|cost| sum += cost);
    assert_eq!(report.totals.cost, Some(sum));

    fleet.fleet.prices.delivery_per_gb = "0.5".parse().unwrap();
    let doubled = fleet.report().totals.cost.unwrap();
    assert_eq!(doubled.storage, sum.storage);
    assert!(doubled.delivery > sum.delivery);
    // Today is not complete.
    for days in fleet.deliveries.days.values_mut() {
        let today = fleet.days.last().unwrap();
        days.retain(|day, _| day == today);
    }
    assert_eq!(fleet.report().totals.cost, None);
}

#[test]
fn json_matches_the_snapshot() {
    let mut report = SampleFleet::new(1).unwrap().report();
    report.made_by.version = "0.0.0".to_owned();
    is_the_snapshot("1.json", &(serde_json::to_string_pretty(&report).unwrap() + "\n"));
}

/// A report in which the first VPC of an account is also logged to a log group and to another bucket.
fn also_logged() -> Report {
    let mut fleet = SampleFleet::new(3).unwrap();
    let state = fleet.observed.regions.values_mut().find_map(|state| state.as_mut().ok());
    let flow_logs = &mut state.unwrap().flow_logs;
    let mut other = flow_logs[0].clone();
    other.id = FlowLogId::parse("fl-0000000a").unwrap();
    other.tags = BTreeMap::from([("Owner".to_owned(), "<secops>".to_owned())]);
    other.destination = LogDestination::CloudWatchLogs { log_group: "/vpc/flow".to_owned() };
    let mut another = other.clone();
    another.id = FlowLogId::parse("fl-0000000b").unwrap();
    another.destination = "arn:aws:s3:::audit-logs".into();
    another.tags.clear();
    flow_logs.extend([other, another]);
    fleet.report()
}

#[test]
fn foreign_flow_logs_are_in_every_view_and_are_not_findings() {
    let usual = SampleFleet::new(3).unwrap().report();
    let report = also_logged();
    assert_eq!((&report.findings, &report.totals), (&usual.findings, &usual.totals));
    let added = |text: &str, before: &str| {
        let new = text.lines().filter(|line| !before.lines().any(|it| it == *line));
        new.collect::<Vec<_>>().join("\n")
    };
    let terminal = |report: &Report| terminal(report, Glyphs::Ascii, Some(80));
    assert_data_eq!(
        added(&terminal(&report), &terminal(&usual)),
        str![[r#"
also logged
  = 1 VPC of 111122223333 (flow-log-hub) to arn:aws:s3:::audit-logs
  = 1 VPC of 111122223333 (flow-log-hub) to log group `/vpc/flow`; possible
    owner: tag `Owner = <secops>`
    other flow logs that record the same traffic, or part of it; AWS charges for
    each delivery; run `flowagg report --json` to list them
"#]]
    );
    assert_data_eq!(
        added(&html(&report), &html(&usual)),
        str![[r#"
<section aria-labelledby="h-also">
<h2 id="h-also">Also logged</h2>
<p>Other flow logs record the same traffic, or part of it, and AWS charges for each delivery.</p>
<details class="finding"><summary>1 VPC of 111122223333 (flow-log-hub) to arn:aws:s3:::audit-logs <span class="times">1 flow log</span></summary>
<li><code>111122223333</code> eu-central-1 vpc-00000000000000000 fl-0000000b also logged to arn:aws:s3:::audit-logs</li>
<details class="finding"><summary>1 VPC of 111122223333 (flow-log-hub) to log group <code>/vpc/flow</code>; possible owner: tag <code>Owner = &lt;secops&gt;</code> <span class="times">1 flow log</span></summary>
<li><code>111122223333</code> eu-central-1 vpc-00000000000000000 fl-0000000a also logged to log group <code>/vpc/flow</code>; possible owner: tag <code>Owner = &lt;secops&gt;</code></li>
"#]]
    );
    let markdown = |report: &Report| {
        let mut out = Vec::new();
        show::report_markdown(report, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_data_eq!(
        added(&markdown(&report), &markdown(&usual)),
        str![[r#"
**Also logged by other flow logs that record the same traffic, or part of it; AWS charges for each delivery**
- 1 VPC of 111122223333 to arn:aws:s3:::audit-logs
- 1 VPC of 111122223333 to log group `/vpc/flow`; possible owner: tag `Owner = &lt;secops>`
"#]]
    );
}
