//! An HTTP proxy like those between company networks and AWS: it forwards plain HTTP requests, and opens tunnels for
//! others.
//!
//! ```no_run
//! # async fn run(world: flowagg_testkit::world::World) -> Result<(), Box<dyn std::error::Error>> {
//! use flowagg_testkit::proxy::Proxy;
//!
//! let proxy = Proxy::open(None, None).await?;
//! world.flowagg_with([("HTTP_PROXY", proxy.url().to_owned())], ["plan"]).await?.exits(0);
//! assert!(!proxy.requests().is_empty());
//! # Ok(())
//! # }
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::endpoint::{Door, Request, Upstream, locked};

const DENIED: &str = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const REFUSED: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const OPENED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// A local proxy that records its requests. Dropping it stops it.
#[derive(Debug)]
pub struct Proxy {
    door: Door,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    authorization: Option<String>,
    tunnels_to: Option<SocketAddr>,
    requests: Mutex<Vec<ProxyRequest>>,
}

/// A request that a proxy received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyRequest {
    /// Method and target: `POST http://localhost:4566/` or `CONNECT sts.eu-west-1.amazonaws.com:443`.
    pub line: String,
    /// The header `Proxy-Authorization`.
    pub authorization: Option<String>,
}

impl Proxy {
    /// Starts a proxy that requires this value of `Proxy-Authorization`, such as `Basic dXNlcjpwYXNz`, and connects all
    /// tunnels to one address. Without an address, it rejects tunnels.
    pub async fn open(authorization: Option<&str>, tunnels_to: Option<SocketAddr>) -> io::Result<Self> {
        let authorization = authorization.map(str::to_owned);
        let shared = Arc::new(Shared { authorization, tunnels_to, requests: Mutex::default() });
        let serving = Arc::clone(&shared);
        let door = Door::open(move |client| Arc::clone(&serving).serve(client)).await?;
        Ok(Self { door, shared })
    }

    /// URL to set as `HTTP_PROXY` or `HTTPS_PROXY`, without a user name.
    pub fn url(&self) -> &str {
        self.door.url()
    }

    /// The requests so far, including rejected ones.
    pub fn requests(&self) -> Vec<ProxyRequest> {
        locked(&self.shared.requests).clone()
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, mut client: TcpStream) -> io::Result<()> {
        let Some(request) = Request::read(&mut client).await? else { return Ok(()) };
        let line = request.line().to_owned();
        let authorization = request.header("proxy-authorization").map(str::to_owned);
        let is_allowed = self.authorization.is_none() || authorization == self.authorization;
        locked(&self.requests).push(ProxyRequest { line: line.clone(), authorization });
        if !is_allowed {
            return client.write_all(DENIED.as_bytes()).await;
        }
        match (line.split_once(' '), self.tunnels_to) {
            (Some(("CONNECT", _)), Some(address)) => {
                let mut server = TcpStream::connect(address).await?;
                client.write_all(OPENED.as_bytes()).await?;
                copy_bidirectional(&mut client, &mut server).await.map(drop)
            }
            (Some(("CONNECT", _)), None) => client.write_all(REFUSED.as_bytes()).await,
            (Some((_, target)), _) => Upstream::at(target).join(&mut client, &request).await,
            (None, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn asked(url: &str, request: &str) -> String {
        let mut server = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
        server.write_all(request.as_bytes()).await.unwrap();
        server.shutdown().await.unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn proxy_serves_only_clients_with_credentials() {
        let served = Door::open(|mut client: TcpStream| async move {
            let request = Request::read(&mut client).await?.map(|request| request.line().to_owned());
            client.write_all(format!("served {}", request.unwrap_or_default()).as_bytes()).await
        });
        let served = served.await.unwrap();
        let address = served.url().trim_start_matches("http://").parse().unwrap();
        let proxy = Proxy::open(Some("Basic YQ=="), Some(address)).await.unwrap();
        let with = "Proxy-Authorization: Basic YQ==\r\n\r\n";
        let get = format!("GET {}/path HTTP/1.1\r\n", served.url());
        assert!(asked(proxy.url(), &format!("{get}\r\n")).await.starts_with("HTTP/1.1 407 "));
        assert_eq!(
            asked(proxy.url(), &format!("{get}{with}")).await,
            format!("served GET {}/path", served.url())
        );
        let connect = format!("CONNECT aws.example:443 HTTP/1.1\r\n{with}GET /inside HTTP/1.1\r\n\r\n");
        let lines: Vec<String> = proxy.requests().into_iter().map(|request| request.line).collect();
        assert_eq!(lines, [get.trim_end_matches(" HTTP/1.1\r\n"); 2]);
        drop(asked(proxy.url(), &connect).await);
        assert_eq!(proxy.requests()[2].line, "CONNECT aws.example:443");
        let closed = Proxy::open(None, None).await.unwrap();
        assert!(asked(closed.url(), &connect).await.starts_with("HTTP/1.1 403 "));
    }
}
