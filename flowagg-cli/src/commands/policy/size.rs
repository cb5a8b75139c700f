//! `flowagg policy size`: how large the policy is, and how many accounts fit in each form.

use flowagg_core::fleet::GrantForm;
use flowagg_policy::size::LIMIT;
use flowagg_policy::{Grant, Unnamed, capacity, merge};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Stop, fleet, text};
use crate::args::{Global, Size};
use crate::{Exit, Screen, show};

/// What `policy size --json` prints.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Report {
    /// The most that S3 takes, in bytes of compact JSON.
    pub(crate) limit: usize,
    /// The form of the fleet's policy.
    #[schemars(with = "GrantForm")]
    pub(crate) form: &'static str,
    /// The bytes of the fleet's policy, beside the live policy's other statements.
    pub(crate) bytes: usize,
    /// The accounts of the fleet.
    pub(crate) accounts: usize,
    /// Every form.
    pub(crate) forms: Vec<Form>,
}

/// How much a form takes.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Form {
    /// Its word.
    #[schemars(with = "GrantForm")]
    pub(crate) form: &'static str,
    /// How many accounts fit; null for any number.
    pub(crate) accounts: Option<usize>,
    /// What each account takes.
    pub(crate) bytes_per_account: usize,
}

pub(super) async fn run(global: &Global, options: &Size, screen: &mut Screen<'_>) -> Result<Exit, Stop> {
    let fleet = fleet(global, screen).await?;
    let live = options.policy.as_deref().map(text).transpose()?.filter(|text| !text.trim().is_empty());
    let grant = Grant::of(&fleet);
    let merged = merge(live.as_deref(), &grant, Unnamed::Keep).map_err(|error| match &options.policy {
        Some(path) => Stop::policy(path, &error, error.help()),
        None => Stop::wrong(error.to_string(), error.help()),
    })?;
    let forms = GrantForm::ALL.into_iter().filter(|form| *form != GrantForm::Auto);
    let fitting = forms.filter_map(|form| {
        // A form that this fleet cannot have at all (no organization, an old policy version) has no line.
        let fits = capacity(live.as_deref(), &grant, form).ok()?;
        Some(Form { form: form.as_str(), accounts: fits.accounts, bytes_per_account: fits.bytes_per_account })
    });
    let report = Report {
        limit: LIMIT,
        form: merged.form.as_str(),
        bytes: merged.bytes,
        accounts: fleet.members.len(),
        forms: fitting.collect(),
    };
    if options.json {
        show::document(&report, screen.out)?;
    } else {
        show::sizes(&report, screen.out)?;
    }
    Ok(Exit::Done)
}
