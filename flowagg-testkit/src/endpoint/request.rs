//! The part of HTTP that a server in front of an emulator needs: requests as they were received, and responses that can
//! be changed.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Maximum size of a head, and of a body that is read before the request is forwarded. Query calls are far smaller.
const LARGEST: usize = 64 * 1024;

pub(crate) struct Request {
    /// The first line and the headers, with `Connection: close` instead of the client's value.
    pub(crate) head: String,
    /// The part of the body that has been read.
    pub(crate) body: Vec<u8>,
    /// Whether `body` is complete.
    pub(crate) is_whole: bool,
}

impl Request {
    /// Reads a request; `None` if the client sends none.
    pub(crate) async fn read(client: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut read = Vec::new();
        let end = loop {
            if let Some(at) = end_of_head(&read) {
                break at;
            }
            if read.len() > LARGEST || client.read_buf(&mut read).await? == 0 {
                return Ok(None);
            }
        };
        let mut body = read.split_off(end);
        let text = String::from_utf8_lossy(&read);
        let length = header(&text, "content-length").and_then(|length| length.parse::<usize>().ok());
        while length.is_some_and(|length| length <= LARGEST && body.len() < length) {
            if client.read_buf(&mut body).await? == 0 {
                break;
            }
        }
        let is_whole = match length {
            Some(length) => body.len() >= length,
            None => header(&text, "transfer-encoding").is_none(),
        };
        Ok(Some(Self { head: with_header(&text, "Connection", "close"), body, is_whole }))
    }

    /// Method and path with query.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1")
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// A field of a query call's form.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.fields().find_map(|(key, value)| (key == name).then_some(value))
    }

    fn fields(&self) -> impl Iterator<Item = (&str, String)> {
        let text = std::str::from_utf8(&self.body).unwrap_or_default();
        text.split('&').filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key, value.replace("%3A", ":").replace("%2F", "/")))
        })
    }

    /// The same call without a parameter of its query string. An emulator does not check the signature.
    pub(crate) fn without_query(&self, name: &str) -> Self {
        let (first, headers) = self.head.split_once("\r\n").unwrap_or((&self.head, ""));
        let (before, query) = first.split_once('?').unwrap_or((first, ""));
        let (query, version) = query.rsplit_once(' ').unwrap_or((query, ""));
        let kept: Vec<&str> = query.split('&').filter(|pair| pair.split('=').next() != Some(name)).collect();
        let first = if query.is_empty() {
            first.to_owned()
        } else {
            format!("{before}?{} {version}", kept.join("&"))
        };
        Self { head: format!("{first}\r\n{headers}"), body: self.body.clone(), is_whole: self.is_whole }
    }

    /// The same query call without its filters.
    pub(crate) fn without_filters(&self) -> Self {
        self.without(|key| key.starts_with("Filter."))
    }

    /// The same query call without one of its fields.
    pub(crate) fn without_field(&self, name: &str) -> Self {
        self.without(|key| key == name)
    }

    /// The same query call with this URL-encoded text appended to one of its fields.
    pub(crate) fn with_end(&self, name: &str, end: &str) -> Self {
        let text = String::from_utf8_lossy(&self.body);
        let is_it = |pair: &str| pair.split_once('=').is_some_and(|(key, _)| key == name);
        let pairs =
            text.split('&').map(|pair| if is_it(pair) { format!("{pair}{end}") } else { pair.to_owned() });
        let body = pairs.collect::<Vec<_>>().join("&").into_bytes();
        let head = with_header(&self.head, "Content-Length", &body.len().to_string());
        Self { head, body, is_whole: self.is_whole }
    }

    fn without(&self, is_left_out: impl Fn(&str) -> bool) -> Self {
        let text = String::from_utf8_lossy(&self.body);
        let key = |pair: &&str| !is_left_out(pair.split('=').next().unwrap_or_default());
        let kept: Vec<&str> = text.split('&').filter(key).collect();
        let body = kept.join("&").into_bytes();
        let head = with_header(&self.head, "Content-Length", &body.len().to_string());
        Self { head, body, is_whole: self.is_whole }
    }

    /// The same query call without one of its resources.
    pub(crate) fn without_resource(&self, resource: &str) -> Self {
        let text = String::from_utf8_lossy(&self.body);
        let mut resources = 0;
        let mut pairs = Vec::new();
        for pair in text.split('&') {
            match pair.split_once('=') {
                Some((key, value)) if key.starts_with("ResourceId.") => {
                    if value != resource {
                        resources += 1;
                        pairs.push(format!("ResourceId.{resources}={value}"));
                    }
                }
                _ => pairs.push(pair.to_owned()),
            }
        }
        let body = pairs.join("&").into_bytes();
        let head = with_header(&self.head, "Content-Length", &body.len().to_string());
        Self { head, body, is_whole: self.is_whole }
    }
}

/// The same response with another body.
pub(crate) fn with_body(answer: &[u8], change: impl FnOnce(&str) -> String) -> Vec<u8> {
    let (head, body) = answer.split_at(end_of_head(answer).unwrap_or(answer.len()));
    let body = change(&String::from_utf8_lossy(body));
    let head = with_header(&String::from_utf8_lossy(head), "Content-Length", &body.len().to_string());
    [head.into_bytes(), body.into_bytes()].concat()
}

/// The end of the empty line after the headers.
fn end_of_head(read: &[u8]) -> Option<usize> {
    read.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The head with this header set, including the empty line after it.
fn with_header(head: &str, name: &str, value: &str) -> String {
    let other = |line: &&str| !line.is_empty() && header(line, name).is_none();
    let mut with: String = head.lines().filter(other).flat_map(|line| [line, "\r\n"]).collect();
    with.extend([name, ": ", value, "\r\n\r\n"]);
    with
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_replaced_and_the_first_line_kept() {
        let head = "POST / HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n";
        assert_eq!(
            with_header(head, "Connection", "close"),
            "POST / HTTP/1.1\r\nhost: x\r\nConnection: close\r\n\r\n"
        );
    }

    #[test]
    fn removing_a_resource_renumbers_the_others() {
        let request = Request {
            head: "POST / HTTP/1.1\r\ncontent-length: 71\r\n\r\n".into(),
            body: b"Action=CreateFlowLogs&ResourceId.1=vpc-a&ResourceId.2=vpc-b&TrafficType=ALL".to_vec(),
            is_whole: true,
        };
        let left = request.without_resource("vpc-a");
        assert_eq!(left.body, b"Action=CreateFlowLogs&ResourceId.1=vpc-b&TrafficType=ALL");
        assert_eq!(left.header("content-length"), Some(left.body.len().to_string().as_str()));
    }

    #[test]
    fn extended_field_updates_the_content_length() {
        let head = "POST / HTTP/1.1\r\ncontent-length: 13\r\n\r\n".to_owned();
        let request = Request { head, body: b"Action=A&To=b".to_vec(), is_whole: true };
        let more = request.with_end("To", "%2Fc");
        assert_eq!(more.body, b"Action=A&To=b%2Fc");
        assert_eq!((more.header("content-length"), more.field("To").as_deref()), (Some("17"), Some("b/c")));
    }

    #[test]
    fn call_without_a_parameter_keeps_the_others() {
        let head = "GET /logs?list-type=2&continuation-token=a%2F&prefix=x HTTP/1.1\r\nhost: x\r\n\r\n";
        let request = Request { head: head.into(), body: Vec::new(), is_whole: true };
        let without = request.without_query("continuation-token");
        assert_eq!(without.head, "GET /logs?list-type=2&prefix=x HTTP/1.1\r\nhost: x\r\n\r\n");
        let post = Request { head: "POST / HTTP/1.1\r\n\r\n".into(), body: Vec::new(), is_whole: true };
        assert_eq!(post.without_query("continuation-token").head, post.head);
    }

    #[test]
    fn changed_body_updates_the_content_length() {
        let changed = with_body(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<a>", |body| body.repeat(2));
        assert_eq!(String::from_utf8_lossy(&changed), "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<a><a>");
    }
}
