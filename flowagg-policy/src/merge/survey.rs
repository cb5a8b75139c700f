//! Which statements of a live policy are this grant's, whom they allow, and where new ones go.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::id::{AccountId, OrganizationId, OrganizationalUnitId};

use super::{Edit, Unnamed};
use crate::document::Document;
use crate::grant::{self, Grant, Kind, Source, Statement, Who, Write};

/// The name of a statement of ours. Those of one group bear one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sid {
    pub(super) number: u32,
    pub(super) kind: Kind,
}

impl std::fmt::Display for Sid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.sid())?;
        if self.number == 1 { Ok(()) } else { write!(f, "{}", self.number) }
    }
}

/// A live statement of ours.
#[derive(Debug)]
pub(super) struct Ours {
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) sid: Sid,
    pub(super) statement: Statement,
}

/// What there is.
#[derive(Debug)]
pub(super) struct Survey {
    /// This grant's statements, in order.
    pub(super) ours: Vec<Ours>,
    /// The numbers that other statements bear.
    taken: BTreeSet<u32>,
}

impl Survey {
    /// Finds this grant's statements. A group is this grant's when all of it has our shape and lies in our folder: the
    /// check, which names no folder, belongs to the write with its number.
    pub(super) fn of(document: &Document<'_>, grant: &Grant) -> Self {
        let mut ours = Vec::new();
        let mut taken = BTreeSet::new();
        for (index, live) in document.statements().enumerate() {
            let Some((kind, number)) = live.sid().and_then(Kind::of_sid) else { continue };
            match grant::read(grant, kind, live) {
                Some(statement) => {
                    ours.push(Ours { index, name: live.name(index), sid: Sid { number, kind }, statement });
                }
                None => {
                    taken.insert(number);
                }
            }
        }
        let mut survey = Self { ours, taken };
        survey.ours.retain(|ours| !survey.taken.contains(&ours.sid.number));
        survey
    }

    /// Leaves alone what cannot be written anew without loss, or says that it goes.
    pub(super) fn settle(&mut self, grant: &Grant, absent: Unnamed) -> Vec<String> {
        let mut notes = Vec::new();
        for Ours { name, sid, statement, .. } in &self.ours {
            let Statement::Write(write) = statement else { continue };
            let whom = match organization_of(&write.source) {
                Some(id) if !is_known(grant, id, units_of(&write.source)) => format!("organization {id}"),
                None if write.is_open() && !self.denies_others(sid.number) => "every AWS account".to_owned(),
                _ => continue,
            };
            match absent {
                Unnamed::Keep => {
                    notes.push(format!(
                        "statement {name} allows {whom} and is left as it is; pruning takes it out"
                    ));
                    self.taken.insert(sid.number);
                }
                Unnamed::Prune => notes.push(format!("statement {name} allowed {whom} and is replaced")),
            }
        }
        self.ours.retain(|ours| !self.taken.contains(&ours.sid.number));
        notes
    }

    fn denies_others(&self, number: u32) -> bool {
        self.ours.iter().any(|ours| ours.sid == Sid { number, kind: Kind::DenyOthers })
    }

    fn writes(&self) -> impl Iterator<Item = &Write> {
        self.ours.iter().filter_map(|ours| match &ours.statement {
            Statement::Write(write) => Some(write),
            _ => None,
        })
    }

    /// The accounts that our statements allow by name.
    pub(super) fn accounts(&self) -> BTreeSet<AccountId> {
        let denied = self.ours.iter().filter_map(|ours| match &ours.statement {
            Statement::DenyOthers(deny) => Some(&deny.accounts),
            _ => None,
        });
        let mut accounts: BTreeSet<AccountId> = self.writes().filter_map(Write::accounts).flatten().collect();
        // Where one statement denies all others, its list is the list.
        for listed in denied {
            accounts = if accounts.is_empty() { listed.clone() } else { &accounts & listed };
        }
        accounts
    }

    /// The organization that our statements allow.
    pub(super) fn organization(&self) -> Option<&OrganizationId> {
        self.writes().find_map(|write| organization_of(&write.source))
    }

    /// The grant, with the regions that the live policy gives the accounts that it does not name.
    pub(super) fn with_live_regions(&self, grant: &Grant, kept: &BTreeSet<AccountId>) -> Grant {
        let mut grant = grant.clone();
        if let Some(regions) = &mut grant.regions {
            let live = self.writes().filter_map(|write| write.source.arns.as_ref()).flatten();
            for arn in live.filter(|arn| kept.contains(&arn.account)) {
                regions.entry(arn.account).or_default().extend(arn.region.clone());
            }
        }
        grant
    }

    /// Numbers for the groups: those that the live policy has for this grant, then the first that are free.
    pub(super) fn numbered(&self, groups: Vec<Vec<Statement>>) -> Vec<(Sid, Statement)> {
        let mut numbers: Vec<u32> = Vec::new();
        for ours in &self.ours {
            if !numbers.contains(&ours.sid.number) {
                numbers.push(ours.sid.number);
            }
        }
        let free = (1..).filter(|number| !self.taken.contains(number) && !numbers.contains(number));
        let numbers = numbers.iter().copied().chain(free);
        groups
            .into_iter()
            .zip(numbers)
            .flat_map(|(group, number)| {
                group.into_iter().map(move |statement| (Sid { number, kind: statement.kind() }, statement))
            })
            .collect()
    }

    /// What to do to the live policy so that our statements are these. A live statement that says the same stays.
    pub(super) fn edit(&self, grant: &Grant, wanted: &[(Sid, Statement)]) -> Edit {
        let mut open: BTreeMap<Sid, &Statement> =
            wanted.iter().map(|(sid, statement)| (*sid, statement)).collect();
        let mut changes = Vec::new();
        for ours in &self.ours {
            match open.remove(&ours.sid) {
                Some(statement) if *statement == ours.statement => {}
                Some(statement) => {
                    changes.push((ours.index, Some(grant.text_of(statement, &ours.sid.to_string()))));
                }
                None => changes.push((ours.index, None)),
            }
        }
        let added = wanted.iter().filter(|(sid, _)| open.contains_key(sid));
        let added = added.map(|(sid, statement)| grant.text_of(statement, &sid.to_string())).collect();
        Edit { changes, added }
    }
}

fn organization_of(source: &Source) -> Option<&OrganizationId> {
    source.organization.as_ref().or(source.units.as_ref().map(|(id, _)| id))
}

/// Whether the grant itself names the organization, so that a change of form loses nobody it knows of.
///
/// `live` are the units that the live statement allows; `None` stands for the whole organization.
fn is_known(grant: &Grant, id: &OrganizationId, live: Option<&BTreeSet<OrganizationalUnitId>>) -> bool {
    let (known, units) = match (&grant.who, &grant.organization) {
        (Who::Organization { id, units, .. }, _) => (id, units),
        (Who::Accounts(_), Some(organization)) => (&organization.id, &organization.units),
        (Who::Accounts(_), None) => return false,
    };
    known == id && (units.is_empty() || live.is_some_and(|live| live.is_subset(units)))
}

fn units_of(source: &Source) -> Option<&BTreeSet<OrganizationalUnitId>> {
    source.units.as_ref().map(|(_, units)| units)
}
