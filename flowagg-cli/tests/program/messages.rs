//! What the program says when something is wrong: on one screen, what and where and the way out.

use std::io::{Read, Write};
use std::net::TcpListener;

use snapbox::{assert_data_eq, str};

use crate::{FLEET, flowagg};

/// An AWS that answers every call with what `answer` makes of its first line and body.
pub(crate) fn endpoint(answer: fn(&str) -> (u16, String)) -> String {
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
            let kind = match &*body {
                html if html.starts_with("<html>") => "content-type: text/html\r\n",
                // Of the metadata service.
                "token" => "x-aws-ec2-metadata-token-ttl-seconds: 60\r\n",
                _ => "",
            };
            let head = format!(
                "HTTP/1.1 {status} x\r\n{kind}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let body = if request.starts_with("HEAD") { "" } else { &body };
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    url
}

pub(crate) fn query_error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}

pub(crate) const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// What STS and EC2 answer for an account with nothing in it.
pub(crate) fn empty_account(request: &str) -> Option<String> {
    let answers = [
        ("GetCallerIdentity", IDENTITY),
        ("DescribeVpcs", "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>"),
        ("DescribeFlowLogs", "<DescribeFlowLogsResponse><flowLogSet/></DescribeFlowLogsResponse>"),
    ];
    answers.iter().find(|(call, _)| request.contains(call)).map(|(_, answer)| (*answer).to_owned())
}

/// A port that nobody listens on.
pub(crate) fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn a_fleet_file_with_eight_faults_is_answered_with_all_eight_on_one_screen() {
    let faulty = include_str!("../../../flowagg-core/tests/data/eight-faults.toml");
    let said = flowagg(&["apply", "--yes"], faulty, &closed(), true);
    assert_eq!(said.code, Some(2));
    assert_eq!(said.out, "");
    assert_data_eq!(
        said.err,
        str![[r#"
error: `flowagg.toml` has 8 faults; nothing was read or written
flowagg.toml:3:11: `hub.account`: `11112222333` is not an AWS account id: it has 11 digits
    an account id has 12 digits, as in `111122223333`
flowagg.toml:5:10: `hub.bucket`: `Acme_Logs` is not a bucket name: `A` may not stand in one
    3 to 63 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends, as in `acme-flow-logs`
flowagg.toml:6:10: `hub.prefix`: `AWSLogs` is not a sub-folder: `AWSLogs` is reserved: log delivery makes that folder itself
    words of a-z, A-Z, 0-9 and `!-_.'()` between slashes, none of them `AWSLogs`, as in `network/flow-logs`
flowagg.toml:7:18: `hub.retention-days` is 0
    a whole number from 1 to 2147483647
flowagg.toml:10:1: `trafic` is no key of flow-logs
    did you mean `traffic`?
flowagg.toml:11:24: `flow-logs.aggregation-interval` is `5m`
    one of `10m`, `1m`
flowagg.toml:14:11: `members[0].account` is a number where a text belongs
    write it in quotes: "222222222222"
flowagg.toml:17:1: `members[1].regions` is missing
    the regions that are logged, as in `["eu-west-1"]`, or `["all"]`

"#]]
    );
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
    assert_data_eq!(
        said.err,
        str![[r#"
error: `flowagg.toml`: the bucket policy would have 33735 bytes, 13255 more than the 20480 that S3 takes: 400 accounts in form `prefixes`, beside 39 bytes of other statements
       use form `accounts` (30 bytes an account), form `organization` (no list at all), or take other statements out

"#]]
    );
}

#[test]
fn a_slip_in_a_verb_an_option_or_a_word_is_answered_with_what_was_meant() {
    let mut answers = String::new();
    for args in [
        &["pln"][..],
        &["policy", "chek"],
        &["export", "terrafrm"],
        &["apply", "--yess"],
        &["completions", "bsh"],
    ] {
        let said = flowagg(args, FLEET, &closed(), false);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        answers += &said.err;
    }
    assert_data_eq!(
        answers,
        str![[r#"
error: unrecognized subcommand 'pln'

  tip: a similar subcommand exists: 'plan'

Usage: flowagg [OPTIONS] <COMMAND>

For more information, try '--help'.
error: unrecognized subcommand 'chek'

  tip: a similar subcommand exists: 'check'

Usage: flowagg policy [OPTIONS] <COMMAND>

For more information, try '--help'.
error: unrecognized subcommand 'terrafrm'

  tip: a similar subcommand exists: 'terraform'

Usage: flowagg export [OPTIONS] <COMMAND>

For more information, try '--help'.
error: unexpected argument '--yess' found

  tip: a similar argument exists: '--yes'

Usage: flowagg apply --yes

For more information, try '--help'.
error: invalid value 'bsh' for '<SHELL>'
  [possible values: bash, elvish, fish, powershell, zsh]

  tip: a similar value exists: 'bash'

For more information, try '--help'.

"#]]
    );
}

#[test]
fn words_of_other_tools_are_answered_with_those_of_this_one() {
    let mut answers = String::new();
    for args in [
        &["apply", "--auto-approve"][..],
        &["apply", "-auto-approve"],
        &["plan", "-f", "fleet.toml"],
        &["-f", "fleet.toml", "plan"],
        &["apply", "--dry-run"],
        &["status"],
        &["-c", "flowagg.toml", "validate"],
        &["policy", "validate"],
        &["plan", "--output", "json"],
    ] {
        let said = flowagg(args, FLEET, &closed(), false);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        let answer = said.err.lines().filter(|line| line.starts_with("error") || line.contains("tip"));
        answers += &answer.map(|line| format!("{line}\n")).collect::<String>();
    }
    assert_data_eq!(
        answers,
        str![[r#"
error: unexpected argument '--auto-approve' found
  tip: use '--yes' to apply without a question
error: unexpected argument '-a' found
  tip: use '--yes' to apply without a question
error: unexpected argument '-f' found
  tip: use '-c FILE' or '--config FILE' to name the fleet file
error: unexpected argument '-f' found
  tip: use '-c FILE' or '--config FILE' to name the fleet file
error: unexpected argument '--dry-run' found
  tip: use 'flowagg plan', which changes nothing
error: unrecognized subcommand 'status'
  tip: use 'flowagg verify' for the delivery of each flow log, or 'flowagg report' for the whole fleet
error: unrecognized subcommand 'validate'
  tip: use 'flowagg doctor', which checks the fleet file first, and then AWS; 'flowagg policy build' reads it offline
error: unrecognized subcommand 'validate'
error: unexpected argument '--output' found
  tip: use '--json' for JSON, or '--out' where a verb writes files

"#]]
    );
}

#[test]
fn region_that_is_unknown_is_a_warning_and_is_called_only_if_the_account_lists_it() {
    let fleet =
        FLEET.replace("regions = [\"eu-west-1\"]", "regions = [\"eu-west-1\", \"eu-wset-1\", \"eu-west-9\"]");
    let url = endpoint(|request| {
        let regions = "<DescribeRegionsResponse><regionInfo><item><regionName>eu-west-1</regionName></item><item><regionName>eu-west-9</regionName></item></regionInfo></DescribeRegionsResponse>";
        match request {
            misspelled if misspelled.contains("/eu-wset-1/") => (500, "a call".to_owned()),
            regions_of if regions_of.contains("DescribeRegions") => (200, regions.to_owned()),
            _ => empty_account(request).map_or_else(|| (404, String::new()), |answer| (200, answer)),
        }
    });
    let said = flowagg(&["plan"], &fleet, &url, true);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        format!("{}{}", said.err, said.out),
        str![[r#"
warning: `flowagg.toml`: `eu-west-9` is not a region that flowagg knows
         did you mean `eu-west-3`? `eu-west-9` is only read in accounts that have it enabled
warning: `flowagg.toml`: `eu-wset-1` is not a region that flowagg knows
         did you mean `eu-west-1`? `eu-wset-1` is only read in accounts that have it enabled
hub 111122223333 eu-west-1 acme-flow-logs
  + create the bucket in eu-west-1
  + block all public access
  + set object ownership BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, unfinished uploads deleted after 7
  + write the bucket policy: grants delivery to 111122223333 (612 bytes)

note: 111122223333 eu-west-1: no VPC to log
note: 111122223333 eu-west-9: no VPC to log

error: 111122223333 eu-wset-1: DescribeRegions: the account does not list this region, and flowagg does not know it; nothing was called there
       did you mean `eu-west-1`? otherwise enable eu-wset-1 in 111122223333

plan: 6 changes to the hub, 1 could not be read
next: fix the errors above, then run `flowagg plan` again

"#]]
    );

    let hub = FLEET.replace("region = \"eu-west-1\"", "region = \"eu-wset-1\"");
    let said = flowagg(&["plan"], &hub, &url, true);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.err,
        str![[r#"
warning: `flowagg.toml`: `eu-wset-1` is not a region that flowagg knows
         did you mean `eu-west-1`? `eu-wset-1` is only read in accounts that have it enabled
error: 111122223333 eu-wset-1: DescribeRegions: the account does not list this region, and flowagg does not know it; nothing was called there
       did you mean `eu-west-1`? otherwise enable eu-wset-1 in 111122223333

"#]]
    );
    let said = flowagg(&["policy", "build", "--json"], &fleet, &closed(), false);
    assert_eq!(said.code, Some(0));
    assert_data_eq!(
        said.err,
        str![[r#"
{"schema":1,"event":"notice","text":"warning: `flowagg.toml`: `eu-west-9` is not a region that flowagg knows; did you mean `eu-west-3`? `eu-west-9` is only read in accounts that have it enabled"}
{"schema":1,"event":"notice","text":"warning: `flowagg.toml`: `eu-wset-1` is not a region that flowagg knows; did you mean `eu-west-1`? `eu-wset-1` is only read in accounts that have it enabled"}

"#]]
    );
}

#[test]
fn selection_that_matches_nothing_is_an_error_before_any_call() {
    let fleet = FLEET.replace("regions =", "name = \"payments\"\nregions =");
    let url = endpoint(|_| (500, "a call".to_owned()));
    let mut answers = String::new();
    for args in [
        &["plan", "--only", "paymnts"][..],
        &["apply", "--yes", "--only", "222222222223"],
        &["verify", "--only", "eu-west-9"],
        &["destroy", "--yes", "--only", "payments", "--only", "accounting"],
    ] {
        let said = flowagg(args, &fleet, &url, true);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{args:?}: {}", said.err);
        answers += &said.err;
    }
    assert_data_eq!(
        answers,
        str![[r#"
error: `--only`: no member of the fleet has the name `paymnts`
       did you mean `payments`?
error: `--only`: no member of the fleet has account `222222222223`
       select members by account id or name, and regions by code, as they are in the fleet
error: `--only`: no member of the fleet has region `eu-west-9`
       did you mean `eu-west-1`?
error: `--only`: no member of the fleet has the name `accounting`
       select members by account id or name, and regions by code, as they are in the fleet

"#]]
    );
}

#[test]
fn a_missing_fleet_file_is_named() {
    let said = flowagg(&["plan", "-c", "other.toml"], FLEET, &closed(), true);
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: the fleet file `other.toml` cannot be read: No such file or directory (os error 2)
       write one with `flowagg -c other.toml init`, or name another with `--config FILE`

"#]]
    );
    // The folder of the run.
    let said = flowagg(&["plan", "-c", "."], FLEET, &closed(), true);
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: the fleet file `.` is a folder
       name the file, as in `-c ./flowagg.toml`

"#]]
    );
}

#[test]
fn an_endpoint_where_nobody_listens_is_named() {
    let url = closed();
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.err.replace(&url, "ENDPOINT"),
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: could not be sent: Connection refused (os error [..]) (ENDPOINT)
       check the network, the region's name, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set

"#]]
    );
}

#[test]
fn missing_credentials_are_told_with_the_ways_to_sign_in() {
    let url = closed();
    let said = flowagg(&["plan"], FLEET, &url, false);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.err.replace(&url, "ENDPOINT"),
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: no AWS credentials were found: the environment has no access keys, and the AWS configuration no profile `default`
       sign in (`aws configure sso`, `aws configure`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY

"#]]
    );
}

#[test]
fn expired_credentials_are_told_as_such() {
    let url = endpoint(|_| {
        (403, query_error("ExpiredToken", "The security token included in the request is expired"))
    });
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.err,
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: ExpiredToken: The security token included in the request is expired (credentials of AWS_ACCESS_KEY_ID)
       the credentials have expired: sign in again, then run the command again; completed changes are kept

"#]]
    );
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
    assert_data_eq!(
        said.err,
        str![[r#"
error: 111122223333 eu-west-1: arn:aws:iam::111122223333:role/OrganizationAccountAccessRole: AssumeRole: AccessDenied: not authorized to perform sts:AssumeRole
       the credentials are for 999999999999, the hub is 111122223333: set `hub.profile` or `hub.role`, or use the hub's own credentials

"#]]
    );
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
    assert_data_eq!(
        said.out,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  + create the bucket in eu-west-1
  + block all public access
  + set object ownership BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, unfinished uploads deleted after 7
  + write the bucket policy: grants delivery to 222222222222 (612 bytes)

error: 222222222222 eu-west-1: arn:aws:iam::222222222222:role/OrganizationAccountAccessRole: AssumeRole: AccessDenied: not authorized to perform sts:AssumeRole
       create the role in 222222222222 with a trust policy for the caller, or name another with `role`; the caller needs sts:AssumeRole on it; `flowagg permissions` prints the policies, and `aws iam get-role` in 222222222222 shows the role

plan: 6 changes to the hub, 1 could not be read
next: fix the errors above, then run `flowagg plan` again

"#]]
    );
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
    assert!(!said.out.contains("a write") && !said.out.contains("applied"), "{}", said.out);
    // Several settings are read at once, and the first that fails is told.
    assert_data_eq!(
        said.out,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs

note: 111122223333 eu-west-1: no VPC to log

error: 111122223333 eu-west-1: acme-flow-logs: Get[..]: AccessDenied: Access Denied
       if another account owns the bucket, choose another `hub.bucket`; if 111122223333 does, allow s3:Get[..] to the role or user that is used there

plan: nothing can be done before that is settled
next: fix the errors above, then run `flowagg apply` again: what is done is not repeated

"#]]
    );
}

#[test]
fn page_of_a_proxy_is_not_taken_for_a_bucket_that_does_not_exist() {
    let url = endpoint(|request| match empty_account(request) {
        Some(answer) => (200, answer),
        None => (404, "<html><body>no such host</body></html>".to_owned()),
    });
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.out,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs

note: 111122223333 eu-west-1: no VPC to log

error: 111122223333 eu-west-1: acme-flow-logs: HeadBucket: this response is not from AWS: HTTP 404, content type `text/html`
       check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in

plan: nothing can be done before that is settled
next: fix the errors above, then run `flowagg plan` again

"#]]
    );
}

#[test]
fn sign_in_page_in_place_of_aws_is_named_with_the_endpoint() {
    let url = endpoint(|_| (200, "<html><body>Sign in</body></html>".to_owned()));
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.err.replace(&url, "ENDPOINT"),
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: this response is not from AWS: HTTP 200, content type `text/html` (ENDPOINT)
       check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in

"#]]
    );
}

#[test]
fn a_bucket_that_may_not_be_looked_at_may_be_somebody_elses() {
    let url = endpoint(|request| match (empty_account(request), request) {
        (Some(answer), _) => (200, answer),
        _ => (403, String::new()),
    });
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.out,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs

note: 111122223333 eu-west-1: no VPC to log

error: 111122223333 eu-west-1: acme-flow-logs: HeadBucket: AccessDenied: the bucket exists, but 111122223333 may not look at it
       if another account owns the bucket, choose another `hub.bucket`; if 111122223333 does, allow s3:ListBucket to the role or user that is used there

plan: nothing can be done before that is settled
next: fix the errors above, then run `flowagg plan` again

"#]]
    );
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
    assert_data_eq!(
        said.out,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs
  + create the bucket in eu-west-1
  + block all public access
  + set object ownership BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, unfinished uploads deleted after 7
  + write the bucket policy: grants delivery to 111122223333 (612 bytes)

note: 111122223333 eu-west-1: no VPC to log

plan: 6 changes to the hub

"#]]
    );
    assert_data_eq!(
        said.err,
        str![[r#"
error: nothing was done: there is no terminal to ask on
       look at the plan above, then say `--yes`

"#]]
    );
}

#[test]
fn a_verb_that_does_not_exist_is_answered_with_the_nearest() {
    let said = flowagg(&["paln"], FLEET, &closed(), true);
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: unrecognized subcommand 'paln'

  tip: some similar subcommands exist: 'man', 'plan'

Usage: flowagg [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]]
    );
}
