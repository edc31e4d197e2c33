//! When the broker's answer came to the generator.

use std::time::Duration;

use squall_fleet::Observation;
use squall_protocol::Instant;

/// When the generator read something, how long that had waited for the generator, and how long the
/// device's link had held it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) now: Instant,
    pub(super) waited: Option<Duration>,
    pub(super) on_link: Duration,
}

impl Arrival {
    pub(super) fn of(now: Instant, observation: &Observation<'_>) -> Self {
        Self {
            now,
            waited: observation.waited,
            on_link: observation.on_link,
        }
    }

    /// The same without a link.
    pub(super) fn without_link(self) -> Self {
        Self {
            now: self.now - self.on_link,
            on_link: Duration::ZERO,
            ..self
        }
    }
}
