//! Readings of what the broker and this process use, while a run goes on: once a second, and where a
//! phase begins, so that those at the borders of the measured part bound what it used.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall_fleet::{Phase, Sink};
use squall_protocol::Instant;
use squall_run::{PhaseKind, ProcessLog, Reading, Resources};
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::Clock;
use crate::drive::Drive;
use crate::machine::processes::Processes;

/// The time between two readings.
const PERIOD: Duration = Duration::from_secs(1);

/// What was read so far. Clones share it.
#[derive(Clone)]
pub struct Sampler {
    /// The broker's processes, if they are ours.
    processes: Option<Processes>,
    logs: Rc<RefCell<Logs>>,
}

#[derive(Default)]
struct Logs {
    broker: ProcessLog,
    generator: ProcessLog,
}

impl Sampler {
    /// Nothing was read yet. `broker` are the broker's processes, if they are ours.
    pub fn new(broker: Option<Processes>) -> Self {
        Self {
            processes: broker,
            logs: Rc::default(),
        }
    }

    /// Reads until dropped. Seconds count anew from the beginning of each phase.
    pub async fn run<S: Sink + 'static>(self, clock: Clock, drive: Drive<S>) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut phases = drive.phases();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                // The sender is the drive, which is there as long as this task.
                _ = phases.changed() => ticks.reset(),
            }
            let phase = drive.phase().and_then(Phase::kind);
            self.read(clock.now(), phase);
        }
    }

    /// Reads each process once, in `phase`; `None` is after the drain.
    pub fn read(&self, now: Instant, phase: Option<PhaseKind>) {
        let mut logs = self.logs.borrow_mut();
        let of_broker = self.processes.and_then(|broker| reading(now, broker));
        if let Some(reading) = of_broker {
            logs.broker.add(phase, reading);
        }
        let generator = Processes::One(std::process::id());
        if let Some(reading) = reading(now, generator) {
            logs.generator.add(phase, reading);
        }
    }

    /// The readings, as the run file holds them.
    pub fn resources(&self) -> Resources {
        let logs = self.logs.borrow();
        Resources {
            broker: logs.broker.record(),
            generator: logs.generator.record(),
        }
    }
}

/// `None` if the processes are gone.
fn reading(now: Instant, processes: Processes) -> Option<Reading> {
    let usage = processes.usage()?;
    Some(Reading {
        at_s: now.as_secs_f64(),
        cpu_total_s: usage.cpu.as_secs_f64(),
        rss_bytes: usage.rss_bytes,
        descriptors: usage.descriptors,
    })
}
