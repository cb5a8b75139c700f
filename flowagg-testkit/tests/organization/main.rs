//! An organization on moto: what moto returns to the plain SDK, and the real program in it.

#![allow(clippy::panic, clippy::unwrap_used, reason = "tests and their helpers may panic")]

mod athena;
mod exceptions;
mod moto;
mod names;
mod program;

use std::collections::BTreeSet;

use flowagg_core::id::{AccountId, Region};
use flowagg_testkit::organization::MotoOrganization;

pub(crate) fn set(accounts: &[AccountId]) -> BTreeSet<AccountId> {
    accounts.iter().copied().collect()
}

pub(crate) fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

/// A bucket name without the digits of an account.
pub(crate) fn bucket(organization: &MotoOrganization) -> String {
    format!("flow-logs-{}", organization.id())
}

/// A fleet file with a hub in the management account, and these additional lines for its organization.
pub(crate) fn fleet(organization: &MotoOrganization, lines: &str) -> String {
    let (hub, bucket, id) = (organization.management(), bucket(organization), organization.id());
    format!(
        "[hub]\naccount = \"{hub}\"\nregion = \"eu-west-1\"\nbucket = \"{bucket}\"\n[organization]\nid = \"{id}\"\n{lines}\n"
    )
}

/// A list of IDs in TOML.
pub(crate) fn list(ids: &[impl ToString]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("{:?}", id.to_string())).collect();
    format!("[{}]", ids.join(", "))
}
