//! Remarks of a plan next to its changes: items that need attention, and notes. Many similar ones are merged.

use std::collections::BTreeSet;
use std::io;

use flowagg_core::flow_log::{FlowLogSpec, RecordFormat};
use flowagg_core::id::AccountId;
use flowagg_core::plan::{Concern, Note};
use flowagg_core::question::{self, QuestionName};

use super::failures::HANG;
use super::sheet::Sheet;
use super::style::{DIM, YELLOW};
use super::view::View;
use crate::report::words::{count, counted};

/// From this number on, similar remarks are merged.
const MANY: usize = 4;
/// The indent of text after `note: `.
const NOTE: usize = 6;

/// Writes the items that need attention, each with its fix. Items with the same fix are similar.
pub(super) fn concerns(concerns: &[Concern], view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    if !concerns.is_empty() {
        writeln!(out)?;
    }
    let mut groups: Vec<Vec<&Concern>> = Vec::new();
    for concern in concerns {
        let is_alike = |group: &&mut Vec<&Concern>| {
            group.first().is_some_and(|first| (first.about, &first.help) == (concern.about, &concern.help))
        };
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(concern),
            None => groups.push(vec![concern]),
        }
    }
    for group in groups {
        if group.len() < MANY || view.is_all() {
            group.into_iter().try_for_each(|concern| one(concern, view, out))?;
        } else {
            many(&group, view, out)?;
        }
    }
    Ok(())
}

fn one(concern: &Concern, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let place = place(concern, view);
    out.line(HANG + 2, format_args!("{YELLOW}needs attention{YELLOW:#}: {place}: {}", concern.what))?;
    out.aside(HANG, &concern.help)
}

/// Writes the first of several similar items, the fix, and the accounts.
fn many(group: &[&Concern], view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let Some(first) = group.first() else { return Ok(()) };
    let (number, place) = (group.len(), place(first, view));
    let what = &first.what;
    out.line(
        HANG + 2,
        format_args!("{YELLOW}needs attention{YELLOW:#}: {number} times, first at {place}: {what}"),
    )?;
    out.aside(HANG, &first.help)?;
    let mut accounts: Vec<AccountId> = group.iter().map(|concern| concern.account).collect();
    accounts.dedup();
    let start = format!("{:HANG$}in {}:", "", counted(accounts.len(), "account", "accounts"));
    view.accounts(&start, accounts, HANG, out)
}

/// Formats the account, the region if there is one, and the resource.
fn place(concern: &Concern, view: View<'_>) -> String {
    let region = concern.region.as_ref().map(|region| format!(" {region}")).unwrap_or_default();
    format!("{}{region} {}", view.account(concern.account), view.resource(&concern.resource))
}

/// Notes which questions of `flowagg query` the declared fields cannot answer.
pub(super) fn unanswered(spec: &FlowLogSpec, out: &mut Sheet<'_>) -> io::Result<()> {
    let names: Vec<&str> = question::unanswered(spec).into_iter().map(QuestionName::as_str).collect();
    if names.is_empty() || spec.format == RecordFormat::default() {
        return Ok(());
    }
    let what = "the declared `flow-logs.fields` cannot answer these questions of `flowagg query`";
    writeln!(out)?;
    out.line(NOTE, format_args!("{DIM}note{DIM:#}: {what}: {}", names.join(", ")))
}

/// Writes the notes. Account-regions with nothing to log are merged, and so are accounts that are still granted.
pub(super) fn notes(notes: &[Note], view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    if !notes.is_empty() {
        writeln!(out)?;
    }
    let nothing: Vec<AccountId> = notes.iter().filter_map(nothing_to_log).collect();
    let granted: Vec<AccountId> = notes.iter().filter_map(still_granted).collect();
    let nothing = if nothing.len() < MANY || view.is_all() { Vec::new() } else { nothing };
    let granted = if granted.len() < MANY || view.is_all() { Vec::new() } else { granted };
    for note in notes {
        let is_merged = (!nothing.is_empty() && nothing_to_log(note).is_some())
            || (!granted.is_empty() && still_granted(note).is_some());
        if !is_merged {
            out.line(NOTE, format_args!("{DIM}note{DIM:#}: {}", note.named(view.names())))?;
        }
    }
    if !nothing.is_empty() {
        let number = count(nothing.len() as u64);
        let start = format!("{DIM}note{DIM:#}: nothing to log in {number} account-regions:");
        let accounts: BTreeSet<AccountId> = nothing.into_iter().collect();
        view.accounts(&start, accounts, NOTE, out)?;
    }
    if !granted.is_empty() {
        let start = format!(
            "{DIM}note{DIM:#}: the fleet's statements still name {} accounts that are not in the fleet file; `--prune` removes \
             them:",
            granted.len()
        );
        view.accounts(&start, granted, NOTE, out)?;
    }
    Ok(())
}

fn nothing_to_log(note: &Note) -> Option<AccountId> {
    match note {
        Note::NothingToLog { place, .. } => Some(place.account),
        _ => None,
    }
}

fn still_granted(note: &Note) -> Option<AccountId> {
    match note {
        Note::StillGranted { account } => Some(*account),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use flowagg_core::flow_log::FieldSet;

    use super::*;

    #[test]
    fn note_names_the_questions_that_declared_fields_cannot_answer() {
        let note = |set: FieldSet| {
            let mut spec = FlowLogSpec::default();
            spec.format = set.format();
            let mut out = Vec::new();
            unanswered(&spec, &mut Sheet::new(&mut out, None)).unwrap();
            anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
        };
        assert_eq!(
            note(FieldSet::Cost),
            "\nnote: the declared `flow-logs.fields` cannot answer these questions of `flowagg query`: by-service, unencrypted\n"
        );
        assert_eq!(note(FieldSet::Default), "", "no fields are declared");
        assert_eq!(note(FieldSet::All), "");
    }
}
