//! Samples of what the broker and this process use, once a second while a run goes on.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;
use squall_run::{ProcessSample, Resources};
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::Clock;
use crate::machine::process;

/// Between two samples.
const PERIOD: Duration = Duration::from_secs(1);

/// The samples so far. Clones share them.
#[derive(Clone, Default)]
pub struct Sampler {
    resources: Rc<RefCell<Resources>>,
}

impl Sampler {
    /// Samples until dropped. `broker` is the broker's process, if it is ours.
    pub async fn run(self, clock: Clock, broker: Option<u32>) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sample(clock.now(), broker);
        }
    }

    /// Takes one sample of each process.
    pub fn sample(&self, now: Instant, broker: Option<u32>) {
        let mut resources = self.resources.borrow_mut();
        if let Some(pid) = broker {
            add(&mut resources.broker, now, pid);
        }
        add(&mut resources.generator, now, std::process::id());
    }

    /// The samples.
    pub fn take(&self) -> Resources {
        self.resources.take()
    }
}

/// A process that is gone adds nothing.
fn add(samples: &mut Vec<ProcessSample>, now: Instant, pid: u32) {
    let Some(usage) = process::usage(pid) else {
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
