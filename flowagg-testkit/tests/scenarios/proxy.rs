//! A proxy between the program and AWS.

use std::net::SocketAddr;

use flowagg_testkit::proxy::{Proxy, ProxyRequest};
use snapbox::{assert_data_eq, str};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::{deliver, told, world};

/// `user` and `p@ss`, encoded as a proxy receives them.
const AUTHORIZATION: &str = "Basic dXNlcjpwQHNz";

/// The URL of a proxy with credentials.
fn with_credentials(proxy: &Proxy, credentials: &str) -> String {
    proxy.url().replace("http://", &format!("http://{credentials}@"))
}

#[tokio::test]
async fn apply_and_verify_use_a_proxy_with_credentials() {
    let world = world(["shop"]).await;
    let proxy = Proxy::open(Some(AUTHORIZATION), None).await.unwrap();
    let variables = || [("HTTP_PROXY", with_credentials(&proxy, "user:p%40ss"))];
    world.flowagg_with(variables(), ["apply", "--yes"]).await.unwrap().exits(0);
    deliver(&world).await;
    world.flowagg_with(variables(), ["verify"]).await.unwrap().exits(0);
    let requests = proxy.requests();
    let is_whole = |request: &ProxyRequest| {
        request.authorization.as_deref() == Some(AUTHORIZATION) && request.line.contains(" http://")
    };
    assert!(requests.len() > 20 && requests.iter().all(is_whole), "{requests:?}");
}

#[tokio::test]
async fn hosts_of_no_proxy_are_called_directly_and_lower_case_comes_first() {
    let world = world(["shop"]).await;
    let proxy = Proxy::open(None, None).await.unwrap();
    let url = proxy.url().to_owned();
    for exempt in [
        [("HTTP_PROXY", url.clone()), ("NO_PROXY", "127.0.0.0/8".to_owned())],
        [("HTTP_PROXY", url.clone()), ("no_proxy", "*".to_owned())],
        [("HTTP_PROXY", url.clone()), ("http_proxy", String::new())],
        [("HTTPS_PROXY", url.clone()), ("https_proxy", String::new())],
    ] {
        world.flowagg_with(exempt, ["plan"]).await.unwrap().exits(0);
        assert_eq!(proxy.requests(), []);
    }
    let both = [("HTTP_PROXY", "http://127.0.0.1:1".to_owned()), ("http_proxy", url)];
    world.flowagg_with(both, ["plan"]).await.unwrap().exits(0);
    assert!(!proxy.requests().is_empty());
}

#[tokio::test]
async fn denied_proxy_credentials_are_reported_with_advice() {
    let world = world(["shop"]).await;
    let proxy = Proxy::open(Some(AUTHORIZATION), None).await.unwrap();
    let place = proxy.url().trim_start_matches("http://").to_owned();
    let mut said = String::new();
    for url in [proxy.url().to_owned(), with_credentials(&proxy, "user:wrong")] {
        let ran = world.flowagg_with([("HTTP_PROXY", url.clone())], ["plan"]).await.unwrap().exits(1);
        said += &told(&world, &ran).replace(&place, "PROXY");
        // A tunnel to AWS's own endpoint.
        let variables = [("AWS_ENDPOINT_URL", String::new()), ("HTTPS_PROXY", url)];
        let ran = world.flowagg_with(variables, ["plan"]).await.unwrap().exits(1);
        said += &told(&world, &ran).replace(&place, "PROXY");
    }
    assert!(!said.contains("wrong"), "{said}");
    assert_data_eq!(
        said,
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: the proxy `http://127.0.0.1:4566` (HTTP_PROXY) requires a user name and password (http://127.0.0.1:4566)
       set HTTP_PROXY to `http://USER:PASSWORD@PROXY` and percent-encode special characters (`%40` for `@`)
error: 111122223333 eu-west-1: GetCallerIdentity: the proxy `http://127.0.0.1:4566` (HTTPS_PROXY) requires a user name and password
       set HTTPS_PROXY to `http://USER:PASSWORD@PROXY` and percent-encode special characters (`%40` for `@`)
error: 111122223333 eu-west-1: GetCallerIdentity: the proxy `http://***@PROXY` (HTTP_PROXY) rejected the user name and password (http://127.0.0.1:4566)
       correct them in HTTP_PROXY and percent-encode special characters (`%40` for `@`); flowagg uses Basic authentication
error: 111122223333 eu-west-1: GetCallerIdentity: the proxy `http://***@PROXY` (HTTPS_PROXY) rejected the user name and password
       correct them in HTTPS_PROXY and percent-encode special characters (`%40` for `@`); flowagg uses Basic authentication

"#]]
    );
    let connect = proxy.requests().into_iter().find(|request| request.line.starts_with("CONNECT ")).unwrap();
    assert_eq!(
        (connect.line.as_str(), connect.authorization),
        ("CONNECT sts.eu-west-1.amazonaws.com:443", None)
    );
}

#[tokio::test]
async fn tunnel_carries_tls_to_the_aws_endpoint() {
    let world = world(["shop"]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let proxy = Proxy::open(Some(AUTHORIZATION), Some(address)).await.unwrap();
    let behind = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 2048];
        let read = client.read(&mut hello).await.unwrap();
        hello.truncate(read);
        hello
    });
    let variables =
        [("AWS_ENDPOINT_URL", String::new()), ("HTTPS_PROXY", with_credentials(&proxy, "user:p%40ss"))];
    let ran = world.flowagg_with(variables, ["plan"]).await.unwrap().exits(1);
    let hello = behind.await.unwrap();
    let host = b"sts.eu-west-1.amazonaws.com";
    // A TLS handshake with the name of the server.
    assert!(
        hello.starts_with(&[0x16, 0x03]) && hello.windows(host.len()).any(|part| part == host),
        "{hello:?}"
    );
    assert_eq!(proxy.requests()[0].authorization.as_deref(), Some(AUTHORIZATION));
    let place = proxy.url().trim_start_matches("http://").to_owned();
    assert_data_eq!(
        told(&world, &ran).replace(&place, "PROXY"),
        str![[r#"
error: 111122223333 eu-west-1: GetCallerIdentity: request through the proxy `http://***@PROXY` (HTTPS_PROXY) failed: [..]
       check the proxy and the endpoint; if the proxy decrypts TLS, add its certificate authority to this machine's trusted certificates, or set SSL_CERT_FILE to its PEM file

"#]]
    );
}
