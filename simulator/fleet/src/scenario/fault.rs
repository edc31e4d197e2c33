//! Faults: what goes wrong, when, and for whom.

use std::time::Duration;

use crate::id::GroupId;

/// One `[[fault]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Unique among faults. By default the action with a number.
    pub name: String,
    /// When it happens.
    pub timing: FaultTiming,
    /// Whose devices it takes from.
    pub group: GroupId,
    /// Which of them, drawn afresh each time.
    pub select: Select,
    /// What happens to each.
    pub action: FaultAction,
}

impl Fault {
    /// When it happens, in order, counted from the beginning of the measured part.
    pub fn times(&self) -> impl Iterator<Item = Duration> + use<> {
        let (first, period, until) = match self.timing {
            FaultTiming::At(at) => (at, Duration::ZERO, at),
            FaultTiming::Every { period, until } => (period, period, until),
        };
        std::iter::successors(Some(first), move |&time| {
            (period > Duration::ZERO).then(|| time + period)
        })
        .take_while(move |&time| time <= until)
    }
}

/// When a fault happens, counted from the beginning of the measured part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultTiming {
    /// Once, within `run.duration`.
    At(Duration),
    /// Again and again, for the first time after one period.
    Every {
        /// Above zero.
        period: Duration,
        /// The last moment at which it may happen: `for`, by default the whole `run.duration`.
        until: Duration,
    },
}

/// Which devices of its group a fault takes.
///
/// It takes from those that are not gone: a device that a `drop` or `disconnect` ended, and that
/// has not come back, is not taken again. Faults of the same moment take in file order. If fewer
/// are left than asked for, it takes them all.
#[derive(Clone, Debug, PartialEq)]
pub enum Select {
    /// Every one: the default.
    All,
    /// This share of the group's `count`, rounded to the nearest number of devices: above 0, at
    /// most 1.
    Fraction(f64),
    /// That many: at least 1, at most the group's `count`.
    Count(u32),
    /// Those whose Client Identifier fits: `*` stands for any text, `?` for one character.
    Match(String),
}

impl Select {
    /// How many of a group of `count` it asks for; `None` if that depends on Client Identifiers.
    pub fn wanted(&self, count: u32) -> Option<u32> {
        match *self {
            Self::All => Some(count),
            // A share of a u32 that is at most 1 fits in a u32.
            Self::Fraction(share) => Some((f64::from(count) * share).round() as u32),
            Self::Count(wanted) => Some(wanted),
            Self::Match(_) => None,
        }
    }
}

/// What happens to each device that a fault takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultAction {
    /// It is gone without DISCONNECT.
    Drop(DropKind),
    /// It says goodbye with DISCONNECT.
    Disconnect(DisconnectReason),
    /// It connects once more with its Client Identifier, which is in use (§3.1.4): the device
    /// that holds the Session is displaced, itself included.
    Takeover,
}

/// How a device is gone without DISCONNECT: `how`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DropKind {
    /// `silent`: the socket stays open and says nothing, so that only 1.5 times Keep Alive ends it
    /// [MQTT-3.1.2-22].
    Silent,
    /// `fin`: the transport is closed in order.
    Fin,
    /// `rst`: the transport is reset.
    Rst,
    /// `half_close`: the sending side is closed, the receiving side goes on.
    HalfClose,
    /// `mid_packet`: the transport is closed after the first half of a PUBLISH.
    MidPacket,
    /// `malformed`: a Malformed Packet is sent, which the broker must answer by closing (§4.13).
    Malformed,
}

impl DropKind {
    /// Every kind, in file-format order.
    pub const ALL: [Self; 6] = [
        Self::Silent,
        Self::Fin,
        Self::Rst,
        Self::HalfClose,
        Self::MidPacket,
        Self::Malformed,
    ];

    /// Its name in scenario files, tags and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::HalfClose => "half_close",
            Self::MidPacket => "mid_packet",
            Self::Malformed => "malformed",
        }
    }
}

/// What a polite goodbye says: `reason`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DisconnectReason {
    /// `normal`: no will is due [MQTT-3.14.4-3].
    #[default]
    Normal,
    /// `with_will`: 0x04, the will is due all the same (§3.14.2.1). MQTT 5.0 only.
    WithWill,
}
