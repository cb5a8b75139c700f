//! An endpoint in front of an emulator that injects failures by rule.
//!
//! It adds nothing else. It can also be placed in front of a world's own endpoint, which adds what LocalStack lacks. A
//! rule selects calls and defines their answer:
//!
//! ```no_run
//! # async fn fail(account: flowagg_core::id::AccountId) -> std::io::Result<()> {
//! use flowagg_testkit::faults::{Answer, CallFilter, Faults};
//!
//! let faults = Faults::in_front_of("http://127.0.0.1:4566").await?;
//! let throttled = Answer::error(503, "RequestLimitExceeded", "Request limit exceeded.");
//! faults.on(CallFilter::operation("CreateFlowLogs").in_account(account).first(2), throttled);
//! # Ok(())
//! # }
//! ```

mod flawed;
mod rule;
mod stale;

use std::io;
use std::sync::{Arc, Mutex};

use flowagg_core::id::AccountId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::emulator::authority;
use crate::endpoint::{Call, Door, Request, Upstream, locked, wire, with_body};
use rule::Rule;
pub use rule::{Answer, CallFilter, Deed, Flaw, Freeze};
use stale::Propagation;

/// An endpoint that forwards all calls not matched by a rule, and records every call. Dropping it stops it.
#[derive(Debug)]
pub struct Faults {
    door: Door,
    endpoint: Arc<Endpoint>,
}

#[derive(Debug)]
struct Endpoint {
    upstream: Upstream,
    rules: Mutex<Vec<Rule<Arc<Answer>>>>,
    calls: Mutex<Vec<Call>>,
    propagation: Propagation,
    /// Number of received calls without a response yet, excluding those that are never answered.
    under_way: watch::Sender<usize>,
    /// Number of calls that are never answered.
    frozen: watch::Sender<usize>,
}

impl Faults {
    /// An endpoint in front of this one, without rules.
    pub async fn in_front_of(emulator: &str) -> io::Result<Self> {
        let endpoint = Arc::new(Endpoint {
            upstream: Upstream::at(emulator),
            rules: Mutex::default(),
            calls: Mutex::default(),
            propagation: Propagation::default(),
            under_way: watch::Sender::default(),
            frozen: watch::Sender::default(),
        });
        let shared = Arc::clone(&endpoint);
        let door = Door::open(move |client| {
            let under_way = UnderWay::new(&shared);
            async move { Arc::clone(&under_way.0).serve(client, under_way).await }
        });
        Ok(Self { door: door.await?, endpoint })
    }

    /// Adds a rule. If several rules match a call, the first one added decides, and the call counts for all of them.
    pub fn on(&self, calls: CallFilter, answer: Answer) {
        locked(&self.endpoint.rules).push(Rule::new(calls, Arc::new(answer)));
    }

    /// Removes all rules, so that every call is forwarded again.
    pub fn lift(&self) {
        locked(&self.endpoint.rules).clear();
        self.endpoint.frozen.send_replace(0);
    }

    /// Denies `AssumeRole` for every role of an account, as AWS does if a role does not exist or does not trust the
    /// caller.
    pub fn refuse_roles_of(&self, account: AccountId) {
        let message = format!("User is not authorized to perform: sts:AssumeRole on a role of {account}");
        let denied = Answer::error(403, "AccessDenied", &message);
        self.on(CallFilter::operation("AssumeRole").in_account(account), denied);
    }

    /// Answers `writes` more calls that are not known to be read-only, and never answers the ones after them.
    pub fn freeze_after(&self, writes: usize, freeze: Freeze) {
        self.thaw();
        self.on(CallFilter::writes().after(writes), Answer::Frozen(freeze));
    }

    /// Answers every call again.
    pub fn thaw(&self) {
        locked(&self.endpoint.rules).retain(|rule| !matches!(*rule.answer, Answer::Frozen(_)));
        self.endpoint.frozen.send_replace(0);
    }

    /// Returns when a call goes unanswered: the time to kill a program.
    pub async fn froze(&self) {
        let mut frozen = self.endpoint.frozen.subscribe();
        // The sender lives as long as this endpoint.
        let _ = frozen.wait_for(|calls| *calls > 0).await;
    }

    /// Returns when every call of a killed program has been received and executed.
    pub async fn quiet(&self) -> io::Result<()> {
        // When this connection is rejected, all earlier ones have been accepted.
        let mut last = TcpStream::connect(authority(self.url())).await?;
        last.shutdown().await?;
        last.read_to_end(&mut Vec::new()).await?;
        let mut under_way = self.endpoint.under_way.subscribe();
        let _ = under_way.wait_for(|calls| *calls == 0).await;
        Ok(())
    }

    /// The calls so far: the operation if the call names it (`DescribeVpcs`), otherwise method and path (`PUT
    /// /bucket?policy`).
    pub fn calls(&self) -> Vec<String> {
        self.lines(|_| true)
    }

    /// The calls so far that are not known to be read-only.
    pub fn writes(&self) -> Vec<String> {
        self.lines(|call| !call.is_read())
    }

    /// Number of these calls so far, whatever the answer.
    pub fn count(&self, calls: &CallFilter) -> usize {
        self.lines(|call| calls.hold(call)).len()
    }

    /// URL to set as `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        self.door.url()
    }

    fn lines(&self, which: impl Fn(&Call) -> bool) -> Vec<String> {
        let calls = locked(&self.endpoint.calls);
        calls.iter().filter(|call| which(call)).map(|call| call.line.clone()).collect()
    }
}

impl Endpoint {
    /// Serves one request. Each connection is closed after it, so that no further request bypasses the rules.
    async fn serve(&self, mut client: TcpStream, under_way: UnderWay) -> io::Result<()> {
        let Some(request) = Request::read(&mut client).await? else { return Ok(()) };
        let call = self.upstream.call(&request);
        let answer = self.answer_to(&call);
        locked(&self.calls).push(call.clone());
        match answer.as_deref() {
            None => {}
            Some(Answer::Error { status, code, message }) => {
                return client.write_all(wire::error(&call, *status, code, message).as_bytes()).await;
            }
            Some(Answer::Unsuccessful { resource, code, message }) => {
                let answer = self.upstream.ask(&request.without_resource(resource), &call).await?;
                let change = |body: &str| wire::with_unsuccessful(body, resource, code, message);
                return client.write_all(&with_body(&answer, change)).await;
            }
            Some(Answer::Reset) => return client.set_zero_linger(),
            Some(Answer::Lost) => {
                self.upstream.ask(&request, &call).await?;
                return client.set_zero_linger();
            }
            Some(Answer::Frozen(freeze)) => {
                if *freeze == Freeze::After {
                    self.upstream.ask(&request, &call).await?;
                }
                drop(under_way);
                return self.never_answer(client).await;
            }
            Some(Answer::Late(time)) => tokio::time::sleep(*time).await,
            Some(Answer::Meanwhile(deed)) => deed.done().await,
            Some(Answer::Stale(time)) => {
                if let Some(answer) = self.propagation.stale(&call, *time) {
                    return client.write_all(&answer).await;
                }
            }
            Some(Answer::Executed) => {
                let answer = self.upstream.ask(&request.without_field("DryRun"), &call).await?;
                return client.write_all(&answer).await;
            }
            Some(Answer::Flawed(flaw)) => {
                // The upstream does not know the token of a page that it never returned.
                let request = request.without_query("continuation-token");
                let answer = self.upstream.ask(&request, &call).await?;
                return client.write_all(&with_body(&answer, |body| flawed::body(&call, *flaw, body))).await;
            }
        }
        if request.is_whole {
            let answer = self.upstream.ask(&request, &call).await?;
            self.propagation.passed(&call, &answer);
            return client.write_all(&answer).await;
        }
        self.upstream.join(&mut client, &request).await
    }

    fn answer_to(&self, call: &Call) -> Option<Arc<Answer>> {
        let mut first = None;
        for rule in locked(&self.rules).iter_mut() {
            if rule.is_for(call) && first.is_none() {
                first = Some(Arc::clone(&rule.answer));
            }
        }
        first
    }

    /// Waits until the client closes the connection.
    async fn never_answer(&self, mut client: TcpStream) -> io::Result<()> {
        self.frozen.send_modify(|calls| *calls += 1);
        tokio::io::copy(&mut client, &mut tokio::io::sink()).await.map(drop)
    }
}

/// A call in progress, for as long as this value lives.
struct UnderWay(Arc<Endpoint>);

impl UnderWay {
    fn new(endpoint: &Arc<Endpoint>) -> Self {
        endpoint.under_way.send_modify(|calls| *calls += 1);
        Self(Arc::clone(endpoint))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|calls| *calls -= 1);
    }
}
