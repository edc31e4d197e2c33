//! How often things happened in the measured part.
//!
//! A rate is a count over the exact length of the measured part, never over whole seconds of some
//! clock. The fullest and emptiest seconds are those of windows of one second, of which the first
//! begins with the measured part; the last one is longer by what is left at its end, so that the mean
//! lies between them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Tags;

/// A kind of event that is counted.
#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A message was due. Belongs to the moment at which it was, whenever the generator came to it.
    Due,
    /// A message was handed to a link for the first time. Belongs to the moment of that.
    Sent,
    /// A message came to a recipient for the first time: further copies, wills and messages of other
    /// clients do not count.
    Delivered,
    /// CONNACK with success.
    Connected,
    /// A message that was due was given up before it was sent. Belongs to the moment at which it was due.
    Dropped,
    /// Something was refused or broken.
    Error,
}

/// Rates of a run, by event and tags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rates {
    /// Exact length of the measured part; 0 if it never began.
    pub measured_s: f64,
    /// What was counted. An event that happened is in one entry for each selection of `group` and `qos`
    /// that takes it, the empty one included.
    pub entries: Vec<RateEntry>,
}

/// Events of one kind and selection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RateEntry {
    /// What was counted.
    pub event: Event,
    /// Of which group and QoS; without a tag, of all.
    pub tags: Tags,
    /// In the measured part.
    pub count: u64,
    /// In the whole run, but not in the warm-up.
    pub count_without_warmup: u64,
    /// Events a second in the emptiest window; `None` if there was no full second, and for events that belong to
    /// another moment than that at which they are noticed.
    pub emptiest_second: Option<f64>,
    /// As `emptiest_second`, in the fullest.
    pub fullest_second: Option<f64>,
}

/// A rate in figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateFigures {
    /// Events in the measured part.
    pub count: u64,
    /// Events a second over the measured part.
    pub mean_per_s: f64,
    /// Windows of a second or more that the measured part was divided into.
    pub windows: u64,
    /// Events a second of the emptiest window.
    pub least_per_s: Option<f64>,
    /// Events a second of the fullest window.
    pub peak_per_s: Option<f64>,
}

impl Rates {
    /// The figures of the events that carry exactly `tags`; `None` if the measured part never began.
    ///
    /// This is where every summary, threshold and tile has its rates from.
    pub fn figures(&self, event: Event, tags: &Tags) -> Option<RateFigures> {
        if self.measured_s <= 0.0 {
            return None;
        }
        let entry = self.entry(event, tags);
        let seconds = (self.measured_s >= 1.0).then_some(0.0);
        let count = entry.map_or(0, |entry| entry.count);
        Some(RateFigures {
            count,
            mean_per_s: count as f64 / self.measured_s,
            windows: self.measured_s as u64,
            least_per_s: entry.map_or(seconds, |entry| entry.emptiest_second),
            peak_per_s: entry.map_or(seconds, |entry| entry.fullest_second),
        })
    }

    /// Events in the whole run, but not in the warm-up, that carry exactly `tags`.
    pub fn count_without_warmup(&self, event: Event, tags: &Tags) -> u64 {
        let entry = self.entry(event, tags);
        entry.map_or(0, |entry| entry.count_without_warmup)
    }

    fn entry(&self, event: Event, tags: &Tags) -> Option<&RateEntry> {
        self.entries
            .iter()
            .find(|entry| entry.event == event && entry.tags == *tags)
    }

    /// As [`Self::figures`], of all groups and QoS.
    pub fn of_all(&self, event: Event) -> Option<RateFigures> {
        self.figures(event, &Tags::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What never happened has a rate of zero, if there was a time in which it could have.
    #[test]
    fn what_never_happened_has_a_rate_of_zero() {
        let rates = Rates {
            measured_s: 2.5,
            entries: Vec::new(),
        };

        let figures = rates.of_all(Event::Sent).unwrap();

        assert_eq!((figures.count, figures.mean_per_s), (0, 0.0));
        assert_eq!(
            (figures.least_per_s, figures.peak_per_s),
            (Some(0.0), Some(0.0))
        );
        assert_eq!(Rates::default().of_all(Event::Sent), None);
    }
}
