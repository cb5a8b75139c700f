//! Lists the objects of a bucket that a query has to read.

use std::ops::ControlFlow;
use std::sync::Arc;

use flowagg_core::flow_log::Files;
use flowagg_core::id::{AccountId, Region};
use flowagg_core::layout::{HIVE_ACCOUNT, Layout, account_of, region_of};
use futures::stream::{FuturesUnordered, StreamExt as _};
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta};
use tokio::sync::mpsc::Sender;

use super::source::Source;
use super::tree::{How, Node};
use crate::error::QueryError;
use crate::filter::{Bounds, Predicate, Window};
use crate::object::{Folder, Object};

/// Lists the objects of one scan.
pub(super) struct Lister<'a> {
    source: &'a Source,
    predicate: &'a Predicate,
    bounds: Bounds,
    window: Window,
}

/// A folder that has not been listed yet.
enum Pending {
    /// `AWSLogs/`, with or without a prefix.
    Root(Layout),
    /// The flow logs of an account.
    Account(Layout, AccountId),
    /// An account-region or a folder below it.
    Node(Node),
}

type Visited = Result<ControlFlow<(), Vec<Pending>>, QueryError>;

impl<'a> Lister<'a> {
    pub(super) fn new(source: &'a Source, predicate: &'a Predicate) -> Self {
        let bounds = Bounds::of(predicate);
        let window = bounds.window(source.options.late);
        Self { source, predicate, bounds, window }
    }

    /// Sends each object. Stops early if the receiver is dropped.
    pub(super) async fn run(&self, objects: &Sender<Object>) -> Result<(), QueryError> {
        if self.window.is_empty() {
            return Ok(());
        }
        let roots = self.source.prefixes.iter();
        let mut pending: Vec<Pending> =
            roots.map(|prefix| Pending::Root(Layout::new(prefix.clone(), Files::default()))).collect();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < self.source.options.concurrency.max(1) {
                let Some(next) = pending.pop() else { break };
                running.push(self.visit(next, objects));
            }
            match running.next().await {
                None => return Ok(()),
                Some(visited) => match visited? {
                    ControlFlow::Continue(more) => pending.extend(more),
                    ControlFlow::Break(()) => return Ok(()),
                },
            }
        }
    }

    async fn visit(&self, pending: Pending, objects: &Sender<Object>) -> Visited {
        match pending {
            Pending::Root(layout) => self.root(layout).await,
            Pending::Account(layout, account) => self.account(layout, account).await,
            Pending::Node(node) => self.node(node, objects).await,
        }
    }

    async fn root(&self, layout: Layout) -> Visited {
        let found = self.level(&layout.root()).await?;
        let accounts = found.common_prefixes.iter().filter_map(|folder| {
            let name = folder.filename()?;
            let account = account_of(name)?;
            let is_asked =
                self.bounds.accounts.as_ref().is_none_or(|asked| asked.contains(&account.to_string()));
            let mut layout = layout.clone();
            layout.files.hive_compatible_partitions = name.starts_with(HIVE_ACCOUNT);
            is_asked.then_some(Pending::Account(layout, account))
        });
        Ok(ControlFlow::Continue(accounts.collect()))
    }

    async fn account(&self, layout: Layout, account: AccountId) -> Visited {
        let regions: Vec<Region> = match &self.bounds.regions {
            Some(asked) => asked.iter().filter_map(|name| Region::parse(name).ok()).collect(),
            None => {
                let found = self.level(&layout.flow_logs_folder(account)).await?;
                found.common_prefixes.iter().filter_map(|folder| region_of(folder.filename()?)).collect()
            }
        };
        let nodes = regions.iter().map(|region| Node::region(&layout, account, region));
        let nodes = nodes.flat_map(|node| node.days(&self.window).unwrap_or_else(|| vec![node]));
        Ok(ControlFlow::Continue(nodes.map(Pending::Node).collect()))
    }

    async fn node(&self, node: Node, objects: &Sender<Object>) -> Visited {
        let mut folders = Folders { node: &node, last: None };
        if node.how(&self.window) == How::Level {
            let found = self.level(&node.path()).await?;
            for object in found.objects {
                if self.consider(&mut folders, &object, objects).await?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            let names = found.common_prefixes.iter().filter_map(Path::filename);
            let children = names.filter_map(|name| node.child(name, &self.window));
            return Ok(ControlFlow::Continue(children.map(Pending::Node).collect()));
        }
        let folder = node.path();
        let mut found = self.source.store.list(Some(&path(&folder)?));
        while let Some(object) = found.next().await {
            let object = match object {
                Ok(object) => object,
                Err(object_store::Error::NotFound { .. }) => continue,
                Err(source) => return Err(QueryError::List { folder, source }),
            };
            if self.consider(&mut folders, &object, objects).await?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(Vec::new()))
    }

    /// Sends an object, unless its key rules out rows of the result.
    async fn consider(
        &self,
        folders: &mut Folders<'_>,
        found: &ObjectMeta,
        objects: &Sender<Object>,
    ) -> Result<ControlFlow<()>, QueryError> {
        let key = found.location.as_ref();
        let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
        let Some((object, time)) = Object::new(&folders.get(folder), name, found.size) else {
            return Ok(ControlFlow::Continue(()));
        };
        let times = time.map(|time| (time, time)).or_else(|| object.folder_times());
        let is_within = times.is_none_or(|(first, last)| self.window.meets(first, last));
        let progress = &self.source.progress;
        if !is_within || self.predicate.within(&object).is_none() {
            progress.add_pruned(object.size);
            return Ok(ControlFlow::Continue(()));
        }
        progress.add_listed(object.size);
        self.source.gate.pass(progress).await?;
        match objects.send(object).await {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(_) => Ok(ControlFlow::Break(())),
        }
    }

    /// The subfolders and objects of a folder. A folder that does not exist is empty.
    async fn level(&self, folder: &str) -> Result<ListResult, QueryError> {
        match self.source.store.list_with_delimiter(Some(&path(folder)?)).await {
            Err(object_store::Error::NotFound { .. }) => {
                Ok(ListResult { common_prefixes: Vec::new(), objects: Vec::new() })
            }
            found => found.map_err(|source| QueryError::List { folder: folder.to_owned(), source }),
        }
    }
}

fn path(folder: &str) -> Result<Path, QueryError> {
    let path = Path::parse(folder.trim_end_matches('/'));
    path.map_err(|error| QueryError::List { folder: folder.to_owned(), source: error.into() })
}

/// The folders below a node. Objects are listed folder by folder, so only the last one is kept.
struct Folders<'a> {
    node: &'a Node,
    last: Option<Arc<Folder>>,
}

impl Folders<'_> {
    fn get(&mut self, path: &str) -> Arc<Folder> {
        if let Some(last) = self.last.as_ref().filter(|last| last.path.strip_suffix('/') == Some(path)) {
            return Arc::clone(last);
        }
        let path = format!("{path}/");
        let below = path.strip_prefix(&self.node.region_path).unwrap_or_default().to_owned();
        let folder = Arc::new(Folder::new(self.node.account, &self.node.region, path, &below));
        self.last = Some(Arc::clone(&folder));
        folder
    }
}
