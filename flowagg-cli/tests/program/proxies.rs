//! Invalid and unreachable proxies, and hosts that bypass them.

use std::process::Command;

use snapbox::{assert_data_eq, str};

use crate::messages::{closed, empty_account, endpoint};
use crate::{FLEET, Said};

/// Runs `plan` with these variables and no other settings.
fn plan(variables: &[(&str, &str)]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flowagg.toml"), FLEET).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowagg"));
    command.arg("plan").current_dir(folder.path()).env_clear().env("HOME", folder.path());
    let said = Said::of(command.envs(variables.iter().copied()).output().unwrap());
    assert!(!said.err.contains("HIDDEN") && !said.out.contains("HIDDEN"), "{}{}", said.out, said.err);
    said
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "B")];

#[test]
fn invalid_proxy_url_is_reported_before_any_call() {
    let mut output = String::new();
    for (variable, url) in [
        ("HTTPS_PROXY", "socks5://proxy.example:1080"),
        ("HTTPS_PROXY", "http://user:p@HIDDEN@proxy.example:8080"),
        ("HTTP_PROXY", "http://"),
        ("https_proxy", "proxy.example:99999"),
        ("http_proxy", "no proxy"),
    ] {
        let said = plan(&[&KEYS[..], &[(variable, url)]].concat());
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{url}");
        output += &said.err;
    }
    assert_data_eq!(
        output,
        str![[r#"
error: HTTPS_PROXY: `socks5://proxy.example:1080` is not a valid HTTP proxy URL
       use the form `http://proxy.example:8080` or `http://USER:PASSWORD@proxy.example:8080`, and percent-encode special characters (`%40` for `@`)
error: HTTPS_PROXY: `http://***@proxy.example:8080` is not a valid HTTP proxy URL
       use the form `http://proxy.example:8080` or `http://USER:PASSWORD@proxy.example:8080`, and percent-encode special characters (`%40` for `@`)
error: HTTP_PROXY: `http://` is not a valid HTTP proxy URL
       use the form `http://proxy.example:8080` or `http://USER:PASSWORD@proxy.example:8080`, and percent-encode special characters (`%40` for `@`)
error: https_proxy: `proxy.example:99999` is not a valid HTTP proxy URL
       use the form `http://proxy.example:8080` or `http://USER:PASSWORD@proxy.example:8080`, and percent-encode special characters (`%40` for `@`)
error: http_proxy: `no proxy` is not a valid HTTP proxy URL
       use the form `http://proxy.example:8080` or `http://USER:PASSWORD@proxy.example:8080`, and percent-encode special characters (`%40` for `@`)

"#]]
    );
}

#[test]
fn unreachable_proxy_is_reported() {
    let proxy = closed();
    let tunnel = [&KEYS[..], &[("HTTPS_PROXY", proxy.as_str())]].concat();
    let clear = [&KEYS[..], &[("HTTP_PROXY", &proxy), ("AWS_ENDPOINT_URL", "http://aws.example")]].concat();
    let mut output = String::new();
    for variables in [tunnel, clear] {
        let said = plan(&variables);
        assert_eq!(said.code, Some(1));
        output += &said.err.replace(&proxy, "PROXY");
    }
    assert_data_eq!(
        output,
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: the proxy `PROXY` (HTTPS_PROXY) cannot be reached: Connection refused (os error [..])
       correct HTTPS_PROXY, or list hosts that need no proxy in NO_PROXY
error: 111122223333 eu-west-1: GetCallerIdentity: the proxy `PROXY` (HTTP_PROXY) cannot be reached: Connection refused (os error [..]) (http://aws.example)
       correct HTTP_PROXY, or list hosts that need no proxy in NO_PROXY

"#]]
    );
}

#[test]
fn refused_host_is_reported_with_the_proxy() {
    let proxy = endpoint(|_| (403, "<html>Forbidden</html>".to_owned()));
    let said = plan(&[&KEYS[..], &[("HTTPS_PROXY", proxy.as_str())]].concat());
    assert_data_eq!(
        said.err.replace(&proxy, "PROXY"),
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: the proxy `PROXY` (HTTPS_PROXY) refused a connection to `sts.eu-west-1.amazonaws.com`
       allow this host in the proxy, or list it in NO_PROXY if it can be reached without the proxy

"#]]
    );
}

#[test]
fn sso_sign_in_uses_the_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[default]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = us-west-2\nsso_account_id = 111122223333\nsso_role_name = Network\n";
    std::fs::write(folder.path().join("config"), config).unwrap();
    let cache = folder.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let token = r#"{"accessToken": "HIDDEN", "expiresAt": "2099-01-01T00:00:00Z"}"#;
    // SHA-1 of the start URL.
    std::fs::write(cache.join("40169cea58ca6cbf23fb27b2542923fb5f524af0.json"), token).unwrap();
    let proxy = endpoint(|_| (407, String::new()));
    let home = folder.path().to_str().unwrap();
    let config = folder.path().join("config");
    let variables =
        [("HOME", home), ("AWS_CONFIG_FILE", config.to_str().unwrap()), ("HTTPS_PROXY", proxy.as_str())];
    let said = plan(&variables);
    assert_data_eq!(
        said.err.replace(&proxy.replace("http://", ""), "PROXY"),
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: profile `default`: the proxy `http://PROXY` (HTTPS_PROXY) requires a user name and password
       set HTTPS_PROXY to `http://USER:PASSWORD@PROXY` and percent-encode special characters (`%40` for `@`)

"#]]
    );
}

#[test]
fn instance_and_container_credentials_bypass_the_proxy() {
    let answer = |request: &str| {
        let keys = r#"{"Code": "Success", "AccessKeyId": "A", "SecretAccessKey": "B", "Token": "T", "Expiration": "2099-01-01T00:00:00Z"}"#;
        match request {
            token if token.starts_with("PUT /latest/api/token") => (200, "token".to_owned()),
            role if role.starts_with("GET /latest/meta-data/iam/security-credentials/ ") => {
                (200, "role".to_owned())
            }
            _ => (200, keys.to_owned()),
        }
    };
    let here = endpoint(answer);
    let proxy = endpoint(|request| match request {
        call if call.starts_with("POST http://aws.example/")
            || call.starts_with("GET http://aws.example/") =>
        {
            empty_account(request).map_or_else(|| (404, String::new()), |answer| (200, answer))
        }
        _ => (404, String::new()),
    });
    let container = format!("{here}/credentials");
    let through = [("HTTP_PROXY", proxy.as_str()), ("AWS_ENDPOINT_URL", "http://aws.example")];
    for source in [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", here.as_str()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.as_str()),
    ] {
        let said = plan(&[&through[..], &[source]].concat());
        assert!(said.out.contains("create the bucket"), "{source:?}: {}{}", said.out, said.err);
    }
}
