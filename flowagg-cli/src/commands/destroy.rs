//! `flowagg destroy`: deletes the fleet's flow logs and policy statements.

use flowagg_policy::plan;

use super::apply::carry_out;
use super::error::CommandError;
use super::plan::given;
use crate::args;
use crate::show::Run;
use crate::{Exit, Screen};

pub(super) async fn run(
    global: &args::GlobalArgs,
    consent: &args::ConsentArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    carry_out(Run::Destroy, global, &given(global, None), consent, false, screen, plan::destroy).await
}
