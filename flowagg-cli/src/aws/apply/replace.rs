//! Replaces a document that S3 only writes as a whole, and preserves concurrent changes by other processes.
//!
//! S3 has no conditional write for such documents. So the new document is computed first, the current one is read once more, and
//! the write is sent only if both reads returned the same. A change that another process makes between that read and the write is
//! overwritten without a trace: keep the two calls adjacent.
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

/// The maximum number of writes that another process overwrites before flowagg gives up.
const WRITES: usize = 5;
/// The maximum number of rounds of computing the document.
const ROUNDS: usize = 20;

/// A bucket document that S3 only writes as a whole.
pub(super) trait WholeDocument {
    /// The result of a read. Equal only if S3 returned the same text, and the same headers if they are part of the document.
    type State: PartialEq;
    /// A document to write, or its deletion.
    type Write;

    /// The terms for it in messages.
    const WORDS: Words;

    /// The place and the bucket, for failures.
    fn at(&self) -> &At;

    async fn read(&self) -> Result<Self::State, Failure>;

    /// Computes the document that replaces `current`; `None` if no write is needed. Called again for each newer document.
    fn compute(&self, current: &Self::State) -> Result<Option<Self::Write>, Failure>;

    /// Sends one request without SDK retries ([`no_retries`]): a retry would overwrite what another process wrote since the last
    /// read.
    async fn write(&self, write: &Self::Write) -> Result<(), NotWritten>;

    /// Whether `current` is the result of the write.
    fn holds(&self, current: &Self::State, write: &Self::Write) -> bool;

    /// The names of foreign parts that the write kept and that are now missing or different.
    fn losses(&self, write: &Self::Write, now: &Self::State) -> Result<Vec<String>, Failure>;
}

/// The terms for a document in messages.
pub(super) struct Words {
    /// The document, e.g. "bucket policy".
    pub(super) document: &'static str,
    /// A part of it, e.g. "statement".
    pub(super) part: &'static str,
    /// The subject of warnings.
    pub(super) about: Subject,
    /// The call that writes it.
    pub(super) call: Call,
}

/// A write that S3 did not confirm.
#[derive(Debug)]
pub(super) enum NotWritten {
    /// It may have taken effect, or may succeed later: read again, then decide.
    Unsettled(Failure),
    /// S3 rejected it.
    Refused(Failure),
}

impl NotWritten {
    /// Classifies the error of a write.
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

/// The client configuration for a write.
pub(super) fn no_retries() -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Config::builder().retry_config(RetryConfig::disabled())
}

/// Pauses while waiting for S3 to accept a write or to return it. Each is twice as long as the previous one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    pub(super) first: Duration,
    pub(super) longest: Duration,
    /// The sum of all pauses.
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

/// The outcome of replacing a document.
#[derive(Debug)]
pub(super) struct Replaced<W> {
    /// The last write that S3 accepted; `None` if there was none.
    pub(super) write: Option<W>,
    /// Foreign parts that are known to be lost.
    pub(super) lost: Option<Failure>,
    /// What to report if another process changed the document during this run, because a write may have overwritten a change;
    /// `None` if there was no write.
    pub(super) warning: Option<Concern>,
    /// Whether another process was seen to change the document.
    pub(super) is_contended: bool,
    /// Why the document may not be the wanted one.
    pub(super) failure: Option<Failure>,
}

impl<W> Replaced<W> {
    pub(super) fn map<D>(self, done: impl FnOnce(W) -> D) -> Replaced<D> {
        let Self { write, lost, warning, is_contended, failure } = self;
        Replaced { write: write.map(done), lost, warning, is_contended, failure }
    }

    /// Sets `left` to the last write, or to `None` if another process was seen to change the document. Does nothing if there was no
    /// write.
    pub(super) fn keep_in<T>(&self, left: &mut Option<Left<T>>, document: impl FnOnce(&W) -> T) {
        if let (Some(write), Some(warning)) = (&self.write, &self.warning) {
            let new = || Left { document: document(write), warning: warning.clone() };
            *left = (!self.is_contended).then(new);
        }
    }
}

/// A written document that no other process was seen to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left<T> {
    pub(super) document: T,
    /// What to report if it differs later in the run.
    warning: Concern,
}

impl<T> Left<T> {
    /// The warning, if the document is now different.
    pub(super) fn compare(self, is_same: impl FnOnce(&T) -> bool) -> Option<Concern> {
        (!is_same(&self.document)).then_some(self.warning)
    }
}

/// Writes the document that [`WholeDocument::compute`] returns for the current one, until S3 returns it. `current` is the latest
/// known document, e.g. the one that the plan was made from.
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
    /// The latest document that was read.
    current: D::State,
    /// Documents that were read earlier. S3 may return them again.
    older: Vec<D::State>,
    /// Writes that S3 accepted.
    writes: Vec<D::Write>,
    /// A write that S3 did not confirm, and the time from the last read to its end.
    unsettled: Option<(D::Write, Duration)>,
    /// The longest time from the start of the last read before a write to the end of that write.
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

    /// Waits until S3 returns the last write. Returns `false` if another process changed the document first.
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
            format!("written but not visible yet: after {waited:?} S3 still returns the previous {document}"),
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

    /// The foreign parts that a write kept and that are missing now.
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
