//! Many accounts, regions and folders at once.

use futures::{Stream, StreamExt, stream};
use tokio::task::JoinHandle;

/// How many accounts, or places, or folders are worked on at once.
pub(super) const AT_ONCE: usize = 448;

/// Runs futures as tasks of their own, so that all cores work; [`AT_ONCE`] at once. Each is made when its turn comes, and
/// outcomes come as they are there.
pub(super) fn spread<F>(futures: impl IntoIterator<Item = F>) -> impl Stream<Item = F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    stream::iter(futures).map(|future| outcome(tokio::spawn(future))).buffer_unordered(AT_ONCE)
}

/// What a task came to; its panic is ours.
pub(super) async fn outcome<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Nobody aborts a task but the end of the runtime, after which nothing is polled.
            Err(_) => std::future::pending().await,
        },
    }
}
