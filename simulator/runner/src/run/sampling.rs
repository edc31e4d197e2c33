//! Readings of what the broker and this process use, while a run goes on: once a second, and where a
//! phase begins, so that those at the borders of the measured part bound what it used.
//!
//! A broker may have hundreds of threads and workers, whose files in `/proc` take milliseconds to read: a
//! thread of its own reads them, not the one that stamps packets. Each reading says when it was made, so
//! the figures of the measured part are those between two readings and name the time of both.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use squall_fleet::{Phase, Sink};
use squall_run::{PhaseKind, ProcessLog, Reading, Resources, Workers};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::Clock;
use crate::drive::Drive;
use crate::machine::process::Usage;
use crate::machine::processes::Processes;

/// The time between two readings.
const PERIOD: Duration = Duration::from_secs(1);

/// Reads what processes use together; `None` if they are gone.
type ReadUsage = dyn Fn(Processes) -> Option<Usage> + Send + Sync;

/// What was read so far. Clones share it.
#[derive(Clone)]
pub struct Sampler {
    clock: Clock,
    /// The broker's processes, if they are ours.
    processes: Option<Processes>,
    read_usage: Arc<ReadUsage>,
    logs: Rc<RefCell<Logs>>,
}

#[derive(Default)]
struct Logs {
    broker: ProcessLog,
    generator: ProcessLog,
}

/// One reading of each; `None` for processes that are gone or not ours.
struct Readings {
    generator: Option<Reading>,
    broker: Option<Reading>,
}

impl Sampler {
    /// Nothing was read yet. `broker` are the broker's processes, if they are ours.
    pub fn new(broker: Option<Processes>, clock: Clock) -> Self {
        Self {
            clock,
            processes: broker,
            read_usage: Arc::new(Processes::usage),
            logs: Rc::default(),
        }
    }

    /// Reads until dropped. Seconds count anew from the beginning of each phase.
    pub async fn run<S: Sink + 'static>(self, drive: Drive<S>) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut phases = drive.phases();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                // The sender is the drive, which is there as long as this task.
                _ = phases.changed() => ticks.reset(),
            }
            self.read(drive.phase().and_then(Phase::kind)).await;
        }
    }

    /// Reads each process once, in `phase`; `None` is after the drain. Other tasks go on meanwhile.
    pub async fn read(&self, phase: Option<PhaseKind>) {
        let (clock, processes) = (self.clock, self.processes);
        let read_usage = Arc::clone(&self.read_usage);
        let reading = spawn_blocking(move || Readings {
            generator: reading(Processes::One(std::process::id()), clock, &*read_usage),
            broker: processes.and_then(|broker| reading(broker, clock, &*read_usage)),
        });
        // It fails only with the event loop.
        let Ok(Readings { generator, broker }) = reading.await else {
            return;
        };
        let mut logs = self.logs.borrow_mut();
        if let Some(reading) = generator {
            logs.generator.add(phase, reading);
        }
        if let Some(reading) = broker {
            logs.broker.add(phase, reading);
        }
    }

    /// The readings, as the run file holds them, beside what is known of `workers`.
    pub fn resources(&self, workers: Option<Workers>) -> Resources {
        let logs = self.logs.borrow();
        Resources {
            broker: logs.broker.record(),
            generator: logs.generator.record(),
            workers,
        }
    }
}

/// What processes use, at the moment halfway through the reading.
fn reading(processes: Processes, clock: Clock, read_usage: &ReadUsage) -> Option<Reading> {
    let began = clock.now();
    let usage = read_usage(processes)?;
    let took = clock.now().saturating_since(began);
    Some(Reading {
        at_s: (began + took / 2).as_secs_f64(),
        cpu_total_s: usage.cpu.as_secs_f64(),
        rss_bytes: usage.rss_bytes,
        descriptors: usage.descriptors,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use tokio::task::{LocalSet, spawn_local};

    use super::*;

    /// Longer than any machine takes to run a task that is ready.
    const HELD_UP: Duration = Duration::from_secs(60);

    /// While the target's files are being read, other tasks of the event loop run: the reading here ends
    /// when one of them says so.
    #[test]
    fn a_target_that_is_slow_to_read_holds_nothing_up() {
        let (told, hears) = mpsc::channel();
        let hears = Mutex::new(hears);
        let target = Processes::Below(1);
        let read_usage = move |processes| {
            if processes == target {
                let hears = hears.lock().expect("no reading panics");
                hears.recv_timeout(HELD_UP).ok()?;
            }
            Some(Usage::default())
        };
        let sampler = Sampler {
            read_usage: Arc::new(read_usage),
            ..Sampler::new(Some(target), Clock::start())
        };
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().expect("it can be made");

        LocalSet::new().block_on(&runtime, async {
            spawn_local(async move { told.send(()) });
            sampler.read(Some(PhaseKind::Measure)).await;
        });

        assert_eq!(sampler.resources(None).broker.samples.len(), 1);
    }

    /// The figures of the measured part cover the time between their two readings, and say which it is.
    #[test]
    fn the_window_is_that_of_the_readings() {
        let clock = Clock::start();
        let sampler = Sampler::new(None, clock);
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.build().expect("it can be made");

        let began = clock.now().as_secs_f64();
        runtime.block_on(sampler.read(Some(PhaseKind::Measure)));
        let middle = clock.now().as_secs_f64();
        runtime.block_on(sampler.read(Some(PhaseKind::Drain)));
        let ended = clock.now().as_secs_f64();

        let used = sampler.resources(None).generator.measured;
        let used = used.expect("there is a reading at each border");
        assert!(began <= used.from_s && used.from_s <= middle, "{used:?}");
        assert!(middle <= used.to_s && used.to_s <= ended, "{used:?}");
    }
}
