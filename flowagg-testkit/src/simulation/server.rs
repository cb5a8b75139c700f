use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, net, thread};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;

use super::call::{Answer, Call};
use super::{HUB, Shape, Simulation};

/// A [`Simulation`] behind a local HTTP endpoint. It ends with the process.
#[derive(Debug)]
pub struct SimulationServer {
    url: String,
    simulation: Arc<Mutex<Simulation>>,
}

impl SimulationServer {
    /// Serves an organization of this shape on a separate thread.
    pub fn start(shape: Shape) -> io::Result<Self> {
        let listener = net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let simulation = Arc::new(Mutex::new(Simulation::new(shape)));
        let served = Arc::clone(&simulation);
        thread::spawn(move || {
            runtime.block_on(async { accept(&TcpListener::from_std(listener)?, &served).await })
        });
        Ok(Self { url, simulation })
    }

    /// URL to set as `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The state, to read or change. Calls wait while it is locked.
    pub fn simulation(&self) -> MutexGuard<'_, Simulation> {
        locked(&self.simulation)
    }

    /// Environment variables for a program that runs in the hub account.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_ACCESS_KEY_ID", HUB.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ]
    }
}

fn locked(simulation: &Mutex<Simulation>) -> MutexGuard<'_, Simulation> {
    simulation.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: &TcpListener, simulation: &Arc<Mutex<Simulation>>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let simulation = Arc::clone(simulation);
        // If a connection breaks, the client notices.
        tokio::spawn(async move { serve(stream, &simulation).await });
    }
}

async fn serve(
    stream: TcpStream,
    simulation: &Mutex<Simulation>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let service = service_fn(|request: Request<Incoming>| async move {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let answer = match Call::read(&head, body) {
            Some(call) => locked(simulation).answer(&call),
            None => Answer::new(400, "unknown call"),
        };
        Ok::<_, Infallible>(Response::from(answer))
    });
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await?;
    Ok(())
}

impl From<Answer> for Response<Full<Bytes>> {
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(Full::new(Bytes::from(answer.body)));
        *response.status_mut() =
            StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in answer.headers {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
