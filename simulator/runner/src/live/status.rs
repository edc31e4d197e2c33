//! What a page shows of the moment.

use serde::Serialize;
use squall_ledger::{ClaimSoFar, StateSoFar};
use squall_run::{Latencies, PhaseKind};

use super::look::Look;
use crate::progress::phase_name;

/// A moment of a run, as pages get it. Times are seconds since the start of the run, latencies microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    at_s: f64,
    phase: &'static str,
    left_s: f64,
    links_awaited: u32,
    devices: u32,
    online: u32,
    peak_online: u64,
    faults_applied: u64,
    scheduled: u64,
    sent: u64,
    expected: u64,
    excused: u64,
    delivered: u64,
    lost: u64,
    outstanding: u64,
    duplicated: u64,
    reordered: u64,
    corrupted: u64,
    misrouted: u64,
    first_deliveries: u64,
    /// As `summary.json` has them.
    #[serde(flatten)]
    latencies: Latencies,
    phases: Vec<PhaseText>,
    strikes: Vec<StrikeText>,
    claims: Vec<ClaimText>,
}

#[derive(Clone, Debug, Serialize)]
struct PhaseText {
    phase: PhaseKind,
    start_s: f64,
}

#[derive(Clone, Debug, Serialize)]
struct StrikeText {
    name: String,
    at_s: f64,
    selected: u64,
    lasts_s: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct ClaimText {
    name: String,
    found: Option<String>,
    limit: Option<String>,
    state: &'static str,
}

impl Status {
    /// Of a look at a run that has had so many first deliveries.
    pub fn of(look: &Look, first_deliveries: u64) -> Self {
        let Look {
            progress, counts, ..
        } = look;
        let phases = look.phases.iter();
        let claims = look.claims.iter().chain(&look.measured.thresholds);
        Self {
            at_s: look.at.as_secs_f64(),
            phase: phase_name(progress.phase),
            left_s: progress.time_left.as_secs_f64(),
            links_awaited: progress.links_awaited,
            devices: progress.devices,
            online: progress.online,
            peak_online: counts.peak_online,
            faults_applied: progress.faults_applied,
            scheduled: counts.scheduled,
            sent: counts.sent,
            expected: counts.expected,
            excused: counts.excused,
            delivered: counts.delivered,
            lost: counts.lost,
            outstanding: counts.outstanding,
            duplicated: counts.duplicated,
            reordered: counts.reordered,
            corrupted: counts.corrupted,
            misrouted: counts.misrouted,
            first_deliveries,
            latencies: Latencies::of(&look.measured.metrics),
            phases: phases
                .map(|&(phase, start)| PhaseText {
                    phase,
                    start_s: start.as_secs_f64(),
                })
                .collect(),
            strikes: strikes(look),
            claims: claims.map(ClaimText::of).collect(),
        }
    }
}

fn strikes(look: &Look) -> Vec<StrikeText> {
    let strikes = look.strikes.iter();
    let strikes = strikes.map(|strike| StrikeText {
        name: strike.name.clone(),
        at_s: strike.at.as_secs_f64(),
        selected: strike.selected,
        lasts_s: strike
            .ended
            .map(|ended| ended.saturating_since(strike.at).as_secs_f64()),
    });
    strikes.collect()
}

impl ClaimText {
    fn of(claim: &ClaimSoFar) -> Self {
        Self {
            name: claim.name.clone(),
            found: claim.found.clone(),
            limit: claim.limit.clone(),
            state: state_name(claim.state),
        }
    }
}

/// As pages are told it.
fn state_name(state: StateSoFar) -> &'static str {
    match state {
        StateSoFar::Held => "held",
        StateSoFar::Broken => "broken",
        StateSoFar::Open => "open",
        StateSoFar::AtTheEnd => "at_the_end",
    }
}
