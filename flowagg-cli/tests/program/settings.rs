//! Options and variables that control how AWS is reached.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::FLEET;
use crate::credentials::{in_folder, on};
use crate::messages::{closed, empty_account, endpoint, query_error};

#[test]
fn initial_calls_use_the_requested_region() {
    let url = endpoint(|request| {
        let region = ["us-east-2", "eu-west-1", "ap-south-1", "sa-east-1"]
            .into_iter()
            .find(|region| request.contains(&format!("/{region}/sts/")));
        (403, query_error("Told", &format!("sent to {}", region.unwrap_or("another"))))
    });
    let keys =
        [("AWS_ENDPOINT_URL", url.as_str()), ("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "HIDDEN")];
    let with = |region: &[(&'static str, &'static str)]| [&keys[..], region].concat();
    let sent = |variables: &[(&str, &str)], args: &[&str]| {
        let said = on("[default]\nregion = sa-east-1\n", variables, args).err;
        said.split_once("sent to ").map(|(_, rest)| rest.lines().next().unwrap_or_default().to_owned())
    };
    let import = ["import", "--bucket", "acme-flow-logs"];
    let both = with(&[("AWS_REGION", "us-east-2"), ("AWS_DEFAULT_REGION", "ap-south-1")]);
    assert_eq!(sent(&keys, &["plan"]).as_deref(), Some("eu-west-1"), "the hub's");
    assert_eq!(sent(&both, &["plan"]).as_deref(), Some("eu-west-1"), "the hub's");
    assert_eq!(sent(&both, &["plan", "--region", "ap-south-1"]).as_deref(), Some("ap-south-1"));
    assert_eq!(sent(&both, &import).as_deref(), Some("us-east-2"));
    assert_eq!(sent(&with(&[("AWS_DEFAULT_REGION", "ap-south-1")]), &import).as_deref(), Some("ap-south-1"));
    assert_eq!(sent(&keys, &import).as_deref(), Some("sa-east-1"), "the profile's");
    assert_eq!(
        sent(&both, &[&import[..], &["--region", "eu-west-1"]].concat()).as_deref(),
        Some("eu-west-1")
    );
}

#[test]
fn invalid_certificate_file_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flowagg.toml"), FLEET).unwrap();
    fs::write(folder.path().join("empty.pem"), "").unwrap();
    let mut output = String::new();
    for file in ["missing.pem", "empty.pem"] {
        let said = in_folder(folder.path(), &[("SSL_CERT_FILE", file)], &["plan"]);
        assert_eq!(said.code, Some(2));
        output += &said.err;
    }
    assert_data_eq!(
        output,
        str![[r#"
error: SSL_CERT_FILE: `missing.pem` cannot be read: [..]
       set SSL_CERT_FILE to a PEM file of certificates, or unset it
error: SSL_CERT_FILE: `empty.pem` contains no PEM certificate
       set SSL_CERT_FILE to a PEM file of certificates, or unset it

"#]]
    );
}

/// Unexpected values for SDK variables.
const NONSENSE: [&str; 4] = ["nonsense !", "", "://\u{e4}\u{1f642}", "-1"];

/// Variables that the SDK reads ("Settings reference", AWS SDKs and Tools Reference Guide), except the access keys.
const VARIABLES: [&str; 36] = [
    "AWS_ACCOUNT_ID",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE",
    "AWS_AUTH_SCHEME_PREFERENCE",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULTS_MODE",
    "AWS_DEFAULT_REGION",
    "AWS_DISABLE_REQUEST_COMPRESSION",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EC2_METADATA_V1_DISABLED",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_EXECUTION_ENV",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_MAX_ATTEMPTS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_REQUEST_CHECKSUM_CALCULATION",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
    "AWS_RESPONSE_CHECKSUM_VALIDATION",
    "AWS_RETRY_MODE",
    "AWS_ROLE_ARN",
    "AWS_SDK_UA_APP_ID",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_SIGV4A_SIGNING_REGION_SET",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "SMITHY_CLIENT_SDK_CUSTOM_PARTITION",
];

#[test]
fn unexpected_variables_cause_no_panic() {
    let url = endpoint(|request| {
        empty_account(request).map_or_else(|| (404, String::new()), |answer| (200, answer))
    });
    let keys = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "HIDDEN")];
    let metadata = closed();
    let no_keys =
        [("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.as_str())];
    let import = ["import", "--bucket", "acme-flow-logs"];
    let run = |variable: &str| {
        let mut refused = String::new();
        for value in NONSENSE {
            for (machine, args) in [(&keys, &["plan"][..]), (&keys, &import), (&no_keys, &["plan"])] {
                // Without keys, only variables for credential sources matter.
                let is_source = ["CONTAINER", "FILE", "METADATA", "PROFILE", "ROLE"];
                if machine == &no_keys && !is_source.iter().any(|part| variable.contains(part)) {
                    continue;
                }
                let set = [("AWS_ENDPOINT_URL", url.as_str()), (variable, value)];
                let said = on("", &[&machine[..], &set].concat(), args);
                assert!(matches!(said.code, Some(0..=2)), "{variable}={value}: {:?}", said.code);
                if said.code == Some(2) && value == NONSENSE[0] {
                    refused += &format!("{}: {}", args[0], said.err);
                }
            }
        }
        refused
    };
    let refused: String = std::thread::scope(|scope| {
        let runs: Vec<_> = VARIABLES.iter().map(|variable| scope.spawn(|| run(variable))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_data_eq!(
        refused,
        str![[r#"
import: error: AWS_DEFAULT_REGION: `nonsense !` is not a valid region: it does not have the format of a region code
       use a region code such as `eu-west-1`, `cn-north-1` or `us-gov-west-1`
plan: error: AWS_ENDPOINT_URL: `nonsense !` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
import: error: AWS_ENDPOINT_URL: `nonsense !` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
plan: error: AWS_ENDPOINT_URL_EC2: `nonsense !` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
import: error: AWS_ENDPOINT_URL_EC2: `nonsense !` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
plan: error: AWS_ENDPOINT_URL_S3: `nonsense !` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
import: error: AWS_ENDPOINT_URL_S3: `nonsense !` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
plan: error: AWS_ENDPOINT_URL_STS: `nonsense !` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
import: error: AWS_ENDPOINT_URL_STS: `nonsense !` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
import: error: AWS_REGION: `nonsense !` is not a valid region: it does not have the format of a region code
       use a region code such as `eu-west-1`, `cn-north-1` or `us-gov-west-1`
plan: error: SMITHY_CLIENT_SDK_CUSTOM_PARTITION: flowagg uses its built-in partitions
       unset SMITHY_CLIENT_SDK_CUSTOM_PARTITION
import: error: SMITHY_CLIENT_SDK_CUSTOM_PARTITION: flowagg uses its built-in partitions
       unset SMITHY_CLIENT_SDK_CUSTOM_PARTITION

"#]]
    );
}

#[test]
fn invalid_options_are_reported_before_any_call() {
    let mut output = String::new();
    for args in [
        &["plan", "--endpoint-url", "localhost:4566"][..],
        &["plan", "--endpoint-url", "http://user:HIDDEN@"],
        &["plan", "--endpoint-url", ""],
        &["plan", "--region", "eu-west"],
        &["plan", "--region", "us-gov-west-1"],
        &["init", "-c", "new.toml", "--endpoint-url", "ftp://aws.example"],
        &["doctor", "--profile", ""],
    ] {
        let said = on("", &[], args);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{args:?}: {}", said.err);
        output += &said.err;
    }
    assert_data_eq!(
        output,
        str![[r#"
error: `--endpoint-url`: `localhost:4566` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
error: `--endpoint-url`: `http://***@` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
error: `--endpoint-url`: `` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
error: invalid value 'eu-west' for '--region <REGION>': `eu-west` is not a valid region: it does not have the format of a region code

For more information, try '--help'.
error: `--region`: us-gov-west-1 is in partition `aws-us-gov`, but the hub region eu-west-1 is in `aws`
       use a region of `aws`, or omit it
error: `--endpoint-url`: `ftp://aws.example` is not a valid endpoint URL
       start it with `http://` or `https://`, e.g. `http://localhost:4566`
error: `--profile`: profile `` does not exist
       the AWS configuration has no profiles: add one with `aws configure sso`, or set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE to its files

"#]]
    );
}
