//! The charts of a report: one file a kind, each from a run to a [`Figure`].
//!
//! Nothing is computed from raw samples here that `squall_run` can compute; a chart chooses what
//! is shown and what it is called. A kind without data gives `None`.

pub(crate) mod against;
pub(crate) mod backlog;
pub(crate) mod connect_latency;
pub(crate) mod connections;
mod draw;
pub(crate) mod figure;
pub(crate) mod font;
pub(crate) mod heat_map;
mod image;
pub(crate) mod latency_histogram;
pub(crate) mod latency_over_time;
mod limits;
pub(crate) mod network;
pub(crate) mod over_time;
pub(crate) mod payload_rate;
pub(crate) mod processes;
pub(crate) mod qos2_legs;
pub(crate) mod rate_latency;
mod rows;
mod scale;
pub(crate) mod schedule_lag;
pub(crate) mod sides;
pub(crate) mod silent_will;
pub(crate) mod spectrum;
pub(crate) mod spent;
pub(crate) mod takeover;
pub(crate) mod theme;
pub(crate) mod throughput;
pub(crate) mod time_to_will;
mod unit;

pub(crate) use draw::{Canvas, Surface};
pub use image::ChartError;

use figure::Figure;

/// A chart with what a page and a file name need.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chart {
    /// Name of its files, without ending: `latency-spectrum`.
    pub(crate) id: String,
    /// What it shows, as a heading.
    pub(crate) title: String,
    /// How to read it, in a sentence or two.
    pub(crate) caption: String,
    /// What is drawn.
    pub(crate) figure: Figure,
}

impl Chart {
    /// A chart, unless its figure has nothing in it.
    fn of(id: &str, title: &str, caption: &str, figure: Figure) -> Option<Self> {
        (!figure.is_empty()).then(|| Self {
            id: id.to_owned(),
            title: title.to_owned(),
            caption: caption.to_owned(),
            figure,
        })
    }
}

#[cfg(test)]
mod tests;
