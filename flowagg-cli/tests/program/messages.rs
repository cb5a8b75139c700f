//! What the program says when something is wrong: on one screen, what and where and the way out.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::{FLEET, flowagg};

/// An AWS that answers every call with what `answer` makes of its first line and body.
fn endpoint(answer: fn(&str) -> (u16, String)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            let mut buffer = [0; 4096];
            loop {
                let n = stream.read(&mut buffer).unwrap_or(0);
                request.push_str(&String::from_utf8_lossy(&buffer[..n]));
                let (head, body) = request.split_once("\r\n\r\n").unwrap_or((&request, ""));
                let length = head.lines().find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
                });
                let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
                if n == 0 || (request.contains("\r\n\r\n") && body.len() >= length) {
                    break;
                }
            }
            let (status, body) = answer(&request);
            let head =
                format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let body = if request.starts_with("HEAD") { "" } else { &body };
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    url
}

fn query_error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}

const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// What STS and EC2 answer for an account with nothing in it.
fn empty_account(request: &str) -> Option<String> {
    let answers = [
        ("GetCallerIdentity", IDENTITY),
        ("DescribeVpcs", "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>"),
        ("DescribeFlowLogs", "<DescribeFlowLogsResponse><flowLogSet/></DescribeFlowLogsResponse>"),
    ];
    answers.iter().find(|(call, _)| request.contains(call)).map(|(_, answer)| (*answer).to_owned())
}

/// A port that nobody listens on.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn a_fleet_file_with_eight_faults_is_answered_with_all_eight_on_one_screen() {
    let faulty = include_str!("../../../flowagg-core/tests/data/eight-faults.toml");
    let said = flowagg(&["apply", "--yes"], faulty, &closed(), true);
    assert_eq!(said.code, Some(2));
    assert_eq!(said.out, "");
    let lines: Vec<&str> = said.err.lines().filter(|line| line.starts_with("flowagg.toml:")).collect();
    assert_eq!(lines.len(), 8, "{}", said.err);
    for (line, place) in
        lines.iter().zip([":3:11:", ":5:10:", ":6:10:", ":7:18:", ":10:1:", ":11:24:", ":14:11:", ":17:1:"])
    {
        assert!(line.contains(place), "{line} has not {place}");
    }
}

#[test]
fn a_policy_that_would_be_too_large_is_told_with_numbers_before_any_call() {
    let members: String = (0..400)
        .map(|n| format!("[[members]]\naccount = \"{n:012}\"\nregions = [\"eu-west-1\"]\n"))
        .collect();
    let hub = FLEET.split("[[members]]").next().unwrap();
    let fleet = format!("{hub}[policy]\nform = \"prefixes\"\n{members}");
    let url = endpoint(|_| (500, "a call".to_owned()));
    let said = flowagg(&["plan"], &fleet, &url, true);
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.contains("20480") && said.err.contains("400 accounts") && said.err.contains("`accounts`"),
        "{}",
        said.err
    );
}

#[test]
fn a_slip_in_a_verb_an_option_or_a_word_is_answered_with_what_was_meant() {
    for (args, meant) in [
        (&["pln"][..], "'plan'"),
        (&["policy", "chek"], "'check'"),
        (&["export", "terrafrm"], "'terraform'"),
        (&["apply", "--yess"], "'--yes'"),
        (&["completions", "bsh"], "'bash'"),
    ] {
        let said = flowagg(args, FLEET, &closed(), false);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        assert!(said.err.contains("similar") && said.err.contains(meant), "{args:?}: {}", said.err);
    }
}

#[test]
fn a_missing_fleet_file_is_named() {
    let said = flowagg(&["plan", "-c", "other.toml"], FLEET, &closed(), true);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("`other.toml`") && said.err.contains("--config"), "{}", said.err);
}

#[test]
fn an_endpoint_where_nobody_listens_is_named() {
    let url = closed();
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains(&url) && said.err.contains("--endpoint-url"), "{}", said.err);
}

#[test]
fn missing_credentials_are_told_with_the_ways_to_sign_in() {
    let said = flowagg(&["plan"], FLEET, &closed(), false);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("no AWS credentials were found") && said.err.contains("AWS_PROFILE"),
        "{}",
        said.err
    );
}

#[test]
fn expired_credentials_are_told_as_such() {
    let url = endpoint(|_| {
        (403, query_error("ExpiredToken", "The security token included in the request is expired"))
    });
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("ExpiredToken") && said.err.contains("sign in again"), "{}", said.err);
}

#[test]
fn a_hub_in_another_account_without_a_role_is_told_whose_credentials_these_are() {
    let url = endpoint(|request| match request {
        identity if identity.contains("GetCallerIdentity") => {
            (200, IDENTITY.replace("111122223333", "999999999999"))
        }
        _ => (403, query_error("AccessDenied", "not authorized to perform sts:AssumeRole")),
    });
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("999999999999") && said.err.contains("hub.role"), "{}", said.err);
}

#[test]
fn a_role_that_does_not_trust_the_caller_is_named_with_awss_reason() {
    let url = endpoint(|request| match request {
        identity if identity.contains("GetCallerIdentity") => (200, IDENTITY.to_owned()),
        role if role.contains("AssumeRole") => {
            (403, query_error("AccessDenied", "not authorized to perform sts:AssumeRole"))
        }
        head if head.starts_with("HEAD") => (404, String::new()),
        _ => (500, "a call".to_owned()),
    });
    let said = flowagg(
        &["plan"],
        &FLEET.replace("[[members]]\naccount = \"111122223333\"", "[[members]]\naccount = \"222222222222\""),
        &url,
        true,
    );
    assert_eq!(said.code, Some(1));
    let role = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole: AssumeRole: AccessDenied: not authorized";
    assert!(said.out.contains(role) && said.out.contains("trust policy"), "{}", said.out);
}

#[test]
fn a_missing_permission_on_the_bucket_is_named_and_nothing_is_written() {
    let url = endpoint(|request| match (empty_account(request), request) {
        (Some(answer), _) => (200, answer),
        (None, write) if write.starts_with("PUT") => (500, "a write".to_owned()),
        (None, head) if head.starts_with("HEAD") => (200, String::new()),
        _ => (403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>".to_owned()),
    });
    let said = flowagg(&["apply", "--yes"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert!(
        said.out.contains("allow s3:Get") && said.out.contains("acme-flow-logs"),
        "{}{}",
        said.out,
        said.err
    );
    assert!(!said.out.contains("a write") && !said.out.contains("applied"), "{}", said.out);
}

#[test]
fn a_bucket_that_may_not_be_looked_at_may_be_somebody_elses() {
    let url = endpoint(|request| match (empty_account(request), request) {
        (Some(answer), _) => (200, answer),
        _ => (403, String::new()),
    });
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("if another account owns the bucket"), "{}", said.out);
}

#[test]
fn apply_without_a_terminal_and_without_yes_does_nothing() {
    let url = endpoint(|request| match (empty_account(request), request) {
        (Some(answer), _) => (200, answer),
        (None, head) if head.starts_with("HEAD") => (404, String::new()),
        _ => (500, "a write".to_owned()),
    });
    let said = flowagg(&["apply"], FLEET, &url, true);
    assert_eq!(said.code, Some(2));
    assert!(said.out.contains("create the bucket") && said.err.contains("--yes"), "{}{}", said.out, said.err);
}

#[test]
fn a_verb_that_does_not_exist_is_answered_with_the_nearest() {
    let said = flowagg(&["paln"], FLEET, &closed(), true);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("plan"), "{}", said.err);
}
