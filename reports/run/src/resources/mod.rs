//! What processes used, sampled by the runner.

mod log;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Histogram, Series};

pub use log::{ProcessLog, Reading};

/// What the broker and squall itself used. Empty where nothing could be sampled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// The broker's processes, if squall started them.
    pub broker: ProcessRecord,
    /// The process that ran the devices.
    pub generator: ProcessRecord,
    /// The threads that had the devices' connections; `None` if the one that ran the devices had them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<Workers>,
}

/// Threads that had the devices' connections, each its share of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workers {
    /// How many there were.
    pub count: u16,
    /// How long what devices asked for was on its way to them, one sample for what went together. It is part of
    /// each latency; where it took 1 ms or more, the generator is said to have stood still.
    pub handed_over: Histogram,
    /// How long what came at their connections was on its way back, one sample for what went together. It is taken out of
    /// latencies.
    pub reported: Histogram,
}

/// What a process used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessRecord {
    /// Over time, in order: from the start of the run to its end.
    pub samples: Vec<ProcessSample>,
    /// In the measured part; `None` if that has no two readings.
    pub measured: Option<ProcessUse>,
    /// The most resident memory of the whole run; 0 without samples.
    pub rss_peak_of_run_bytes: u64,
}

impl ProcessRecord {
    /// The most resident memory of the whole run; `None` if nothing was sampled.
    pub fn rss_peak_of_run(&self) -> Option<u64> {
        (!self.samples.is_empty()).then_some(self.rss_peak_of_run_bytes)
    }

    /// What a connection costs: resident memory above that of the first sample, which is taken before
    /// the first connect, divided by the devices online; of the samples in the measured part. `None` without
    /// such a sample, or with no device online at any.
    ///
    /// This is where the summary and the metric `broker_rss_per_connection` have it from.
    pub fn rss_per_connection(&self, series: &Series) -> Option<Spread> {
        let before = self.samples.first()?;
        let used = self.measured?;
        let each = self
            .samples
            .iter()
            .filter(|sample| (used.from_s..=used.to_s).contains(&sample.at_s))
            .filter_map(|sample| {
                let online = series.at(sample.at_s)?.online;
                let grown = sample.rss_bytes.saturating_sub(before.rss_bytes);
                (online > 0).then(|| grown as f64 / online as f64)
            });
        Spread::of_all(each)
    }
}

/// What a process used up to one moment, since the sample before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessSample {
    /// When it was taken, since the start of the run.
    pub at_s: f64,
    /// Processor use since the sample before: 1.0 is one core fully busy.
    pub cpu_cores: f64,
    /// Processor time since the process began, user and system.
    pub cpu_total_s: f64,
    /// Resident memory. In a run of more than ten minutes neighbours are merged: the most of both.
    pub rss_bytes: u64,
    /// Open descriptors, merged likewise.
    pub descriptors: u64,
}

/// What a process used between two readings at the borders of the measured part.
///
/// Connecting, warm-up, drain and idle time are not in it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessUse {
    /// When the first reading was taken: when the measured part began, or as soon after as squall came.
    pub from_s: f64,
    /// When the last one was taken: likewise after the end.
    pub to_s: f64,
    /// Readings, those at both borders included.
    pub readings: u64,
    /// Processor time in between.
    pub cpu_s: f64,
    /// Processor use in cores over stretches of about a second, of which the first begins at `from_s`.
    pub cpu_cores: Spread,
    /// Resident memory in bytes, of all readings.
    pub rss_bytes: Spread,
}

/// A number that goes up and down, in figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// The least number.
    pub least: f64,
    /// The mean: of processor use over time, of other numbers over the readings.
    pub mean: f64,
    /// The greatest number.
    pub peak: f64,
    /// The last number.
    pub last: f64,
}

impl Spread {
    /// Of numbers in order of time; `None` without any.
    fn of_all(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let numbers: Vec<f64> = numbers.collect();
        Some(Self {
            least: numbers.iter().copied().reduce(f64::min)?,
            mean: numbers.iter().sum::<f64>() / numbers.len() as f64,
            peak: numbers.iter().copied().reduce(f64::max)?,
            last: *numbers.last()?,
        })
    }
}

impl ProcessUse {
    /// Length of the window that it is of.
    pub fn length_s(&self) -> f64 {
        self.to_s - self.from_s
    }
}
