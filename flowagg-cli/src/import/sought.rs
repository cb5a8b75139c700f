//! The places that were searched for accounts, for the error message if none was found.

use std::collections::BTreeMap;

use flowagg_core::flow_log::Destination;

use super::folder::root;
use super::statements::writes;
use crate::found::{Folder, FoundFleet};

/// Every place that was searched, with its contents.
pub(super) fn all(found: &FoundFleet, folder: &Folder) -> Vec<String> {
    let hub = &found.hub;
    let root = root(folder);
    let statements = writes(hub);
    let policy = match (&hub.policy, statements.len()) {
        (None, _) => "the bucket has no policy".to_owned(),
        (Some(_), 0) => "no statement of the bucket policy allows log delivery to write".to_owned(),
        (Some(_), _) => {
            let names: Vec<&str> = statements.iter().map(|write| write.name.as_str()).collect();
            format!(
                "the statements about log delivery contain no account for `{root}` ({})",
                names.join(", ")
            )
        }
    };
    let mut sought = vec![policy];
    let read: Vec<String> = found.members.keys().map(ToString::to_string).collect();
    if let Some(objects) = &hub.objects {
        let place = match &objects.unlisted {
            None if hub.folder.is_none() => "any folder of the bucket".to_owned(),
            _ => format!("`{root}`"),
        };
        let delivered = objects.delivered.get(folder).into_iter().flat_map(BTreeMap::keys);
        let delivered: Vec<String> = delivered.map(ToString::to_string).collect();
        sought.push(if delivered.is_empty() {
            format!("there are no flow log files in {place}")
        } else {
            let accounts = delivered.join(", ");
            format!("the flow log files in `{root}` belong to accounts that now have neither a flow log nor a grant: {accounts}")
        });
    }
    let destination = Destination::new(hub.region.partition(), hub.bucket.clone(), folder.prefix().cloned());
    sought.push(if let [_, others @ ..] = &found.elsewhere[..] {
        let (logs, whose) =
            if others.is_empty() { ("log", "its template is") } else { ("logs", "their templates are") };
        let count = found.elsewhere.len();
        format!("the account or resource of {count} flow {logs} is known only when {whose} deployed")
    } else if read.is_empty() {
        "no accounts were searched for flow logs".to_owned()
    } else {
        format!("no flow log delivers to `{}` in {}", destination.arn(), read.join(", "))
    });
    sought
}
