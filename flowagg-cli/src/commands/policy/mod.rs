//! `flowagg policy`: works with bucket policies. It makes AWS calls only to look up the accounts of a fleet file.

pub(super) mod check;
mod input;
pub(super) mod simulate;
mod size;

use std::collections::BTreeSet;

use flowagg_core::fleet::GrantForm;
use flowagg_core::id::AccountId;
use flowagg_core::names::Names;
use flowagg_core::plan::{Access, access};
use flowagg_policy::plan::{Effects, evaluate};
use flowagg_policy::{
    DeliveryProblem, Difference, FormReason, Grant, Merged, StatementRef, Unnamed, adopt, changed_statements,
    diff, merge,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::CommandError;
use super::plan::unnamed;
use super::start::fleet;
use crate::args::{self, GlobalArgs, PolicyVerb};
use crate::{Exit, Screen, show};

use input::Input;

pub(super) async fn run(
    global: &GlobalArgs,
    verb: &PolicyVerb,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    match verb {
        PolicyVerb::Build(options) => build(global, options, screen).await,
        PolicyVerb::Merge(options) => merged(global, options, screen).await,
        PolicyVerb::Diff(options) => compared(options, screen),
        PolicyVerb::Check(options) => check::run(options, screen),
        PolicyVerb::Simulate(options) => simulate::run(global, options, screen),
        PolicyVerb::Size(options) => size::run(global, options, screen).await,
    }
}

async fn build(
    global: &GlobalArgs,
    options: &args::BuildArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let fleet = fleet(global, screen).await?;
    let grant = Grant::from(&fleet);
    let merged = merge(None, &grant, Unnamed::Keep)?;
    let (effects, problems) = evaluate(&fleet, &grant, None, &merged)?;
    problems.iter().try_for_each(|problem| screen.note(&problem.to_string()))?;
    write(&merged, &effects, &problems, options.json, screen)
}

async fn merged(
    global: &GlobalArgs,
    options: &args::MergeArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let fleet = fleet(global, screen).await?;
    let input = Input::named(&options.policy);
    let live = input.text()?;
    let statements: BTreeSet<StatementRef> = options.adopt.iter().cloned().collect();
    let adopted = if statements.is_empty() {
        None
    } else {
        Some(adopt(&live, &statements).map_err(|error| input.unusable(&error, error.help()))?)
    };
    let base = adopted.as_ref().map_or(live.as_str(), |adopted| adopted.policy.as_str());
    let grant = Grant::from(&fleet);
    let mut merged = merge(Some(base), &grant, unnamed(options.prune))
        .map_err(|error| input.unusable(&error, error.help()))?;
    merged.changed |= adopted.is_some();
    let (effects, problems) = evaluate(&fleet, &grant, Some(&live), &merged)
        .map_err(|error| input.unusable(&error, error.help()))?;
    if let Some(adopted) = &adopted {
        screen.note(&format!(
            "statement {} is replaced with the fleet's grant; only the policy was checked: `flowagg plan --adopt` also checks the \
             deliveries that depend on it",
            adopted.names.join(", ")
        ))?;
    }
    let statements =
        changed_statements(&live, &merged.text).map_err(|error| input.unusable(&error, error.help()))?;
    // Accounts are compared as the fleet file defines them, with their regions and folder.
    let changed = &effects.granted & &effects.revoked;
    let (granted, revoked) = (&effects.granted - &changed, &effects.revoked - &changed);
    let mut difference = Difference::default();
    difference.granted = granted;
    difference.revoked = revoked;
    difference.changed = changed;
    difference.statements = statements;
    screen.say(&difference.to_string())?;
    for problem in &problems {
        screen.note(&problem.to_string())?;
    }
    for note in &merged.notes {
        screen.note(note)?;
    }
    for account in &merged.kept {
        let why = "which is not in the fleet file; `--prune` removes it";
        screen.note(&format!("the fleet's statements still name {account}, {why}"))?;
    }
    for still in access(&merged.kept_access, Names::NONE) {
        let why = "which is not in the fleet file; `--prune` removes it";
        screen.note(&format!("the fleet's statements still cover {still}, {why}"))?;
    }
    for from in access(&merged.revoked_access, Names::NONE) {
        screen.note(&format!("revokes the grant of {from}"))?;
    }
    write(&merged, &effects, &problems, options.json, screen)
}

/// Output of `policy build --json` and `policy merge --json`.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct MergeDocument<'a> {
    /// The text of the policy.
    policy: &'a str,
    /// Whether it differs in meaning from the policy that it was merged into.
    changed: bool,
    /// The form of the fleet's grant in it.
    #[schemars(with = "GrantForm")]
    form: &'static str,
    /// The reason for this form.
    form_reason: FormReason,
    /// The size that counts against the limit, in bytes of compact JSON.
    bytes: usize,
    /// The maximum size that S3 accepts, in bytes.
    limit: usize,
    /// Accounts that are newly allowed to deliver.
    granted: &'a BTreeSet<AccountId>,
    /// Accounts that are not allowed to deliver anymore.
    revoked: &'a BTreeSet<AccountId>,
    /// Deliveries that the policy denies or may deny, and deliveries that it newly allows although the grant does not include them.
    problems: &'a [DeliveryProblem],
    /// Accounts that are in the fleet's statements but not in the fleet file.
    kept: &'a BTreeSet<AccountId>,
    /// Access that the fleet's statements grant but the fleet file does not declare.
    kept_access: &'a BTreeSet<Access>,
    /// Other access that is revoked, such as that of an account in one region.
    revoked_access: &'a BTreeSet<Access>,
    /// Further notes.
    notes: &'a [String],
}

fn write(
    merged: &Merged,
    effects: &Effects,
    problems: &[DeliveryProblem],
    json: bool,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    if json {
        let document = MergeDocument {
            policy: &merged.text,
            changed: merged.changed,
            form: merged.form.as_str(),
            form_reason: merged.form_reason,
            bytes: merged.bytes,
            limit: flowagg_policy::size::LIMIT,
            granted: &effects.granted,
            revoked: &effects.revoked,
            problems,
            kept: &merged.kept,
            kept_access: &merged.kept_access,
            revoked_access: &merged.revoked_access,
            notes: &merged.notes,
        };
        show::document(&document, screen.out)?;
    } else {
        writeln!(screen.out, "{}", merged.text.trim_end())?;
    }
    if problems.is_empty() {
        return Ok(Exit::Done);
    }
    screen.say("policy: not all deliveries of the fleet are certain to be allowed; see the notes above")?;
    Ok(Exit::Differs)
}

fn compared(options: &args::DiffArgs, screen: &mut Screen<'_>) -> Result<Exit, CommandError> {
    let inputs = (Input::named(&options.before), Input::named(&options.after));
    if inputs == (Input::Stdin, Input::Stdin) {
        return Err(CommandError::usage(
            "both policies cannot be read from standard input",
            "use a file for one of them",
        ));
    }
    let (before, after) = (inputs.0.text()?, inputs.1.text()?);
    let difference = diff(&before, &after).map_err(|error| {
        // A policy that cannot be compared with itself is the invalid one.
        let input = if diff(&before, &before).is_err() { inputs.0 } else { inputs.1 };
        input.unusable(&error, error.help())
    })?;
    if options.json {
        show::document(&difference, screen.out)?;
    } else if difference.is_empty() {
        writeln!(screen.out, "the policies are equivalent")?;
    } else {
        write!(screen.out, "{difference}")?;
    }
    Ok(if options.exit_code && !difference.is_empty() { Exit::Differs } else { Exit::Done })
}
