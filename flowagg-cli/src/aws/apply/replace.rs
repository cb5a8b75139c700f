//! Replaces a document that S3 only writes as a whole, and keeps what other processes write to it at the same time.
//!
//! S3 has no condition for such a write, so the new document is computed first, the current one is read once more, and the
//! write is sent only if the two reads returned the same. A change that another process makes between that read and the
//! write is overwritten, and nothing shows it: keep the two next to each other.
//!
//! Sources: "PutBucketPolicy", "PutBucketLifecycleConfiguration" (Amazon S3 API Reference): each replaces the whole document.
//! "Amazon S3 data consistency model" (Amazon S3 User Guide): bucket configurations are eventually consistent, so a read may
//! return a document from before a write.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use flowagg_core::failure::Failure;
use flowagg_core::id::Place;
use flowagg_core::plan::{Concern, Subject};
use tokio::time::{Instant, sleep};

use crate::aws::call::Call;
use crate::aws::failure::At;

/// Limit on writes, each followed by a change that another process made.
const WRITES: usize = 5;
/// Limit on computed documents.
const ROUNDS: usize = 20;

/// A document of a bucket that S3 only writes as a whole.
pub(super) trait WholeDocument {
    /// What a read returns. Equal only if S3 returned the same text, and the same headers if they are part of it.
    type State: PartialEq;
    /// A document to write, or that there shall be none.
    type Write;

    /// How messages name it.
    const WORDS: Words;

    /// Where it is; names the bucket.
    fn at(&self) -> &At;

    /// Reads it.
    async fn read(&self) -> Result<Self::State, Failure>;

    /// Computes the document to write over this one; `None` if it stays as it is. Called again with each newer one.
    fn compute(&self, current: &Self::State) -> Result<Option<Self::Write>, Failure>;

    /// Sends one request, which the client must not retry on its own ([`no_retries`]): a retry would overwrite what
    /// another process wrote since the last read.
    async fn write(&self, write: &Self::Write) -> Result<(), NotWritten>;

    /// Whether this is what the write makes S3 return.
    fn holds(&self, current: &Self::State, write: &Self::Write) -> bool;

    /// The foreign parts that the write keeps and that are missing or different now, by name.
    fn losses(&self, write: &Self::Write, now: &Self::State) -> Result<Vec<String>, Failure>;
}

/// How messages name a document.
pub(super) struct Words {
    /// What it is: "bucket policy".
    pub(super) document: &'static str,
    /// What it consists of: "statement".
    pub(super) part: &'static str,
    /// What a warning is about.
    pub(super) about: Subject,
    /// The call that writes it.
    pub(super) call: Call,
}

/// A write that S3 did not confirm.
#[derive(Debug)]
pub(super) enum NotWritten {
    /// It may succeed, or may have had an effect: read again, then decide.
    Unsettled(Failure),
    /// It was refused.
    Refused(Failure),
}

impl NotWritten {
    /// What AWS answered to a write, or why there was no answer.
    pub(super) fn of<E>(at: &At, call: Call, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let failure = at.failure(call, error);
        let unsettled = match error {
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
            SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
            SdkError::ServiceError(answer) => {
                let code = answer.err().code().unwrap_or_default();
                answer.raw().status().as_u16() >= 500
                    || code == "OperationAborted"
                    || code == "RequestTimeout"
                    || code.starts_with("Throttl")
                    || code.starts_with("TooManyRequests")
            }
            _ => false,
        };
        if unsettled { Self::Unsettled(failure) } else { Self::Refused(failure) }
    }
}

/// The configuration of a write.
pub(super) fn no_retries() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Config::builder().retry_config(RetryConfig::disabled())
}

/// How long to wait until a write is visible, or until S3 accepts it. Each pause is twice as long as the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    pub(super) first: Duration,
    pub(super) longest: Duration,
    /// All of them together.
    pub(super) total: Duration,
}

impl Pauses {
    pub(super) const S3: Self = Self {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(5),
        total: Duration::from_secs(30),
    };

    fn each(self) -> impl Iterator<Item = Duration> {
        let Self { first: mut next, longest, total: mut left } = self;
        std::iter::from_fn(move || {
            let pause = next.min(longest).min(left);
            left -= pause;
            next *= 2;
            (!pause.is_zero()).then_some(pause)
        })
    }
}

/// What became of a document.
#[derive(Debug)]
pub(super) struct Replaced<W> {
    /// The last write that S3 accepted; `None` if there was none.
    pub(super) write: Option<W>,
    /// Foreign parts that are known to be lost.
    pub(super) lost: Option<Failure>,
    /// What to report if another process changed the document during this run, as a write may have overwritten a change of
    /// it; `None` if there was no write.
    pub(super) warning: Option<Concern>,
    /// Whether another process was seen to change the document.
    pub(super) is_contended: bool,
    /// Why the document is not known to be right.
    pub(super) failure: Option<Failure>,
}

impl<W> Replaced<W> {
    pub(super) fn map<D>(self, done: impl FnOnce(W) -> D) -> Replaced<D> {
        let Self { write, lost, warning, is_contended, failure } = self;
        Replaced { write: write.map(done), lost, warning, is_contended, failure }
    }

    /// Sets `left` to what was written last, or to nothing if another process was seen to change the document. Without a write it
    /// stays as it is.
    pub(super) fn keep_in<T>(&self, left: &mut Option<Left<T>>, document: impl FnOnce(&W) -> T) {
        if let (Some(write), Some(warning)) = (&self.write, &self.warning) {
            let new = || Left { document: document(write), warning: warning.clone() };
            *left = (!self.is_contended).then(new);
        }
    }
}

/// A document as it was written, while no other process was seen to change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left<T> {
    pub(super) document: T,
    /// What to report if it is different later in the run.
    warning: Concern,
}

impl<T> Left<T> {
    /// What to report if the document is not this one any more.
    pub(super) fn compare(self, is_same: impl FnOnce(&T) -> bool) -> Option<Concern> {
        (!is_same(&self.document)).then_some(self.warning)
    }
}

/// Writes what [`WholeDocument::compute`] returns for the current document, until S3 returns it. `current` is what was read
/// last, for example what the plan was made from.
pub(super) async fn replace<D: WholeDocument>(
    document: &D,
    current: D::State,
    pauses: Pauses,
) -> Replaced<D::Write> {
    let mut run = Run {
        document,
        pauses,
        current,
        older: Vec::new(),
        writes: Vec::new(),
        unsettled: None,
        window: Duration::ZERO,
        is_contended: false,
    };
    let mut failure = run.settle().await.err();
    let warning = (!run.writes.is_empty()).then(|| run.warning());
    let lost = if run.is_contended { run.lost() } else { Ok(None) };
    let lost = lost.unwrap_or_else(|error| {
        failure.get_or_insert(error);
        None
    });
    Replaced { write: run.writes.pop(), lost, warning, is_contended: run.is_contended, failure }
}

struct Run<'d, D: WholeDocument> {
    document: &'d D,
    pauses: Pauses,
    /// What was read last.
    current: D::State,
    /// What was read before that. S3 may return it again.
    older: Vec<D::State>,
    /// What S3 accepted.
    writes: Vec<D::Write>,
    /// A write that S3 did not confirm, and how long it took from the last read.
    unsettled: Option<(D::Write, Duration)>,
    /// The longest time from the start of a last read to the end of the write after it.
    window: Duration,
    /// Whether another process changed the document.
    is_contended: bool,
}

impl<D: WholeDocument> Run<'_, D> {
    async fn settle(&mut self) -> Result<(), Failure> {
        let (mut until_current, mut until_accepted) = (self.pauses.each(), self.pauses.each());
        for _ in 0..ROUNDS {
            let Some(write) = self.document.compute(&self.current)? else { return Ok(()) };
            if self.writes.len() == WRITES {
                break;
            }
            let start = Instant::now();
            let now = self.document.read().await?;
            if let Some((write, took)) = self.unsettled.take_if(|(write, _)| self.document.holds(&now, write))
            {
                self.accepted(write, took);
                self.current = now;
                return Ok(());
            }
            if now != self.current {
                let pause = if self.older.contains(&now) { until_current.next() } else { None };
                match pause {
                    Some(pause) => sleep(pause).await,
                    None => self.changed_to(now),
                }
                continue;
            }
            match self.document.write(&write).await {
                Ok(()) => {
                    self.accepted(write, start.elapsed());
                    if self.is_visible().await? {
                        return Ok(());
                    }
                }
                Err(NotWritten::Refused(failure)) => return Err(failure),
                Err(NotWritten::Unsettled(failure)) => {
                    self.unsettled = Some((write, start.elapsed()));
                    let Some(pause) = until_accepted.next() else { return Err(failure) };
                    sleep(pause).await;
                }
            }
        }
        Err(self.kept_changing())
    }

    /// Waits until S3 returns what was written last. Returns `false` if another process changed it before.
    async fn is_visible(&mut self) -> Result<bool, Failure> {
        let mut pauses = self.pauses.each();
        loop {
            let now = self.document.read().await?;
            if self.writes.last().is_some_and(|write| self.document.holds(&now, write)) {
                self.current = now;
                return Ok(true);
            }
            if now != self.current && !self.older.contains(&now) {
                self.changed_to(now);
                return Ok(false);
            }
            let Some(pause) = pauses.next() else { return Err(self.not_visible()) };
            sleep(pause).await;
        }
    }

    fn accepted(&mut self, write: D::Write, took: Duration) {
        self.window = self.window.max(took);
        self.writes.push(write);
    }

    fn changed_to(&mut self, now: D::State) {
        self.is_contended = true;
        self.older.push(std::mem::replace(&mut self.current, now));
    }

    fn not_visible(&self) -> Failure {
        let Words { document, call, .. } = D::WORDS;
        let waited = self.pauses.total;
        self.failed(
            format!("written, not visible yet: after {waited:?} S3 still returns the previous {document}"),
            format!(
                "run `flowagg plan` in a few minutes; if it shows the same change, another process has restored the \
                 previous {document} (CloudTrail: {})",
                call.name
            ),
        )
    }

    fn kept_changing(&self) -> Failure {
        let Words { document, call, .. } = D::WORDS;
        self.failed(
            format!(
                "another process changed the {document} during each attempt to write it; flowagg stopped"
            ),
            format!(
                "find the process that writes it (CloudTrail: {}), then run the command again",
                call.name
            ),
        )
    }

    /// The foreign parts that a write kept and that are gone now.
    fn lost(&self) -> Result<Option<Failure>, Failure> {
        let mut lost = BTreeSet::new();
        for write in &self.writes {
            lost.extend(self.document.losses(write, &self.current)?);
        }
        let Words { document, part, .. } = D::WORDS;
        let (s, it) = if lost.len() == 1 { ("", "it") } else { ("s", "them") };
        let names: Vec<String> = lost.into_iter().collect();
        Ok((!names.is_empty()).then(|| {
            self.failed(
                format!(
                    "the {document} lost the foreign {part}{s} {} while flowagg wrote it: another process replaced it",
                    names.join(", ")
                ),
                format!("add {it} again, unless someone removed {it} on purpose"),
            )
        }))
    }

    fn warning(&self) -> Concern {
        let Words { document, part, about, call } = D::WORDS;
        let At { place: Place { account, region }, resource } = self.document.at();
        let bucket = resource.as_ref().map(|bucket| format!(" of {bucket}")).unwrap_or_default();
        let mut concern = Concern::new(
            about,
            *account,
            format!("the {document}{bucket}"),
            format!(
                "another process changed it during this run; if that process also changed it in the {} ms between the \
                 start of flowagg's last read and the end of its write, that change was overwritten",
                self.window.as_micros().div_ceil(1_000)
            ),
            format!(
                "check that the {part}s of other processes are complete (CloudTrail: {} in {region})",
                call.name
            ),
        );
        concern.region = Some(region.clone());
        concern
    }

    fn failed(&self, message: String, help: String) -> Failure {
        self.document.at().failed(D::WORDS.call, None, message, help)
    }
}

#[cfg(test)]
mod tests;
