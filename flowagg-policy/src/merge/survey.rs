//! Finds the fleet's statements in a live policy, the access that they allow, and the positions for new statements.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::GrantForm;
use flowagg_core::id::{AccountId, OrganizationId, OrganizationalUnitId, Region};
use flowagg_core::plan::Access;

use super::Edit;
use crate::document::Document;
use crate::grant::{self, Extent, Grant, Sid, Statement, Write};

/// A live statement with the fleet's mark.
#[derive(Debug)]
pub(super) struct Ours {
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) sid: Sid,
    text: String,
    /// The parsed statement; `None` if it is for another folder or was changed by someone else.
    pub(super) statement: Option<Statement>,
}

/// The fleet's statements in the live policy.
#[derive(Debug)]
pub(super) struct Survey {
    /// The statements that a merge may replace or remove, in order.
    pub(super) ours: Vec<Ours>,
    /// The numbers of the fleet's statements that stay unchanged.
    taken: BTreeSet<u32>,
}

impl Survey {
    /// Finds the statements with the fleet's mark.
    pub(super) fn of(document: &Document<'_>, grant: &Grant) -> Self {
        let mark = grant.fleet.mark();
        Self::with(document, grant, |sid| Sid::parse(sid).filter(|sid| sid.mark == mark))
    }

    /// Finds the statements of any fleet, and those with AWS's own Sids.
    pub(super) fn of_anyone(document: &Document<'_>, grant: &Grant) -> Self {
        let mark = grant.fleet.mark();
        Self::with(document, grant, |sid| Sid::parse(sid).or_else(|| Sid::unmarked(sid, mark.clone())))
    }

    fn with(document: &Document<'_>, grant: &Grant, sid_of: impl Fn(&str) -> Option<Sid>) -> Self {
        let ours = document.statements().enumerate().filter_map(|(index, live)| {
            let sid = live.sid().and_then(&sid_of)?;
            let (name, statement) = (live.name(index), grant::read(grant, sid.kind, live));
            let text = document.statement_text(index).to_owned();
            Some(Ours { index, name, sid, text, statement })
        });
        Self { ours: ours.collect(), taken: BTreeSet::new() }
    }

    /// Excludes statements that cannot be replaced without revoking access, and returns a note for each.
    pub(super) fn settle(&mut self, grant: &Grant) -> Vec<String> {
        let mut notes = Vec::new();
        for ours in &self.ours {
            let what = match self.unlisted(ours) {
                None => continue,
                Some(Access::Organization { id, units })
                    if is_known(grant, &id, &units) && names_organization(grant) =>
                {
                    continue;
                }
                Some(access @ Access::Organization { .. }) => stays(&ours.name, &access),
                Some(Access::Everyone) => {
                    format!(
                        "statement {} allows every AWS account and is kept; `--prune` replaces it",
                        ours.name
                    )
                }
                Some(Access::Statement { .. } | Access::Region { .. }) => format!(
                    "statement {} is for another prefix or was modified outside flowagg, and is kept; `--prune` replaces it",
                    ours.name
                ),
            };
            notes.push(what);
            self.taken.insert(ours.sid.number);
        }
        self.ours.retain(|ours| !self.taken.contains(&ours.sid.number));
        notes
    }

    /// The access that a statement allows other than to named accounts, if any.
    fn unlisted(&self, ours: &Ours) -> Option<Access> {
        let write = match &ours.statement {
            None => return Some(Access::Statement { name: ours.name.clone(), text: ours.text.clone() }),
            Some(Statement::Write(write)) => write,
            Some(_) => return None,
        };
        match write.source.of_organization() {
            Some((id, units)) => Some(Access::Organization { id: id.clone(), units }),
            None => (write.is_open() && !self.denies_others(ours.sid.number)).then_some(Access::Everyone),
        }
    }

    /// The access other than to named accounts, without the access that the grant still allows in this form.
    pub(super) fn ends(&self, grant: &Grant, form: Option<GrantForm>) -> BTreeSet<Access> {
        let named = form.is_some_and(GrantForm::is_by_organization);
        let stays = |access: &Access| match access {
            Access::Organization { id, units } => named && is_known(grant, id, units),
            _ => false,
        };
        self.ours.iter().filter_map(|ours| self.unlisted(ours)).filter(|access| !stays(access)).collect()
    }

    /// A note if the organization's statement is kept although the grant could be written without it.
    pub(super) fn stays_for_members(&self, grant: &Grant) -> Option<String> {
        let is_ours = |access: &Access| matches!(access, Access::Organization { id, units } if is_known(grant, id, units));
        self.ours.iter().find_map(|ours| {
            let access = self.unlisted(ours).filter(is_ours)?;
            Some(stays(&ours.name, &access))
        })
    }

    /// Whether a managed statement allows every account.
    pub(super) fn allows_everyone(&self) -> bool {
        self.ours.iter().any(|ours| self.unlisted(ours) == Some(Access::Everyone))
    }

    fn denies_others(&self, number: u32) -> bool {
        self.ours
            .iter()
            .any(|ours| ours.sid.number == number && matches!(ours.statement, Some(Statement::DenyOthers(_))))
    }

    /// The managed statements that could be parsed.
    pub(super) fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.ours.iter().filter_map(|ours| ours.statement.as_ref())
    }

    pub(super) fn writes(&self) -> impl Iterator<Item = &Write> {
        self.statements().filter_map(|statement| match statement {
            Statement::Write(write) => Some(write),
            _ => None,
        })
    }

    /// The accounts that managed statements allow by name.
    pub(super) fn accounts(&self) -> BTreeSet<AccountId> {
        let denied = self.ours.iter().filter_map(|ours| match &ours.statement {
            Some(Statement::DenyOthers(deny)) => Some(&deny.accounts),
            _ => None,
        });
        let mut accounts: BTreeSet<AccountId> = self.writes().filter_map(Write::accounts).flatten().collect();
        // If a statement denies all other accounts, its list limits the result.
        for listed in denied {
            accounts = if accounts.is_empty() { listed.clone() } else { &accounts & listed };
        }
        accounts
    }

    /// Whether managed statements allow the grant's own organization.
    pub(super) fn allows_organization(&self, grant: &Grant) -> bool {
        self.stays_for_members(grant).is_some()
    }

    /// The regions that the live policy allows for each named account; `None` means every region.
    fn live_regions(&self) -> BTreeMap<AccountId, BTreeSet<Option<Region>>> {
        let mut live: BTreeMap<AccountId, BTreeSet<Option<Region>>> = BTreeMap::new();
        for write in self.writes() {
            let allowed = write.accounts().unwrap_or_default();
            for arn in write.source.arns.iter().flatten().filter(|arn| allowed.contains(&arn.account)) {
                live.entry(arn.account).or_default().insert(arn.region.clone());
            }
        }
        live
    }

    /// The regions that the live policy allows for individually named accounts of the grant, but the grant does not.
    pub(super) fn unnamed_regions(&self, grant: &Grant) -> BTreeSet<Access> {
        let Some(given) = &grant.regions else { return BTreeSet::new() };
        let mut unnamed = BTreeSet::new();
        for (account, live) in self.live_regions() {
            let given = given.get(&account).filter(|given| !given.is_empty());
            let (Some(given), true) = (given, grant.accounts.contains(&account)) else { continue };
            let more = live.into_iter().filter(|region| region.as_ref().is_none_or(|it| !given.contains(it)));
            unnamed.extend(more.map(|region| Access::Region { account, region }));
        }
        unnamed
    }

    /// The grant extended with the live regions of accounts that it does not name, and with these additional regions.
    pub(super) fn with_live_regions(
        &self,
        grant: &Grant,
        kept: &BTreeSet<AccountId>,
        more: &BTreeSet<Access>,
    ) -> Grant {
        let mut grant = grant.clone();
        let Some(regions) = &mut grant.regions else { return grant };
        for (account, live) in self.live_regions().into_iter().filter(|(account, _)| kept.contains(account)) {
            // `*` covers all other regions; an account with an empty set may deliver from all regions.
            let named: Option<BTreeSet<Region>> = live.into_iter().collect();
            regions.insert(account, named.unwrap_or_default());
        }
        for access in more {
            let Access::Region { account, region } = access else { continue };
            let Some(named) = regions.get_mut(account) else { continue };
            match region {
                // Sorted first among the regions of an account.
                None => named.clear(),
                Some(region) if !named.is_empty() => drop(named.insert(region.clone())),
                Some(_) => {}
            }
        }
        grant
    }

    /// Assigns numbers to the groups: first those of the live statements, then the first free ones.
    pub(super) fn numbered(&self, grant: &Grant, groups: Vec<Vec<Statement>>) -> Vec<(Sid, Statement)> {
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
                let mark = grant.fleet.mark();
                group.into_iter().map(move |statement| {
                    (Sid { number, kind: statement.kind(), mark: mark.clone() }, statement)
                })
            })
            .collect()
    }

    /// The edit that turns the live managed statements into these. Live statements with the same meaning stay.
    pub(super) fn edit(&self, grant: &Grant, wanted: &[(Sid, Statement)]) -> Edit {
        let mut open: BTreeMap<&Sid, &Statement> =
            wanted.iter().map(|(sid, statement)| (sid, statement)).collect();
        let mut changes = Vec::new();
        for ours in &self.ours {
            match open.remove(&ours.sid) {
                Some(statement) if Some(statement) == ours.statement.as_ref() => {}
                Some(statement) => {
                    changes.push((ours.index, Some(grant.text_of(statement, &ours.sid.to_string()))));
                }
                None => changes.push((ours.index, None)),
            }
        }
        let added = wanted.iter().filter(|(sid, _)| open.contains_key(&sid));
        let added = added.map(|(sid, statement)| grant.text_of(statement, &sid.to_string())).collect();
        Edit { changes, added }
    }
}

/// The note for a statement that allows an organization and is kept.
fn stays(name: &str, access: &Access) -> String {
    format!(
        "statement {name} is kept so that {access} may still deliver; `--prune` replaces it and revokes their delivery"
    )
}

/// Whether a statement for the grant's organization may replace the live one.
fn names_organization(grant: &Grant) -> bool {
    let leaves_out = grant.organization.as_ref().is_some_and(|it| it.extent == Extent::LeftOut);
    let form = grant.settings.form;
    form.is_by_organization() || form == GrantForm::Auto && grant.settings.source_conditions && !leaves_out
}

/// Whether the grant names the organization, so that a statement for it still allows every account that the live
/// statement allows.
///
/// `live` contains the units that the live statement allows; empty for the whole organization.
fn is_known(grant: &Grant, id: &OrganizationId, live: &BTreeSet<OrganizationalUnitId>) -> bool {
    grant.organization.as_ref().is_some_and(|known| {
        let units = &known.units;
        known.id == *id && (units.is_empty() || !live.is_empty() && live.is_subset(units))
    })
}
