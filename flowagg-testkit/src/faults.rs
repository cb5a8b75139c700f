//! An endpoint in front of an emulator that says no where the emulator never would.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flowagg_core::id::AccountId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::emulator::authority;

/// The largest head, and the largest body that a rule looks at: query calls such as `AssumeRole` are far smaller.
const LARGEST: usize = 64 * 1024;

/// An endpoint that passes everything on but what it is told to refuse, and keeps a list of the calls. It ends when it is
/// dropped.
#[derive(Debug)]
pub struct Faults {
    url: String,
    rules: Arc<Rules>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Rules {
    upstream: String,
    without_roles: Mutex<BTreeSet<AccountId>>,
    frozen: Mutex<Option<(usize, Freeze)>>,
    froze: Notify,
    calls: Mutex<Vec<String>>,
}

/// What becomes of a call that is never answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freeze {
    /// It does not reach the emulator.
    Before,
    /// It has its effect: only the answer is lost.
    After,
}

impl Faults {
    /// An endpoint in front of this one, that refuses nothing yet.
    pub async fn in_front_of(emulator: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let rules = Arc::new(Rules { upstream: authority(emulator).to_owned(), ..Rules::default() });
        let shared = Arc::clone(&rules);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let rules = Arc::clone(&shared);
                // A connection that breaks is the client's to notice.
                tokio::spawn(async move { rules.serve(client).await });
            }
        });
        Ok(Self { url, rules, task })
    }

    /// Refuses to assume any role in an account, as AWS does when the role is not there or does not trust the caller.
    pub fn refuse_roles_of(&self, account: AccountId) {
        locked(&self.rules.without_roles).insert(account);
    }

    /// Answers so many more calls that are not known to be mere reads, and never any further one.
    pub fn freeze_after(&self, writes: usize, freeze: Freeze) {
        *locked(&self.rules.frozen) = Some((writes, freeze));
    }

    /// Answers every call again.
    pub fn thaw(&self) {
        *locked(&self.rules.frozen) = None;
    }

    /// Ends when a call goes unanswered: the moment to kill a program.
    pub async fn froze(&self) {
        self.rules.froze.notified().await;
    }

    /// The calls so far: the action of a query call (`DescribeVpcs`), else method and path (`PUT /bucket?policy`).
    pub fn calls(&self) -> Vec<String> {
        locked(&self.rules.calls).clone()
    }

    /// The calls so far that are not known to be mere reads.
    pub fn writes(&self) -> Vec<String> {
        self.calls().into_iter().filter(|call| !is_read(call)).collect()
    }

    /// The URL to give as `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Rules {
    /// Serves one request: each connection is closed after it, so that no second one passes unseen.
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let Some(request) = read_request(&mut client).await? else { return Ok(()) };
        let call = request.call();
        let frozen = if is_read(&call) { None } else { self.freezes() };
        locked(&self.calls).push(call);
        if frozen == Some(Freeze::Before) {
            return self.never_answer().await;
        }
        let refusal = refusal(&request.body, &locked(&self.without_roles));
        if let Some(refusal) = refusal {
            return client.write_all(refusal.as_bytes()).await;
        }
        let mut server = TcpStream::connect(&self.upstream).await?;
        server.write_all(request.head.as_bytes()).await?;
        server.write_all(&request.body).await?;
        if frozen == Some(Freeze::After) {
            // The emulator closes after its answer. A write has a small body, and all of it has been sent.
            let mut lost = Vec::new();
            server.read_to_end(&mut lost).await?;
            return self.never_answer().await;
        }
        tokio::io::copy_bidirectional(&mut client, &mut server).await.map(drop)
    }

    /// Whether this write is one too many.
    fn freezes(&self) -> Option<Freeze> {
        match &mut *locked(&self.frozen) {
            Some((0, freeze)) => Some(*freeze),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }

    async fn never_answer(&self) -> io::Result<()> {
        self.froze.notify_one();
        std::future::pending().await
    }
}

fn is_read(call: &str) -> bool {
    const READS: [&str; 6] = ["Describe", "Get", "List", "AssumeRole", "GET ", "HEAD "];
    READS.iter().any(|read| call.starts_with(read))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Request {
    /// With `Connection: close` in the place of what the client said.
    head: String,
    /// What has been read of it: all, for a query call.
    body: Vec<u8>,
}

impl Request {
    fn call(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        if let Some(action) = body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
            return action.to_owned();
        }
        self.head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned()
    }
}

async fn read_request(client: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if read.len() > LARGEST || client.read_buf(&mut read).await? == 0 {
            return Ok(None);
        }
    };
    let mut body = read.split_off(end + 4);
    let text = String::from_utf8_lossy(&read[..end]);
    let header = |line: &str, name: &str| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    let length = text.lines().find_map(|line| header(line, "content-length")?.parse::<usize>().ok());
    while length.is_some_and(|length| length <= LARGEST && body.len() < length) {
        if client.read_buf(&mut body).await? == 0 {
            break;
        }
    }
    let mut head = String::new();
    for line in text.lines().filter(|line| header(line, "connection").is_none()) {
        head.extend([line, "\r\n"]);
    }
    head.push_str("Connection: close\r\n\r\n");
    Ok(Some(Request { head, body }))
}

/// The answer to `AssumeRole` into one of these accounts.
///
/// Source: "AssumeRole", errors (AWS STS API Reference).
fn refusal(body: &[u8], closed: &BTreeSet<AccountId>) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    if !body.split('&').any(|pair| pair == "Action=AssumeRole") {
        return None;
    }
    let role = body
        .split('&')
        .find_map(|pair| pair.strip_prefix("RoleArn="))?
        .replace("%3A", ":")
        .replace("%2F", "/");
    closed.iter().find(|account| role.contains(&format!(":{account}:")))?;
    let xml = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>AccessDenied</Code><Message>User is not authorized to perform: sts:AssumeRole on resource: {role}\
         </Message></Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    );
    let length = xml.len();
    Some(format!(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{xml}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_assume_role_into_a_closed_account_is_refused() {
        let closed = BTreeSet::from([AccountId::parse("111122223333").unwrap()]);
        let body = |action: &str, account: &str| {
            format!(
                "Action={action}&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A{account}%3Arole%2FReader"
            )
        };
        let refused = refusal(body("AssumeRole", "111122223333").as_bytes(), &closed).unwrap();
        assert!(
            refused.contains("AccessDenied") && refused.contains("arn:aws:iam::111122223333:role/Reader")
        );
        assert!(refusal(body("AssumeRole", "444455556666").as_bytes(), &closed).is_none());
        assert!(refusal(body("GetCallerIdentity", "111122223333").as_bytes(), &closed).is_none());
    }
}
