//! The page: nothing that somebody wrote in a name or a message becomes markup or script, and it asks for nothing.

use flowagg::report::html;
use proptest::prelude::*;
use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::made_up::MadeUp;

/// What is between these in a page.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

/// The value that the script of a page reads.
fn data(page: &str) -> Value {
    let text = between(page, "<script type=\"application/json\" id=\"data\">", "</script>");
    serde_json::from_str(text).unwrap()
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
    let policy = between(&page, "<meta http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    assert_data_eq!(
        policy,
        str![
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
        ]
    );
}

#[test]
fn without_its_script_a_page_has_the_totals_and_every_finding() {
    let report = MadeUp::new(60).unwrap().report();
    let page = html(&report);
    let without = page.split_once("<script").unwrap().0;
    assert_eq!(without.matches("<details class=\"finding\">").count(), report.findings.len());
    assert_data_eq!(
        between(without, "<dl class=\"tiles\">\n", "</dl>"),
        str![[r#"
<div><dt>Accounts</dt><dd id="t-accounts">60<small>17 regions</small></dd></div>
<div><dt>Resources with a flow log</dt><dd id="t-resources">578<small>of 595</small></dd></div>
<div><dt>Flow logs that deliver</dt><dd id="t-flow-logs">542<small>of 591, 4 idle</small></dd></div>
<div><dt>Objects</dt><dd id="t-objects">297,166<small>in 7 days</small></dd></div>
<div><dt>Delivered</dt><dd id="t-bytes">9.0 GiB<small>newest 3 min old</small></dd></div>
<div><dt>Bucket policy</dt><dd id="t-policy">3 %<small>713 of 20,480 bytes</small></dd></div>
<div><dt>Findings</dt><dd id="t-findings">7<small>4 errors, 2 warnings</small></dd></div>

"#]]
    );
    assert_data_eq!(
        between(without, "<ul class=\"legend\">\n", "</ul>"),
        str![[r#"
<li><span class="s delivering" aria-hidden="true">D</span> <strong id="c-delivering">270</strong> delivering <span>the newest object is fresh</span></li>
<li><span class="s waiting" aria-hidden="true">W</span> <strong id="c-waiting">0</strong> waiting <span>new, nothing has arrived yet</span></li>
<li><span class="s idle" aria-hidden="true">I</span> <strong id="c-idle">2</strong> idle <span>nothing in use, so nothing to deliver</span></li>
<li><span class="s silent" aria-hidden="true">S</span> <strong id="c-silent">12</strong> silent <span>in use, but nothing arrives</span></li>
<li><span class="s failing" aria-hidden="true">F</span> <strong id="c-failing">5</strong> failing <span>AWS reports a delivery error</span></li>
<li><span class="s missing" aria-hidden="true">M</span> <strong id="c-missing">7</strong> missing <span>no flow log</span></li>
<li><span class="s unknown" aria-hidden="true">U</span> <strong id="c-unknown">12</strong> unknown <span>could not be read</span></li>
<li><span class="s none" aria-hidden="true">-</span> <strong id="c-none">712</strong> none <span>nothing to log</span></li>

"#]]
    );
    assert_data_eq!(
        between(without, "<noscript>", "</noscript>"),
        str![[r#"
<p>The table of accounts needs JavaScript; <code>flowagg report</code> shows it in a terminal. In numbers:</p>
<table><thead><tr><th scope="col">state</th><th scope="col">accounts</th><th scope="col">account-regions</th></tr></thead><tbody>
<tr><th scope="row">delivering</th><td>39</td><td>270</td></tr>
<tr><th scope="row">waiting</th><td>0</td><td>0</td></tr>
<tr><th scope="row">idle</th><td>0</td><td>2</td></tr>
<tr><th scope="row">silent</th><td>7</td><td>12</td></tr>
<tr><th scope="row">failing</th><td>5</td><td>5</td></tr>
<tr><th scope="row">missing</th><td>6</td><td>7</td></tr>
<tr><th scope="row">unknown</th><td>2</td><td>12</td></tr>
<tr><th scope="row">none</th><td>1</td><td>712</td></tr>
</tbody></table>
"#]]
    );
}

#[test]
fn a_thousand_accounts_in_17_regions_are_a_page_of_less_than_a_mebibyte() {
    let page = html(&MadeUp::new(1000).unwrap().report());
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
    assert_eq!(data(&page)["accounts"].as_array().unwrap().len(), 1000);
}
