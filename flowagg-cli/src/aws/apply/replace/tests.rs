use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use flowagg_core::id::{AccountId, Place, Region};
use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::call::PUT_POLICY;

/// A document as a list of words. flowagg adds `ours`.
type Doc = Vec<&'static str>;

/// The moment before the n-th call, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Before {
    Read(usize),
    Write(usize),
}

#[derive(Debug, Default)]
struct Bucket {
    doc: Doc,
    /// What reads return while they are stale.
    previous: Doc,
    stale_reads: usize,
    reads: usize,
    writes: usize,
}

type Deed = fn(&mut Doc);

/// A fake S3 whose document another process changes.
struct S3 {
    at: At,
    bucket: Mutex<Bucket>,
    foreign: BTreeMap<Before, Deed>,
    /// The number of reads after a write that return the previous document.
    stale: usize,
    /// The outcome of the write with this number.
    unsettled: Option<(usize, Unsettled)>,
}

#[derive(Clone, Copy)]
enum Unsettled {
    Done,
    NotDone,
    Refused,
}

impl S3 {
    fn with(doc: &[&'static str]) -> Self {
        let account = AccountId::parse("111122223333").unwrap();
        let at = At::new(Place::new(account, &Region::parse("eu-west-1").unwrap())).about("acme-logs");
        let bucket = Mutex::new(Bucket { doc: doc.to_vec(), ..Bucket::default() });
        Self { at, bucket, foreign: BTreeMap::new(), stale: 0, unsettled: None }
    }

    fn on(mut self, moment: Before, deed: Deed) -> Self {
        self.foreign.insert(moment, deed);
        self
    }

    fn stale(self, reads: usize) -> Self {
        Self { stale: reads, ..self }
    }

    fn unsettled(self, write: usize, how: Unsettled) -> Self {
        Self { unsettled: Some((write, how)), ..self }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap()
    }

    /// Replaces the document, with a plan made from `planned_over`. There are as many pauses as for S3.
    async fn settle(&self, planned_over: &[&'static str]) -> Replaced<Doc> {
        let [first, longest, total] = [1, 50, 300].map(Duration::from_micros);
        replace(self, planned_over.to_vec(), Pauses { first, longest, total }).await
    }

    fn does(&self, moment: Before, bucket: &mut Bucket) {
        if let Some(deed) = self.foreign.get(&moment) {
            deed(&mut bucket.doc);
            bucket.stale_reads = 0;
        }
    }

    fn failed(&self, message: &str) -> Failure {
        self.at.failed(PUT_POLICY, None, message, "run it again")
    }
}

impl WholeDocument for S3 {
    type State = Doc;
    type Write = Doc;

    const WORDS: Words =
        Words { document: "bucket policy", part: "statement", about: Subject::Policy, call: PUT_POLICY };

    fn at(&self) -> &At {
        &self.at
    }

    async fn read(&self) -> Result<Doc, Failure> {
        let mut bucket = self.bucket();
        bucket.reads += 1;
        let moment = Before::Read(bucket.reads);
        self.does(moment, &mut bucket);
        if bucket.stale_reads > 0 {
            bucket.stale_reads -= 1;
            return Ok(bucket.previous.clone());
        }
        Ok(bucket.doc.clone())
    }

    fn compute(&self, current: &Doc) -> Result<Option<Doc>, Failure> {
        if current.contains(&"invalid") {
            return Err(self.failed("not a document"));
        }
        let wanted = || current.iter().copied().chain(["ours"]).collect();
        Ok((!current.contains(&"ours")).then(wanted))
    }

    async fn write(&self, write: &Doc) -> Result<(), NotWritten> {
        let mut bucket = self.bucket();
        bucket.writes += 1;
        let moment = Before::Write(bucket.writes);
        self.does(moment, &mut bucket);
        let unsettled = self.unsettled.filter(|(number, _)| *number == bucket.writes).map(|(_, how)| how);
        match unsettled {
            Some(Unsettled::Refused) => return Err(NotWritten::Refused(self.failed("access denied"))),
            Some(Unsettled::NotDone) => return Err(NotWritten::Unsettled(self.failed("aborted"))),
            _ => {}
        }
        bucket.previous = std::mem::replace(&mut bucket.doc, write.clone());
        bucket.stale_reads = self.stale;
        match unsettled {
            Some(_) => Err(NotWritten::Unsettled(self.failed("the call timed out"))),
            None => Ok(()),
        }
    }

    fn holds(&self, current: &Doc, write: &Doc) -> bool {
        current == write
    }

    fn losses(&self, write: &Doc, now: &Doc) -> Result<Vec<String>, Failure> {
        let lost = write.iter().filter(|word| **word != "ours" && !now.contains(word));
        Ok(lost.map(ToString::to_string).collect())
    }
}

#[track_caller]
fn is_settled(s3: &S3, replaced: &Replaced<Doc>, doc: &[&str], writes: usize) {
    assert!(replaced.failure.is_none() && replaced.lost.is_none(), "{replaced:?}");
    let bucket = s3.bucket();
    assert_eq!((bucket.doc.as_slice(), bucket.writes), (doc, writes));
}

#[test]
fn pauses_double_up_to_the_longest_and_add_up_to_thirty_seconds() {
    let pauses: Vec<u128> = Pauses::S3.each().map(|pause| pause.as_millis()).collect();
    assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000, 3_700]);
}

#[tokio::test]
async fn document_is_read_once_before_and_once_after_the_write() {
    let s3 = S3::with(&["a"]);
    let replaced = s3.settle(&["a"]).await;
    is_settled(&s3, &replaced, &["a", "ours"], 1);
    assert_eq!((s3.bucket().reads, replaced.write), (2, Some(vec!["a", "ours"])));
    assert!(!replaced.is_contended);
}

#[tokio::test]
async fn up_to_date_document_is_neither_read_nor_written() {
    let s3 = S3::with(&["ours"]);
    let replaced = s3.settle(&["ours"]).await;
    is_settled(&s3, &replaced, &["ours"], 0);
    assert_eq!((s3.bucket().reads, replaced.write), (0, None));
}

#[tokio::test]
async fn stale_reads_after_the_write_are_repeated_without_another_write() {
    for stale in 1..=10 {
        let s3 = S3::with(&["a"]).stale(stale);
        let replaced = s3.settle(&["a"]).await;
        is_settled(&s3, &replaced, &["a", "ours"], 1);
        assert!(!replaced.is_contended, "no other process wrote: {replaced:?}");
    }
}

#[tokio::test]
async fn write_that_stays_invisible_is_a_failure_and_not_repeated() {
    let s3 = S3::with(&["a"]).stale(usize::MAX);
    let replaced = s3.settle(&["a"]).await;
    let failure = replaced.failure.unwrap();
    assert_data_eq!(
        &failure.message,
        str!["written but not visible yet: after 300µs S3 still returns the previous bucket policy"]
    );
    assert_data_eq!(
        failure.help(),
        str![[
            r#"run `flowagg plan` in a few minutes; if it shows the same change, another process has restored the previous bucket policy (CloudTrail: PutBucketPolicy)"#
        ]]
    );
    assert_eq!((s3.bucket().writes, replaced.write), (1, Some(vec!["a", "ours"])));
    assert!(!replaced.is_contended && replaced.lost.is_none());
}

#[tokio::test]
async fn change_outside_the_window_is_kept() {
    // Before the first read, and before the read-back.
    for read in [1, 2] {
        let s3 = S3::with(&["a"]).on(Before::Read(read), |doc| doc.push("theirs"));
        let replaced = s3.settle(&["a"]).await;
        assert!(replaced.failure.is_none() && replaced.lost.is_none(), "{replaced:?}");
        let doc = s3.bucket().doc.clone();
        for word in ["a", "theirs", "ours"] {
            assert!(doc.contains(&word), "a change before read {read}: {doc:?}");
        }
        assert!(replaced.is_contended);
        let warning = replaced.warning.unwrap();
        assert_data_eq!(
            &warning.what,
            str![[
                r#"another process changed it during this run; if that process also changed it in the [..] ms between the start of flowagg's last read and the end of its write, that change was overwritten"#
            ]]
        );
        assert_eq!(warning.resource, "the bucket policy of acme-logs");
    }
}

#[tokio::test]
async fn two_changes_between_reads_are_kept() {
    let s3 = S3::with(&["a"])
        .on(Before::Read(1), |doc| doc.push("first"))
        .on(Before::Read(2), |doc| doc.push("second"));
    let replaced = s3.settle(&["a"]).await;
    is_settled(&s3, &replaced, &["a", "first", "second", "ours"], 1);
}

#[tokio::test]
async fn change_that_overwrites_ours_is_kept() {
    let s3 = S3::with(&["a"]).on(Before::Read(2), |doc| *doc = vec!["a", "theirs"]);
    let replaced = s3.settle(&["a"]).await;
    is_settled(&s3, &replaced, &["a", "theirs", "ours"], 2);
    assert!(replaced.is_contended);
}

#[tokio::test]
async fn foreign_part_dropped_by_another_process_is_reported() {
    let s3 = S3::with(&["a", "b"]).on(Before::Read(2), |doc| *doc = vec!["a"]);
    let replaced = s3.settle(&["a", "b"]).await;
    let lost = replaced.lost.unwrap();
    assert_data_eq!(
        &lost.message,
        str![[
            r#"the bucket policy lost the foreign statement b while flowagg wrote it: another process replaced it"#
        ]]
    );
    assert_eq!(s3.bucket().doc, ["a", "ours"]);
}

#[tokio::test]
async fn restored_foreign_part_is_not_reported_as_lost() {
    let s3 = S3::with(&["a", "b"])
        .on(Before::Read(2), |doc| *doc = vec!["a"])
        .on(Before::Read(3), |doc| doc.push("b"));
    let replaced = s3.settle(&["a", "b"]).await;
    is_settled(&s3, &replaced, &["a", "b", "ours"], 2);
}

#[tokio::test]
async fn change_in_the_window_is_reported_if_another_was_seen() {
    let s3 = S3::with(&["a"])
        .on(Before::Read(1), |doc| doc.push("seen"))
        .on(Before::Write(1), |doc| doc.push("unseen"));
    let replaced = s3.settle(&["a"]).await;
    is_settled(&s3, &replaced, &["a", "seen", "ours"], 1);
    assert!(replaced.is_contended);
    let warning = replaced.warning.unwrap();
    assert_data_eq!(
        &warning.what,
        str![[
            r#"another process changed it during this run; if that process also changed it in the [..] ms between the start of flowagg's last read and the end of its write, that change was overwritten"#
        ]]
    );
}

#[tokio::test]
async fn number_of_writes_is_limited() {
    const OVERWRITES: [Deed; WRITES] = [
        |doc| *doc = vec!["first"],
        |doc| *doc = vec!["second"],
        |doc| *doc = vec!["third"],
        |doc| *doc = vec!["fourth"],
        |doc| *doc = vec!["fifth"],
    ];
    let read_back = |n: usize| Before::Read(2 * n + 2);
    let s3 =
        OVERWRITES.into_iter().enumerate().fold(S3::with(&[]), |s3, (n, deed)| s3.on(read_back(n), deed));
    let replaced = s3.settle(&[]).await;
    let failure = replaced.failure.unwrap();
    assert_data_eq!(
        &failure.message,
        str!["another process changed the bucket policy during each attempt to write it; flowagg stopped"]
    );
    let bucket = s3.bucket();
    assert_eq!((bucket.doc.as_slice(), bucket.writes), (&["fifth"][..], WRITES));
}

#[tokio::test]
async fn completed_write_without_a_response_is_not_repeated() {
    for stale in [0, 2] {
        let s3 = S3::with(&["a"]).unsettled(1, Unsettled::Done).stale(stale);
        let replaced = s3.settle(&["a"]).await;
        assert_eq!(replaced.write, Some(vec!["a", "ours"]));
        assert_eq!(s3.bucket().doc, ["a", "ours"]);
        assert!(stale > 0 || s3.bucket().writes == 1);
    }
}

#[tokio::test]
async fn failed_write_is_repeated_after_another_read() {
    let s3 = S3::with(&["a"]).unsettled(1, Unsettled::NotDone).on(Before::Read(2), |doc| doc.push("theirs"));
    let replaced = s3.settle(&["a"]).await;
    is_settled(&s3, &replaced, &["a", "theirs", "ours"], 2);
}

#[tokio::test]
async fn rejected_write_is_a_failure_and_not_repeated() {
    let s3 = S3::with(&["a"]).unsettled(1, Unsettled::Refused);
    let replaced = s3.settle(&["a"]).await;
    assert_eq!(replaced.failure.unwrap().message, "access denied");
    assert_eq!((s3.bucket().writes, replaced.write), (1, None));
}

#[tokio::test]
async fn stale_read_does_not_overwrite_a_newer_document() {
    // The plan was made from `a`. The first read returns `a b`, the next one the older `a`.
    let s3 = S3::with(&["a", "b"]);
    s3.bucket().stale_reads = 0;
    let s3 = s3.on(Before::Read(2), |doc| *doc = vec!["a"]).on(Before::Read(3), |doc| *doc = vec!["a", "b"]);
    let replaced = s3.settle(&["a"]).await;
    is_settled(&s3, &replaced, &["a", "b", "ours"], 1);
}

#[tokio::test]
async fn older_document_that_persists_counts_as_restored() {
    let s3 = S3::with(&["a", "b"]).on(Before::Read(2), |doc| *doc = vec!["a"]);
    let replaced = s3.settle(&["a"]).await;
    is_settled(&s3, &replaced, &["a", "ours"], 1);
}

#[tokio::test]
async fn document_that_cannot_be_computed_is_not_written() {
    let s3 = S3::with(&["a"]).on(Before::Read(1), |doc| doc.push("invalid"));
    let replaced = s3.settle(&["a"]).await;
    assert_eq!(replaced.failure.unwrap().message, "not a document");
    assert_eq!(s3.bucket().writes, 0);
}
