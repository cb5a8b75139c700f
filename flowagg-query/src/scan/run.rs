//! One execution of a scan: the tasks that list and download objects, and the channel from which partitions receive
//! them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::list::Lister;
use super::source::Source;
use crate::error::{Broken, QueryError};
use crate::filter::Predicate;
use crate::object::Object;

/// The maximum number of objects that are listed ahead. Each takes about 150 bytes; the listing must run ahead so that
/// a gate is asked early.
const QUEUE: usize = 128 * 1024;
/// The number of files that a thread reads before it sends them: waking another thread takes about as long as reading a
/// small file.
const FILES: usize = 16;
/// The unit for the memory of downloads in bytes: semaphore permits are 32-bit numbers.
const UNIT: u64 = 1024;

/// A downloaded object.
pub(super) struct Fetched {
    pub(super) object: Object,
    /// The contents, or why they cannot be read.
    pub(super) data: Result<Bytes, Broken>,
    /// Held until the object has been read.
    _memory: OwnedSemaphorePermit,
}

/// Objects that were downloaded one after the other.
pub(super) type Batch = VecDeque<Result<Fetched, QueryError>>;

/// One execution. Its tasks and threads end when it is dropped.
pub(super) struct Run {
    fetched: Mutex<Receiver<Batch>>,
    /// The number of rows that are still needed.
    wanted: Option<AtomicUsize>,
    /// The number of tasks and threads that have not finished their work.
    unfinished: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Run {
    /// Starts listing and downloading. Requires a Tokio runtime.
    pub(super) fn start(
        source: &Arc<Source>,
        predicate: &Arc<Predicate>,
        limit: Option<usize>,
        partitions: usize,
    ) -> Self {
        // With a limit, the first objects may suffice.
        let most = source.options.concurrency.max(1);
        let downloads = if limit.is_some() { most.min(2 * partitions.max(1)) } else { most };
        let (objects, queue) = mpsc::channel(QUEUE);
        let (sender, fetched) = mpsc::channel(2 * downloads);
        let mut tasks = JoinSet::new();
        let unfinished = Arc::new(AtomicUsize::new(1 + downloads));
        let lister = Arc::clone(&unfinished);
        tasks.spawn(list(Arc::clone(source), Arc::clone(predicate), objects, sender.clone(), lister));
        let budget = u32::try_from(source.options.prefetch.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1);
        let downloader = Downloader {
            source: Arc::clone(source),
            queue: Arc::new(Mutex::new(queue)),
            sender,
            memory: Arc::new(Semaphore::new(budget as usize)),
            budget,
            unfinished: Arc::clone(&unfinished),
            at_once: if source.is_local && limit.is_none() { FILES } else { 1 },
        };
        for _ in 0..downloads {
            // If a thread cannot be started, use a task instead.
            if !source.is_local || downloader.clone().on_thread().is_err() {
                tasks.spawn(downloader.clone().run());
            }
        }
        Self { fetched: Mutex::new(fetched), wanted: limit.map(AtomicUsize::new), unfinished, _tasks: tasks }
    }

    /// The next objects; `None` after the last one, or when there are enough rows. Returns an error if a task ended
    /// early.
    pub(super) async fn next(&self) -> Option<Batch> {
        if self.wanted.as_ref().is_some_and(|wanted| wanted.load(Ordering::Relaxed) == 0) {
            return None;
        }
        let next = self.fetched.lock().await.recv().await;
        let is_complete = || self.unfinished.load(Ordering::Acquire) == 0;
        next.or_else(|| (!is_complete()).then(|| VecDeque::from([Err(QueryError::Incomplete)])))
    }

    /// The number of these rows that are still needed.
    pub(super) fn take(&self, rows: usize) -> usize {
        let Some(wanted) = &self.wanted else { return rows };
        let taken = |wanted: usize| Some(wanted.saturating_sub(rows));
        let before = wanted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).unwrap_or_default();
        before.min(rows)
    }
}

async fn list(
    source: Arc<Source>,
    predicate: Arc<Predicate>,
    objects: Sender<Object>,
    failed: Sender<Batch>,
    unfinished: Arc<AtomicUsize>,
) {
    source.progress.begin_listing();
    let listed = Lister::new(&source, &predicate).run(&objects).await;
    source.progress.end_listing();
    if let Err(error) = listed {
        // If there is no receiver, the query has ended.
        let _ = failed.send(VecDeque::from([Err(error)])).await;
    }
    unfinished.fetch_sub(1, Ordering::AcqRel);
}

/// Downloads objects one after the other; several downloaders run concurrently. Runs in a task, or for local files in a
/// thread without a runtime, where [`object_store`] reads files directly.
#[derive(Clone)]
struct Downloader {
    source: Arc<Source>,
    queue: Arc<Mutex<Receiver<Object>>>,
    sender: Sender<Batch>,
    memory: Arc<Semaphore>,
    /// The total number of permits of `memory`.
    budget: u32,
    unfinished: Arc<AtomicUsize>,
    /// The number of objects that are sent together.
    at_once: usize,
}

impl Downloader {
    /// Runs in a dedicated thread.
    fn on_thread(self) -> std::io::Result<()> {
        let thread = std::thread::Builder::new().name("flowagg-files".to_owned());
        thread.spawn(|| futures::executor::block_on(self.run())).map(drop)
    }

    async fn run(self) {
        let mut objects = Vec::with_capacity(self.at_once);
        while self.queue.lock().await.recv_many(&mut objects, self.at_once).await > 0 {
            if self.source.gate.wait(&self.source.progress).await.is_err() {
                return;
            }
            let mut batch = Batch::with_capacity(objects.len());
            for object in objects.drain(..) {
                let Some(memory) = self.memory_for(&object, &mut batch).await else { return };
                batch.push_back(get(&*self.source.store, object, memory).await);
            }
            if self.sender.send(batch).await.is_err() {
                return;
            }
        }
        // Do this before the sender is dropped, so that it is visible when the channel ends.
        self.unfinished.fetch_sub(1, Ordering::AcqRel);
    }

    /// Waits for the memory of an object. The batch is sent first, because its memory is only released after it is
    /// read. `None` if the query has ended.
    async fn memory_for(&self, object: &Object, batch: &mut Batch) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(object.size.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.budget);
        if let Ok(memory) = Arc::clone(&self.memory).try_acquire_many_owned(units) {
            return Some(memory);
        }
        if !batch.is_empty() {
            self.sender.send(std::mem::take(batch)).await.ok()?;
        }
        Arc::clone(&self.memory).acquire_many_owned(units).await.ok()
    }
}

async fn get(
    store: &dyn ObjectStore,
    object: Object,
    memory: OwnedSemaphorePermit,
) -> Result<Fetched, QueryError> {
    let key = object.key();
    let path = object_store::path::Path::parse(&key);
    let data = match path.map_err(object_store::Error::from) {
        Ok(path) => match store.get(&path).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    let data = match data {
        Ok(data) => Ok(data),
        Err(object_store::Error::NotFound { .. }) => Err(Broken::Missing),
        Err(source) => return Err(QueryError::Get { key, source }),
    };
    Ok(Fetched { object, data, _memory: memory })
}
