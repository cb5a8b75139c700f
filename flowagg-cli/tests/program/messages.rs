//! Error messages: what is wrong, where, and how to fix it.

use std::io::{Read, Write};
use std::net::TcpListener;

use snapbox::{assert_data_eq, str};

use crate::{FLEET, flowagg};

/// A fake AWS endpoint. `answer` computes each response from the first line and body of the request.
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
                // The metadata service.
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

/// Responses of STS and EC2 for an empty account.
pub(crate) fn empty_account(request: &str) -> Option<String> {
    let answers = [
        ("GetCallerIdentity", IDENTITY),
        ("DescribeVpcs", "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>"),
        ("DescribeFlowLogs", "<DescribeFlowLogsResponse><flowLogSet/></DescribeFlowLogsResponse>"),
    ];
    answers.iter().find(|(call, _)| request.contains(call)).map(|(_, answer)| (*answer).to_owned())
}

/// The URL of a port without a listener.
pub(crate) fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn all_errors_in_a_fleet_file_are_reported_at_once() {
    let faulty = include_str!("../../../flowagg-core/tests/data/eight-faults.toml");
    let said = flowagg(&["apply", "--yes"], faulty, &closed(), true);
    assert_eq!(said.code, Some(2));
    assert_eq!(said.out, "");
    assert_data_eq!(
        said.err,
        str![[r#"
error: `flowagg.toml` is invalid (8 errors); no AWS calls were made
flowagg.toml:3:11: `hub.account`: `11112222333` is not a valid AWS account ID: it has 11 digits
    use 12 digits, e.g. `111122223333`
flowagg.toml:5:10: `hub.bucket`: `Acme_Logs` is not a valid bucket name: `A` is not allowed
    use 3 to 63 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends, e.g. `acme-flow-logs`
flowagg.toml:6:10: `hub.prefix`: `AWSLogs` is not a valid prefix: `AWSLogs` is reserved for log delivery
    use segments of a-z, A-Z, 0-9 and `!-_.'()` separated by `/`, none of them `AWSLogs`, e.g. `network/flow-logs`
flowagg.toml:7:18: `hub.retention-days` is out of range: 0
    use an integer from 1 to 2147483647
flowagg.toml:10:1: unknown key `trafic` in `flow-logs`
    did you mean `traffic`?
flowagg.toml:11:24: `flow-logs.aggregation-interval`: invalid value `5m`
    use one of `10m`, `1m`
flowagg.toml:14:11: `members[0].account`: expected a string, found a number
    put it in quotes: "222222222222"
flowagg.toml:17:1: `members[1].regions` is missing
    add the regions to log, e.g. `regions = ["eu-west-1"]`, or `regions = ["all"]`

"#]]
    );
}

#[test]
fn policy_that_would_be_too_large_is_reported_before_any_call() {
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
error: `flowagg.toml`: the bucket policy would have 33735 bytes, 13255 over the limit of 20480: 400 accounts in form `prefixes` and 39 bytes of other statements
       use form `accounts` (30 bytes per account) or `organization` (no account list), or remove other statements

"#]]
    );
}

#[test]
fn misspelled_commands_options_and_values_are_corrected() {
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
fn terms_of_other_tools_suggest_the_flowagg_equivalent() {
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
  tip: use '--yes' to skip the confirmation
error: unexpected argument '-a' found
  tip: use '--yes' to skip the confirmation
error: unexpected argument '-f' found
  tip: use '-c FILE' or '--config FILE' to select the fleet file
error: unexpected argument '-f' found
  tip: use '-c FILE' or '--config FILE' to select the fleet file
error: unexpected argument '--dry-run' found
  tip: use 'flowagg plan', which changes nothing
error: unrecognized subcommand 'status'
  tip: use 'flowagg verify' for the delivery of each flow log, or 'flowagg report' for the whole fleet
error: unrecognized subcommand 'validate'
  tip: use 'flowagg doctor' to check the fleet file and AWS, or 'flowagg policy build' to check the fleet file offline
error: unrecognized subcommand 'validate'
error: unexpected argument '--output' found
  tip: use '--json' to print JSON, or '--out' to write files

"#]]
    );
}

#[test]
fn unknown_region_is_a_warning_and_only_called_if_enabled() {
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
warning: `flowagg.toml`: unknown region `eu-west-9`
         did you mean `eu-west-3`? `eu-west-9` is only read in accounts that have it enabled
warning: `flowagg.toml`: unknown region `eu-wset-1`
         did you mean `eu-west-1`? `eu-wset-1` is only read in accounts that have it enabled
hub 111122223333 eu-west-1 acme-flow-logs
  + create the bucket in eu-west-1
  + block all public access
  + set object ownership to BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, abort incomplete uploads after 7 days
  + write the bucket policy: grants delivery to 111122223333 (612 bytes)

note: 111122223333 eu-west-1: no VPC to log
note: 111122223333 eu-west-9: no VPC to log

error: 111122223333 eu-wset-1: DescribeRegions: flowagg does not know this region and the account does not list it; no calls were made there
       did you mean `eu-west-1`? otherwise enable eu-wset-1 in 111122223333

plan: 6 changes to the hub, 1 read failed
next: fix the errors above, then run `flowagg plan` again

"#]]
    );

    let hub = FLEET.replace("region = \"eu-west-1\"", "region = \"eu-wset-1\"");
    let said = flowagg(&["plan"], &hub, &url, true);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.err,
        str![[r#"
warning: `flowagg.toml`: unknown region `eu-wset-1`
         did you mean `eu-west-1`? `eu-wset-1` is only read in accounts that have it enabled
error: 111122223333 eu-wset-1: DescribeRegions: flowagg does not know this region and the account does not list it; no calls were made there
       did you mean `eu-west-1`? otherwise enable eu-wset-1 in 111122223333

"#]]
    );
    let said = flowagg(&["policy", "build", "--json"], &fleet, &closed(), false);
    assert_eq!(said.code, Some(0));
    assert_data_eq!(
        said.err,
        str![[r#"
{"schema":1,"event":"notice","text":"warning: `flowagg.toml`: unknown region `eu-west-9`; did you mean `eu-west-3`? `eu-west-9` is only read in accounts that have it enabled"}
{"schema":1,"event":"notice","text":"warning: `flowagg.toml`: unknown region `eu-wset-1`; did you mean `eu-west-1`? `eu-wset-1` is only read in accounts that have it enabled"}

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
error: `--only`: no member of the fleet is named `paymnts`
       did you mean `payments`?
error: `--only`: no member of the fleet has account `222222222223`
       select members by account ID or name, and regions by code
error: `--only`: no member of the fleet has region `eu-west-9`
       did you mean `eu-west-1`?
error: `--only`: no member of the fleet is named `accounting`
       select members by account ID or name, and regions by code

"#]]
    );
}

#[test]
fn missing_fleet_file_is_reported_with_its_path() {
    let said = flowagg(&["plan", "-c", "other.toml"], FLEET, &closed(), true);
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: the fleet file `other.toml` cannot be read: No such file or directory (os error 2)
       create one with `flowagg -c other.toml init`, or choose another with `--config FILE`

"#]]
    );
    // The working directory.
    let said = flowagg(&["plan", "-c", "."], FLEET, &closed(), true);
    assert_eq!(said.code, Some(2));
    assert_data_eq!(
        said.err,
        str![[r#"
error: the fleet file `.` is a folder
       use a file such as `-c ./flowagg.toml`

"#]]
    );
}

#[test]
fn unreachable_endpoint_is_reported_with_its_url() {
    let url = closed();
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.err.replace(&url, "ENDPOINT"),
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: request failed: Connection refused (os error [..]) (ENDPOINT)
       check the network, the region name, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set

"#]]
    );
}

#[test]
fn missing_credentials_are_reported_with_ways_to_sign_in() {
    let url = closed();
    let said = flowagg(&["plan"], FLEET, &url, false);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.err.replace(&url, "ENDPOINT"),
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: no AWS credentials found: the environment has no access keys, and the AWS configuration has no profile `default`
       sign in (`aws configure sso`, `aws configure`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY

"#]]
    );
}

#[test]
fn expired_credentials_are_reported_as_expired() {
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
fn hub_in_another_account_without_a_role_reports_the_callers_account() {
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
       the credentials are for account 999999999999, but the hub account is 111122223333: set `hub.profile` or `hub.role`, or use the hub's own credentials

"#]]
    );
}

#[test]
fn denied_role_is_reported_with_the_aws_message() {
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
  + set object ownership to BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, abort incomplete uploads after 7 days
  + write the bucket policy: grants delivery to 222222222222 (612 bytes)

error: 222222222222 eu-west-1: arn:aws:iam::222222222222:role/OrganizationAccountAccessRole: AssumeRole: AccessDenied: not authorized to perform sts:AssumeRole
       create the role in 222222222222 with a trust policy for the caller and allow the caller sts:AssumeRole on it, or set `role` to another role; `flowagg permissions` prints the policies, and `aws iam get-role` in 222222222222 shows the role

plan: 6 changes to the hub, 1 read failed
next: fix the errors above, then run `flowagg plan` again

"#]]
    );
}

#[test]
fn missing_bucket_permission_is_reported_and_nothing_is_written() {
    let url = endpoint(|request| match (empty_account(request), request) {
        (Some(answer), _) => (200, answer),
        (None, write) if write.starts_with("PUT") => (500, "a write".to_owned()),
        (None, head) if head.starts_with("HEAD") => (200, String::new()),
        _ => (403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>".to_owned()),
    });
    let said = flowagg(&["apply", "--yes"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert!(!said.out.contains("a write") && !said.out.contains("applied"), "{}", said.out);
    // Settings are read concurrently, and the first failure is reported.
    assert_data_eq!(
        said.out,
        str![[r#"
hub 111122223333 eu-west-1 acme-flow-logs

note: 111122223333 eu-west-1: no VPC to log

error: 111122223333 eu-west-1: acme-flow-logs: Get[..]: AccessDenied: Access Denied
       if another account owns the bucket, choose another `hub.bucket`; otherwise allow s3:Get[..] for the role or user used in 111122223333

plan: no changes can be made until the errors are fixed
next: fix the errors above, then run `flowagg apply` again; completed changes are kept

"#]]
    );
}

#[test]
fn proxy_error_page_is_not_mistaken_for_a_missing_bucket() {
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

error: 111122223333 eu-west-1: acme-flow-logs: HeadBucket: the response is not from AWS: HTTP 404, content type `text/html`
       check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there

plan: no changes can be made until the errors are fixed
next: fix the errors above, then run `flowagg plan` again

"#]]
    );
}

#[test]
fn sign_in_page_instead_of_aws_is_reported_with_the_endpoint() {
    let url = endpoint(|_| (200, "<html><body>Sign in</body></html>".to_owned()));
    let said = flowagg(&["plan"], FLEET, &url, true);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.err.replace(&url, "ENDPOINT"),
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: the response is not from AWS: HTTP 200, content type `text/html` (ENDPOINT)
       check the proxy, and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL) if one is set; if the network has a sign-in page, sign in there

"#]]
    );
}

#[test]
fn denied_bucket_may_belong_to_another_account() {
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

error: 111122223333 eu-west-1: acme-flow-logs: HeadBucket: AccessDenied: the bucket exists, but access is denied to 111122223333
       if another account owns the bucket, choose another `hub.bucket`; otherwise allow s3:ListBucket for the role or user used in 111122223333

plan: no changes can be made until the errors are fixed
next: fix the errors above, then run `flowagg plan` again

"#]]
    );
}

#[test]
fn apply_without_a_terminal_requires_yes() {
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
  + set object ownership to BucketOwnerEnforced
  + encrypt with SSE-S3
  + lifecycle of AWSLogs/: expire after 90 days, abort incomplete uploads after 7 days
  + write the bucket policy: grants delivery to 111122223333 (612 bytes)

note: 111122223333 eu-west-1: no VPC to log

plan: 6 changes to the hub

"#]]
    );
    assert_data_eq!(
        said.err,
        str![[r#"
error: nothing was applied: cannot ask for confirmation without a terminal
       review the plan above, then pass `--yes`

"#]]
    );
}

#[test]
fn unknown_command_suggests_the_closest() {
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
