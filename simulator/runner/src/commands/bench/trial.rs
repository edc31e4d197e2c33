//! One trial of a bench: a broker, a load on it for a time, and what both used meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use rustix::time::{ClockId, clock_gettime};
use squall_run::bench::{Counted, Figures};
use squall_saturate::{Account, Counters, Engine, Load, LoadError, OpenLayers};
use squall_scenario::Scenario;
use tokio::task::spawn_blocking;

use super::access;
use super::figures::{self, Reading, Seen, SystemCalls};
use super::plan::BenchPlan;
use crate::bench_args::Pattern;
use crate::clock::Clock;
use crate::commands::with_causes;
use crate::connect_args::LoginArgs;
use crate::exit::Failure;
use crate::machine::cores;
use crate::machine::disk;
use crate::machine::processes::Processes;
use crate::machine::switches;
use crate::machine::system_calls::{CannotCount, SystemCallCounter};
use crate::machine::waits;
use crate::run::signals::StopSignals;
use crate::target::{Ending, Haste, Target};
use crate::transport_advice;

/// How long a broker on which a load has failed may take to answer.
const STILL_THERE_MAX: Duration = Duration::from_secs(5);

/// How long the load goes on for the broker's system calls to be counted.
const CALLS_COUNTED_FOR: Duration = Duration::from_secs(1);

/// Where broker and generator run, with `--pin`.
#[derive(Clone, Copy, Debug)]
pub struct Pinned {
    /// The core of all the broker's threads.
    pub broker: usize,
    /// The core of the generator's thread.
    pub generator: usize,
}

impl Pinned {
    /// The first two cores that this process may use.
    pub fn on_two_cores() -> Result<Self, Failure> {
        match cores::allowed().as_slice() {
            [broker, generator, ..] => Ok(Self {
                broker: *broker,
                generator: *generator,
            }),
            _ => Err(Failure::Usage(
                "--pin needs two cores, one for the broker and one for the generator, and this process may use one".to_owned(),
            )),
        }
    }
}

/// What all trials of a bench have in common.
pub struct Setting<'a> {
    /// What is to be done.
    pub plan: &'a BenchPlan,
    /// `None` leaves it to the system.
    pub pinned: Option<Pinned>,
    /// The process of a broker that runs already.
    pub target_pid: Option<u32>,
    /// Who the clients are.
    pub login: &'a LoginArgs,
}

/// A trial that came to its end.
pub struct Trial {
    /// On what, as a run file describes it.
    pub target: squall_run::Target,
    /// The QoS that it was at, which may be lower than was asked for.
    pub qos: u8,
    /// What was found.
    pub figures: Figures,
}

/// Carries a trial out. A target that squall started is stopped in any case.
pub async fn run(
    setting: &Setting<'_>,
    scenario: &Scenario,
    signals: &mut StopSignals,
) -> Result<Trial, Failure> {
    let load = async |target: &Target, signals: &mut StopSignals| {
        on(setting, setting.plan, scenario, target, signals).await
    };
    let (target, seen) = on_fresh(scenario, signals, load).await?;
    Ok(Trial {
        target,
        qos: seen.qos,
        figures: figures::of(&seen),
    })
}

/// Starts the target, puts one `load` or several on it, and stops it in any case where squall started it. What it is, as a run
/// file describes it, with what the loads found.
pub async fn on_fresh<T>(
    scenario: &Scenario,
    signals: &mut StopSignals,
    load: impl AsyncFnOnce(&Target, &mut StopSignals) -> Result<T, Failure>,
) -> Result<(squall_run::Target, T), Failure> {
    let log = tempfile::NamedTempFile::new().context("cannot write to the temporary folder")?;
    let mut target = tokio::select! {
        started = Target::start(scenario, log.path()) => started.map_err(with_options)?,
        name = signals.next() => {
            return Err(Failure::Stopped(format!("stopped by {name} before the target answered")));
        }
    };
    let described = target.describe(&scenario.traits);
    let measured = load(&target, signals).await;
    let name = target.name();
    if let Err(Failure::Unreachable(_)) = measured {
        // A broker that is ending is not taken for one that ends because it is told to.
        let _ = target.ask(STILL_THERE_MAX).await;
    }
    // The load has ended: what is not ended by now, ends because it is told to.
    let ending = target.stop(Haste::Patient).await;
    match (measured, ending) {
        (Err(Failure::Unreachable(why)), ending) => {
            let why = with_end(&why, &name, ending.as_ref(), &target);
            Err(Failure::Unreachable(why))
        }
        (measured, _) => Ok((described, measured?)),
    }
}

/// The same with the names of the options that a bench has.
fn with_options(failure: Failure) -> Failure {
    let Failure::Unreachable(told) = failure else {
        return failure;
    };
    Failure::Unreachable(transport_advice::with_options(&told))
}

/// How the broker ended, if that may be why the load did.
fn with_end(why: &str, name: &str, ending: Option<&Ending>, target: &Target) -> String {
    match ending.and_then(Ending::status) {
        None => format!("target {name}: {why}"),
        Some(status) => {
            let lines: Vec<String> = target.last_lines();
            let lines = match lines.is_empty() {
                true => "it printed nothing".to_owned(),
                false => format!("it printed last:\n{}", lines.join("\n")),
            };
            format!("target {name} ended by itself with {status} ({why}); {lines}")
        }
    }
}

/// Puts the load of `plan` on a target that runs, by clients of its own.
pub async fn on(
    setting: &Setting<'_>,
    plan: &BenchPlan,
    scenario: &Scenario,
    target: &Target,
    signals: &mut StopSignals,
) -> Result<Seen, Failure> {
    let address = target.first();
    let processes = match setting.target_pid {
        Some(pid) => Some(Processes::One(pid)),
        None => target.processes(),
    };
    if let Some(pinned) = setting.pinned {
        let all = processes.map(Processes::all).unwrap_or_default();
        cores::keep_processes(&all, pinned.broker).map_err(|error| {
            Failure::Usage(format!("--pin: the broker cannot be moved: {error}"))
        })?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let job = Job {
        pattern: plan.pattern,
        load: plan.load(scenario),
        address: address.socket,
        layers: Arc::new(address.layers.clone()),
        processes,
        generator_core: setting.pinned.map(|pinned| pinned.generator),
        shared_cores: match setting.pinned {
            Some(_) => None,
            None => u32::try_from(cores::allowed().len()).ok(),
        },
        warmup: plan.warmup,
        duration: plan.duration,
        // A search has steps enough, and clients that only connect are no load.
        calls: match plan.bound.is_none() && plan.pattern != Pattern::Conn {
            true => Calls::Counted,
            false => Calls::NotCounted,
        },
        stop: Arc::clone(&stop),
    };
    let mut working = spawn_blocking(move || job.work());
    let by = tokio::select! {
        worked = &mut working => {
            let worked = worked.context("the generator failed")?;
            return worked.map_err(|error| failure(error, setting.login));
        }
        by = signals.next() => by,
    };
    stop.store(true, Ordering::Relaxed);
    // It ends with its turn; what it found is of no use.
    let _ = working.await;
    Err(Failure::Stopped(format!("stopped by {by}")))
}

fn failure(error: JobError, login: &LoginArgs) -> Failure {
    match error {
        JobError::Load(error @ LoadError::Unfinished { .. }) => {
            Failure::NothingFollows(with_causes(&error))
        }
        JobError::Load(LoadError::Refused { client, reason }) => {
            Failure::Unreachable(access::refused_text(client, reason, login))
        }
        JobError::Load(error) => Failure::Unreachable(with_causes(&error)),
        JobError::Core(error) => {
            Failure::Usage(format!("--pin: the generator cannot be moved: {error}"))
        }
        JobError::NoProcess => Failure::Usage("--target-pid: there is no such process".to_owned()),
    }
}

/// What the generator's thread does.
struct Job {
    pattern: Pattern,
    load: Load,
    address: SocketAddr,
    layers: Arc<dyn OpenLayers>,
    processes: Option<Processes>,
    generator_core: Option<usize>,
    shared_cores: Option<u32>,
    warmup: Duration,
    duration: Duration,
    calls: Calls,
    stop: Arc<AtomicBool>,
}

/// Whether the broker's system calls are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Calls {
    Counted,
    NotCounted,
}

/// Why it did not come to its end.
enum JobError {
    Load(LoadError),
    Core(nix::errno::Errno),
    NoProcess,
}

impl From<LoadError> for JobError {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl Job {
    fn work(self) -> Result<Seen, JobError> {
        if let Some(core) = self.generator_core {
            cores::keep_this_thread(core).map_err(JobError::Core)?;
        }
        let Self {
            load, processes, ..
        } = self;
        let rss = || Some(processes?.usage()?.rss_bytes);
        let connections = (load.publishers.len() + load.subscribers.len()) as u64;
        let qos = load.qos as u8;
        let counted = match (self.pattern, load.subscribers.is_empty(), qos) {
            (Pattern::Conn, _, _) => Counted::Connected,
            (_, false, _) => Counted::Delivered,
            (_, true, 0) => Counted::Published,
            (_, true, _) => Counted::Acknowledged,
        };
        let clock = Clock::start();
        let idle_bytes = rss();
        if processes.is_some() && idle_bytes.is_none() {
            return Err(JobError::NoProcess);
        }
        let mut before = reading(Counters::default(), processes, clock);
        let mut engine = Engine::connect(load, self.address, self.layers, self.stop)?;
        let connected_bytes = rss();

        let mut after = reading(engine.counters(), processes, clock);
        if counted != Counted::Connected {
            engine.run(self.warmup)?;
            // Those of the warm-up.
            drop((engine.take_latencies(), engine.take_lags()));
            engine.take_longest_pause();
            before = reading(engine.counters(), processes, clock);
            engine.run(self.duration)?;
            after = reading(engine.counters(), processes, clock);
        }
        let (latencies, lags) = (engine.take_latencies(), engine.take_lags());
        let longest_pause = engine.take_longest_pause();
        let account = account_after_drain(&mut engine, qos)?;
        let unacknowledged_max = engine.unacknowledged_max();
        // Counting slows the broker, so nothing that the trial is judged by is from then.
        let system_calls = match (self.calls, processes) {
            (Calls::Counted, Some(processes)) => {
                let time = CALLS_COUNTED_FOR.min(self.duration);
                count_calls(&mut engine, processes, counted, time)?
            }
            (Calls::Counted, None) | (Calls::NotCounted, _) => SystemCalls::NotAsked,
        };
        engine.leave();
        Ok(Seen {
            before,
            after,
            latencies,
            lags,
            longest_pause,
            account,
            idle_bytes,
            connected_bytes,
            shared_cores: self.shared_cores,
            connections,
            counted,
            qos,
            unacknowledged_max,
            system_calls,
        })
    }
}

/// What became of all messages. Of a broker that does not answer, or is not done in time, no more than what it did wrong for certain.
fn account_after_drain(engine: &mut Engine, qos: u8) -> Result<Account, LoadError> {
    let Err(error) = engine.drain() else {
        return Ok(engine.account());
    };
    let certain = engine.account().without_what_may_come();
    match figures::account_of(&certain).broken(qos).is_empty() {
        true => Err(error),
        false => Ok(certain),
    }
}

/// Keeps the load up for a further `time`, in which the broker's system calls are counted: it is slower meanwhile.
fn count_calls(
    engine: &mut Engine,
    processes: Processes,
    counted: Counted,
    time: Duration,
) -> Result<SystemCalls, LoadError> {
    let missing = |why: CannotCount| Ok(SystemCalls::Missing(why.to_string()));
    let mut counter = match SystemCallCounter::start(&processes.all()) {
        Ok(counter) => counter,
        Err(why) => return missing(why),
    };
    let (before, first) = (engine.counters(), counter.count());
    engine.run(time)?;
    let (after, last) = (engine.counters(), counter.count());
    // What is still under way is no longer asked about, and the next trial begins without it.
    let _ = engine.drain();
    let messages = figures::count_of(counted, &after) - figures::count_of(counted, &before);
    match (first, last) {
        (Ok(first), Ok(last)) => Ok(SystemCalls::Counted {
            calls: last.saturating_sub(first),
            messages,
        }),
        (Err(why), _) | (_, Err(why)) => missing(why),
    }
}

fn reading(counters: Counters, processes: Option<Processes>, clock: Clock) -> Reading {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Reading {
        at_s: clock.now().as_secs_f64(),
        counters,
        generator_s: used.tv_sec as f64 + used.tv_nsec as f64 * 1e-9,
        generator_waited_s: waits::of_this_thread(),
        broker: processes.and_then(Processes::usage),
        switches: processes.and_then(|processes| switches::of(&processes.all())),
        written_bytes: processes.and_then(|processes| disk::written_bytes(&processes.all())),
    }
}
