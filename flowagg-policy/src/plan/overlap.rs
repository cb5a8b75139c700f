//! Foreign statements that also allow members to deliver, so that the fleet's statements alone do not control access.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::Fleet;
use flowagg_core::id::{AccountId, FleetMark, Region};
use flowagg_core::plan::Note;

use crate::assure::deliverers;
use crate::grant::{Grant, Sid};
use crate::merge::{MergeError, remove};

/// Returns a note for each foreign statement that allows members to deliver without the fleet's statements.
pub(super) fn notes(fleet: &Fleet, grant: &Grant, policy: &str) -> Result<Vec<Note>, MergeError> {
    let Some(foreign) = remove(policy, grant)? else { return Ok(Vec::new()) };
    let mut regions: BTreeMap<AccountId, BTreeSet<Region>> = BTreeMap::new();
    for (member, region) in fleet.places() {
        regions.entry(member.account).or_default().insert(region.clone());
    }
    let mut found: BTreeMap<usize, (String, Option<FleetMark>, BTreeSet<AccountId>)> = BTreeMap::new();
    for (account, statement) in deliverers(&foreign, grant, &regions)? {
        let (_, _, accounts) = found.entry(statement.index).or_insert_with(|| {
            let sid = statement.sid.as_deref().and_then(Sid::parse);
            (statement.to_string(), sid.map(|sid| sid.mark), BTreeSet::new())
        });
        accounts.insert(account);
    }
    let note = |(statement, of, accounts)| Note::AlsoGranted { statement, of, accounts };
    Ok(found.into_values().map(note).collect())
}
