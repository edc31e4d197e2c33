//! A run in real time: the target, the sockets, the samples and the signals around a fleet.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use squall_fleet::{Fleet, Phase, RunTag};
use squall_ledger::{Judgement, Recorder, judge};
use squall_run::ClockKind;
use squall_scenario::Scenario;
use tokio::task::spawn_local;
use tokio::time::{MissedTickBehavior, interval};

use super::RunSpec;
use super::record::{Circumstances, Driven};
use super::sampling::Sampler;
use super::signals::StopSignals;
use super::times::{End, Ended, times};
use crate::clock::{self, Clock};
use crate::drive::{Drive, Route};
use crate::exit::Failure;
use crate::machine::limits::local_port_range;
use crate::progress::ProgressDisplay;
use crate::target::Target;

/// How often to ask whether any device could connect.
const SHUT_OUT_PERIOD: Duration = Duration::from_millis(500);

/// Starts the target, runs the fleet to its end or to the user's, and stops the target.
pub async fn drive(
    spec: &RunSpec<'_>,
    display: ProgressDisplay,
) -> Result<(Circumstances, Driven), Failure> {
    let scenario = Rc::new(spec.file.scenario.clone());
    let mut signals = StopSignals::handle()?;
    let target = tokio::select! {
        target = Target::start(&scenario.target, spec.target_log) => target?,
        name = signals.next() => {
            return Err(Failure::Unreachable(format!(
                "stopped by {name} before the target answered"
            )));
        }
    };
    let (name, url) = (target.name(), target.url());
    display.remark(&format!("{}: target {name} at {url}", scenario.name));
    let mut circumstances = Circumstances {
        started_at: clock::since_epoch(),
        clock: ClockKind::Real,
        target: target.describe(),
        limits: spec.limits,
        ending: None,
    };

    let driven = run_fleet(&scenario, &target, display, &mut signals).await?;
    circumstances.ending = target.stop().await;
    Ok((circumstances, driven))
}

async fn run_fleet(
    scenario: &Rc<Scenario>,
    target: &Target,
    display: ProgressDisplay,
    signals: &mut StopSignals,
) -> Result<Driven, Failure> {
    let route = Route {
        target: target.address,
        local_ports: local_port_range(),
    };
    // Both clocks in one breath: `{now_ms}` is the one plus what the other counts.
    let started_at = clock::since_epoch();
    let clock = Clock::start();
    // Others may use the same broker, and earlier runs may have left messages there.
    let tag = RunTag::of_run(scenario.seed, RandomState::new().build_hasher().finish());
    let fleet =
        Fleet::new(Rc::clone(scenario), tag, Recorder::new(scenario, tag)).starting_at(started_at);
    let drive = Drive::new(fleet, clock, route);
    let sampler = Sampler::new(target.processes());
    let sampling = spawn_local(sampler.clone().run(clock, drive.clone()));
    let display = Rc::new(RefCell::new(display));
    let showing = spawn_local(show(Rc::clone(&display), drive.clone(), clock));

    let ended = run_until_end_or_signal(&drive, signals, &display).await?;

    let phase = drive.phase().and_then(Phase::kind);
    sampler.read(clock.now(), phase);
    for task in [sampling, showing] {
        task.abort();
        // Aborted: there is nothing to learn from it.
        let _ = task.await;
    }
    let outcome = drive.finish().context("the run was finished twice")?;
    let end = End {
        at: clock.now(),
        ended,
    };
    let times = times(&outcome.phases, end, &scenario.run);
    let resources = sampler.resources();
    let Judgement { measured, reasons } = judge(scenario, outcome, &resources);
    Ok(Driven {
        measured,
        times,
        resources,
        reasons,
    })
}

/// The first signal ends the load; the drain and the checks follow, since what is on its way would
/// be taken for lost. The second one ends everything.
async fn run_until_end_or_signal(
    drive: &Drive<Recorder>,
    signals: &mut StopSignals,
    display: &RefCell<ProgressDisplay>,
) -> Result<Ended, Failure> {
    let mut running = pin!(drive.run());
    let name = tokio::select! {
        result = &mut running => {
            result.context("the event loop failed")?;
            return Ok(Ended::Whole);
        }
        () = shut_out(drive) => {
            display.borrow().remark("no device could connect: the run ends here");
            return Ok(Ended::ShutOut);
        }
        name = signals.next() => name,
    };
    let phase = drive.progress().map(|progress| progress.phase);
    let had_load = phase.is_some_and(|phase| phase < Phase::Draining);
    drive.stop();
    let left = drive
        .progress()
        .map_or(0, |progress| progress.time_left.as_secs());
    display.borrow().remark(&format!(
        "{name}: draining for {left} s, then checks and the report; again to stop at once"
    ));
    tokio::select! {
        result = &mut running => {
            result.context("the event loop failed")?;
            Ok(if had_load { Ended::Stopped(name) } else { Ended::Whole })
        }
        by = signals.next() => Ok(Ended::Cut { by, load_was_stopped: had_load }),
    }
}

/// Waits until the run is not worth going on with.
async fn shut_out(drive: &Drive<Recorder>) {
    let mut ticks = interval(SHUT_OUT_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while drive.ask(Recorder::is_shut_out) != Some(true) {
        ticks.tick().await;
    }
}

async fn show(display: Rc<RefCell<ProgressDisplay>>, drive: Drive<Recorder>, clock: Clock) {
    let mut ticks = interval(display.borrow().period());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(progress) = drive.progress() {
            let since_start = clock.now().since_start();
            display.borrow_mut().show(since_start, progress);
        }
    }
}
