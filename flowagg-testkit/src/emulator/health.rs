use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::{EmulatorError, tail};

/// A server's name, and the path that returns 200 when it is ready.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
}

/// LocalStack, in a container or from PyPI.
pub(super) const LOCALSTACK: Probe = Probe { name: "LocalStack", path: "/_localstack/health" };

/// Timeout of one request.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Timeout of a start. A cold start on a slow machine first compiles the server's Python files.
const STARTS_WITHIN: Duration = Duration::from_secs(180);

/// Waits until a server is ready, as long as `running` reports no error.
pub(super) fn wait_until_ready(
    probe: Probe,
    url: &str,
    mut running: impl FnMut() -> Result<(), String>,
    log: impl Fn() -> String,
) -> Result<(), EmulatorError> {
    let start = Instant::now();
    loop {
        let why = match running() {
            Ok(()) if is_ready(probe, url) => return Ok(()),
            Ok(()) if start.elapsed() < STARTS_WITHIN => {
                std::thread::sleep(Duration::from_millis(100));
                continue;
            }
            Ok(()) => format!("no response at {url} within {} s", STARTS_WITHIN.as_secs()),
            Err(why) => why,
        };
        return Err(EmulatorError::NotReady { name: probe.name, why, log: tail(&log()) });
    }
}

/// Checks that LocalStack, or any other server, accepts connections.
pub(super) fn check_endpoint(url: &str) -> Result<(), EmulatorError> {
    if is_ready(LOCALSTACK, url) {
        return Ok(());
    }
    connect(url)
        .map(drop)
        .map_err(|error| EmulatorError::NoAnswer { url: url.to_owned(), why: error.to_string() })
}

fn is_ready(probe: Probe, url: &str) -> bool {
    url.starts_with("http://") && status(url, probe.path).is_ok_and(|status| status == 200)
}

/// Returns the body of the response to a `GET` of this URL.
pub(super) fn body(url: &str) -> io::Result<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/");
    let mut answer = Vec::new();
    get(url, path)?.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(|| io::Error::other("not an HTTP response"))?;
    Ok(body.to_owned())
}

/// Returns the status of the response to a `GET`.
fn status(url: &str, path: &str) -> io::Result<u16> {
    let mut stream = get(url, path)?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    let code = std::str::from_utf8(&head[9..]).ok().and_then(|code| code.parse().ok());
    code.ok_or_else(|| io::Error::other("not an HTTP response"))
}

/// Sends a `GET`; the caller reads the response.
fn get(url: &str, path: &str) -> io::Result<TcpStream> {
    let mut stream = connect(url)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", authority(url))?;
    Ok(stream)
}

fn connect(url: &str) -> io::Result<TcpStream> {
    let authority = authority(url);
    let port = if url.starts_with("https://") { 443 } else { 80 };
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { authority.to_owned() } else { format!("{authority}:{port}") };
    let mut last = io::Error::other("the host has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The host of a URL, with its port if any.
pub(crate) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn authority_is_host_and_optional_port() {
        for (url, expected) in [
            ("http://127.0.0.1:4566", "127.0.0.1:4566"),
            ("https://aws.example/path?x", "aws.example"),
            ("http://[::1]:4566/", "[::1]:4566"),
        ] {
            assert_eq!(authority(url), expected);
        }
    }

    #[test]
    fn unreachable_endpoint_error_has_url_and_reason() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", taken.local_addr().unwrap());
        drop(taken);
        let error = check_endpoint(&url).unwrap_err().to_string();
        snapbox::assert_data_eq!(
            error.replace(&url, "URL"),
            snapbox::str!["no response at URL: Connection refused (os error [..])"]
        );
    }

    #[test]
    fn any_server_is_accepted_as_an_endpoint() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let other = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"HTTP/1.0 404 Not Found\r\n\r\n").unwrap();
            listener.accept().unwrap();
        });
        check_endpoint(&url).unwrap();
        other.join().unwrap();
    }
}
