//! What processes used, sampled by the runner.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Samples of the broker and of squall itself. Empty where nothing could be sampled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// The broker's process, if squall started it.
    pub broker: Vec<ProcessSample>,
    /// The process that ran the devices.
    pub generator: Vec<ProcessSample>,
}

/// What a process used at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessSample {
    /// When it was taken, since the start of the run.
    pub at_s: f64,
    /// Processor use since the sample before: 1.0 is one core fully busy.
    pub cpu_cores: f64,
    /// Processor time since the process began, user and system.
    pub cpu_total_s: f64,
    /// Resident memory.
    pub rss_bytes: u64,
    /// Open descriptors.
    pub descriptors: u64,
}

impl Resources {
    /// Highest resident memory of `samples`, if there are any.
    pub fn peak_rss_bytes(samples: &[ProcessSample]) -> Option<u64> {
        samples.iter().map(|sample| sample.rss_bytes).max()
    }

    /// Mean processor use over `samples`, by the first and last total: `None` with fewer than two.
    pub fn mean_cores(samples: &[ProcessSample]) -> Option<f64> {
        let (first, last) = (samples.first()?, samples.last()?);
        let length = last.at_s - first.at_s;
        (length > 0.0).then(|| (last.cpu_total_s - first.cpu_total_s) / length)
    }
}
