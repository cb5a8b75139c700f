//! Confirmation by the caller before a large amount of data is read.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::error::QueryError;
use crate::progress::{Progress, Totals};

/// Decides whether a large query continues. Listing and downloads pause until it answers.
#[async_trait]
pub trait Gate: fmt::Debug + Send + Sync {
    /// Called at most once per table, when the listed objects exceed the limit. If it returns `false`, the query fails
    /// with [`QueryError::Declined`].
    async fn go_on(&self, listed: Totals) -> bool;
}

/// The gate of a table, with its limit.
#[derive(Debug, Default)]
pub(crate) struct Gatekeeper {
    gate: Option<(Arc<dyn Gate>, Totals)>,
    is_asked: AtomicBool,
    /// The answer of the gate; locked while the gate is asked.
    is_declined: Mutex<bool>,
}

impl Gatekeeper {
    pub(crate) fn new(gate: Option<(Arc<dyn Gate>, Totals)>) -> Self {
        Self { gate, ..Self::default() }
    }

    /// Asks the gate if the listed objects exceed the limit and it has not been asked yet.
    pub(crate) async fn pass(&self, progress: &Progress) -> Result<(), QueryError> {
        let Some((gate, above)) = &self.gate else { return Ok(()) };
        let listed = progress.listed();
        let is_above = listed.objects > above.objects || listed.bytes > above.bytes;
        if is_above && !self.is_asked.load(Ordering::Acquire) {
            let mut is_declined = self.is_declined.lock().await;
            if !self.is_asked.swap(true, Ordering::AcqRel) {
                *is_declined = !gate.go_on(listed).await;
            }
        }
        self.wait(progress).await
    }

    /// Waits while the gate is asked.
    pub(crate) async fn wait(&self, progress: &Progress) -> Result<(), QueryError> {
        if self.gate.is_some() && *self.is_declined.lock().await {
            let Totals { objects, bytes } = progress.listed();
            return Err(QueryError::Declined { objects, bytes });
        }
        Ok(())
    }
}
