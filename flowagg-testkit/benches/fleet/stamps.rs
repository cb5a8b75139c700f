//! Times at which the bytes of each call are received and sent, measured at the connection.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The times at which a call was on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnWire {
    /// When its first byte was received.
    pub(crate) from: Instant,
    /// When the last byte of its response was sent.
    pub(crate) to: Instant,
}

/// The state of a connection, whose calls are sequential.
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
        // The first byte after a response belongs to the next call.
        if let Some(to) = state.to.take() {
            let from = state.from.replace(now);
            state.done.extend(from.map(|from| OnWire { from, to }));
        }
        state.from.get_or_insert(now);
    }

    fn written(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).to = Some(Instant::now());
    }

    /// The times at which the call with this index was on the wire; `None` if its response has not been sent.
    pub(crate) fn of(&self, number: usize) -> Option<OnWire> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = || Some(OnWire { from: state.from?, to: state.to? });
        state.done.get(number).copied().or_else(|| last().filter(|_| number == state.done.len()))
    }
}

/// A connection that records the times of its calls.
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
