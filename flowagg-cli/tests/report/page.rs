//! The HTML page: names and messages never become markup or script, and the page makes no requests.

use aws_smithy_types::base64;
use flowagg::report::{Report, html};
use flowagg_core::fleet::Exception;
use flowagg_core::id::{AccountId, Region};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use snapbox::{assert_data_eq, str};

use crate::sample_fleet::SampleFleet;

/// The text between these markers in a page.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

/// The JSON data that a page's script reads.
fn data(page: &str) -> Value {
    let text = between(page, "<script type=\"application/json\" id=\"data\">", "</script>");
    serde_json::from_str(text).unwrap()
}

/// The number of tags without `<code>`, which a pair of backticks in a message produces.
fn tags(page: &str) -> usize {
    page.replace("<code>", "").replace("</code>", "").matches('<').count()
}

/// A page for one account with this name, unit and message.
fn page(name: &str, unit: &str, message: &str) -> String {
    let mut fleet = SampleFleet::new(1).unwrap();
    let account = *fleet.fleet.members.keys().next().unwrap();
    fleet.fleet.members.get_mut(&account).unwrap().name = Some(name.to_owned());
    fleet.units.insert(account, unit.to_owned());
    let state = fleet.observed.regions.values_mut().next().unwrap().as_mut().unwrap();
    state.flow_logs[0].deliver_status = Some("FAILED".to_owned());
    state.flow_logs[0].deliver_error = Some(message.to_owned());
    html(&fleet.report())
}

/// Text with a special meaning in HTML, JSON and scripts, and arbitrary text.
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
    fn names_and_messages_are_never_markup(name in text(), unit in text(), message in text()) {
        let page = page(&name, &unit, &message);
        let data = data(&page);
        prop_assert_eq!(&data["accounts"][0][1], &Value::String(name));
        prop_assert_eq!(&data["units"][0], &Value::String(unit));
        prop_assert_eq!(&data["messages"][0], &Value::String(message));
        prop_assert_eq!(tags(&page), tags(&self::page("a", "b", "c")));
    }
}

#[test]
fn same_report_produces_the_same_page() {
    let report = SampleFleet::new(60).unwrap().report();
    assert_eq!(html(&report), html(&report.clone()));
}

#[test]
fn page_makes_no_requests() {
    let page = html(&SampleFleet::new(3).unwrap().report());
    // A namespace, and links to the console, which are only followed on a click.
    let page = page.replace("xmlns='http://www.w3.org/2000/svg'", "").replace("href = `https://", "");
    for request in ["http://", "https://", "url(", "@import", " src="] {
        assert!(!page.contains(request), "{request}");
    }
}

#[test]
fn content_security_policy_allows_only_the_pages_style_and_script() {
    let page = html(&SampleFleet::new(3).unwrap().report());
    let policy = between(&page, "<meta http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    let hash = |text: &str| base64::encode(Sha256::digest(text));
    let style = hash(between(&page, "<style>", "</style>"));
    let script = hash(between(&page, "<script type=\"module\">", "</script>"));
    let expected = format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; form-action 'none'"
    );
    assert_eq!(policy, expected);
    assert!(!page.contains(" style=") && !page.contains("unsafe"));
}

#[test]
fn page_without_javascript_has_the_totals_and_every_finding() {
    let report = SampleFleet::new(60).unwrap().report();
    let page = html(&report);
    let without = page.split_once("<script").unwrap().0;
    let places: Vec<_> = ["h-findings", "id=\"accounts\"", "h-deliveries", "h-audit"]
        .into_iter()
        .map(|id| without.find(id).unwrap())
        .collect();
    assert!(places.is_sorted(), "problems come first: {places:?}");
    assert_eq!(without.matches("<details class=\"finding\">").count(), report.findings.len());
    assert_data_eq!(
        between(without, "<dl class=\"tiles\">\n", "</dl>"),
        str![[r#"
<div><dt>Resources with a flow log</dt><dd id="t-resources"><span class="value">578 of 595</span><small>excluding unread account-regions</small></dd></div>
<div><dt>Flow logs that deliver</dt><dd id="t-flow-logs"><span class="value">542 of 591</span><small>excluding unread account-regions, 4 idle</small></dd></div>
<div><dt>Findings</dt><dd id="t-findings"><span class="value">7</span><small>4 errors, 2 warnings, 1 note</small></dd></div>
<div><dt>Accounts</dt><dd id="t-accounts"><span class="value">60</span><small>in 17 regions, 20 with problems</small></dd></div>

"#]]
    );
    assert_data_eq!(
        between(without, "<ul class=\"legend\">\n", "</ul>"),
        str![[r#"
<li><span class="s delivering" aria-hidden="true">D</span> <span><strong id="c-delivering">270</strong> delivering <small>the newest object is recent</small></span></li>
<li><span class="s waiting" aria-hidden="true">W</span> <span><strong id="c-waiting">0</strong> waiting <small>new, no objects yet</small></span></li>
<li><span class="s idle" aria-hidden="true">I</span> <span><strong id="c-idle">2</strong> idle <small>not in use, so nothing to deliver</small></span></li>
<li><span class="s silent" aria-hidden="true">S</span> <span><strong id="c-silent">12</strong> silent <small>in use, but no objects arrive</small></span></li>
<li><span class="s failing" aria-hidden="true">F</span> <span><strong id="c-failing">5</strong> failing <small>AWS reports a delivery error</small></span></li>
<li><span class="s missing" aria-hidden="true">M</span> <span><strong id="c-missing">7</strong> missing <small>no flow log</small></span></li>
<li><span class="s unknown" aria-hidden="true">U</span> <span><strong id="c-unknown">12</strong> unknown <small>could not be read</small></span></li>
<li><span class="s none" aria-hidden="true">-</span> <span><strong id="c-none">712</strong> none <small>nothing to log</small></span></li>

"#]]
    );
    assert_data_eq!(
        between(without, "<noscript>", "</noscript>"),
        str![[r#"
<p>The account table requires JavaScript; <code>flowagg report</code> prints it in a terminal. Summary:</p>
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
fn page_of_5000_accounts_with_30000_flow_logs_is_smaller_than_10_megabytes() {
    let report = SampleFleet::new(5000).unwrap().described().unwrap().report();
    let flow_logs = |it: &flowagg::report::AccountReport| it.flow_logs.len();
    assert!(report.accounts.iter().map(flow_logs).sum::<usize>() > 25_000);
    let page = html(&report);
    assert!(page.len() < 10_000_000, "{} bytes", page.len());
    assert_eq!(data(&page)["accounts"].as_array().unwrap().len(), 5000);
}

/// The flow logs of an account in a page's data.
fn packed<'a>(data: &'a Value, account: &str) -> &'a Vec<Value> {
    let accounts = data["accounts"].as_array().unwrap();
    let account = accounts.iter().find(|it| it[0] == account).unwrap();
    account[12].as_array().unwrap()
}

#[test]
fn page_has_each_flow_log_with_its_state_reason_and_exception() {
    let report = SampleFleet::new(60).unwrap().described().unwrap().report();
    let data = data(&html(&report));
    let text = |values: &str, number: &Value| {
        number.as_u64().map(|number| data[values][number as usize].clone()).unwrap_or_default()
    };
    for account in &report.accounts {
        let flow_logs = packed(&data, &account.account.to_string()).iter().filter(|it| !it[2].is_null());
        let flow_logs: Vec<&Value> = flow_logs.collect();
        assert_eq!(flow_logs.len(), account.flow_logs.len());
        for (packed, flow_log) in flow_logs.into_iter().zip(&account.flow_logs) {
            assert_eq!(text("regions", &packed[0]), json!(flow_log.place.region));
            assert_eq!(text("states", &packed[1]), json!(flow_log.state));
            assert_eq!((&packed[2], &packed[3]), (&json!(flow_log.resource), &json!(flow_log.flow_log)));
            assert_eq!(packed[4], json!(flow_log.age_seconds));
            assert_eq!(packed[5], json!(flow_log.resource_name));
            assert_eq!(text("messages", &packed[6]), json!(flow_log.message));
            let exception = flow_log.exception.as_ref().map(|it| json!([it.until, it.reason]));
            assert_eq!(text("exceptions", &packed[7]), exception.unwrap_or_default());
        }
    }
}

#[test]
fn unread_region_has_no_resource_and_keeps_its_exception() {
    let report = SampleFleet::new(60).unwrap().described().unwrap().report();
    let data = data(&html(&report));
    let accounts = data["accounts"].as_array().unwrap();
    let unread: Vec<&Value> = accounts.iter().flat_map(|it| it[12].as_array().unwrap()).collect();
    let (unread, rest): (Vec<&Value>, Vec<&Value>) = unread.into_iter().partition(|it| it[2].is_null());
    assert!(!rest.is_empty() && unread.iter().all(|it| it[1] == 0), "{unread:?}");
    assert!(unread.iter().any(|it| it[7].is_u64()) && unread.iter().any(|it| it[7].is_null()));
}

#[test]
fn exception_for_an_account_removes_its_problem() {
    let mut fleet = SampleFleet::new(60).unwrap();
    let problems = |fleet: &SampleFleet| {
        let data = data(&html(&fleet.report()));
        let accounts = data["accounts"].as_array().unwrap().clone();
        accounts
            .iter()
            .filter(|it| it[11] == 1)
            .map(|it| it[0].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let before = problems(&fleet);
    let account = AccountId::parse(before.last().unwrap()).unwrap();
    let until = "2026-12-31".parse().unwrap();
    fleet.fleet.exceptions.push(Exception::of_account(account, "it is being closed", until));
    assert_eq!(problems(&fleet), before[..before.len() - 1]);
}

#[test]
fn console_links_match_the_partition() {
    let mut fleet = SampleFleet::new(1).unwrap();
    for (region, host) in [
        ("eu-west-1", "console.aws.amazon.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
    ] {
        fleet.fleet.hub.region = Region::parse(region).unwrap();
        assert_eq!(data(&html(&fleet.report()))["console"], host);
    }
}

#[test]
fn audit_section_has_scope_retention_encryption_and_creator() {
    let report = SampleFleet::new(60).unwrap().described().unwrap().report();
    let page = html(&report);
    assert_data_eq!(
        between(&page, "<dl class=\"facts\">\n", "</section>").replace(env!("CARGO_PKG_VERSION"), "0.0.0"),
        str![[r#"
<dt>Scope</dt><dd>the whole fleet: 595 resources in 59 accounts and 17 regions</dd>
<dt>Regions</dt><dd>ap-northeast-1, ap-northeast-2, ap-northeast-3, ap-south-1, ap-southeast-1, ap-southeast-2, ca-central-1, eu-central-1, eu-north-1, eu-west-1, eu-west-2, eu-west-3, sa-east-1, us-east-1, us-east-2, us-west-1, us-west-2</dd>
<dt>Not read</dt><dd>12 of 1,020 account-regions could not be read</dd>
<dt>Excluded accounts</dt><dd><details><summary>1 account</summary><ul>
<li><code>200395965850</code> (stock-development): SUSPENDED</li>
</ul></details></dd>
<dt>Excluded VPCs</dt><dd><ul>
<li>578: default VPC, excluded by <code>vpcs.default-vpcs</code></li>
</ul></dd>
<dt>Exceptions</dt><dd><details><summary>2 exceptions</summary><ul>
<li>account 200340530631, until 2027-01-22: the account is being closed</li>
<li>region us-west-2, until 2027-01-22: the region is being closed</li>
</ul></details></dd>
<dt>Retention</dt><dd>flow logs expire after 90 days (lifecycle rules of the bucket)</dd>
<dt>Encryption</dt><dd>SSE-S3 (AES256, bucket default)</dd>
<dt>Created by</dt><dd>arn:aws:sts::111122223333:assumed-role/flowagg-read/jane</dd>
<dt>Created</dt><dd>2026-11-23 12:00:00 UTC, with flowagg 0.0.0</dd>
<dt>Related controls</dt><dd>CIS AWS Foundations Benchmark 3.7 (v5.0.0 and v3.0.0), 3.9 (v1.4.0) and 2.9 (v1.2.0); AWS Security Hub EC2.6. These controls apply to every VPC; this report covers the resources that the fleet file selects.</dd>
</dl>
<p class="csv"><button type="button" id="csv" hidden>Download all resources (CSV)</button></p>

"#]]
    );
    assert!(!page.to_lowercase().contains("complian"));
}

#[test]
fn encryption_with_a_key_names_the_key() {
    let mut report = SampleFleet::new(1).unwrap().report();
    let shown = |report: &Report| between(&html(report), "<dt>Encryption</dt><dd>", "</dd>").to_owned();
    let encryption = report.encryption.as_mut().unwrap();
    encryption.algorithm = "aws:kms".to_owned();
    assert_eq!(
        shown(&report),
        "SSE-KMS with the AWS managed key <code>aws/s3</code>, without a bucket key (bucket default)"
    );
    let encryption = report.encryption.as_mut().unwrap();
    (encryption.key, encryption.bucket_key) =
        (Some("arn:aws:kms:eu-west-1:111122223333:key/k".to_owned()), true);
    assert_eq!(
        shown(&report),
        "SSE-KMS with the KMS key arn:aws:kms:eu-west-1:111122223333:key/k, with a bucket key (bucket default)"
    );
    report.encryption = None;
    assert_eq!(shown(&report), "unknown: the bucket was not read, or it has no default encryption");
}
