//! Reports of fleets with arbitrary text in names, tags, keys and messages.

use std::collections::BTreeSet;

use flowagg::report::{Report, html};
use flowagg::show::{self, Glyphs, Sheet};
use flowagg_core::lifecycle::{FleetRule, LifecycleDocument};
use flowagg_core::observed::{Contents, RegionState};
use proptest::collection::vec;
use proptest::prelude::*;
use textwrap::core::display_width;

use crate::foreign::foreign;
use crate::sample_fleet::SampleFleet;

/// Any text without control characters.
fn line() -> impl Strategy<Value = String> {
    foreign().prop_map(|text| text.replace(char::is_control, ""))
}

/// A report of three accounts that uses these words for every name, tag, key and message that flowagg does not write.
fn report(words: &[String]) -> Report {
    let mut fleet = SampleFleet::new(3).unwrap();
    let mut next = words.iter().cycle().cloned();
    let mut word = || next.next().unwrap_or_default();
    fleet.fleet.members.values_mut().for_each(|member| member.name = Some(word()));
    fleet.units.values_mut().for_each(|unit| *unit = word());
    for object in fleet.deliveries.arrivals.newest.values_mut() {
        object.key = format!("{}{}", word(), object.key);
    }
    for (n, state) in fleet.observed.regions.values_mut().enumerate() {
        let Ok(RegionState { resources, flow_logs, .. }) = state else { continue };
        resources.iter_mut().for_each(|resource| drop(resource.tags.insert(word(), word())));
        for log in flow_logs {
            log.tags.insert(word(), word());
            match n % 4 {
                0 => (log.deliver_status, log.deliver_error) = (Some("FAILED".to_owned()), Some(word())),
                1 => log.destination = format!("{}/{}", log.destination, word()).into(),
                2 => log.traffic = Some(word()),
                _ => log.format = Some(word()),
            }
        }
    }
    let place = fleet.observed.regions.keys().last().cloned().unwrap();
    let mut failure = flowagg_core::failure::Failure::new(place.clone(), "DescribeFlowLogs", word(), word());
    failure.resource = Some(word());
    failure.code = Some(word());
    fleet.observed.regions.insert(place, Err(failure));
    let bucket = fleet.observed.bucket.as_mut().unwrap().as_mut().unwrap();
    bucket.policy = bucket
        .policy
        .as_ref()
        .map(|policy| policy.replace("\"Readers\"", &serde_json::to_string(&word()).unwrap()));
    bucket.contents = Contents::Listed(BTreeSet::from([word()]));
    bucket.lifecycle = lifecycle(word());
    fleet.report()
}

/// A configuration with a foreign rule with this ID. `None` if XML cannot contain the text.
fn lifecycle(id: String) -> Option<LifecycleDocument> {
    let mut rule = FleetRule::new(id, "AWSLogs/");
    rule.expire_days = Some(3);
    LifecycleDocument::edited(None, &[rule], &BTreeSet::new()).ok().flatten()
}

fn terminal(report: &Report, glyphs: Glyphs, width: Option<usize>) -> String {
    let mut out = Vec::new();
    show::report(report, glyphs, show::Extent::Brief, &mut Sheet::new(&mut out, width)).unwrap();
    anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_fit_the_width_with_any_names(words in vec(line(), 1..12)) {
        let report = report(&words);
        for width in [46, 80] {
            let text = terminal(&report, Glyphs::Unicode, Some(width));
            for line in text.lines() {
                prop_assert!(display_width(line) <= width, "{} columns of {}: {}", display_width(line), width, line);
            }
        }
    }

    #[test]
    fn page_contains_every_name_as_text(words in vec(foreign(), 1..12)) {
        let report = report(&words);
        let page = html(&report);
        let (_, data) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
        let (data, _) = data.split_once("</script>").unwrap();
        prop_assert!(!data.contains('<'), "{}", data);
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        for (account, packed) in report.accounts.iter().zip(data["accounts"].as_array().unwrap()) {
            prop_assert_eq!(packed[1].as_str(), account.name.as_deref());
        }
        let usual = html(&SampleFleet::new(3).unwrap().report());
        prop_assert_eq!(page.matches("<script").count(), usual.matches("<script").count());
        prop_assert!(!page.contains("<b>"));
    }

    #[test]
    fn any_text_is_shown_without_panic(words in vec(foreign(), 1..12)) {
        let report = report(&words);
        for width in [None, Some(0), Some(80)] {
            terminal(&report, Glyphs::Ascii, width);
        }
        let json = serde_json::to_value(&report).unwrap();
        prop_assert_eq!(json["accounts"].as_array().unwrap().len(), report.accounts.len());
    }
}
