//! With `--json`, standard error contains one JSON event per line, including errors.

use serde_json::Value;
use snapbox::{IntoData, assert_data_eq, str};

use crate::schemas::documents;
use crate::{FLEET, Said, flowagg, offline};

const FAULTY: &str = include_str!("../../../flowagg-core/tests/data/eight-faults.toml");

/// The discard port, which has no listener.
const NOWHERE: &str = "http://127.0.0.1:9";

/// The events of a run; anything else on standard error fails.
fn events(said: &Said) -> Vec<Value> {
    let event = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {}", said.err));
        assert!(line.starts_with("{\"schema\":1,\"event\":\""), "{line}");
        event
    };
    said.err.lines().map(event).collect()
}

/// The one event of a run that wrote no document.
fn only_event(said: &Said) -> Value {
    let events = events(said);
    assert_eq!((events.len(), said.out.as_str()), (1, ""), "{}", said.err);
    events[0].clone()
}

/// The command lines of every command that prints a JSON document.
fn runs() -> impl Iterator<Item = Vec<String>> {
    let documents = documents().into_iter().filter(|name| name != "events");
    documents.map(|name| {
        let options: &[&str] = match name.as_str() {
            "apply" | "destroy" => &["--yes"],
            "policy-diff" => &["flowagg.toml", "-"],
            "policy-simulate" => &["--account", "222222222222"],
            _ => &[],
        };
        name.splitn(2, '-').chain(options.iter().copied()).chain(["--json"]).map(str::to_owned).collect()
    })
}

fn with<'a>(run: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    run.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

#[test]
fn standard_error_with_json_only_contains_events() {
    for run in runs() {
        let verbs = [
            flowagg(&with(&run, &[]), FAULTY, NOWHERE, true),
            flowagg(&with(&run, &["--config", "no-such.toml"]), FLEET, NOWHERE, true),
            flowagg(&with(&run, &[]), FLEET, NOWHERE, false),
            flowagg(&with(&run, &["--call-timeout", "1s"]), FLEET, NOWHERE, true),
            flowagg(&with(&run, &["--no-such-option"]), FLEET, NOWHERE, true),
            offline(&with(&run, &["--no-such-option", "-vv"]), FLEET, "no policy"),
        ];
        for said in verbs {
            let events = events(&said);
            if said.out.is_empty() {
                let why = |event: &Value| event["event"] == "error" || event["event"] == "failure";
                assert!(events.iter().any(why), "{run:?} ends with {:?} and says not why", said.code);
                assert_ne!(said.code, Some(0), "{run:?}");
            } else {
                let begins =
                    ["{\n  \"schema\": 1,", "{\"schema\":1,"].iter().any(|start| said.out.starts_with(start));
                assert!(begins, "{run:?}: {}", said.out);
                // JSON lines are JSON as well.
                let mut documents = serde_json::Deserializer::from_str(&said.out).into_iter::<Value>();
                assert!(documents.all(|document| document.unwrap()["schema"] == 1), "{run:?}: {}", said.out);
            }
        }
    }
}

#[test]
fn errors_in_a_fleet_file_are_events_with_positions() {
    let said = flowagg(&["plan", "--json"], FAULTY, NOWHERE, true);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    let places: Vec<(u64, u64)> = events(&said)
        .iter()
        .map(|event| {
            assert_eq!((&event["event"], &event["path"]), (&"error".into(), &"flowagg.toml".into()));
            assert!(event["what"].is_string() && event["help"].is_string(), "{event}");
            (event["line"].as_u64().unwrap(), event["column"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(places, [(3, 11), (5, 10), (6, 10), (7, 18), (10, 1), (11, 24), (14, 11), (17, 1)]);
}

#[test]
fn command_line_error_is_an_event_with_help() {
    let mut lines = String::new();
    for args in [
        &["plna", "--json"][..],
        &["plan", "--json", "--prnue"],
        &["apply", "--json"],
        &["policy", "simulate", "--json", "--key", "x"],
    ] {
        let said = flowagg(args, FLEET, NOWHERE, true);
        let event = only_event(&said);
        assert_eq!((said.code, &event["event"]), (Some(2), &"error".into()), "{args:?}");
        lines += &said.err;
    }
    assert_data_eq!(lines, str![[r#"
{"schema":1,"event":"error","what":"unrecognized subcommand 'plna'","help":"a similar subcommand exists: 'plan'","path":null,"line":null,"column":null}
{"schema":1,"event":"error","what":"unexpected argument '--prnue' found","help":"a similar argument exists: '--prune'","path":null,"line":null,"column":null}
{"schema":1,"event":"error","what":"the following required arguments were not provided: --yes","help":"run the command with `--help` to see its usage","path":null,"line":null,"column":null}
{"schema":1,"event":"error","what":"the following required arguments were not provided: --account <ID>","help":"run the command with `--help` to see its usage","path":null,"line":null,"column":null}

"#]].raw());
    let text = flowagg(&["plan", "--prnue"], FLEET, NOWHERE, true);
    assert_data_eq!(
        text.err,
        str![[r#"
error: unexpected argument '--prnue' found

  tip: a similar argument exists: '--prune'

Usage: flowagg plan --prune

For more information, try '--help'.

"#]]
    );
    let named_so = offline(&["policy", "diff", "flowagg.toml", "--", "--json"], FLEET, "");
    assert_data_eq!(
        named_so.err,
        str![[r#"
error: `--json` cannot be read: No such file or directory (os error 2)
       use a UTF-8 text file, or `-` for standard input

"#]]
    );
}

#[test]
fn command_line_errors_are_events_without_usage() {
    let mut output = String::new();
    for args in [
        &["pln", "--json"][..],
        &["apply", "--json", "--yess"],
        &["apply", "--json"],
        &["status", "--json"],
        &["plan", "--json", "--call-timeout", "soon"],
        &["import", "--json"],
        &["completions", "bsh", "--json"],
    ] {
        let said = flowagg(args, FLEET, "http://127.0.0.1:9", false);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{args:?}");
        assert!(!said.err.contains("Usage") && !said.err.contains("For more information"), "{}", said.err);
        output += &said.err;
    }
    assert_data_eq!(
        output,
        str![[r#"
{"schema":1,"event":"error","what":"unrecognized subcommand 'pln'","help":"a similar subcommand exists: 'plan'","path":null,"line":null,"column":null}
{"schema":1,"event":"error","what":"unexpected argument '--yess' found","help":"a similar argument exists: '--yes'","path":null,"line":null,"column":null}
{"schema":1,"event":"error","what":"the following required arguments were not provided: --yes","help":"run the command with `--help` to see its usage","path":null,"line":null,"column":null}
{"schema":1,"event":"error","what":"unrecognized subcommand 'status'","help":"use 'flowagg verify' for the delivery of each flow log, or 'flowagg report' for the whole fleet","path":null,"line":null,"column":null}
{"schema":1,"event":"error","what":"invalid value 'soon' for '--call-timeout <DURATION>': expected a duration such as 90s, 15m or 1h","help":"run the command with `--help` to see its usage","path":null,"line":null,"column":null}
{"schema":1,"event":"error","what":"unexpected argument '--json' found","help":"run the command with `--help` to see its usage","path":null,"line":null,"column":null}
{"schema":1,"event":"error","what":"unexpected argument '--json' found","help":"to pass '--json' as a value, use '-- --json'","path":null,"line":null,"column":null}

"#]]
    );
}

#[test]
fn missing_credentials_are_a_failure_event_with_all_fields() {
    let said = flowagg(&["verify", "--json"], FLEET, NOWHERE, false);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert_data_eq!(
        said.err,
        str![[r#"
{"schema":1,"event":"failure","account":"111122223333","region":"eu-west-1","call":"GetCallerIdentity","resource":null,"code":null,"message":"no AWS credentials found: the environment has no access keys, and the AWS configuration has no profile `default`","help":"sign in (`aws configure sso`, `aws configure`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"}

"#]]
    );
}

#[test]
fn invalid_policy_is_an_event() {
    let said = offline(&["policy", "size", "--json", "--policy", "-"], FLEET, "no policy");
    let event = only_event(&said);
    assert_eq!((said.code, &event["event"]), (Some(2), &"error".into()));
    assert_data_eq!(
        event["what"].as_str().unwrap(),
        str!["the policy in standard input: the policy is not JSON: line 1, column 1: invalid JSON value"]
    );
}

#[test]
fn policy_merge_reports_notices() {
    let stranger =
        FLEET.replace("[[members]]\naccount = \"111122223333\"", "[[members]]\naccount = \"222222222222\"");
    let live = offline(&["policy", "build"], &stranger, "").out;
    let said = offline(&["policy", "merge", "--json"], FLEET, &live);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let events = events(&said);
    assert!(events.iter().all(|event| event["event"] == "notice"), "{}", said.err);
    let text: Vec<&str> = events.iter().map(|event| event["text"].as_str().unwrap()).collect();
    assert_data_eq!(
        text.join("\n"),
        str![[r#"
+ account 111122223333 may deliver
~ statement `AWSLogDeliveryWriteFlowaggAcmeFlowLogs`
    loosened: `Resource` now has `arn:aws:s3:::acme-flow-logs/AWSLogs/111122223333/*`
    loosened: `aws:sourceaccount` (stringequals) now has `111122223333`
~ statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs`
    loosened: `aws:sourceaccount` (stringequals) now has `111122223333`
the fleet's statements still name 222222222222, which is not in the fleet file; `--prune` removes it
"#]]
    );
    let for_people = offline(&["policy", "merge"], FLEET, &live);
    assert_data_eq!(
        for_people.err,
        str![[r#"
+ account 111122223333 may deliver
~ statement `AWSLogDeliveryWriteFlowaggAcmeFlowLogs`
    loosened: `Resource` now has `arn:aws:s3:::acme-flow-logs/AWSLogs/111122223333/*`
    loosened: `aws:sourceaccount` (stringequals) now has `111122223333`
~ statement `AWSLogDeliveryAclCheckFlowaggAcmeFlowLogs`
    loosened: `aws:sourceaccount` (stringequals) now has `111122223333`
note: the fleet's statements still name 222222222222, which is not in the fleet file; `--prune` removes it

"#]]
    );
}

#[test]
fn verbose_traces_are_events() {
    let said = flowagg(&["plan", "--json", "-v", "--call-timeout", "1s"], FLEET, NOWHERE, true);
    let events = events(&said);
    let traces: Vec<&Value> = events.iter().filter(|event| event["event"] == "trace").collect();
    assert!(!traces.is_empty(), "{}", said.err);
    assert!(
        traces.iter().any(|trace| trace["text"].as_str().unwrap().contains("GetCallerIdentity")),
        "{traces:?}"
    );
}
