use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use testcontainers::bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use testcontainers::bollard::query_parameters::InspectContainerOptions;
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::logs::LogFrame;
use testcontainers::core::{ContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;

use super::{EmulatorError, LOCALSTACK_VERSION, SETTINGS, health};

const IMAGE: &str = "localstack/localstack";
const PORT: u16 = 4566;
/// Stops the container when its standard input closes, which happens when the process that started it ends. `stay`
/// detaches it.
const LEASH: &str = r#"read -r word; [ "$word" = stay ] || kill 1"#;

type Log = Arc<Mutex<Vec<u8>>>;

/// LocalStack in a container, owned by a thread that lives as long as this value.
///
/// The thread has its own runtime, so that connections to the engine do not close with the caller's runtime.
#[derive(Debug)]
pub(super) struct Container {
    id: String,
    log: Log,
    word: Option<oneshot::Sender<Word>>,
    thread: Option<JoinHandle<()>>,
}

/// How the thread ends.
#[derive(Debug)]
enum Word {
    Stay,
    End,
}

/// Whether an engine responds and has the image or can pull it.
pub(super) fn check() -> Result<(), EmulatorError> {
    on_a_thread(async {
        let engine = docker_client_instance().await.map_err(docker)?;
        engine
            .ping()
            .await
            .map_err(|error| EmulatorError::Docker(format!("no Docker engine responds: {error}")))?;
        if engine.inspect_image(&format!("{IMAGE}:{LOCALSTACK_VERSION}")).await.is_err() {
            drop(GenericImage::new(IMAGE, LOCALSTACK_VERSION).pull_image().await.map_err(docker)?);
        }
        Ok(())
    })
}

impl Container {
    pub(super) fn start() -> Result<(Self, String), EmulatorError> {
        let log = Log::default();
        let (started, start) = mpsc::channel();
        let (word, told) = oneshot::channel();
        let kept = Arc::clone(&log);
        let thread = std::thread::spawn(move || {
            let run = async move {
                match run(&kept).await {
                    Ok((container, leash, url)) => {
                        // The caller waits for this message.
                        let _ = started.send(Ok((container.id().to_owned(), url)));
                        end(container, leash, told.await.unwrap_or(Word::End)).await;
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            };
            block_on(run).unwrap_or_default();
        });
        let lost = |_| EmulatorError::Docker("the thread connected to the Docker engine ended".into());
        let (id, url) = start.recv().map_err(lost)??;
        let container = Self { id, log, word: Some(word), thread: Some(thread) };
        health::wait_until_ready(health::LOCALSTACK, &url, || container.check_running(), || container.log())?;
        Ok((container, url))
    }

    /// Fails if the container has ended, because the engine then removes it.
    fn check_running(&self) -> Result<(), String> {
        let look = async {
            let engine = docker_client_instance().await.map_err(docker)?;
            engine.inspect_container(&self.id, None::<InspectContainerOptions>).await.map_err(docker)
        };
        on_a_thread(look).map(drop).map_err(|error| format!("the container ended: {error}"))
    }

    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Detaches the container from this process. Returns the command that stops it.
    pub(super) fn leave_running(mut self) -> String {
        self.tell(Word::Stay);
        format!("docker rm --force --volumes {}", self.id.get(..12).unwrap_or(&self.id))
    }

    fn tell(&mut self, what: Word) {
        if let (Some(word), Some(thread)) = (self.word.take(), self.thread.take()) {
            // Both fail only if the thread has already ended, and the container with it.
            let _ = word.send(what);
            let _ = thread.join();
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.tell(Word::End);
    }
}

type Leash = Pin<Box<dyn AsyncWrite + Send>>;

async fn run(log: &Log) -> Result<(ContainerAsync<GenericImage>, Leash, String), EmulatorError> {
    let kept = Arc::clone(log);
    let mut request: ContainerRequest<GenericImage> = GenericImage::new(IMAGE, LOCALSTACK_VERSION)
        .with_exposed_port(ContainerPort::Tcp(PORT))
        .with_wait_for(WaitFor::Nothing)
        .with_host_config_modifier(|host| host.auto_remove = Some(true))
        .with_label("flowagg.starter", std::process::id().to_string())
        .with_log_consumer(move |frame: &LogFrame| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(frame.bytes());
        });
    for (name, value) in SETTINGS {
        request = request.with_env_var(name, value);
    }
    let container = request.start().await.map_err(docker)?;
    let leash = leash(container.id()).await?;
    let host = container.get_host().await.map_err(docker)?;
    let port = container.get_host_port_ipv4(PORT).await.map_err(docker)?;
    Ok((container, leash, format!("http://{host}:{port}")))
}

/// Starts the leash in the container and returns its standard input.
async fn leash(container: &str) -> Result<Leash, EmulatorError> {
    let engine = docker_client_instance().await.map_err(docker)?;
    let options = CreateExecOptions {
        attach_stdin: Some(true),
        cmd: Some(vec!["sh", "-c", LEASH]),
        ..Default::default()
    };
    let exec = engine.create_exec(container, options).await.map_err(docker)?;
    match engine.start_exec(&exec.id, None::<StartExecOptions>).await.map_err(docker)? {
        StartExecResults::Attached { input, .. } => Ok(input),
        StartExecResults::Detached => {
            Err(EmulatorError::Docker("the Docker engine did not attach to the process".into()))
        }
    }
}

async fn end(container: ContainerAsync<GenericImage>, mut leash: Leash, word: Word) {
    match word {
        Word::Stay => {
            // If this fails, the container has already ended.
            let _ = leash.write_all(b"stay\n").await;
            let _ = leash.shutdown().await;
            std::mem::forget(container);
        }
        // This fails only if the engine has already removed the container.
        Word::End => drop(container.rm().await),
    }
}

fn docker(error: impl std::error::Error) -> EmulatorError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    EmulatorError::Docker(text)
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T, EmulatorError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(docker)?.block_on(work))
}

/// Runs asynchronous work from any context, including from within another runtime.
fn on_a_thread<T: Send>(
    work: impl Future<Output = Result<T, EmulatorError>> + Send,
) -> Result<T, EmulatorError> {
    let lost = |_| EmulatorError::Docker("the thread connected to the Docker engine ended".into());
    std::thread::scope(|scope| scope.spawn(|| block_on(work)?).join().map_err(lost)?)
}
