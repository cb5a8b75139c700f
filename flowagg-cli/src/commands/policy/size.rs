//! `flowagg policy size`: shows the size of the policy and the number of accounts that fit in each form.

use flowagg_policy::{Grant, sizes};

use super::input::Input;
use crate::args::{GlobalArgs, SizeArgs};
use crate::commands::error::CommandError;
use crate::commands::start::fleet;
use crate::{Exit, Screen, show};

pub(super) async fn run(
    global: &GlobalArgs,
    options: &SizeArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let fleet = fleet(global, screen).await?;
    let input = options.policy.as_deref().map(Input::named);
    let live = input.map(Input::text).transpose()?;
    let sizes = sizes(live.as_deref(), &Grant::from(&fleet), fleet.members.len());
    let sizes = sizes.map_err(|error| match input {
        Some(input) => input.unusable(&error, error.help()),
        None => error.into(),
    })?;
    if options.json {
        show::document(&sizes, screen.out)?;
    } else {
        show::sizes(&sizes, screen.out)?;
    }
    Ok(Exit::Done)
}
