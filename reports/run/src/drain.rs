//! How long the drain was, and why it was longer than asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{count_text, duration_text};

/// Prolonging a drain by less than this, in seconds, is not worth a sentence.
const NOTED_MIN_S: f64 = 0.1;

/// The drain as it was planned, and what prolonged it. Times in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drain {
    /// `run.drain`.
    pub planned_s: f64,
    /// Time for what simulated links held when it was to end: they would have delivered it.
    pub for_links_s: f64,
    /// Devices whose links held something then.
    pub links: u32,
    /// Time for what the generator had not done or read, because it was late or stood still.
    pub for_generator_s: f64,
}

impl Drain {
    /// A sentence about a drain that was longer than asked for; `None` if it was not.
    pub(crate) fn note(&self) -> Option<String> {
        let &Self {
            planned_s,
            for_links_s,
            links,
            for_generator_s,
        } = self;
        let total_s = planned_s + for_links_s + for_generator_s;
        let for_links = (for_links_s >= NOTED_MIN_S).then(|| {
            format!(
                "{} for what the simulated links of {} devices held",
                duration_text(for_links_s),
                count_text(u64::from(links))
            )
        });
        let for_generator = (for_generator_s >= NOTED_MIN_S).then(|| {
            format!(
                "{} because the generator was late or stood still",
                duration_text(for_generator_s)
            )
        });
        let why: Vec<String> = [for_links, for_generator].into_iter().flatten().collect();
        (!why.is_empty()).then(|| {
            format!(
                "The drain lasted {} instead of {}: {}.",
                duration_text(total_s),
                duration_text(planned_s),
                why.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A drain that is longer than asked for says by how much, and for what.
    #[test]
    fn a_longer_drain_says_why() {
        let planned = Drain {
            planned_s: 20.0,
            ..Drain::default()
        };
        let longer = Drain {
            for_links_s: 121.0,
            links: 31,
            ..planned
        };

        assert_eq!(planned.note(), None);
        let note = longer.note().expect("it was longer");
        assert_eq!(
            note,
            "The drain lasted 2 min 21 s instead of 20.0 s: 2 min 1 s for what the simulated links of 31 devices held."
        );
    }
}
