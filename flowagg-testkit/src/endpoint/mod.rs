//! An HTTP server in front of an emulator. It parses each call and leaves the decision about it to its users.

mod call;
mod request;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use flowagg_core::id::AccountId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::emulator::authority;
pub(crate) use call::Call;
pub(crate) use call::Wire;
pub(crate) use request::{Request, with_body};

/// A listening port. Dropping it stops the server.
#[derive(Debug)]
pub(crate) struct Door {
    url: String,
    task: JoinHandle<()>,
}

impl Door {
    /// Serves every connection with this function, each in its own task.
    pub(crate) async fn open<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> io::Result<Self>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // If a connection breaks, the client notices.
                tokio::spawn(serve(client));
            }
        });
        Ok(Self { url, task })
    }

    /// URL to set as `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The endpoint behind this server, and the access keys that `AssumeRole` has returned there.
#[derive(Debug)]
pub(crate) struct Upstream {
    authority: String,
    keys: Mutex<BTreeMap<String, AccountId>>,
}

impl Upstream {
    pub(crate) fn at(url: &str) -> Self {
        Self { authority: authority(url).to_owned(), keys: Mutex::default() }
    }

    /// Identifies the call in a request.
    pub(crate) fn call(&self, request: &Request) -> Call {
        Call::new(request, &locked(&self.keys))
    }

    /// Sends the request and returns the whole response.
    pub(crate) async fn ask(&self, request: &Request, call: &Call) -> io::Result<Vec<u8>> {
        let mut answer = Vec::new();
        self.send(request).await?.read_to_end(&mut answer).await?;
        if let ("AssumeRole", Some(account)) = (call.operation.as_str(), call.account)
            && let Some(key) = wire::element(&String::from_utf8_lossy(&answer), "AccessKeyId")
        {
            locked(&self.keys).insert(key.to_owned(), account);
        }
        Ok(answer)
    }

    /// Connects client and server directly if the request is too large to be read first.
    pub(crate) async fn join(&self, client: &mut TcpStream, request: &Request) -> io::Result<()> {
        let mut server = self.send(request).await?;
        tokio::io::copy_bidirectional(client, &mut server).await.map(drop)
    }

    async fn send(&self, request: &Request) -> io::Result<TcpStream> {
        let mut server = TcpStream::connect(&self.authority).await?;
        server.write_all(request.head.as_bytes()).await?;
        server.write_all(&request.body).await?;
        Ok(server)
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
