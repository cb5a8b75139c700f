//! The only place that names an AWS SDK type: accounts and credentials, reading, doing, and what has arrived.

mod access;
pub mod apply;
mod around;
mod athena;
pub(crate) mod call;
mod deliveries;
mod failure;
mod found;
#[cfg(test)]
mod mocked;
pub mod observe;
mod traffic;

use futures::{Stream, StreamExt, stream};
use tokio::task::JoinHandle;

pub use access::{Account, Accounts, Connection, Session};
pub use around::{Around, around};
pub use athena::{Answer, Column, Question, Stored, ask, stored};
pub use deliveries::{arrivals, deliveries, verify};
pub use found::{Ask, find, find_hub};
pub use traffic::Calls;

/// How many accounts, or places, or folders are worked on at once.
const AT_ONCE: usize = 448;

/// Runs futures as tasks of their own, so that all cores work; [`AT_ONCE`] at once. Each is made when its turn comes, and
/// outcomes come as they are there.
fn spread<F>(futures: impl IntoIterator<Item = F>) -> impl Stream<Item = F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    stream::iter(futures).map(|future| outcome(tokio::spawn(future))).buffer_unordered(AT_ONCE)
}

/// What a task came to; its panic is ours.
async fn outcome<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Nobody aborts a task but the end of the runtime, after which nothing is polled.
            Err(_) => std::future::pending().await,
        },
    }
}
