//! `flowagg policy size`: how large the policy is, and how many accounts fit in each form.

use flowagg_policy::{Grant, sizes};

use super::{Stop, fleet, text};
use crate::args::{Global, Size};
use crate::{Exit, Screen, show};

pub(super) async fn run(global: &Global, options: &Size, screen: &mut Screen<'_>) -> Result<Exit, Stop> {
    let fleet = fleet(global, screen).await?;
    let live = options.policy.as_deref().map(text).transpose()?.filter(|text| !text.trim().is_empty());
    let sizes = sizes(live.as_deref(), &Grant::of(&fleet), fleet.members.len());
    let sizes = sizes.map_err(|error| match &options.policy {
        Some(path) => Stop::policy(path, &error, error.help()),
        None => Stop::wrong(error.to_string(), error.help()),
    })?;
    if options.json {
        show::document(&sizes, screen.out)?;
    } else {
        show::sizes(&sizes, screen.out)?;
    }
    Ok(Exit::Done)
}
