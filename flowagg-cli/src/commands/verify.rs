//! `flowagg verify`: what has arrived, for each flow log.

use std::time::Duration;

use flowagg_core::arrival::{InUse, Patience};
use jiff::{SignedDuration, Timestamp};

use super::error::CommandError;
use super::start;
use crate::args;
use crate::aws::observe::{Survey, read_again, survey};
use crate::aws::verify;
use crate::{Exit, Screen, show};

/// How long to wait between two looks: files come every five minutes.
const BETWEEN_LOOKS: Duration = Duration::from_secs(15);

pub(super) async fn run(
    global: &args::GlobalArgs,
    options: &args::VerifyArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let (file, session) = start::open(global, start::Access::Read, screen).await?;
    let mut patience = Patience::default();
    patience.fresh = signed(options.fresh);
    patience.grace = signed(options.grace);
    let deadline = tokio::time::Instant::now() + options.wait.unwrap_or_default();
    let verified = screen
        .reading(async |progress| {
            let Survey { fleet, accounts, mut regions } =
                survey(file, &session, &global.only, progress).await?;
            start::selected(global, &fleet)?;
            let mut in_use = InUse::new();
            loop {
                let now = Timestamp::now();
                let verified = verify(&fleet, &accounts, &regions, &mut in_use, patience, now).await?;
                let left = deadline.saturating_duration_since(tokio::time::Instant::now());
                if left.is_zero() || verified.is_complete() || !verified.may_change() {
                    return Ok::<_, CommandError>((fleet, accounts, verified));
                }
                progress.step(
                    "delivering",
                    verified.coverage.flow_logs.count,
                    verified.coverage.flow_logs.of,
                    "waiting for the rest",
                );
                tokio::time::sleep(BETWEEN_LOOKS.min(left)).await;
                // Only a flow log that does not deliver can have news.
                regions = read_again(&accounts, &verified.undelivered(), regions, &()).await;
            }
        })
        .await;
    let (fleet, accounts, verified) = verified?;
    screen.calls("verifying", &accounts.take_calls())?;
    if options.json {
        show::document(&verified, screen.out)?;
    } else {
        show::verified(&fleet, &verified, screen.out)?;
    }
    Ok(match &verified {
        verified if verified.is_complete() => Exit::Done,
        verified if !verified.failures.is_empty() => Exit::Failed,
        _ => Exit::Differs,
    })
}

pub(super) fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}
