//! What an emulator wrote: its end where a test fails, and all of it at a URL, for test programs that share one.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::panic;
use std::sync::Arc;

use super::health::PATIENCE;
use super::{Emulator, tail};

/// The environment variable that names where the log of the endpoint in [`BACKEND_VARIABLE`](super::BACKEND_VARIABLE) can
/// be read: a URL, such as that of [`Emulator::serve_log`].
pub const LOG_VARIABLE: &str = "FLOWAGG_EMULATOR_LOG";

/// From now on, whoever panics in this process shows the end of this log. In a test it is told with the test's own output,
/// at the moment of its failure: later, the other tests have written over it.
#[allow(clippy::print_stderr, reason = "standard error of a test that fails is what its reader sees")]
pub(super) fn show_on_panic(name: &'static str, log: impl Fn() -> Option<String> + Send + Sync + 'static) {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        usual(panic);
        match log() {
            Some(log) if !log.is_empty() => eprintln!("what {name} wrote last:\n{}", tail(&log)),
            _ => {}
        }
    }));
}

impl Emulator {
    /// Serves what it has written, as plain text over HTTP, for as long as it lives. Returns the URL, to be named in
    /// [`LOG_VARIABLE`] for programs that use this emulator as an endpoint.
    pub fn serve_log(self: &Arc<Self>) -> io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let emulator = Arc::downgrade(self);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Some(emulator) = emulator.upgrade() else { return };
                // Whoever asked may be gone.
                let _ = answer(&client, &emulator.log());
            }
        });
        Ok(url)
    }
}

fn answer(mut client: &TcpStream, log: &str) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut request = BufReader::new(client).lines();
    while request.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    write!(client, "HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{log}")
}
