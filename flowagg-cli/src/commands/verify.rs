//! `flowagg verify`: checks that every flow log delivers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use flowagg_core::arrival::{InUse, Patience, Verified};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::id::Place;
use flowagg_core::names::Names;
use flowagg_core::observed::RegionState;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::error::CommandError;
use super::{metrics, start};
use crate::args;
use crate::aws::observe::{Survey, read_again, survey};
use crate::aws::verify;
use crate::metrics::Metrics;
use crate::show::{Extent, View, Waited, Watch};
use crate::{Exit, Screen, show};

/// The pause between two checks. Files arrive every five minutes.
const BETWEEN_CHECKS: Duration = Duration::from_secs(15);
/// The refresh interval of the elapsed time on the screen.
const TICK: Duration = Duration::from_secs(1);

pub(super) async fn run(
    global: &args::GlobalArgs,
    options: &args::VerifyArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    metrics::check(global, &options.metrics, options.json.then_some("--json"))?;
    let (file, session) = start::open(global, start::Access::Read, screen).await?;
    let mut patience = Patience::default();
    patience.fresh = signed(options.fresh);
    patience.grace = signed(options.grace);
    let limit = options.wait.unwrap_or_default();
    let started = Instant::now();
    let latest: RefCell<Option<Latest>> = RefCell::default();
    let ended = screen
        .watching(async |watch| {
            let Survey { fleet, accounts, mut regions } = survey(file, &session, &global.only, watch).await?;
            start::selected(global, &fleet)?;
            let mut in_use = InUse::new();
            let mut now = Timestamp::now();
            let mut verified = verify(&fleet, &accounts, &regions, &mut in_use, patience, now).await?;
            while let Some(pause) = pause(&verified, limit.saturating_sub(started.elapsed())) {
                latest.replace(Some(Latest::new(&fleet, &regions, &verified, now)));
                let again = async {
                    tokio::time::sleep(pause).await;
                    // The state of a delivering flow log does not change.
                    let before = std::mem::take(&mut regions);
                    regions = read_again(&accounts, &verified.undelivered(), before, &()).await;
                    now = Timestamp::now();
                    verify(&fleet, &accounts, &regions, &mut in_use, patience, now).await
                };
                verified = shown(watch, &verified, started, limit, again).await?;
            }
            latest.replace(Some(Latest::new(&fleet, &regions, &verified, now)));
            Ok::<_, CommandError>(accounts)
        })
        .await;
    let interrupted = match ended {
        Ok(accounts) => {
            screen.calls("verifying", &accounts?.take_calls())?;
            None
        }
        Err(exit) => Some(exit),
    };
    let extent = if options.all { Extent::All } else { Extent::Brief };
    let Some(Latest { fleet, verified, metrics, now }) = latest.into_inner() else {
        return Ok(screen.ended(interrupted.unwrap_or(Exit::Failed), "nothing has been verified yet")?);
    };
    let names = Names::new(&fleet, &BTreeMap::new());
    let view = View::of(&names, extent);
    let out = if options.metrics.is_on_stdout() { &mut *screen.err } else { &mut *screen.out };
    if options.json {
        show::document(&verified, out)?;
    } else if let Some(exit) = interrupted {
        show::interrupted(&verified, exit, view, out)?;
    } else {
        show::verified(&verified, view, out)?;
    }
    if interrupted.is_none() {
        metrics::write(&options.metrics, metrics, verified.failures.is_empty(), now, screen)?;
    }
    Ok(match interrupted {
        Some(exit) => exit,
        None if verified.is_complete() => Exit::Done,
        None if !verified.failures.is_empty() => Exit::Failed,
        None => Exit::Differs,
    })
}

/// The result of the check at `now`.
struct Latest {
    fleet: Fleet,
    verified: Verified,
    metrics: Metrics,
    now: Timestamp,
}

impl Latest {
    fn new(
        fleet: &Fleet,
        regions: &BTreeMap<Place, Result<RegionState, Failure>>,
        verified: &Verified,
        now: Timestamp,
    ) -> Self {
        let metrics = Metrics::new(fleet, regions, verified, now);
        Self { fleet: fleet.clone(), verified: verified.clone(), metrics, now }
    }
}

/// The pause before the next check. `None` if there is none: the time is up or the result is final.
fn pause(verified: &Verified, left: Duration) -> Option<Duration> {
    let is_final = left.is_zero() || verified.is_complete() || !verified.may_change();
    (!is_final).then_some(BETWEEN_CHECKS.min(left))
}

/// Awaits a check, and shows the elapsed time meanwhile.
async fn shown<T>(
    watch: &Watch,
    verified: &Verified,
    started: Instant,
    limit: Duration,
    check: impl Future<Output = T>,
) -> T {
    let mut check = pin!(check);
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            biased;
            result = &mut check => return result,
            _ = tick.tick() => watch.waited(&Waited::new(verified.coverage.flow_logs, started.elapsed(), limit)),
        }
    }
}

pub(super) fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}
