//! What is measured: one vocabulary of metrics, and the distributions of a run by name and tags.
//!
//! Scenarios parse thresholds into these names, the ledger measures under them, and reports explain
//! them. What may be asked of a metric follows from its [`MetricKind`].

mod aggregate;
mod cell;
mod kind;
#[cfg(test)]
mod made_up;
mod name;
mod population;

pub use aggregate::{Aggregate, NotAnAggregate};
pub use cell::{CountedFrom, MetricCell, Metrics, Tags};
pub use kind::MetricKind;
pub use name::{MetricName, Tag, UnknownMetric, WithoutLag};
pub use population::Population;
