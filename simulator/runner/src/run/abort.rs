//! `run.abort_on_fail`: looks whether something is broken while a run goes on.

use std::future::pending;
use std::time::Duration;

use squall_fleet::Phase;
use squall_ledger::Recorder;
use squall_scenario::Scenario;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::drive::Drive;

/// The time between two looks.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
/// How long the measured part goes on before thresholds are looked at: a percentile of its first moments says little.
const THRESHOLDS_AFTER: Duration = Duration::from_secs(10);

/// Waits until something is broken, and says what. Does not end where the scenario goes on all the same.
pub(super) async fn broken(drive: &Drive<Recorder>, scenario: &Scenario) -> String {
    if !scenario.run.abort_on_fail {
        return pending().await;
    }
    let mut ticks = interval(LOOK_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut measuring_since = None;
    loop {
        ticks.tick().await;
        if drive.phase() == Some(Phase::Measuring) {
            measuring_since.get_or_insert_with(Instant::now);
        }
        let is_long = measuring_since.is_some_and(|since| since.elapsed() >= THRESHOLDS_AFTER);
        let found = drive.ask(|recorder, _| {
            let threshold = || {
                is_long
                    .then(|| recorder.broken_threshold(scenario))
                    .flatten()
            };
            recorder.broken_claim(scenario).or_else(threshold)
        });
        if let Some(what) = found.flatten() {
            return what;
        }
    }
}
