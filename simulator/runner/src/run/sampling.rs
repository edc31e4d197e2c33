//! Samples of what the broker and this process use, once a second while a run goes on.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;
use squall_run::{ProcessSample, Resources};
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::Clock;
use crate::machine::process::Processes;

/// Between two samples.
const PERIOD: Duration = Duration::from_secs(1);

/// The samples so far. Clones share them.
#[derive(Clone, Default)]
pub struct Sampler {
    resources: Rc<RefCell<Resources>>,
}

impl Sampler {
    /// Samples until dropped. `broker` are the broker's processes, if they are ours.
    pub async fn run(self, clock: Clock, broker: Option<Processes>) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sample(clock.now(), broker);
        }
    }

    /// Takes one sample of each process.
    pub fn sample(&self, now: Instant, broker: Option<Processes>) {
        let mut resources = self.resources.borrow_mut();
        if let Some(broker) = broker {
            add(&mut resources.broker, now, broker);
        }
        let generator = Processes::One(std::process::id());
        add(&mut resources.generator, now, generator);
    }

    /// The samples.
    pub fn take(&self) -> Resources {
        self.resources.take()
    }
}

/// Processes that are gone add nothing.
fn add(samples: &mut Vec<ProcessSample>, now: Instant, processes: Processes) {
    let Some(usage) = processes.usage() else {
        return;
    };
    let (at_s, cpu_total_s) = (now.as_secs_f64(), usage.cpu.as_secs_f64());
    let cpu_cores = samples.last().map_or(0.0, |last| {
        let seconds = at_s - last.at_s;
        if seconds > 0.0 {
            (cpu_total_s - last.cpu_total_s) / seconds
        } else {
            0.0
        }
    });
    samples.push(ProcessSample {
        at_s,
        cpu_cores,
        cpu_total_s,
        rss_bytes: usage.rss_bytes,
        descriptors: usage.descriptors,
    });
}
