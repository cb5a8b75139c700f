//! The contents of the fleet's folder of logs, by owner.

use std::collections::BTreeSet;

use crate::id::AccountId;
use crate::layout::{account_of, is_of_flow_logs};

/// The contents of the fleet's folder of logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Folders {
    /// The folders of flow logs, by account.
    pub(super) flow_logs: BTreeSet<(AccountId, String)>,
    /// Everything else.
    pub(super) other: BTreeSet<String>,
}

impl Folders {
    /// Sorts the entries that were listed two levels under `root`.
    pub(super) fn of(root: &str, listed: &BTreeSet<String>) -> Self {
        let mut folders = Self::default();
        for entry in listed {
            match entry.strip_prefix(root).and_then(flow_logs_of) {
                Some(account) => drop(folders.flow_logs.insert((account, entry.clone()))),
                None => drop(folders.other.insert(entry.clone())),
            }
        }
        folders
    }
}

/// The account whose flow logs are in this folder, which is relative to the root.
fn flow_logs_of(folder: &str) -> Option<AccountId> {
    let (account, service) = folder.strip_suffix('/')?.split_once('/')?;
    is_of_flow_logs(service).then(|| account_of(account)).flatten()
}
