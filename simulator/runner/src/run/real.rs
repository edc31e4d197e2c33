//! A run in real time: the target, the sockets, the samples and the signals around a fleet.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::num::NonZeroU16;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use squall_broker::descriptors;
use squall_fleet::{Fleet, Phase, Progress, RunTag};
use squall_ledger::{Judgement, Recorder, judge};
use squall_run::{ClockKind, StopCause, duration_text};
use squall_scenario::{DESCRIPTORS_RESERVED, Scenario};
use tokio::task::spawn_local;
use tokio::time::{MissedTickBehavior, interval};

use super::abort;
use super::commands::{Commands, Teller};
use super::keeper::Keeper;
use super::parting::{Parted, Parting};
use super::record::{Circumstances, Driven};
use super::sampling::Sampler;
use super::signals::StopSignals;
use super::times::{End, Ended, times};
use super::{RunSpec, Watched};
use crate::clock::{self, Clock};
use crate::drive::{Drive, Route, for_connections};
use crate::exit::Failure;
use crate::live::{Feed, Head};
use crate::machine::limits::local_port_range;
use crate::progress::ProgressDisplay;
use crate::target::{EMBEDDED_READY_MAX, Haste, Target};

/// How often to ask whether any device could connect.
const SHUT_OUT_PERIOD: Duration = Duration::from_millis(500);

/// Starts the target, runs the fleet to its end or to the user's, and stops the target.
pub async fn drive(
    spec: &RunSpec<'_>,
    signals: &mut StopSignals,
    display: ProgressDisplay,
) -> Result<(Circumstances, Driven), Failure> {
    let scenario = Rc::new(spec.file.scenario.clone());
    descriptors::make_room(spec.file.need().connections + DESCRIPTORS_RESERVED);
    let start = async {
        let commands = Commands::start(spec.file).await?;
        let target = Target::start(&scenario, spec.target_log).await?;
        Ok::<_, Failure>((commands, target))
    };
    let (commands, target) = tokio::select! {
        started = start => started?,
        name = signals.next() => {
            return Err(Failure::Stopped(format!(
                "stopped by {name} before the target answered"
            )));
        }
    };
    spec.file.check_sources(target.first().socket)?;
    introduce(&scenario, &target, &display);
    if let Some(short) = spec.file.ports_short(target.first().socket) {
        display.remark(&format!("note: {short}"));
    }
    // Both clocks are read together: `{now_ms}` is the wall clock here plus the time on the run's clock.
    let start = Start {
        at: clock::since_epoch(),
        clock: Clock::start(),
    };
    let display = Rc::new(RefCell::new(display));
    let mut circumstances = Circumstances {
        started_at: start.at,
        clock: ClockKind::Real,
        target: target.describe(&scenario.traits),
        limits: spec.limits,
        parted: Parted::default(),
    };

    let ready = ready_max(&scenario);
    let keeper = Keeper::new(target, ready, start.clock, &display);
    let setting = Setting {
        scenario: &scenario,
        keeper,
        commands,
        start,
        workers: spec.workers,
        watched: spec.watched,
        question: spec.file.question(),
    };
    let (driven, keeper) = run_fleet(setting, &display, signals).await?;
    let (target, death) = keeper.finish().await;
    let parting = Parting {
        signals,
        display: &display,
        haste: match driven.ended {
            Ended::Cut { .. } => Haste::Hurried,
            Ended::Whole | Ended::ShutOut | Ended::Stopped(_) => Haste::Patient,
        },
    };
    circumstances.parted = parting.part(target, death, silent_max(&scenario)).await;
    Ok((circumstances, driven))
}

/// Says what is run, and against what.
fn introduce(scenario: &Scenario, target: &Target, display: &ProgressDisplay) {
    display.remark(&format!("{}: target {}", scenario.name, full_name(target)));
    if scenario.tls.is_insecure {
        display.remark(
            "warning: target.tls.insecure accepts any certificate: the other end may be anyone",
        );
    }
    for change in &scenario.traits.changes {
        display.remark(&format!("changed for the target: {change}"));
    }
}

/// The target and where it is.
fn full_name(target: &Target) -> String {
    let (name, url) = (target.name(), target.url());
    // A broker that runs already has no other name than where it is.
    match name == url {
        true => url.to_string(),
        false => format!("{name} at {url}"),
    }
}

/// How long the target may take to answer when the run is over: as long as it may take to come up, and as
/// devices wait for it.
fn silent_max(scenario: &Scenario) -> Duration {
    ready_max(scenario).max(scenario.run.connect_timeout)
}

/// How long a target that squall starts may take to come up, if its file says so.
fn ready_max(scenario: &Scenario) -> Duration {
    match &scenario.target {
        squall_scenario::Target::Spawn(spawn) => spawn.ready,
        squall_scenario::Target::Embedded => EMBEDDED_READY_MAX,
        squall_scenario::Target::Url(_) => Duration::ZERO,
    }
}

/// The beginning of a run by both clocks.
#[derive(Clone, Copy)]
struct Start {
    /// The wall clock at that moment, since 1970.
    at: Duration,
    /// The run's clock, which counts from that moment.
    clock: Clock,
}

/// What a fleet runs in.
struct Setting<'a> {
    scenario: &'a Rc<Scenario>,
    keeper: Keeper,
    commands: Commands,
    start: Start,
    /// As in [`RunSpec`].
    workers: Option<NonZeroU16>,
    /// As in [`RunSpec`].
    watched: Option<Watched<'a>>,
    /// What the scenario asks.
    question: Option<String>,
}

async fn run_fleet(
    setting: Setting<'_>,
    display: &Rc<RefCell<ProgressDisplay>>,
    signals: &mut StopSignals,
) -> Result<(Driven, Keeper), Failure> {
    let Setting {
        scenario,
        mut keeper,
        mut commands,
        start,
        workers,
        watched,
        question,
    } = setting;
    let route = Route {
        ends: keeper.target().addresses.clone(),
        sources: scenario.sources.clone(),
        local_ports: local_port_range().and_then(|all| for_connections(&all)),
    };
    let clock = start.clock;
    // Others may use the same broker, and earlier runs may have left messages there.
    let tag = RunTag::of_run(scenario.seed, RandomState::new().build_hasher().finish());
    let fleet =
        Fleet::new(Rc::clone(scenario), tag, Recorder::new(scenario, tag)).starting_at(start.at);
    let drive = Drive::new(fleet, clock, &route, workers).context("a worker cannot be started")?;
    let sampler = Sampler::new(keeper.target().processes(), clock);
    let sampling = spawn_local(sampler.clone().run(drive.clone()));
    let feed = match watched {
        Some(watched) => {
            let target = full_name(keeper.target());
            let head = Head::of(scenario, question, target, watched.place);
            Some(watched.live.begin(head, scenario, clock).await)
        }
        None => None,
    };
    let feeding = feed
        .clone()
        .map(|feed| spawn_local(feed.run(drive.clone())));
    let showing = spawn_local(show(Rc::clone(display), drive.clone(), clock, feed.clone()));

    let (orders, lines_asked) = (drive.orders(), drive.lines_asked());
    let teller = Teller { display, clock };
    let ended = tokio::select! {
        ended = run_until_end_or_stop(&drive, scenario, signals, display) => ended?,
        never = keeper.carry_out(orders, &drive) => match never {},
        never = commands.carry_out(lines_asked, &drive, teller) => match never {},
    };

    let at = clock.now();
    let phase = drive.phase().and_then(Phase::kind);
    sampler.read(phase).await;
    for task in [sampling, showing].into_iter().chain(feeding) {
        task.abort();
        // Aborted: there is nothing to learn from it.
        let _ = task.await;
    }
    if let Some(feed) = feed {
        feed.tell_whole(&drive).await;
    }
    let end = End { at, ended };
    let mut driven = finish(&drive, scenario, &sampler, end)?;
    commands.finish(&mut driven.measured.commands).await;
    Ok((driven, keeper))
}

/// Takes the run out of its drive and judges it.
fn finish(
    drive: &Drive<Recorder>,
    scenario: &Scenario,
    sampler: &Sampler,
    end: End,
) -> Result<Driven, Failure> {
    let last_heard = drive.last_heard();
    let workers = drive.dismiss_workers().context("a worker failed")?;
    let outcome = drive.finish().context("the run was finished twice")?;
    let times = times(&outcome.phases, end, &scenario.run);
    let resources = sampler.resources(workers);
    let Judgement { measured, reasons } = judge(scenario, outcome, &resources);
    Ok(Driven {
        measured,
        times,
        resources,
        reasons,
        last_heard,
        ended: end.ended,
    })
}

/// The first signal ends the load, and so does what is broken where the scenario asks for that; the drain and the
/// checks follow, since what is on its way would be taken for lost. The second signal ends everything.
async fn run_until_end_or_stop(
    drive: &Drive<Recorder>,
    scenario: &Scenario,
    signals: &mut StopSignals,
    display: &RefCell<ProgressDisplay>,
) -> Result<Ended, Failure> {
    let mut running = pin!(drive.run());
    let (by, why) = tokio::select! {
        result = &mut running => {
            result.context("the event loop failed")?;
            return Ok(Ended::Whole);
        }
        () = shut_out(drive) => {
            display.borrow().remark("no device could connect: the run ends here");
            return Ok(Ended::ShutOut);
        }
        name = signals.next() => (name, format!("{name}: ")),
        what = abort::broken(drive, scenario) => {
            (StopCause::AbortOnFail, format!("{what} ({}): ", StopCause::AbortOnFail))
        }
    };
    let had_load = drive.phase().is_some_and(|phase| phase < Phase::Draining);
    drive.stop();
    let next = drive.progress().map_or_else(String::new, what_follows);
    let at_once = match by {
        StopCause::AbortOnFail => "a signal stops at once",
        StopCause::Sigint | StopCause::Sigterm | StopCause::Sighup => "again to stop at once",
    };
    display.borrow().remark(&format!("{why}{next}; {at_once}"));
    tokio::select! {
        result = &mut running => {
            result.context("the event loop failed")?;
            Ok(if had_load { Ended::Stopped(by) } else { Ended::Whole })
        }
        by = signals.next() => Ok(Ended::Cut { by, load_was_stopped: had_load }),
    }
}

/// What a run does that was asked to stop and is where `progress` says.
fn what_follows(progress: Progress) -> String {
    match progress.phase {
        Phase::Clearing
        | Phase::Connecting
        | Phase::WarmingUp
        | Phase::Measuring
        | Phase::Draining => {
            let left = duration_text(progress.time_left.as_secs_f64());
            format!("nothing new begins; draining for {left}, then checks and the report")
        }
        Phase::Checking | Phase::Leaving | Phase::EndingSessions | Phase::Finished => {
            "devices leave, then the report".to_owned()
        }
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

/// Shows the progress now and then. Rates are those of one phase: what was published before the drain
/// began is not the drain's. Where `feed` looks at the latencies, they are not merged a second time.
async fn show(
    display: Rc<RefCell<ProgressDisplay>>,
    drive: Drive<Recorder>,
    clock: Clock,
    feed: Option<Rc<Feed>>,
) {
    let mut ticks = interval(display.borrow().period());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut phases = drive.phases();
    loop {
        let is_new_phase = tokio::select! {
            _ = ticks.tick() => false,
            _ = phases.changed() => true,
        };
        let Some(progress) = drive.progress() else {
            return;
        };
        let since_start = clock.now().since_start();
        let mut display = display.borrow_mut();
        if is_new_phase {
            display.count_from(since_start, progress);
        } else {
            let ask = || match &feed {
                Some(feed) => feed.so_far(),
                None => drive
                    .ask(|recorder, _| recorder.so_far())
                    .unwrap_or_default(),
            };
            display.show(since_start, progress, ask);
        }
    }
}
