//! The broker of one shard: every input comes in here and is handed to its part.

use squall_protocol::Instant;

use crate::{Config, Counters, Effects, Input};

/// An MQTT broker as a state machine. It owns every Session, subscription and message of one
/// shard.
#[derive(Debug)]
pub struct Broker {
    config: Config,
    counters: Counters,
}

impl Broker {
    /// A broker without Sessions that starts at `now`.
    pub fn new(config: Config, now: Instant) -> Self {
        let _ = now;
        Self {
            config,
            counters: Counters::default(),
        }
    }

    /// What it was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Applies `input`, which happened at `now`, and appends what follows from it to `effects`.
    ///
    /// `now` never goes backwards. Inputs about a connection that the broker closed, or that a
    /// later one replaced in its slot, change nothing.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, effects: &mut Effects) {
        let _ = (now, input, effects);
    }

    /// When [`Input::DeadlinePassed`] is due next; a moment that has passed means at once. It is
    /// worth asking after every turn, not after every input.
    pub fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// What was counted until now.
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }
}
