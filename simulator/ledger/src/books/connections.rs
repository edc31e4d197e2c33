//! Network Connections: how they began, how they ended, and what went wrong meanwhile.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use squall_fleet::{EndCause, OpenError, PeerClose};
use squall_protocol::{Instant, ReasonCode};
use squall_run::AnomalyKind;
use squall_scenario::{DeviceId, FaultId};

use super::anomalies::Anomalies;
use super::event::Event;
use super::memory::Memory;

/// Connections of one group.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GroupCounts {
    /// Transports that were asked for.
    pub attempts: u64,
    /// CONNACKs with success.
    pub connected: u64,
    /// Of those, with Session Present.
    pub session_present: u64,
    /// Of those, by a device that had been connected before.
    pub reconnects: u64,
    /// Transports that could not be had.
    pub open_failed: BTreeMap<&'static str, u64>,
    /// CONNECTs that were sent.
    pub connects: u64,
    /// CONNACKs with an error, by Reason Code.
    pub refused: BTreeMap<ReasonCode, u64>,
    /// Ends by cause.
    pub ended: BTreeMap<EndKind, u64>,
    /// Of those, the ends that neither the scenario nor the device asked for.
    pub unexpected: BTreeMap<EndKind, u64>,
    /// Of the unexpected ones, those of connections without a CONNACK.
    pub unanswered: BTreeMap<EndKind, u64>,
}

impl GroupCounts {
    /// Connections that the broker or the network refused: our own limits aside.
    pub fn refused_total(&self) -> u64 {
        let local = open_error_name(OpenError::LocalLimit);
        let transports = self
            .open_failed
            .iter()
            .filter(|&(&name, _)| name != local)
            .map(|(_, count)| count);
        transports.chain(self.refused.values()).sum()
    }

    /// Ends that neither the scenario nor the device asked for.
    pub fn unexpected_total(&self) -> u64 {
        self.unexpected.values().sum()
    }
}

/// How a connection ended, as reports name it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum EndKind {
    /// A fault.
    Fault(FaultId),
    /// A cut of the `qos2` block.
    Qos2Cut,
    /// The broker, without DISCONNECT.
    PeerClosed(&'static str),
    /// The broker, with DISCONNECT.
    ServerDisconnect(ReasonCode),
    /// The device, because of a broken protocol.
    ProtocolError(ReasonCode),
    /// The device, because an answer did not come.
    TimedOut,
    /// CONNACK with an error.
    Refused,
    /// The end of the run.
    RunEnded,
}

/// Where an error happened.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ErrorArea {
    /// CONNACK.
    Connect,
    /// PUBACK, PUBREC or PUBCOMP.
    Publish,
    /// SUBACK.
    Subscribe,
    /// Broken protocol, by either side's judgement.
    Protocol,
    /// The transport.
    Transport,
}

/// Errors of one area and reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ErrorTally {
    /// How many.
    pub count: u64,
    /// When the first came.
    pub first_at: Instant,
}

/// All connections of a run.
#[derive(Debug)]
pub(crate) struct Connections {
    groups: Vec<GroupCounts>,
    /// Devices that had a CONNACK at some time.
    seen: HashSet<DeviceId>,
    /// When the last connection of a device ended, until its next CONNACK.
    ended_at: HashMap<DeviceId, Instant>,
    /// Connections with a CONNACK, by device.
    online_devices: HashMap<DeviceId, u32>,
    peak_online: u64,
    errors: BTreeMap<(ErrorArea, String), ErrorTally>,
    local_limit: u64,
    anomalies: Anomalies,
    /// When the broker or the network first refused a connection.
    failing_since: Option<Instant>,
}

impl Connections {
    /// No device is connected, of that many groups.
    pub(crate) fn new(groups: usize, memory: Memory) -> Self {
        Self {
            groups: vec![GroupCounts::default(); groups],
            seen: HashSet::new(),
            ended_at: HashMap::new(),
            online_devices: HashMap::new(),
            peak_online: 0,
            errors: BTreeMap::new(),
            local_limit: 0,
            anomalies: Anomalies::new(memory.anomalies_per_kind),
            failing_since: None,
        }
    }

    /// What was wrong with connections.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// By group, in file order.
    pub(crate) fn groups(&self) -> &[GroupCounts] {
        &self.groups
    }

    /// Devices that had a CONNACK with success at some time.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.len() as u64
    }

    /// The most devices that were connected at once.
    pub(crate) fn peak_online(&self) -> u64 {
        self.peak_online
    }

    /// Devices that are connected.
    pub(crate) fn online(&self) -> u64 {
        self.online_devices.len() as u64
    }

    /// Whether a device is connected.
    pub(crate) fn is_online(&self, device: DeviceId) -> bool {
        self.online_devices.contains_key(&device)
    }

    /// Errors by area and reason.
    pub(crate) fn errors(&self) -> &BTreeMap<(ErrorArea, String), ErrorTally> {
        &self.errors
    }

    /// Errors of one area, whatever their reason.
    pub(crate) fn errors_in(&self, area: ErrorArea) -> u64 {
        let of_area = self.errors.iter().filter(|((other, _), _)| *other == area);
        of_area.map(|(_, tally)| tally.count).sum()
    }

    /// Transports that could not be had because of our own limits: the run proves nothing.
    pub(crate) fn local_limit(&self) -> u64 {
        self.local_limit
    }

    /// Since when connections fail, if every one did so far: no device of any group had a CONNACK with
    /// success. Our own limits do not count.
    pub(crate) fn shut_out_since(&self) -> Option<Instant> {
        self.failing_since.filter(|_| self.seen.is_empty())
    }

    /// A transport was asked for.
    pub(crate) fn handle_open_started(&mut self, event: &Event) {
        self.group_mut(event).attempts += 1;
    }

    /// A CONNECT was sent.
    pub(crate) fn handle_connect_sent(&mut self, event: &Event) {
        self.group_mut(event).connects += 1;
    }

    /// A transport could not be had.
    pub(crate) fn handle_open_failed(&mut self, event: &Event, error: OpenError) {
        let name = open_error_name(error);
        *self.group_mut(event).open_failed.entry(name).or_default() += 1;
        self.note_error(event.now, ErrorArea::Transport, name);
        if error == OpenError::LocalLimit {
            self.local_limit += 1;
            return;
        }
        self.failing_since.get_or_insert(event.now);
        self.anomalies.note(AnomalyKind::ConnectionRefused, || {
            event.anomaly(
                AnomalyKind::ConnectionRefused,
                format!("the transport could not be had: {name}"),
            )
        });
    }

    /// CONNACK with an error came.
    pub(crate) fn handle_refused(&mut self, event: &Event, reason: ReasonCode) {
        self.failing_since.get_or_insert(event.now);
        *self.group_mut(event).refused.entry(reason).or_default() += 1;
        self.note_error(event.now, ErrorArea::Connect, &reason_text(reason));
        self.anomalies.note(AnomalyKind::ConnectionRefused, || {
            event.anomaly(
                AnomalyKind::ConnectionRefused,
                format!("CONNACK with {} (§3.2.2.2)", reason_text(reason)),
            )
        });
    }

    /// CONNACK with success came; returns the time since the device's last connection ended.
    pub(crate) fn handle_connected(
        &mut self,
        event: &Event,
        session_present: bool,
    ) -> Option<Duration> {
        let is_first = self.seen.insert(event.device);
        let group = self.group_mut(event);
        group.connected += 1;
        group.session_present += u64::from(session_present);
        group.reconnects += u64::from(!is_first);
        *self.online_devices.entry(event.device).or_default() += 1;
        self.peak_online = self.peak_online.max(self.online());
        let ended_at = self.ended_at.remove(&event.device)?;
        Some(event.now.saturating_since(ended_at))
    }

    /// A connection ended, one with a CONNACK or not.
    pub(crate) fn handle_ended(&mut self, event: &Event, end: &ConnectionEnd) {
        let kind = EndKind::of(end.cause);
        *self.group_mut(event).ended.entry(kind).or_default() += 1;
        if end.was_connected
            && let Some(connections) = self.online_devices.get_mut(&event.device)
        {
            *connections -= 1;
            if *connections == 0 {
                self.online_devices.remove(&event.device);
                self.ended_at.insert(event.device, event.now);
            }
        }
        match end.cause {
            EndCause::ProtocolError(reason) => {
                self.note_error(event.now, ErrorArea::Protocol, &reason_text(reason));
                self.anomalies.note(AnomalyKind::ProtocolError, || {
                    event.anomaly(
                        AnomalyKind::ProtocolError,
                        format!("the broker broke the protocol: {}", reason_text(reason)),
                    )
                });
            }
            EndCause::TimedOut => self.note_error(event.now, ErrorArea::Transport, "no answer"),
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::Qos2Cut { .. }
            | EndCause::PeerClosed(_)
            | EndCause::ServerDisconnect(_)
            | EndCause::Refused
            | EndCause::RunEnded => {}
        }
        if !end.is_unexpected() {
            return;
        }
        let group = self.group_mut(event);
        *group.unexpected.entry(kind).or_default() += 1;
        if !end.was_connected {
            *group.unanswered.entry(kind).or_default() += 1;
            self.failing_since.get_or_insert(event.now);
        }
        self.anomalies.note(AnomalyKind::UnexpectedDisconnect, || {
            event.anomaly(
                AnomalyKind::UnexpectedDisconnect,
                format!("{kind}; no fault, cut or takeover asked for it"),
            )
        });
    }

    /// Something else went wrong.
    pub(crate) fn note_error(&mut self, now: Instant, area: ErrorArea, reason: &str) {
        // Reasons are names of Reason Codes and of transport errors: a bounded set.
        if let Some(tally) = self.errors.get_mut(&(area, reason.to_owned())) {
            tally.count += 1;
            return;
        }
        let tally = ErrorTally {
            count: 1,
            first_at: now,
        };
        self.errors.insert((area, reason.to_owned()), tally);
    }

    fn group_mut(&mut self, event: &Event) -> &mut GroupCounts {
        &mut self.groups[usize::from(event.group.0)]
    }
}

/// The end of a connection, as far as it must be explained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionEnd {
    /// Why, as the device knows it.
    pub(crate) cause: EndCause,
    /// Whether it had a CONNACK.
    pub(crate) was_connected: bool,
    /// Whether another connection may have displaced it.
    pub(crate) may_be_displaced: bool,
}

impl ConnectionEnd {
    fn is_unexpected(&self) -> bool {
        match self.cause {
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::Qos2Cut { .. }
            | EndCause::Refused
            | EndCause::RunEnded => false,
            EndCause::ProtocolError(_) | EndCause::TimedOut => true,
            EndCause::PeerClosed(_) => !self.may_be_displaced,
            EndCause::ServerDisconnect(reason) => {
                !(self.may_be_displaced && reason == ReasonCode::SessionTakenOver)
            }
        }
    }
}

impl EndKind {
    /// The kind of a cause.
    pub(crate) fn of(cause: EndCause) -> Self {
        match cause {
            EndCause::Dropped { fault } | EndCause::Disconnected { fault, .. } => {
                Self::Fault(fault)
            }
            EndCause::Qos2Cut { .. } => Self::Qos2Cut,
            EndCause::PeerClosed(PeerClose::Fin) => Self::PeerClosed("FIN"),
            EndCause::PeerClosed(PeerClose::Reset) => Self::PeerClosed("RST"),
            EndCause::ServerDisconnect(reason) => Self::ServerDisconnect(reason),
            EndCause::ProtocolError(reason) => Self::ProtocolError(reason),
            EndCause::TimedOut => Self::TimedOut,
            EndCause::Refused => Self::Refused,
            EndCause::RunEnded => Self::RunEnded,
        }
    }
}

impl std::fmt::Display for EndKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fault(fault) => write!(f, "fault {}", fault.0),
            Self::Qos2Cut => f.write_str("QoS 2 handshake cut on purpose"),
            Self::PeerClosed(how) => write!(f, "peer closed ({how})"),
            Self::ServerDisconnect(reason) => {
                write!(f, "DISCONNECT from the broker: {}", reason_text(*reason))
            }
            Self::ProtocolError(reason) => write!(f, "protocol error: {}", reason_text(*reason)),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Refused => f.write_str("refused"),
            Self::RunEnded => f.write_str("run ended"),
        }
    }
}

impl ErrorArea {
    /// Its name in run files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Publish => "publish",
            Self::Subscribe => "subscribe",
            Self::Protocol => "protocol",
            Self::Transport => "transport",
        }
    }
}

/// A Reason Code as reports write it: `0x87 Not authorized`.
pub(crate) fn reason_text(reason: ReasonCode) -> String {
    format!("0x{:02X} {}", reason as u8, reason.name())
}

/// The name of an error in run files.
pub(crate) const fn open_error_name(error: OpenError) -> &'static str {
    match error {
        OpenError::Refused => "refused",
        OpenError::TimedOut => "timed_out",
        OpenError::LocalLimit => "local_limit",
        OpenError::Other => "other",
    }
}
