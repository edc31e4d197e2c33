//! When the devices of a group are there.

use std::time::Duration;

use crate::{Distribution, Share};

/// When the devices of a group connect and leave, counted from the beginning of the measured part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attendance {
    /// When they begin to connect; `None` for before the load.
    pub start: Option<Duration>,
    /// When they say goodbye for good; `None` for after the load.
    pub leave: Option<Duration>,
    /// How each comes and goes between; `None` if it stays.
    pub availability: Option<Availability>,
    /// The share of them that is kept connected; `None` for all. Never beside `start` or `availability`.
    pub online: Option<Share>,
}

/// Each device comes and goes by itself while the load goes on: `availability`.
#[derive(Clone, Debug, PartialEq)]
pub struct Availability {
    /// How long it stays connected: from its CONNACK, or from the beginning of the load if that is later.
    pub up: Distribution,
    /// How long it stays away until it connects again.
    pub down: Distribution,
    /// How it goes.
    pub how: Farewell,
}

/// How a device goes that is to be away.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Farewell {
    /// With DISCONNECT: normal disconnection.
    Polite,
    /// Without it: the transport is closed in order.
    Fin,
    /// Without it: the transport is reset.
    Rst,
}

impl Farewell {
    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Polite => "disconnect",
            Self::Fin => "fin",
            Self::Rst => "rst",
        }
    }
}
