//! Errors of credentials that cannot be loaded: the profile, the cause and the fix.

use std::fs;
use std::path::Path;
use std::process::Command;

use snapbox::{assert_data_eq, str};

use crate::messages::{closed, empty_account, endpoint, query_error};
use crate::{FLEET, Said};

/// Runs the program with only this AWS configuration and these variables.
pub(crate) fn on(config: &str, variables: &[(&str, &str)], args: &[&str]) -> Said {
    on_with_fleet(FLEET, config, variables, args)
}

fn on_with_fleet(fleet: &str, config: &str, variables: &[(&str, &str)], args: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flowagg.toml"), fleet).unwrap();
    fs::write(folder.path().join("config"), config).unwrap();
    in_folder(folder.path(), variables, args)
}

pub(crate) fn in_folder(folder: &Path, variables: &[(&str, &str)], args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowagg"));
    command.args(args).current_dir(folder).env_clear().env("HOME", folder).env("PATH", "/usr/bin:/bin");
    command.env("AWS_CONFIG_FILE", folder.join("config"));
    command.env("AWS_SHARED_CREDENTIALS_FILE", folder.join("credentials"));
    command.env("AWS_EC2_METADATA_DISABLED", "true").envs(variables.iter().copied());
    let said = Said::of(command.output().unwrap());
    let all = format!("{}{}", said.out, said.err);
    assert!(!all.contains("panicked"), "{all}");
    assert!(!all.contains("HIDDEN"), "{all}");
    Said { err: said.err.replace(&folder.display().to_string(), "FOLDER"), ..said }
}

const SSO: &str = "
[profile network]
sso_session = acme
sso_account_id = 111122223333
sso_role_name = Network

[profile old]
sso_start_url = https://acme.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 111122223333
sso_role_name = Network

[profile hub]
role_arn = arn:aws:iam::111122223333:role/flowagg
source_profile = network

[sso-session acme]
sso_start_url = https://acme.awsapps.com/start
sso_region = eu-west-1
sso_registration_scopes = sso:account:access
";

/// The arguments of a run, and its variables.
type Run<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);

/// The exit code and standard error of each run.
fn shown(config: &str, runs: &[Run<'_>]) -> String {
    let url = closed();
    let run = |(args, variables): &Run<'_>| {
        let args = [&["plan", "--endpoint-url", &url], *args].concat();
        let said = on(config, variables, &args);
        let code = said.code.unwrap();
        format!("{code} {}", said.err.replace(&url, "ENDPOINT"))
    };
    runs.iter().map(run).collect()
}

#[test]
fn profile_without_an_sso_session_advises_the_login_command() {
    assert_data_eq!(
        shown(
            SSO,
            &[
                (&[], &[("AWS_PROFILE", "network")]),
                (&["--profile", "old"], &[("AWS_PROFILE", "network")]),
                (&["--profile", "hub"], &[]),
            ]
        ),
        str![[r#"
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `network` (AWS_PROFILE): not signed in with SSO: failed to load the cached SSO token
       sign in with `aws sso login --profile network`, then run the command again
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `old` (`--profile`): not signed in with SSO: no token is cached
       sign in with `aws sso login --profile old`, then run the command again
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `hub` (`--profile`): not signed in with SSO: failed to load the cached SSO token
       sign in with `aws sso login --profile network`, then run the command again

"#]]
    );
    let fleet = FLEET.replace("bucket =", "profile = \"network\"\nbucket =");
    let said = on_with_fleet(&fleet, SSO, &[], &["plan", "--endpoint-url", &closed()]);
    assert_data_eq!(
        said.err,
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: profile `network` (`hub.profile`): not signed in with SSO: failed to load the cached SSO token
       sign in with `aws sso login --profile network`, then run the command again

"#]]
    );
}

#[test]
fn ended_sso_session_and_unassigned_access_are_distinguished() {
    let token = r#"{"accessToken": "HIDDEN", "expiresAt": "2099-01-01T00:00:00Z"}"#;
    let mut shown = String::new();
    for (status, code, message) in [
        (401, "UnauthorizedException", "Session token not found or invalid"),
        (403, "ForbiddenException", "No access"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("flowagg.toml"), FLEET).unwrap();
        fs::write(folder.path().join("config"), SSO).unwrap();
        let cache = folder.path().join(".aws/sso/cache");
        fs::create_dir_all(&cache).unwrap();
        // SHA-1 of the start URL.
        fs::write(cache.join("40169cea58ca6cbf23fb27b2542923fb5f524af0.json"), token).unwrap();
        let url = endpoint(match status {
            401 => {
                |_| {
                    (401, r#"{"__type": "UnauthorizedException", "message": "Session token not found or invalid"}"#.to_owned())
                }
            }
            _ => |_| (403, r#"{"__type": "ForbiddenException", "message": "No access"}"#.to_owned()),
        });
        let variables = [("AWS_ENDPOINT_URL_SSO", url.as_str())];
        let said = in_folder(folder.path(), &variables, &["plan", "--profile", "old"]);
        assert!(said.err.contains(code) || said.err.contains(message), "{}", said.err);
        shown += &said.err;
    }
    assert_data_eq!(
        shown,
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: profile `old` (`--profile`): the SSO session has expired or was ended: Session token not found or invalid
       sign in with `aws sso login --profile old`, then run the command again
error: 111122223333 eu-west-1: GetCallerIdentity: profile `old` (`--profile`): GetRoleCredentials: ForbiddenException: No access
       check `sso_account_id` and `sso_role_name` of profile `old`: the user must be assigned to this account and permission set in IAM Identity Center

"#]]
    );
}

#[test]
fn missing_profile_suggests_the_closest_name() {
    let keys = [("AWS_PROFILE", "netwrk"), ("AWS_ACCESS_KEY_ID", "A")];
    assert_data_eq!(
        shown(
            SSO,
            &[
                (&["--profile", "netwrk"], &[]),
                (&["--profile", "audit"], &[]),
                (&[], &keys),
                (&[], &[("AWS_PROFILE", "audit")]),
            ]
        ),
        str![[r#"
2 error: `--profile`: profile `netwrk` does not exist
       did you mean `network`? `aws configure list-profiles` lists the profiles
2 error: `--profile`: profile `audit` does not exist
       use one of the profiles `hub`, `network`, `old`, or add it with `aws configure sso`
1 error: 111122223333 eu-west-1: GetCallerIdentity: no AWS credentials found: profile `netwrk` (AWS_PROFILE) does not exist
       did you mean `network`? `aws configure list-profiles` lists the profiles
1 error: 111122223333 eu-west-1: GetCallerIdentity: no AWS credentials found: profile `audit` (AWS_PROFILE) does not exist
       use one of the profiles `hub`, `network`, `old`, or add it with `aws configure sso`

"#]]
    );
    assert_data_eq!(
        shown("", &[(&["--profile", "audit"], &[]), (&[], &[("AWS_PROFILE", "audit")])]),
        str![[r#"
2 error: `--profile`: profile `audit` does not exist
       the AWS configuration has no profiles: add one with `aws configure sso`, or set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE to its files
1 error: 111122223333 eu-west-1: GetCallerIdentity: no AWS credentials found: profile `audit` (AWS_PROFILE) does not exist
       the AWS configuration has no profiles: add one with `aws configure sso`, or set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE to its files

"#]]
    );
}

#[test]
fn missing_credentials_are_reported_with_the_sources_tried() {
    let empty = "[profile empty]\nregion = eu-west-1\n";
    assert_data_eq!(
        shown(
            empty,
            &[
                (&[], &[]),
                (&[], &[("AWS_ACCESS_KEY_ID", "A")]),
                (&[], &[("AWS_PROFILE", "empty")]),
                (&["--profile", "empty"], &[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "HIDDEN")]),
            ]
        ),
        str![[r#"
1 error: 111122223333 eu-west-1: GetCallerIdentity: no AWS credentials found: the environment has no access keys, and the AWS configuration has no profile `default`
       select a profile with `--profile` or AWS_PROFILE: `empty`
1 error: 111122223333 eu-west-1: GetCallerIdentity: no AWS credentials found: AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY
       select a profile with `--profile` or AWS_PROFILE: `empty`
1 error: 111122223333 eu-west-1: GetCallerIdentity: no AWS credentials found: profile `empty` (AWS_PROFILE) has none
       add credentials to it with `aws configure sso --profile empty` or `aws configure --profile empty`, or select another profile with `--profile`
1 error: 111122223333 eu-west-1: GetCallerIdentity: no AWS credentials found: profile `empty` (`--profile`) has none
       add credentials to it with `aws configure sso --profile empty` or `aws configure --profile empty`, or select another profile with `--profile`

"#]]
    );
}

#[test]
fn metadata_service_is_mentioned_only_if_it_was_tried() {
    let url = closed();
    let metadata =
        [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())];
    assert_data_eq!(
        shown("", &[(&[], &metadata)]),
        str![[r#"
1 error: 111122223333 eu-west-1: GetCallerIdentity: no AWS credentials found: the environment has no access keys, and the AWS configuration has no profile `default`; the instance metadata service has none either
       sign in (`aws configure sso`, `aws configure`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY

"#]]
    );
    let other = [&metadata[..], &[("AWS_PROFILE", "old")]].concat();
    assert!(!shown(SSO, &[(&[], &other)]).contains("metadata"));
}

#[test]
fn failed_credential_process_is_reported_without_secrets() {
    let config = "
[profile denied]
credential_process = sh -c \"echo 'access denied for wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXHIDDEN1' >&2; exit 3\"
[profile words]
credential_process = echo wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXHIDDEN1
[profile incomplete]
credential_process = echo {\"Version\": 1, \"AccessKeyId\": \"A\"}
[profile absent]
credential_process = /opt/acme/no-such-program --token HIDDEN
";
    let runs: Vec<[&str; 2]> =
        ["denied", "words", "incomplete", "absent"].map(|name| ["--profile", name]).to_vec();
    let runs: Vec<Run<'_>> = runs.iter().map(|run| (&run[..], &[][..])).collect();
    assert_data_eq!(
        shown(config, &runs),
        str![[r#"
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `denied` (`--profile`): `credential_process` failed: Error retrieving credentials: external process exited with code exit status: 3. Stderr: access denied for ***
       run the `credential_process` command of profile `denied` in a terminal, and fix it
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `words` (`--profile`): `credential_process` failed: Error retrieving credentials from external process, could not parse response: invalid JSON in response: Error at offset 0: unexpected token 'w'. Expected one of '{', '[', '"', 'null', 'true', 'false', <number>
       run the `credential_process` command of profile `words` in a terminal, and fix it
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `incomplete` (`--profile`): `credential_process` failed: Error retrieving credentials from external process, could not parse response: invalid JSON in response: Error at offset 1: unexpected token 'V'. Expected one of '"'
       run the `credential_process` command of profile `incomplete` in a terminal, and fix it
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `absent` (`--profile`): `credential_process` failed: Error retrieving credentials: external process exited with code exit status: 127. Stderr: [..]
       run the `credential_process` command of profile `absent` in a terminal, and fix it

"#]]
    );
}

#[test]
fn credential_process_runs_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flowagg.toml"), FLEET).unwrap();
    let keys = r#"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "HIDDEN"}"#;
    fs::write(folder.path().join("keys"), keys).unwrap();
    let config = "[profile made]\ncredential_process = sh -c \"echo run >> runs; cat keys\"\n";
    fs::write(folder.path().join("config"), config).unwrap();
    let url = endpoint(|request| {
        empty_account(request).map_or_else(|| (404, String::new()), |answer| (200, answer))
    });
    let said = in_folder(folder.path(), &[("AWS_ENDPOINT_URL", &url)], &["plan", "--profile", "made"]);
    assert!(said.out.contains("create the bucket"), "{}{}", said.out, said.err);
    assert_eq!(fs::read_to_string(folder.path().join("runs")).unwrap(), "run\n");
}

#[test]
fn expired_credentials_that_cannot_be_reloaded_are_reported_with_the_profile() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flowagg.toml"), FLEET).unwrap();
    let keys = r#"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "HIDDEN", "Expiration": "2020-01-01T00:00:00Z"}"#;
    fs::write(folder.path().join("keys"), keys).unwrap();
    let config = "[profile made]\ncredential_process = sh -c \"test -e run && echo session ended >&2 && exit 1; touch run; cat keys\"\n";
    fs::write(folder.path().join("config"), config).unwrap();
    let said = in_folder(folder.path(), &[("AWS_ENDPOINT_URL", &closed())], &["plan", "--profile", "made"]);
    assert_eq!(said.code, Some(1));
    assert_data_eq!(
        said.err.split(" (http").next().unwrap().to_owned(),
        str![[
            r#"error: 111122223333 eu-west-1: GetCallerIdentity: profile `made` (`--profile`): `credential_process` failed: Error retrieving credentials: external process exited with code exit status: 1. Stderr: session ended"#
        ]]
    );
}

#[test]
fn invalid_profiles_are_reported_with_the_key() {
    let config = "
[profile loop]
role_arn = arn:aws:iam::111122223333:role/flowagg
source_profile = hoop
[profile hoop]
role_arn = arn:aws:iam::111122223333:role/flowagg
source_profile = loop
[profile lost]
role_arn = arn:aws:iam::111122223333:role/flowagg
source_profile = nowhere
[profile half]
aws_access_key_id = A
[profile session]
sso_session = missing
sso_account_id = 111122223333
sso_role_name = Network
[profile login]
login_session = arn:aws:iam::111122223333:user/someone
[profile token]
role_arn = arn:aws:iam::111122223333:role/flowagg
web_identity_token_file = /no/such/token
[profile source]
role_arn = arn:aws:iam::111122223333:role/flowagg
credential_source = Environment
";
    let names = ["loop", "lost", "half", "session", "login", "token", "source"];
    let runs = names.map(|name| ["--profile", name]);
    let runs: Vec<Run<'_>> = runs.iter().map(|run| (&run[..], &[][..])).collect();
    assert_data_eq!(
        shown(config, &runs),
        str![[r#"
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `loop` (`--profile`) cannot be used: profile formed an infinite loop. first we loaded ["loop", "hoop"], then attempted to reload loop
       correct the AWS configuration: `~/.aws/config` and `~/.aws/credentials`, or the files set in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `lost` (`--profile`) cannot be used: `source_profile = nowhere` of profile `lost` does not exist
       use one of the profiles `half`, `hoop`, `login`, `loop`, `lost`, `session` and 2 more, or add it with `aws configure sso`
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `half` (`--profile`) cannot be used: invalid credential source in `half`: profile missing aws_secret_access_key
       correct the AWS configuration: `~/.aws/config` and `~/.aws/credentials`, or the files set in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `session` (`--profile`) cannot be used: sso-session named `missing` (referenced by profile `session`) was not found
       correct the AWS configuration: `~/.aws/config` and `~/.aws/credentials`, or the files set in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `login` (`--profile`): flowagg does not support sign-ins with `aws login`
       export the credentials with `eval "$(aws configure export-credentials --profile login --format env)"`, or use a profile with `sso_session`
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `token` (`--profile`): the web identity token cannot be used: No such file or directory (os error 2)
       check `web_identity_token_file` and `role_arn` of profile `token`
1 error: 111122223333 eu-west-1: GetCallerIdentity: profile `source` (`--profile`): `credential_source = Environment`: environment variable not set
       check `credential_source` of profile `source`, and run flowagg where that source has credentials

"#]]
    );
    assert_data_eq!(
        shown("[profile x\n", &[(&["--profile", "x"], &[]), (&[], &[])]),
        str![[r#"
2 error: `--profile`: the AWS configuration cannot be read: error parsing FOLDER/config on line 1: Profile definition must end with ']'
       correct the AWS configuration: `~/.aws/config` and `~/.aws/credentials`, or the files set in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE
1 error: 111122223333 eu-west-1: GetCallerIdentity: the AWS configuration cannot be read: error parsing FOLDER/config on line 1: Profile definition must end with ']'
       correct the AWS configuration: `~/.aws/config` and `~/.aws/credentials`, or the files set in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE

"#]]
    );
}

#[test]
fn denied_role_of_a_profile_is_reported_with_the_profile() {
    let config = "
[profile hub]
role_arn = arn:aws:iam::111122223333:role/flowagg
source_profile = keys
[profile keys]
aws_access_key_id = A
aws_secret_access_key = HIDDEN
";
    let url = endpoint(|_| (403, query_error("AccessDenied", "not authorized to perform sts:AssumeRole")));
    let said = on(config, &[("AWS_ENDPOINT_URL", &url)], &["plan", "--profile", "hub"]);
    assert_data_eq!(
        said.err,
        str![[r#"
error: 111122223333 eu-west-1: AssumeRole: AccessDenied: profile `hub` (`--profile`): not authorized to perform sts:AssumeRole
       create the role in 111122223333 with a trust policy for the caller and allow the caller sts:AssumeRole on it, or set `role` to another role; `flowagg permissions` prints the policies, and `aws iam get-role` in 111122223333 shows the role

"#]]
    );
}

#[test]
fn rejected_credentials_are_reported_with_their_origin() {
    let config = "[profile keys]\naws_access_key_id = A\naws_secret_access_key = HIDDEN\n";
    let url = endpoint(|_| (403, query_error("ExpiredToken", "The security token is expired")));
    let url = ("AWS_ENDPOINT_URL", url.as_str());
    let keys =
        [url, ("AWS_PROFILE", "keys"), ("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "HIDDEN")];
    let shown =
        [on(config, &keys, &["plan"]), on(config, &keys[..2], &["plan"])].map(|said| said.err).concat();
    assert_data_eq!(
        shown,
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: ExpiredToken: The security token is expired (credentials of AWS_ACCESS_KEY_ID)
       the credentials have expired: sign in again, then run the command again; completed changes are kept
error: 111122223333 eu-west-1: GetCallerIdentity: ExpiredToken: The security token is expired (credentials of profile `keys` (AWS_PROFILE))
       the credentials have expired: sign in again, then run the command again; completed changes are kept

"#]]
    );
}

#[test]
fn profile_option_takes_precedence_over_keys_in_the_environment() {
    let config = "[profile keys]\naws_access_key_id = OFPROFILE\naws_secret_access_key = HIDDEN\n";
    let url = endpoint(|request| {
        let of_profile = request.contains("Credential=OFPROFILE/");
        (403, query_error("Told", if of_profile { "the profile" } else { "the environment" }))
    });
    let keys = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "OFENV"),
        ("AWS_SECRET_ACCESS_KEY", "HIDDEN"),
    ];
    let by_variable = [&keys[..], &[("AWS_PROFILE", "keys")]].concat();
    let asked = |variables: &[(&str, &str)], args: &[&str]| on(config, variables, args).err;
    assert!(asked(&keys, &["plan", "--profile", "keys"]).contains("Told: the profile"));
    assert!(asked(&by_variable, &["plan"]).contains("Told: the environment"));
}
