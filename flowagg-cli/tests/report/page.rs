//! The page: nothing that somebody wrote in a name or a message becomes markup or script, and it asks for nothing.

use flowagg::report::html;
use proptest::prelude::*;
use serde_json::Value;

use crate::made_up::MadeUp;

/// The value that the script of a page reads.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// The number of tags; a back-tick pair in a message makes code of what is between.
fn tags(page: &str) -> usize {
    page.replace("<code>", "").replace("</code>", "").matches('<').count()
}

/// A page of one account, with this name, unit and message.
fn page(name: &str, unit: &str, message: &str) -> String {
    let mut fleet = MadeUp::new(1).unwrap();
    let account = *fleet.fleet.members.keys().next().unwrap();
    fleet.fleet.members.get_mut(&account).unwrap().name = Some(name.to_owned());
    fleet.units.insert(account, unit.to_owned());
    let state = fleet.observed.regions.values_mut().next().unwrap().as_mut().unwrap();
    state.flow_logs[0].deliver_status = Some("FAILED".to_owned());
    state.flow_logs[0].deliver_error = Some(message.to_owned());
    html(&fleet.report())
}

/// Texts of what means something in HTML, in JSON and in script, and of anything.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("</script>"),
        Just("<!--"),
        Just("-->"),
        Just("<script>alert(1)</script>"),
        Just("\"'"),
        Just("&lt;"),
        Just("\\u003c"),
        Just("`"),
        Just("\u{2028}"),
        Just("]]>"),
        Just("🦀"),
        Just("<img src=x onerror=alert(1)>"),
    ];
    let piece = piece.prop_map(str::to_owned);
    proptest::collection::vec(prop_oneof![piece, "\\PC{0,8}"], 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_people_write_is_text_in_the_page_and_nothing_else(name in text(), unit in text(), message in text()) {
        let page = page(&name, &unit, &message);
        let data = data(&page);
        prop_assert_eq!(&data["accounts"][0][1], &Value::String(name));
        prop_assert_eq!(&data["units"][0], &Value::String(unit));
        prop_assert_eq!(tags(&page), tags(&self::page("a", "b", "c")));
    }
}

#[test]
fn a_page_says_the_same_of_the_same_report() {
    let report = MadeUp::new(60).unwrap().report();
    assert_eq!(html(&report), html(&report.clone()));
}

#[test]
fn a_page_names_no_address_that_a_browser_would_ask() {
    let page = html(&MadeUp::new(3).unwrap().report());
    let namespace = "xmlns='http://www.w3.org/2000/svg'";
    for asking in ["http://", "https://", "url(", "@import", " src="] {
        assert!(!page.replace(namespace, "").contains(asking), "{asking}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn without_its_script_a_page_has_the_totals_and_every_finding() {
    let report = MadeUp::new(60).unwrap().report();
    let page = html(&report);
    let without = page.split_once("<script").unwrap().0;
    assert_eq!(without.matches("<details class=\"finding\">").count(), report.findings.len());
    for (state, number) in &report.totals.coverage {
        let told = format!("<strong id=\"c-{}\">{number}</strong>", state.as_str());
        assert!(without.contains(&told), "{told}");
    }
    assert!(without.contains("<noscript>") && without.contains(">546<small>of 595 flow logs<"));
}

#[test]
fn a_thousand_accounts_in_17_regions_are_a_page_of_less_than_a_mebibyte() {
    let page = html(&MadeUp::new(1000).unwrap().report());
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
    assert_eq!(data(&page)["accounts"].as_array().unwrap().len(), 1000);
}
