//! All log folders in the hub bucket, found by listing folders instead of objects.

use std::collections::{BTreeSet, VecDeque};

use aws_sdk_s3::Client;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Hub;
use flowagg_core::id::AccountId;
use flowagg_core::layout::{AWS_LOGS, account_of};
use flowagg_core::observed::{LogFolder, LogFolders};
use futures::{StreamExt, TryStreamExt, stream};

use super::hub::{folders, last_segment};
use crate::aws::Account;
use crate::aws::call::LIST_OBJECTS;
use crate::aws::failure::At;
use crate::aws::tasks::AT_ONCE;

/// The maximum depth of an `AWSLogs/` folder.
const DEEPEST: usize = 5;
/// The maximum number of folder listings.
const MOST_LISTINGS: usize = 5_000;

/// Advice if not all folders are listed.
const UNLISTED: &str = "check who delivers to the bucket, then pass `--adopt-unchecked`";

/// Lists log folders: `[prefix/]AWSLogs/<account>/<service>/`, with any prefix.
pub async fn log_folders(hub: &Hub, account: &Account) -> LogFolders {
    match find(hub, account).await {
        Ok(found) => LogFolders::Listed(found),
        Err(failure) => LogFolders::Unread(failure),
    }
}

async fn find(hub: &Hub, account: &Account) -> Result<BTreeSet<LogFolder>, Failure> {
    let s3 = account.s3(&hub.region);
    let at = At::new(hub.place()).about(&hub.bucket);
    let mut found = BTreeSet::new();
    for root in log_roots(&s3, hub, &at).await? {
        found.extend(services(&s3, hub, &root, &at).await?);
    }
    Ok(found)
}

/// Every folder named `AWSLogs` in the bucket, with a trailing slash.
pub(crate) async fn log_roots(s3: &Client, hub: &Hub, at: &At) -> Result<BTreeSet<String>, Failure> {
    let mut found = BTreeSet::new();
    let mut open = VecDeque::from([(String::new(), 0)]);
    let mut listings = 0;
    while let Some((folder, depth)) = open.pop_front() {
        listings += 1;
        if listings > MOST_LISTINGS {
            let message = format!("the bucket has more than {MOST_LISTINGS} folders outside `{AWS_LOGS}/`");
            return Err(at.failed(LIST_OBJECTS, None, message, UNLISTED));
        }
        for below in folders(s3, hub, &folder, at).await? {
            if last_segment(&below) == Some(AWS_LOGS) {
                found.insert(below);
            } else if depth + 1 < DEEPEST {
                open.push_back((below, depth + 1));
            } else {
                let message =
                    format!("the bucket has folders below `{below}`, more than {DEEPEST} levels deep");
                return Err(at.failed(LIST_OBJECTS, None, message, UNLISTED));
            }
        }
    }
    Ok(found)
}

/// The service folders of each account in an `AWSLogs/` folder.
pub(crate) async fn services(
    s3: &Client,
    hub: &Hub,
    root: &str,
    at: &At,
) -> Result<BTreeSet<LogFolder>, Failure> {
    let accounts = folders(s3, hub, root, at).await?;
    let listing = accounts.into_iter().filter_map(|folder| {
        let account = account_of(last_segment(&folder)?)?;
        Some(async move { Ok((account, folders(s3, hub, &folder, at).await?)) })
    });
    let listed: Vec<(_, Vec<String>)> = stream::iter(listing).buffer_unordered(AT_ONCE).try_collect().await?;
    let of_account = |(account, folders): (AccountId, Vec<String>)| {
        folders.into_iter().map(move |folder| LogFolder::new(account, folder))
    };
    Ok(listed.into_iter().flat_map(of_account).collect())
}
