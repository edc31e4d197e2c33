//! Faults: what goes wrong, when, and on which devices.

use std::time::Duration;

use squall_protocol::Malformation;

use super::broker_fault::BrokerAction;
use crate::Distribution;
use crate::id::{GroupId, NetworkId};

/// One `[[fault]]`: what goes wrong, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Its name, unique among faults. By default the action with a number.
    pub name: String,
    /// When it happens.
    pub timing: FaultTiming,
    /// How long it lasts, drawn each time that it happens; `None` if its action is done in a moment. It ends with the
    /// measured part at the latest.
    pub lasts: Option<Distribution>,
    /// What it strikes.
    pub target: FaultTarget,
}

/// What a fault strikes, and what it does there.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultTarget {
    /// Devices of one group.
    Devices(DeviceFault),
    /// The broker, which squall has started.
    Broker(BrokerAction),
}

/// A fault of devices.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceFault {
    /// The group that it takes devices from.
    pub group: GroupId,
    /// The devices that it takes, drawn afresh each time.
    pub select: Select,
    /// What it does to each of them.
    pub action: FaultAction,
    /// The rules that malformed packets break, one device after the other in this order; empty unless `action` is a drop
    /// with such a packet.
    pub malformations: Vec<Malformation>,
}

impl FaultTarget {
    /// What it does to devices; `None` if it strikes something else.
    pub fn devices(&self) -> Option<&DeviceFault> {
        match self {
            Self::Devices(devices) => Some(devices),
            Self::Broker(_) => None,
        }
    }

    /// What it does to the broker; `None` if it strikes something else.
    pub const fn broker(&self) -> Option<BrokerAction> {
        match self {
            Self::Devices(_) => None,
            Self::Broker(action) => Some(*action),
        }
    }

    /// The name of what it does, in scenario files, run files and reports.
    pub const fn action_name(&self) -> &'static str {
        match self {
            Self::Devices(devices) => devices.action.name(),
            Self::Broker(action) => action.name(),
        }
    }
}

impl Fault {
    /// What it does to devices; `None` if it strikes something else.
    pub fn devices(&self) -> Option<&DeviceFault> {
        self.target.devices()
    }

    /// How it ends connections without DISCONNECT, once or again and again; `None` if it does something else.
    pub fn drop_kind(&self) -> Option<DropKind> {
        match self.devices()?.action {
            FaultAction::Drop(kind)
            | FaultAction::Flap(Flap {
                end: FlapEnd::Drop(kind),
                ..
            }) => Some(kind),
            FaultAction::Disconnect(_)
            | FaultAction::Takeover(_)
            | FaultAction::Stall
            | FaultAction::Mute
            | FaultAction::Flap(_)
            | FaultAction::Network(_)
            | FaultAction::Partition => None,
        }
    }

    /// When it is over for the last time, if it lasts equally long each time; when it happens last otherwise.
    pub fn last_end(&self) -> Duration {
        let lasts = match self.lasts {
            Some(Distribution::Constant { value }) => value,
            Some(_) | None => Duration::ZERO,
        };
        self.timing.last() + lasts
    }

    /// Whether it keeps devices from talking.
    pub fn is_mute(&self) -> bool {
        let devices = self.devices();
        devices.is_some_and(|devices| devices.action == FaultAction::Mute)
    }

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
        /// Above zero, and long enough that there are at most 100,000 times.
        period: Duration,
        /// The last moment at which it may happen: `for`, by default the whole `run.duration`.
        until: Duration,
    },
}

impl FaultTiming {
    /// The last time, counted from the beginning of the measured part.
    pub fn last(&self) -> Duration {
        match *self {
            Self::At(at) => at,
            Self::Every { period, .. } => period * u32::try_from(self.count()).unwrap_or(u32::MAX),
        }
    }

    /// How many times it is.
    pub fn count(&self) -> u64 {
        match *self {
            Self::At(_) => 1,
            Self::Every { period, until } => {
                let times = until.as_nanos() / period.as_nanos().max(1);
                u64::try_from(times).unwrap_or(u64::MAX)
            }
        }
    }
}

/// Which devices of its group a fault takes.
///
/// It takes from those that are not gone: a device that a `drop` or `disconnect` ended, and that
/// has not come back, is not taken again. Faults of the same moment take in file order. If fewer
/// are left than asked for, it takes them all.
#[derive(Clone, Debug, PartialEq)]
pub enum Select {
    /// Every device: the default.
    All,
    /// This share of the group's `count`, rounded to the nearest number of devices: above 0, at
    /// most 1.
    Fraction(f64),
    /// This number: at least 1, at most the group's `count`.
    Count(u32),
    /// The devices whose Client Identifier matches: `*` stands for any text, `?` for one character.
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
    /// It ends its connection with DISCONNECT.
    Disconnect(DisconnectReason),
    /// It connects once more with its Client Identifier, which is in use (§3.1.4): the device
    /// that holds the Session is displaced, itself included. So many times, each once the one before has its CONNACK.
    Takeover(u16),
    /// It reads nothing from its connection for as long as the fault lasts, and goes on sending: a slow consumer,
    /// whose window closes.
    Stall,
    /// It says nothing on its connection for as long as the fault lasts, and leaves it open: Keep Alive is broken
    /// [MQTT-3.1.2-20]. It reads on. Its group has a Keep Alive.
    Mute,
    /// It disconnects and connects again and again for as long as the fault lasts.
    Flap(Flap),
    /// Its link has this profile for as long as the fault lasts. Its group has a network.
    Network(NetworkId),
    /// Nothing passes its link for as long as the fault lasts, and nothing is closed. Its group has a network.
    Partition,
}

impl FaultAction {
    /// Its name in scenario files, run files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drop(_) => "drop",
            Self::Disconnect(_) => "disconnect",
            Self::Takeover(_) => "takeover",
            Self::Stall => "stall",
            Self::Mute => "mute",
            Self::Flap(_) => "flap",
            Self::Network(_) => "network",
            Self::Partition => "partition",
        }
    }

    /// The key that goes with it in a file, and its word.
    pub const fn detail(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Drop(how) => Some(("how", how.name())),
            Self::Disconnect(reason) => Some(("reason", reason.name())),
            Self::Flap(flap) => Some(match flap.end {
                FlapEnd::Drop(how) => ("how", how.name()),
                FlapEnd::Disconnect(reason) => ("reason", reason.name()),
            }),
            Self::Takeover(_) | Self::Stall | Self::Mute | Self::Network(_) | Self::Partition => {
                None
            }
        }
    }
}

/// How a device comes and goes: `flap`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flap {
    /// From the end of one connection to the end of the next, above zero: the device connects after half of it.
    pub period: Duration,
    /// How each connection ends.
    pub end: FlapEnd,
}

/// How a device that flaps ends each of its connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FlapEnd {
    /// Without DISCONNECT: `fin` or `rst`.
    Drop(DropKind),
    /// With DISCONNECT.
    Disconnect(DisconnectReason),
}

/// How a device is gone without DISCONNECT: `how`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DropKind {
    /// `silent`: the socket stays open and sends nothing, so that only 1.5 times Keep Alive ends it
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
    /// `tls_abort`: the transport is closed without the close_notify of TLS (RFC 8446, section 6.1).
    TlsAbort,
}

impl DropKind {
    /// Every kind, in file-format order.
    pub const ALL: [Self; 7] = [
        Self::Silent,
        Self::Fin,
        Self::Rst,
        Self::HalfClose,
        Self::MidPacket,
        Self::Malformed,
        Self::TlsAbort,
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
            Self::TlsAbort => "tls_abort",
        }
    }
}

/// The reason that DISCONNECT gives: `reason`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DisconnectReason {
    /// `normal`: no will is due [MQTT-3.14.4-3].
    #[default]
    Normal,
    /// `with_will`: 0x04, the will is due all the same (§3.14.2.1). MQTT 5.0 only.
    WithWill,
}

impl DisconnectReason {
    /// Its name in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::WithWill => "with_will",
        }
    }
}

/// Whether `text` fits `pattern`, in which `*` is any text and `?` any one character.
pub fn fits_pattern(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go back to: behind the last `*`, and one character further each time.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match &mut retry {
                Some((behind_star, from)) => {
                    *from += 1;
                    (p, t) = (*behind_star, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(timing: FaultTiming) -> Fault {
        Fault {
            name: "storm".to_owned(),
            timing,
            lasts: None,
            target: FaultTarget::Devices(DeviceFault {
                group: GroupId(0),
                select: Select::All,
                action: FaultAction::Takeover(1),
                malformations: Vec::new(),
            }),
        }
    }

    /// A fault with `every` comes for the first time after one period, and last at its end.
    #[test]
    fn a_repeated_fault_has_a_time_per_period() {
        let fault = fault(FaultTiming::Every {
            period: Duration::from_secs(2),
            until: Duration::from_secs(6),
        });

        let seconds: Vec<u64> = fault.times().map(|time| time.as_secs()).collect();

        assert_eq!(seconds, [2, 4, 6]);
        assert_eq!(fault.timing.count(), 3);
        assert_eq!(fault.timing.last(), Duration::from_secs(6));
    }

    #[test]
    fn a_single_fault_has_one_time() {
        let fault = fault(FaultTiming::At(Duration::from_secs(20)));

        assert_eq!(fault.times().collect::<Vec<_>>(), [Duration::from_secs(20)]);
    }

    #[test]
    fn a_fraction_is_rounded_to_whole_devices() {
        assert_eq!(Select::Fraction(0.5).wanted(5), Some(3));
        assert_eq!(Select::Fraction(0.2).wanted(2_000), Some(400));
        assert_eq!(Select::All.wanted(7), Some(7));
        assert_eq!(Select::Match("*".to_owned()).wanted(7), None);
    }

    #[test]
    fn a_pattern_has_stars_and_question_marks() {
        for (pattern, text, fits) in [
            ("dev-*", "dev-17", true),
            ("dev-*", "dev-", true),
            ("dev-?", "dev-1", true),
            ("dev-?", "dev-17", false),
            ("*-1*", "dev-2-17", true),
            ("*7", "dev-177", true),
            ("*a*b", "xxaxxbxb", true),
            ("dev", "dev-1", false),
            ("", "", true),
            ("*", "", true),
            ("?", "ä", true),
        ] {
            assert_eq!(fits_pattern(pattern, text), fits, "{pattern} {text}");
        }
    }
}
