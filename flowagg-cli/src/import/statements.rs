//! Reads what each statement of a bucket policy grants to log delivery, in any form.

use std::collections::BTreeSet;

use flowagg_core::id::{AccountId, Partition};
use flowagg_core::layout;
use flowagg_policy::DELIVERY_SERVICE;
use serde_json::Value;

use crate::found::{Folder, FoundHub};

/// The operators whose values are the accounts that a statement allows.
const POSITIVE: [&str; 2] = ["StringEquals", "StringLike"];

/// A statement that allows log delivery to write objects to the bucket.
pub(super) struct Write {
    /// Its Sid in backticks, else its number.
    pub(super) name: String,
    /// The accounts in the statement.
    pub(super) accounts: BTreeSet<AccountId>,
    /// Values that were ignored, with the reason.
    pub(super) unused: Vec<String>,
    /// The object keys in its resources, with wildcards.
    keys: Vec<String>,
}

impl Write {
    /// The folders in the statement, and whether their account folders have Hive-compatible names.
    pub(super) fn folders(&self) -> impl Iterator<Item = (Folder, bool)> {
        self.keys.iter().filter_map(|key| {
            let (folder, after) = split(key)?;
            Some((folder.ok()?, after.starts_with(layout::HIVE_ACCOUNT)))
        })
    }

    /// Whether it applies to the whole bucket.
    pub(super) fn is_for_all(&self) -> bool {
        self.keys.iter().any(|key| key == "*")
    }

    /// Whether it may apply to flow log files in this folder.
    pub(super) fn covers(&self, folder: &Folder) -> bool {
        let root = layout::root(folder.prefix());
        self.keys.iter().any(|key| match split(key) {
            Some((Ok(named), _)) => named == *folder,
            Some((Err(_), _)) => true,
            None => key.split_once('*').is_some_and(|(before, _)| root.starts_with(before)),
        })
    }
}

/// Splits a key at `AWSLogs/`: the folder above it, if its name is valid, and the rest of the key.
fn split(key: &str) -> Option<(Result<Folder, String>, &str)> {
    let root = layout::root(None);
    let at_the_top = key.strip_prefix(&root).map(|after| ("", after));
    let (before, after) = at_the_top.or_else(|| key.rsplit_once(&format!("/{root}")))?;
    Some((before.parse(), after))
}

/// The statements of a policy; empty if the text is not a policy.
pub(super) fn all(policy: &str) -> Vec<Value> {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    each(&policy["Statement"]).cloned().collect()
}

/// The name of a statement: its Sid, or else its number, starting at 1.
pub(super) fn name(index: usize, statement: &Value) -> String {
    statement["Sid"].as_str().map_or((index + 1).to_string(), |sid| format!("`{sid}`"))
}

/// `"a"` and `["a"]` mean the same.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let one = (!value.is_array() && !value.is_null()).then_some(value);
    value.as_array().into_iter().flatten().chain(one)
}

/// Whether the principal of a statement is the log delivery service.
pub(super) fn is_of_delivery(statement: &Value) -> bool {
    each(&statement["Principal"]["Service"]).any(|service| service == DELIVERY_SERVICE)
}

/// The statements that allow log delivery to write to the bucket.
pub(super) fn writes(hub: &FoundHub) -> Vec<Write> {
    let bucket = bucket_arn(hub.region.partition(), hub);
    let statements = all(hub.policy.as_deref().unwrap_or_default());
    let is_write = |statement: &Value| {
        statement["Effect"] == "Allow" && is_of_delivery(statement) && allows_put(statement)
    };
    let writes = statements.iter().enumerate().filter(|(_, statement)| is_write(statement));
    writes.map(|(index, statement)| write(index, statement, &bucket)).collect()
}

pub(super) fn bucket_arn(partition: Partition, hub: &FoundHub) -> String {
    format!("arn:{partition}:s3:::{}", hub.bucket)
}

fn allows_put(statement: &Value) -> bool {
    each(&statement["Action"]).filter_map(Value::as_str).any(|action| {
        let action = action.to_ascii_lowercase();
        match action.split_once('*') {
            Some((before, _)) => "s3:putobject".starts_with(before),
            None => action == "s3:putobject",
        }
    })
}

fn write(index: usize, statement: &Value, bucket: &str) -> Write {
    let name = name(index, statement);
    let (mut keys, mut unused) = (Vec::new(), Vec::new());
    for resource in each(&statement["Resource"]) {
        match resource.as_str() {
            Some("*") => keys.push("*".to_owned()),
            Some(arn) if arn == bucket => {}
            Some(arn) => match arn.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('/')) {
                Some(key) => keys.push(key.to_owned()),
                None => unused.push(format!("its resource `{arn}` is not in this bucket")),
            },
            None => unused.push(format!("its resource `{resource}` has a value that cannot be resolved")),
        }
    }
    let mut accounts = BTreeSet::new();
    let mut tested = false;
    for value in source_accounts(statement) {
        tested = true;
        match value.as_str().map(AccountId::parse) {
            Some(Ok(account)) => drop(accounts.insert(account)),
            _ => unused.push(format!("`{value}` in `aws:SourceAccount` is not an account ID")),
        }
    }
    if !tested {
        let in_keys = keys.iter().filter_map(|key| layout::account_of(split(key)?.1.split('/').next()?));
        accounts.extend(in_keys);
    }
    Write { name, accounts, unused, keys }
}

/// The values of `aws:SourceAccount` that a statement allows.
fn source_accounts(statement: &Value) -> impl Iterator<Item = &Value> {
    let operators = statement["Condition"].as_object().into_iter().flatten();
    let keys = operators
        .filter(|(operator, _)| POSITIVE.iter().any(|it| operator.eq_ignore_ascii_case(it)))
        .flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
    let values = keys.filter(|(key, _)| key.eq_ignore_ascii_case("aws:SourceAccount"));
    values.flat_map(|(_, values)| each(values))
}
