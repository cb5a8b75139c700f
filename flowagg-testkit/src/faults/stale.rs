//! Reads that return a bucket's document from before a write, until S3 has propagated the write.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::endpoint::{Call, locked};

/// Responses to reads of S3 documents, by path and query, and the times of writes.
#[derive(Debug, Default)]
pub(super) struct Propagation {
    documents: Mutex<BTreeMap<String, Document>>,
}

#[derive(Debug)]
struct Document {
    /// The last response to a read.
    read: Vec<u8>,
    /// The time of the last write, and the response from before it.
    written: Option<(Instant, Vec<u8>)>,
}

impl Propagation {
    /// Records the response to a forwarded call.
    pub(super) fn passed(&self, call: &Call, answer: &[u8]) {
        let Some((method, document)) = call.line.split_once(' ') else { return };
        let mut documents = locked(&self.documents);
        match (method, documents.get_mut(document)) {
            ("GET", Some(known)) => known.read = answer.to_vec(),
            ("GET", None) => {
                documents.insert(document.to_owned(), Document { read: answer.to_vec(), written: None });
            }
            ("PUT" | "DELETE", Some(known)) => known.written = Some((Instant::now(), known.read.clone())),
            _ => {}
        }
    }

    /// The response from before the last write, if the write is more recent than `time`.
    pub(super) fn stale(&self, call: &Call, time: Duration) -> Option<Vec<u8>> {
        let (_, document) = call.line.split_once(' ')?;
        let documents = locked(&self.documents);
        let (at, before) = documents.get(document)?.written.as_ref()?;
        (at.elapsed() < time).then(|| before.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Wire;

    fn call(line: &str) -> Call {
        let (line, operation) = (line.to_owned(), line.to_owned());
        Call { line, operation, wire: Wire::S3, is_head: false, account: None, region: None }
    }

    #[test]
    fn reads_after_a_write_are_stale_until_the_time_is_over() {
        let (get, put) = (call("GET /logs?policy"), call("PUT /logs?policy"));
        let (day, nothing) = (Duration::from_secs(86_400), Duration::ZERO);
        let propagation = Propagation::default();
        propagation.passed(&get, b"old");
        assert_eq!(propagation.stale(&get, day), None, "nothing was written");
        propagation.passed(&put, b"");
        assert_eq!(propagation.stale(&get, day).as_deref(), Some(&b"old"[..]));
        assert_eq!(propagation.stale(&get, nothing), None);
        assert_eq!(propagation.stale(&call("GET /logs?lifecycle"), day), None, "another document");
        propagation.passed(&get, b"new");
        propagation.passed(&put, b"");
        assert_eq!(propagation.stale(&get, day).as_deref(), Some(&b"new"[..]));
    }
}
