//! Options and variables that decide how AWS is reached.

use std::fs;

use snapbox::{assert_data_eq, str};

use crate::FLEET;
use crate::credentials::{in_folder, on};
use crate::messages::{closed, empty_account, endpoint, query_error};

#[test]
fn first_calls_are_sent_to_the_region_that_is_named() {
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
fn file_of_certificates_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flowagg.toml"), FLEET).unwrap();
    fs::write(folder.path().join("empty.pem"), "").unwrap();
    let mut told = String::new();
    for file in ["missing.pem", "empty.pem"] {
        let said = in_folder(folder.path(), &[("SSL_CERT_FILE", file)], &["plan"]);
        assert_eq!(said.code, Some(2));
        told += &said.err;
    }
    assert_data_eq!(
        told,
        str![[r#"
error: SSL_CERT_FILE: `missing.pem` cannot be read: [..]
       name a file of certificates in PEM format, or unset SSL_CERT_FILE
error: SSL_CERT_FILE: `empty.pem` has no certificate in PEM format
       name a file of certificates in PEM format, or unset SSL_CERT_FILE

"#]]
    );
}

/// Values that no variable of the SDK expects.
const NONSENSE: [&str; 4] = ["nonsense !", "", "://\u{e4}\u{1f642}", "-1"];

/// What the SDK reads ("Settings reference", AWS SDKs and Tools Reference Guide), without the keys themselves.
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
fn no_value_of_a_variable_makes_it_panic() {
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
                // These need no credentials to be read.
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
import: error: AWS_DEFAULT_REGION: `nonsense !` is not a region: it has not the form of a region code
       a region code such as `eu-west-1`, `cn-north-1` or `us-gov-west-1`
plan: error: AWS_ENDPOINT_URL: `nonsense !` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
import: error: AWS_ENDPOINT_URL: `nonsense !` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
plan: error: AWS_ENDPOINT_URL_EC2: `nonsense !` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
import: error: AWS_ENDPOINT_URL_EC2: `nonsense !` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
plan: error: AWS_ENDPOINT_URL_S3: `nonsense !` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
import: error: AWS_ENDPOINT_URL_S3: `nonsense !` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
plan: error: AWS_ENDPOINT_URL_STS: `nonsense !` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
import: error: AWS_ENDPOINT_URL_STS: `nonsense !` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
import: error: AWS_REGION: `nonsense !` is not a region: it has not the form of a region code
       a region code such as `eu-west-1`, `cn-north-1` or `us-gov-west-1`
plan: error: SMITHY_CLIENT_SDK_CUSTOM_PARTITION: flowagg has partitions of its own
       unset SMITHY_CLIENT_SDK_CUSTOM_PARTITION
import: error: SMITHY_CLIENT_SDK_CUSTOM_PARTITION: flowagg has partitions of its own
       unset SMITHY_CLIENT_SDK_CUSTOM_PARTITION

"#]]
    );
}

#[test]
fn options_that_cannot_be_used_are_named_before_any_call() {
    let mut told = String::new();
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
        told += &said.err;
    }
    assert_data_eq!(
        told,
        str![[r#"
error: `--endpoint-url`: `localhost:4566` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
error: `--endpoint-url`: `http://***@` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
error: `--endpoint-url`: `` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
error: invalid value 'eu-west' for '--region <REGION>': `eu-west` is not a region: it has not the form of a region code

For more information, try '--help'.
error: `--region`: us-gov-west-1 is in partition `aws-us-gov`, and the hub's region eu-west-1 in `aws`
       name a region of `aws`, or leave it out
error: `--endpoint-url`: `ftp://aws.example` is not the URL of an endpoint
       write it with `http://` or `https://`, as in `http://localhost:4566`
error: `--profile`: there is no profile ``
       the AWS configuration has no profiles: add one with `aws configure sso`, or name its files in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE

"#]]
    );
}
