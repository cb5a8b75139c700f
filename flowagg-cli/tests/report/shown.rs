//! The report in a terminal and as JSON, compared with the files in `snapshots`.

use std::path::Path;

use flowagg::report::Report;
use flowagg::show::{self, Glyphs, Sheet};
use snapbox::{Data, assert_data_eq};

use crate::made_up::MadeUp;

fn terminal(report: &Report, glyphs: Glyphs, width: Option<usize>) -> String {
    let mut out = Vec::new();
    show::report(report, glyphs, &mut Sheet::new(&mut out, width)).unwrap();
    anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
}

#[track_caller]
fn is_the_snapshot(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/snapshots").join(name);
    assert_data_eq!(text, Data::read_from(&file, None).raw());
}

#[test]
fn a_terminal_shows_what_its_snapshot_shows() {
    let few = MadeUp::new(3).unwrap().report();
    is_the_snapshot("3.ascii.txt", &terminal(&few, Glyphs::Ascii, Some(80)));
    let many = MadeUp::new(60).unwrap().report();
    for (name, width) in
        [("60.txt", None), ("60.60.txt", Some(60)), ("60.80.txt", Some(80)), ("60.200.txt", Some(200))]
    {
        is_the_snapshot(name, &terminal(&many, Glyphs::Unicode, width));
    }
}

#[test]
fn from_46_columns_on_no_line_is_longer_than_the_terminal_is_wide() {
    for accounts in [3, 60] {
        let report = MadeUp::new(accounts).unwrap().report();
        for width in 46..160 {
            let text = terminal(&report, Glyphs::Unicode, Some(width));
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{} columns of {width}: {line}", line.chars().count());
            }
        }
    }
}

#[test]
fn without_a_width_no_name_is_cut() {
    let report = MadeUp::new(60).unwrap().report();
    let text = terminal(&report, Glyphs::Unicode, None);
    for name in report.accounts.iter().filter_map(|account| account.name.as_deref()) {
        assert!(text.contains(name), "{name}");
    }
}

#[test]
fn without_unicode_a_terminal_is_sent_none() {
    assert!(terminal(&MadeUp::new(60).unwrap().report(), Glyphs::Ascii, None).is_ascii());
}

#[test]
fn the_accounts_of_few_regions_fit_in_80_columns_whatever_they_are_called() {
    let mut fleet = MadeUp::new(3).unwrap();
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
fn markdown_has_the_numbers_and_the_findings_of_its_snapshot() {
    let mut out = Vec::new();
    show::report_markdown(&MadeUp::new(60).unwrap().report(), &mut out).unwrap();
    is_the_snapshot("60.md", &String::from_utf8(out).unwrap());
}

#[test]
fn the_form_for_machines_stays_as_its_snapshot_has_it() {
    let report = MadeUp::new(1).unwrap().report();
    is_the_snapshot("1.json", &(serde_json::to_string_pretty(&report).unwrap() + "\n"));
}
