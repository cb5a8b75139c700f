//! Passes the confirmation of a large read from the task that lists objects to the terminal.

use async_trait::async_trait;
use flowagg_query::{Gate, Totals};
use tokio::sync::{mpsc, oneshot};

/// Requests a confirmation and waits for the answer.
#[derive(Debug)]
pub(super) struct Asking(mpsc::Sender<Question>);

/// A request for confirmation: more than the limit was listed.
#[derive(Debug)]
pub(super) struct Question {
    /// The total that was listed so far.
    pub(super) listed: Totals,
    /// Receives the answer: whether to continue.
    pub(super) answer: oneshot::Sender<bool>,
}

impl Asking {
    pub(super) fn new() -> (Self, mpsc::Receiver<Question>) {
        let (sender, questions) = mpsc::channel(1);
        (Self(sender), questions)
    }
}

#[async_trait]
impl Gate for Asking {
    async fn go_on(&self, listed: Totals) -> bool {
        let (answer, answered) = oneshot::channel();
        // Without a receiver the run has ended.
        self.0.send(Question { listed, answer }).await.is_ok() && answered.await.unwrap_or(false)
    }
}
