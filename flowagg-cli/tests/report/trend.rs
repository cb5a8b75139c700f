//! Comparison of a report with a year of earlier reports.

use std::collections::{BTreeMap, BTreeSet};

use flowagg::report::{EarlierError, EarlierReport, Report, SCHEMA, Trend, html};
use flowagg::show::{self, Extent, Glyphs, Sheet};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::sample_fleet::SampleFleet;

const DAYS: i64 = 365;

/// The JSON of a report as an earlier version wrote it.
fn document(report: &Report) -> Value {
    let mut value = serde_json::to_value(report).unwrap();
    let fields = value.as_object_mut().unwrap();
    fields.insert("schema".to_owned(), json!(SCHEMA));
    fields.retain(|name, _| !["exceptions", "trend", "names", "also-logged"].contains(&name.as_str()));
    value
}

/// A report for each day before this one, newest last. Account-regions occasionally change their state.
fn year(report: &Report) -> Vec<Value> {
    const STATES: [&str; 5] = ["delivering", "idle", "silent", "missing", "failing"];
    let mut last = document(report);
    let mut random = 7_u64;
    let mut documents: Vec<Value> = (1..=DAYS)
        .map(|ago| {
            let made = report.made - SignedDuration::from_hours(24 * ago);
            last["made"] = json!(made);
            for account in last["accounts"].as_array_mut().unwrap() {
                for region in account["regions"].as_array_mut().unwrap() {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let number = random >> 33;
                    if !region["state"].is_null() && number.is_multiple_of(17) {
                        region["state"] = json!(STATES[(number / 17 % 5) as usize]);
                    }
                }
            }
            last.clone()
        })
        .collect();
    documents.reverse();
    documents
}

fn parse(documents: &[Value]) -> Vec<EarlierReport> {
    documents.iter().map(|document| EarlierReport::parse(&document.to_string()).unwrap()).collect()
}

/// The states of a document by account and region.
fn states(document: &Value) -> BTreeMap<(String, String), String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let accounts = document["accounts"].as_array().unwrap().iter();
    let regions = accounts.flat_map(|account| {
        let regions = account["regions"].as_array().unwrap().iter();
        regions.map(move |region| ((text(&account["account"]), text(&region["region"])), &region["state"]))
    });
    regions.filter(|(_, state)| !state.is_null()).map(|(place, state)| (place, text(state))).collect()
}

fn is_healthy(state: impl AsRef<str>) -> bool {
    ["delivering", "idle"].contains(&state.as_ref())
}

#[test]
fn unhealthy_since_is_correct_for_any_order_of_files() {
    let report = SampleFleet::new(60).unwrap().report();
    let documents = year(&report);
    let mut earlier = parse(&documents);
    let trend = Trend::new(&report, &earlier).unwrap().unwrap();
    earlier.reverse();
    earlier.swap(3, 200);
    assert_eq!(Trend::new(&report, &earlier).unwrap().unwrap(), trend);

    let by_day: Vec<_> =
        documents.iter().map(|document| (document["made"].clone(), states(document))).collect();
    let now = states(&document(&report));
    let mut found = 0;
    for (place, state) in &now {
        let since = trend
            .unhealthy
            .iter()
            .find(|it| (it.place.account.to_string(), it.place.region.to_string()) == *place);
        if is_healthy(state) {
            assert_eq!(since, None, "{place:?}");
            continue;
        }
        let mut expected = json!(report.made);
        for (made, states) in by_day.iter().rev() {
            if states.get(place).is_none_or(is_healthy) {
                break;
            }
            expected = made.clone();
        }
        assert_eq!(json!(since.unwrap().since), expected, "{place:?}");
        found += usize::from(expected != json!(report.made));
    }
    assert!(found > 3, "{found}");

    let (_, before) = by_day.last().unwrap();
    let places: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let differing = places.into_iter().filter(|place| {
        let states = [before.get(*place), now.get(*place)];
        states[0] != states[1] && !states.iter().all(|state| state.is_some_and(is_healthy))
    });
    assert_eq!(trend.changes.len(), differing.count());
}

#[test]
fn each_week_shows_its_last_report() {
    let report = SampleFleet::new(3).unwrap().report();
    let documents = year(&report);
    let trend = Trend::new(&report, &parse(&documents)).unwrap().unwrap();
    let mut times: Vec<Timestamp> =
        documents.iter().map(|document| document["made"].as_str().unwrap().parse().unwrap()).collect();
    times.push(report.made);
    let mut last: BTreeMap<_, Timestamp> = BTreeMap::new();
    for time in times {
        let date = time.to_zoned(TimeZone::UTC).date();
        let days = date.weekday().since(Weekday::Monday);
        last.insert(date.saturating_sub(jiff::Span::new().days(i64::from(days))), time);
    }
    let weeks: BTreeMap<_, _> = trend.weeks.iter().map(|week| (week.monday, week.made)).collect();
    assert_eq!(weeks, last);
    assert!(weeks.len() > 52, "{}", weeks.len());
}

#[test]
fn incomparable_reports_are_errors() {
    let report = SampleFleet::new(1).unwrap().report();
    let mut other = document(&report);
    other["hub"]["bucket"] = json!("other-logs");
    let mut later = document(&report);
    later["made"] = json!(report.made + SignedDuration::from_secs(1));
    let errors: Vec<EarlierError> = [&other, &later]
        .map(|document| Trend::new(&report, &parse(std::slice::from_ref(document))).unwrap_err().1)
        .into_iter()
        .chain(
            [r#"{"schema":2}"#, r#"{"schema":1,"totals":{}}"#, "[]", "report 111122223333"]
                .map(|text| EarlierReport::parse(text).unwrap_err()),
        )
        .collect();
    let text: String = errors.iter().map(|error| format!("{error}\n  {}\n", error.help())).collect();
    assert_data_eq!(
        text,
        str![[r#"
it covers s3://other-logs, not s3://acme-flow-logs
  pass reports of the bucket in the fleet file
it was created at 2026-11-23T12:00:01Z, after this run started
  omit it, or check the system clock
its schema version is 2, but this version of flowagg supports only up to 1
  update flowagg
not a report from `flowagg report --json`: missing field `accounts` at line 1 column 23
  pass a file written by `flowagg report --json FILE`
not a report from `flowagg report --json`: invalid length 0, expected struct ReadSchema with 1 element at line 1 column 2
  pass a file written by `flowagg report --json FILE`
not a report from `flowagg report --json`: expected value at line 1 column 1
  pass a file written by `flowagg report --json FILE`

"#]]
    );
    assert_eq!(Trend::new(&report, &[]), Ok(None));
}

#[test]
fn terminal_shows_totals_changes_and_unhealthy_since() {
    let mut report = SampleFleet::new(60).unwrap().report();
    report.trend = Trend::new(&report, &parse(&year(&report))).unwrap();
    let mut out = Vec::new();
    show::report(&report, Glyphs::Ascii, Extent::Brief, &mut Sheet::new(&mut out, Some(80))).unwrap();
    let text = anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string();
    let part =
        text.lines().skip_while(|line| !line.starts_with("since ")).take_while(|line| *line != "findings");
    assert_data_eq!(
        part.collect::<Vec<_>>().join("\n"),
        str![[r#"
since 2026-11-22T12:00:00Z
  resources  578 of 595 have a flow log, 578 of 595 before
  flow logs  542 of 591 deliver, 542 of 591 before
  changes    account-regions: 1 became unhealthy, 1 changed to another unhealthy
             state, 9 recovered
  ! 200079193170  bank-platform       ap-southeast-1
      silent since at least 2026-07-05T12:00:00Z
  ! 200340530631  fraud-staging       us-east-1
      unknown since at least 2026-07-07T12:00:00Z
  ! 200340530631  fraud-staging       ap-southeast-2
      unknown since at least 2026-07-19T12:00:00Z
  ! 200380127216  stock-production    eu-central-1
      unknown since at least 2026-08-09T12:00:00Z
  ! 200388046533  stock-staging       eu-west-3
      silent since at least 2026-08-14T12:00:00Z
  ! 200071273853  bank-security       eu-west-2
      missing since at least 2026-08-20T12:00:00Z
  ! 200079193170  bank-platform       eu-north-1
      silent since at least 2026-09-08T12:00:00Z
  ! 200118789755  search-security     ap-northeast-1
      missing since at least 2026-09-10T12:00:00Z
  ! 200300934046  ledger-development  ap-northeast-3
      silent since at least 2026-09-15T12:00:00Z
  ! 200308853363  ledger-security     ap-southeast-2
      silent since at least 2026-09-29T12:00:00Z
  and 26 more account-regions; use `--all` to list them

"#]]
    );
}

#[test]
fn page_shows_weekly_changes_and_unhealthy_since() {
    let mut report = SampleFleet::new(60).unwrap().report();
    assert!(!html(&report).contains("<h2 id=\"h-trend\">"));
    report.trend = Trend::new(&report, &parse(&year(&report))).unwrap();
    let trend = report.trend.as_ref().unwrap();
    let page = html(&report);
    assert!(
        page.contains("<p id=\"since\">Since 2026-11-22 12:00: resources with a flow log 578 of 595"),
        "{page}"
    );
    for week in &trend.weeks {
        assert!(page.contains(&format!("<tr><th scope=\"row\">{}</th>", week.monday)), "{week:?}");
    }
    assert!(
        page.contains(
            "<li>2026-07-05 12:00: <code>200079193170</code> (bank-platform) ap-southeast-1 silent</li>"
        ),
        "{page}"
    );
}
