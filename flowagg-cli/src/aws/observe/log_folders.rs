//! Every folder of logs in the hub bucket, found by listing folders and never objects.

use std::collections::{BTreeSet, VecDeque};

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Hub;
use flowagg_core::layout::{AWS_LOGS, account_of};
use flowagg_core::observed::{LogFolder, LogFolders};

use super::hub::{folders, last_segment};
use crate::aws::Account;
use crate::aws::call::LIST_OBJECTS;
use crate::aws::failure::At;

/// How deep an `AWSLogs/` folder may be, in folders.
const DEEPEST: usize = 5;
/// How many folders are listed at most.
const MOST_LISTINGS: usize = 5_000;

/// What to do if not all folders are listed.
const UNLISTED: &str = "pass `--adopt-unchecked`, after a look at who delivers to the bucket";

/// Lists the folders of logs: `[prefix/]AWSLogs/<account>/<service>/`, under any prefix.
pub async fn log_folders(hub: &Hub, account: &Account) -> LogFolders {
    match find(hub, account).await {
        Ok(found) => LogFolders::Listed(found),
        Err(failure) => LogFolders::Unread(failure),
    }
}

async fn find(hub: &Hub, account: &Account) -> Result<BTreeSet<LogFolder>, Failure> {
    let s3 = account.s3(&hub.region);
    let at = At::new(hub.account, &hub.region).about(&hub.bucket);
    let mut found = BTreeSet::new();
    let mut open = VecDeque::from([(String::new(), 0)]);
    let mut listings = 0;
    while let Some((folder, depth)) = open.pop_front() {
        listings += 1;
        if listings > MOST_LISTINGS {
            let message =
                format!("the bucket has more than {MOST_LISTINGS} folders outside of `{AWS_LOGS}/`");
            return Err(at.failed(LIST_OBJECTS, None, message, UNLISTED));
        }
        for below in folders(&s3, hub, &folder, &at).await? {
            if last_segment(&below) == Some(AWS_LOGS) {
                found.extend(services(&s3, hub, &below, &at).await?);
            } else if depth + 1 < DEEPEST {
                open.push_back((below, depth + 1));
            } else {
                let message =
                    format!("the bucket has folders below `{below}`, deeper than {DEEPEST} folders");
                return Err(at.failed(LIST_OBJECTS, None, message, UNLISTED));
            }
        }
    }
    Ok(found)
}

/// The folders of each account's services under an `AWSLogs/` folder.
async fn services(
    s3: &aws_sdk_s3::Client,
    hub: &Hub,
    root: &str,
    at: &At,
) -> Result<BTreeSet<LogFolder>, Failure> {
    let mut found = BTreeSet::new();
    for folder in folders(s3, hub, root, at).await? {
        let Some(account) = last_segment(&folder).and_then(account_of) else { continue };
        let services = folders(s3, hub, &folder, at).await?;
        found.extend(services.into_iter().map(|folder| LogFolder { account, folder }));
    }
    Ok(found)
}
