//! One execution of a scan: the tasks that list and download, and the channel from which partitions take objects.

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

/// How many objects may be listed ahead. Each takes about 150 bytes; the listing has to be ahead for a gate to be asked early.
const QUEUE: usize = 128 * 1024;
/// The unit in which the memory of downloads is counted: permits of a semaphore have 32 bits.
const UNIT: u64 = 1024;

/// A downloaded object.
pub(super) struct Fetched {
    pub(super) object: Object,
    /// What it holds, or why it cannot be read.
    pub(super) data: Result<Bytes, Broken>,
    /// Held until the object was read.
    _memory: OwnedSemaphorePermit,
}

/// One execution. Its tasks end when it is dropped.
pub(super) struct Run {
    fetched: Mutex<Receiver<Result<Fetched, QueryError>>>,
    /// How many more rows are wanted.
    wanted: Option<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Run {
    /// Starts to list and to download. It needs a Tokio runtime.
    pub(super) fn start(
        source: &Arc<Source>,
        predicate: &Arc<Predicate>,
        limit: Option<usize>,
        partitions: usize,
    ) -> Self {
        // With a limit the first objects may be enough.
        let most = source.options.concurrency.max(1);
        let downloads = if limit.is_some() { most.min(2 * partitions.max(1)) } else { most };
        let (objects, queue) = mpsc::channel(QUEUE);
        let (sender, fetched) = mpsc::channel(2 * downloads);
        let mut tasks = JoinSet::new();
        tasks.spawn(list(Arc::clone(source), Arc::clone(predicate), objects, sender.clone()));
        tasks.spawn(download(Arc::clone(source), queue, sender, downloads));
        Self { fetched: Mutex::new(fetched), wanted: limit.map(AtomicUsize::new), _tasks: tasks }
    }

    /// The next object; `None` after the last, and when there are enough rows.
    pub(super) async fn next(&self) -> Option<Result<Fetched, QueryError>> {
        if self.wanted.as_ref().is_some_and(|wanted| wanted.load(Ordering::Relaxed) == 0) {
            return None;
        }
        self.fetched.lock().await.recv().await
    }

    /// How many of these rows are still wanted.
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
    failed: Sender<Result<Fetched, QueryError>>,
) {
    source.progress.begin_listing();
    let listed = Lister::new(&source, &predicate).run(&objects).await;
    source.progress.end_listing();
    if let Err(error) = listed {
        // Without a receiver the query has ended.
        let _ = failed.send(Err(error)).await;
    }
}

async fn download(
    source: Arc<Source>,
    mut queue: Receiver<Object>,
    sender: Sender<Result<Fetched, QueryError>>,
    downloads: usize,
) {
    let budget = u32::try_from(source.options.prefetch.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1);
    let memory = Arc::new(Semaphore::new(budget as usize));
    let slots = Arc::new(Semaphore::new(downloads));
    let mut running = JoinSet::new();
    while let Some(object) = queue.recv().await {
        if source.gate.wait(&source.progress).await.is_err() {
            break;
        }
        let units = u32::try_from(object.size.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, budget);
        let (Ok(slot), Ok(memory)) =
            (Arc::clone(&slots).acquire_owned().await, Arc::clone(&memory).acquire_many_owned(units).await)
        else {
            break;
        };
        let (store, sender) = (Arc::clone(&source.store), sender.clone());
        running.spawn(async move {
            let fetched = get(&*store, object, memory).await;
            drop(slot);
            let _ = sender.send(fetched).await;
        });
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
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
