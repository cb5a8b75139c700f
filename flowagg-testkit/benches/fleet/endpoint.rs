//! A local HTTP server on a separate thread that answers every call after a fixed latency, or immediately.
//!
//! It is not the `endpoint` module of flowagg-testkit, which runs in front of an emulator and closes each connection
//! after one call. AWS keeps connections open. With a new connection for each call, the wall and CPU time of flowagg
//! would include connecting, and [`Stamps`] could not record consecutive calls on one connection.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use std::{io, net, thread};

use flowagg_testkit::simulation::{Answer, Call};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;

use crate::aws::{Aws, Made};
use crate::fleet::Size;
use crate::stamps::{Stamped, Stamps};
use crate::{LATENCY, usage};

/// The endpoint, which ends with the process.
pub(crate) struct Endpoint {
    url: String,
    aws: Arc<Mutex<Aws>>,
    thread: Arc<OnceLock<usage::Thread>>,
}

impl Endpoint {
    /// Starts the endpoint for a fleet of this size. Each call takes [`LATENCY`].
    pub(crate) fn start(size: &Size) -> io::Result<Self> {
        Self::of(Aws::new(size, None), LATENCY)
    }

    /// Starts the endpoint for a fleet of this size, with a bucket that has this policy. Calls are answered
    /// immediately.
    pub(crate) fn start_with_policy(size: &Size, policy: &str) -> io::Result<Self> {
        Self::of(Aws::new(size, Some(policy)), Duration::ZERO)
    }

    fn of(aws: Aws, latency: Duration) -> io::Result<Self> {
        let listener = net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let endpoint = Self { url, aws: Arc::new(Mutex::new(aws)), thread: Arc::default() };
        let (aws, thread) = (Arc::clone(&endpoint.aws), Arc::clone(&endpoint.thread));
        thread::spawn(move || {
            if let Some(this) = usage::Thread::this() {
                thread.get_or_init(|| this);
            }
            runtime.block_on(async { accept(&TcpListener::from_std(listener)?, &aws, latency).await })
        });
        Ok(endpoint)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Every call so far, in the order of arrival.
    pub(crate) fn calls(&self) -> Vec<Made> {
        self.aws.lock().unwrap_or_else(PoisonError::into_inner).made.clone()
    }

    /// The CPU time of the endpoint, if the system reports it.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        self.thread.get()?.cpu()
    }
}

async fn accept(listener: &TcpListener, aws: &Arc<Mutex<Aws>>, latency: Duration) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let aws = Arc::clone(aws);
        // If a connection breaks, the client notices.
        tokio::spawn(async move { serve(stream, aws, latency).await });
    }
}

async fn serve(
    stream: TcpStream,
    aws: Arc<Mutex<Aws>>,
    latency: Duration,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let stamps = Stamps::default();
    let connection = Stamped { stream, stamps: stamps.clone() };
    let calls = AtomicUsize::new(0);
    let service = service_fn(|request: Request<Incoming>| {
        let aws = Arc::clone(&aws);
        let call_on = (stamps.clone(), calls.fetch_add(1, Ordering::Relaxed));
        async move {
            let at = Instant::now();
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let answer = match Call::read(&head, body) {
                Some(call) => aws.lock().unwrap_or_else(PoisonError::into_inner).answer(call, at, call_on),
                None => Answer::new(400, "unknown call"),
            };
            tokio::time::sleep_until((at + latency).into()).await;
            Ok::<_, Infallible>(Response::from(answer))
        }
    });
    http1::Builder::new().serve_connection(TokioIo::new(connection), service).await?;
    Ok(())
}
