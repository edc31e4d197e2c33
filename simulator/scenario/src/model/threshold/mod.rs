//! Thresholds: numbers with limits, in k6's syntax.

mod parse;

use std::time::Duration;

use squall_protocol::QoS;
use squall_run::{Aggregate, Comparison, MetricName};

use crate::DropKind;
use crate::id::GroupId;

pub use parse::ThresholdError;
pub(crate) use parse::example_condition;

/// One entry of `[thresholds]`: a metric, and every condition it must meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The numbers that are compared.
    pub selector: MetricSelector,
    /// What must hold for them; at least one condition.
    pub conditions: Vec<Condition>,
}

/// A metric and the part of it that is meant, as `e2e_latency{group=backend}`.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSelector {
    /// What is measured.
    pub metric: MetricName,
    /// What the metric is narrowed down to.
    pub tags: MetricTags,
    /// The text in the file.
    pub text: String,
}

/// What a selector narrows a metric down to; `None` is everything.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MetricTags {
    /// Devices of this group; for `e2e_latency`, `service_latency` and `delivery_rate` those that receive.
    pub group: Option<GroupId>,
    /// Messages published with this QoS.
    pub qos: Option<QoS>,
    /// Wills after this kind of drop.
    pub how: Option<DropKind>,
}

/// One condition, as `p99 < 250ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The aggregate that is compared; one that the metric has.
    pub aggregate: Aggregate,
    /// How it is compared.
    pub comparison: Comparison,
    /// What it is compared with, in the metric's unit.
    pub limit: Limit,
    /// The text in the file.
    pub text: String,
}

/// A limit with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Of a time.
    Time(Duration),
    /// Of a size in bytes.
    Bytes(u64),
    /// Of a count, a rate per second or a number of cores.
    Number(f64),
}

impl Limit {
    /// In seconds, bytes, or as it is.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64(),
            Self::Bytes(bytes) => bytes as f64,
            Self::Number(number) => number,
        }
    }
}
