//! Takes a look at a run once a second, on the thread that has the fleet, and hands it to the server's thread.
//!
//! Only with `--live` or `--metrics`. A look copies what was counted since the last one. The distributions
//! with their thresholds cost more, so they are copied every two seconds, and less often where that takes so long that it would be
//! more than a thousandth of the time: the thread is the one that stamps packets.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use squall_fleet::Fleet;
use squall_ledger::{MeasuredSoFar, Recorder, SoFar};
use squall_protocol::Instant;
use squall_scenario::Scenario;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::look::{Intervals, Look, strikes};
use super::news::News;
use crate::clock::Clock;
use crate::drive::Drive;

/// The time between two looks.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
/// The least time between two looks at the distributions.
const MEASURED_PERIOD: Duration = Duration::from_secs(2);
/// The share of the time that looks at the distributions take, at most: one in so many.
const MEASURED_SHARE: u32 = 1000;
/// Intervals that are told again with each look: what was due in them may turn out a little later.
const TOLD_AGAIN: usize = 2;

/// Looks at one run.
pub struct Feed {
    scenario: Rc<Scenario>,
    clock: Clock,
    news: mpsc::Sender<News>,
    state: RefCell<State>,
}

/// What the last look left.
struct State {
    /// Intervals from here on are told with the next look.
    from: Instant,
    measured: Arc<MeasuredSoFar>,
    /// The distributions are looked at from then on.
    measured_next: Instant,
    cost: Duration,
}

/// How much a look tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Extent {
    /// What is new.
    New,
    /// Everything: the run is over.
    Whole,
}

impl Feed {
    /// Of a run of `scenario` that goes by `clock`; looks go to `news`.
    pub fn new(scenario: Rc<Scenario>, clock: Clock, news: mpsc::Sender<News>) -> Self {
        Self {
            scenario,
            clock,
            news,
            state: RefCell::new(State {
                from: Instant::ZERO,
                measured: Arc::default(),
                measured_next: Instant::ZERO,
                cost: Duration::ZERO,
            }),
        }
    }

    /// Looks once a second, and where a phase begins, until dropped.
    pub async fn run(self: Rc<Self>, drive: Drive<Recorder>) {
        let mut ticks = interval(LOOK_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut phases = drive.phases();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = phases.changed() => {}
            }
            // Where the server is behind, the next look tells what this one would have.
            if let Ok(permit) = self.news.try_reserve()
                && let Some(look) = self.look(&drive, Extent::New)
            {
                permit.send(News::Look(Box::new(look)));
            }
        }
    }

    /// The last look, once the books are closed.
    pub async fn tell_whole(&self, drive: &Drive<Recorder>) {
        if let Some(look) = self.look(drive, Extent::Whole) {
            // The server's thread ends only after this one has told it to.
            let _ = self.news.send(News::Look(Box::new(look))).await;
        }
    }

    /// The latencies of the last look at them, so that the terminal's lines need none of their own.
    pub fn so_far(&self) -> SoFar {
        SoFar::of(&self.state.borrow().measured.metrics)
    }

    fn look(&self, drive: &Drive<Recorder>, extent: Extent) -> Option<Look> {
        drive.ask_fleet(|fleet, now| self.look_at(fleet, now, extent))
    }

    fn look_at(&self, fleet: &Fleet<Recorder>, now: Instant, extent: Extent) -> Look {
        let (recorder, scenario) = (fleet.sink(), &*self.scenario);
        let mut state = self.state.borrow_mut();
        if extent == Extent::Whole || now >= state.measured_next {
            let began = self.clock.now();
            state.measured = Arc::new(recorder.measured_so_far(scenario));
            let took = self.clock.now().saturating_since(began);
            state.measured_next = now + MEASURED_PERIOD.max(took * MEASURED_SHARE);
        }
        let intervals = match extent {
            Extent::New => {
                let intervals = recorder.intervals_so_far(state.from, now);
                let again = intervals.len().saturating_sub(TOLD_AGAIN);
                if let Some(first) = intervals.get(again) {
                    // A float may have lost the last nanosecond.
                    let start = Duration::from_secs_f64(first.start_s);
                    state.from = Instant::ZERO + start.saturating_sub(Duration::from_micros(1));
                }
                Intervals::From(intervals)
            }
            Extent::Whole => Intervals::Whole(recorder.series_so_far(scenario)),
        };
        let look = Look {
            at: now.since_start(),
            progress: fleet.progress(now),
            counts: recorder.counts_so_far(),
            phases: recorder.phases().to_vec(),
            intervals,
            claims: recorder.claims_so_far(scenario),
            measured: Arc::clone(&state.measured),
            strikes: strikes(fleet, scenario),
            cost: state.cost,
        };
        state.cost = self.clock.now().saturating_since(now);
        look
    }
}
