//! A search of the highest rate at which a bound holds, as far as a chart and a table show it.

/// A search of the highest rate at which a bound on the latency holds, on one target or several.
#[derive(Clone, Debug, PartialEq)]
pub struct RateSearch {
    /// What was put on each target, in words.
    pub load: String,
    /// The bound, as it was written: `p99 < 10ms`.
    pub bound: String,
    /// The latency that is bound: `p99`.
    pub bound_of: String,
    /// Its limit in microseconds.
    pub limit_us: f64,
    /// When it began, as a date.
    pub date: String,
    /// The version of squall.
    pub version: String,
    /// In the order in which they are told.
    pub targets: Vec<RateTarget>,
}

/// What was found of one target.
#[derive(Clone, Debug, PartialEq)]
pub struct RateTarget {
    /// What it is called.
    pub name: String,
    /// Product and version, if they are known.
    pub software: Option<String>,
    /// The highest rate that held, messages a second; of several repeats the median.
    pub held_per_s: Option<f64>,
    /// Whether it may carry more, because something else was the limit.
    pub is_at_least: bool,
    /// Of all repeats, in the order in which they were made.
    pub steps: Vec<RateStep>,
}

/// One step of a search. Latencies are in microseconds; those with too few samples are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct RateStep {
    /// Which repeat, from 1.
    pub repeat: u32,
    /// Messages a second that were asked for.
    pub rate: f64,
    /// 2 if the step before failed at the same rate.
    pub attempt: u32,
    /// Whether all that a step must do held.
    pub holds: bool,
    /// What did not, in words.
    pub why: String,
    /// Messages a second that were sent.
    pub sent_per_s: f64,
    /// Deliveries a second that came.
    pub delivered_per_s: f64,
    /// Deliveries that did not come.
    pub lost: u64,
    /// The median.
    pub p50_us: Option<f64>,
    /// The 99th percentile.
    pub p99_us: Option<f64>,
    /// The latency that is bound.
    pub bound_us: Option<f64>,
    /// Processor time of the broker for each delivery, in microseconds.
    pub broker_us_per_message: Option<f64>,
    /// Cores that the broker kept busy.
    pub broker_cores: Option<f64>,
    /// Share of a core that the generator kept busy.
    pub generator_cores: f64,
}
