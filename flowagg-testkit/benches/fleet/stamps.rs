//! When the bytes of each call come and go, taken at the connection.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// When a call was on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnWire {
    /// When its first byte came.
    pub(crate) from: Instant,
    /// When the last byte of the answer went.
    pub(crate) to: Instant,
}

/// What is known of a connection. Calls on it follow each other.
#[derive(Debug, Default)]
struct State {
    from: Option<Instant>,
    to: Option<Instant>,
    done: Vec<OnWire>,
}

/// The calls on a connection, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stamps(Arc<Mutex<State>>);

impl Stamps {
    fn read(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        // The first byte after an answer belongs to the next call.
        if let Some(to) = state.to.take() {
            let from = state.from.replace(now);
            state.done.extend(from.map(|from| OnWire { from, to }));
        }
        state.from.get_or_insert(now);
    }

    fn written(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).to = Some(Instant::now());
    }

    /// When the call with this number was on the wire, from 0; `None` if its answer has not gone.
    pub(crate) fn of(&self, number: usize) -> Option<OnWire> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = || Some(OnWire { from: state.from?, to: state.to? });
        state.done.get(number).copied().or_else(|| last().filter(|_| number == state.done.len()))
    }
}

/// A connection whose calls are stamped.
pub(crate) struct Stamped {
    pub(crate) stream: TcpStream,
    pub(crate) stamps: Stamps,
}

impl AsyncRead for Stamped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.stamps.read();
        }
        read
    }
}

impl AsyncWrite for Stamped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.stamps.written();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
