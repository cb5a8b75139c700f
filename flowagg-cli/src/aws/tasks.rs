//! Concurrency over accounts, regions and folders.

use futures::{Stream, StreamExt, stream};
use tokio::task::JoinHandle;

/// The number of accounts, account-regions or folders processed concurrently.
pub(super) const AT_ONCE: usize = 448;

/// Spawns each future as a task, so that all cores are used; up to [`AT_ONCE`] at a time. The iterator is advanced lazily, and
/// outcomes are in order of completion.
pub(super) fn spread<F>(futures: impl IntoIterator<Item = F>) -> impl Stream<Item = F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    stream::iter(futures).map(|future| outcome(tokio::spawn(future))).buffer_unordered(AT_ONCE)
}

/// The result of a task. Its panic is propagated.
pub(super) async fn outcome<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Tasks are only cancelled when the runtime shuts down; nothing is polled after that.
            Err(_) => std::future::pending().await,
        },
    }
}
