//! The log of an emulator: its end is printed if a test fails, and all of it is served at a URL for test programs that
//! share the emulator.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::panic;
use std::sync::Arc;

use super::health::PATIENCE;
use super::{Emulator, tail};

/// Environment variable with the URL of the log of the endpoint in [`BACKEND_VARIABLE`](super::BACKEND_VARIABLE), such
/// as the one that [`Emulator::serve_log`] returns.
pub const LOG_VARIABLE: &str = "FLOWAGG_EMULATOR_LOG";

/// From now on, every panic in this process prints the end of this log. In a test, it is printed immediately with the
/// test's own output; later, other tests would have written more to the log.
#[allow(clippy::print_stderr, reason = "standard error appears in the output of a failed test")]
pub(super) fn show_on_panic(name: &'static str, log: impl Fn() -> Option<String> + Send + Sync + 'static) {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        usual(panic);
        match log() {
            Some(log) if !log.is_empty() => eprintln!("last lines of the log of {name}:\n{}", tail(&log)),
            _ => {}
        }
    }));
}

impl Emulator {
    /// Serves the log as plain text over HTTP for as long as the emulator lives. Returns the URL, to be set in
    /// [`LOG_VARIABLE`] for programs that use this emulator as an endpoint.
    pub fn serve_log(self: &Arc<Self>) -> io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", listener.local_addr()?);
        let emulator = Arc::downgrade(self);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Some(emulator) = emulator.upgrade() else { return };
                // The client may have disconnected.
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
