//! Why devices are away, and for how long nothing in the scenario asked for it.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_protocol::{Instant, ReasonCode};
use squall_run::Histogram;
use squall_scenario::{DeviceId, GroupId};

use super::{ConnectionEnd, EndKind, GroupCounts, reason_text};
use crate::books::event::Event;

/// Why a device is not connected: the last thing that happened to its connections.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Away {
    /// It has not had an answer yet.
    NotYet,
    /// Its connection ended so.
    Ended(EndKind),
    /// A connection of this run took its Client Identifier over.
    Displaced,
    /// CONNACK with an error.
    Refused(ReasonCode),
    /// The broker ended it so before any CONNACK.
    Unanswered(EndKind),
    /// It had no transport.
    NotOpened(&'static str),
    /// Its link was out for longer than the broker, or the device itself, may wait.
    OfLink,
    /// The broker ended its connection, which a fault had stopped it from reading.
    OfStall,
    /// The broker ended its connection, on which a fault had muted it for longer than Keep Alive allows.
    OfMute,
}

impl Away {
    /// Whether the scenario is the cause: a fault, a cut, a takeover, or a link that was out.
    pub(crate) fn is_asked(self) -> bool {
        match self {
            Self::Displaced | Self::OfLink | Self::OfStall | Self::OfMute => true,
            Self::Ended(kind) => kind.is_asked(),
            Self::NotYet | Self::Refused(_) | Self::Unanswered(_) | Self::NotOpened(_) => false,
        }
    }
}

impl std::fmt::Display for Away {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotYet => f.write_str("no answer to CONNECT yet"),
            Self::Ended(kind) => write!(f, "{kind}"),
            Self::Displaced => f.write_str("displaced by another connection of this run"),
            Self::Refused(reason) => write!(f, "CONNACK {}", reason_text(*reason)),
            Self::Unanswered(kind) => write!(f, "no CONNACK, but: {kind}"),
            Self::NotOpened(error) => write!(f, "no transport: {error}"),
            Self::OfLink => f.write_str("its simulated link was out"),
            Self::OfMute => f.write_str("ended by the broker because a fault kept it from talking"),
            Self::OfStall => f.write_str("ended by the broker while a fault kept it from reading"),
        }
    }
}

/// Since when each device is connected or away.
#[derive(Debug, Default)]
pub(super) struct Presence {
    online: BTreeMap<DeviceId, Online>,
    absences: BTreeMap<DeviceId, Absence>,
    /// By an end that the scenario asked for: how long it was until the devices were back.
    returns: BTreeMap<EndKind, Histogram>,
}

/// A device that is connected.
#[derive(Clone, Copy, Debug)]
struct Online {
    group: GroupId,
    since: Instant,
    /// Its connections with a CONNACK: one that takes its own Client Identifier over has two for a
    /// moment.
    connections: u32,
}

/// A device that is away.
#[derive(Clone, Copy, Debug)]
struct Absence {
    group: GroupId,
    /// When its last connection ended; `None` if it had none.
    ended_at: Option<Instant>,
    /// Since when nothing in the scenario explains it: from the end that nothing asked for, or from the
    /// first connection that was refused after one that a fault had ended.
    unasked_since: Option<Instant>,
    why: Away,
}

impl Presence {
    /// Devices that are connected.
    pub(super) fn online(&self) -> u64 {
        self.online.len() as u64
    }

    /// Whether a device is connected.
    pub(super) fn is_online(&self, device: DeviceId) -> bool {
        self.online.contains_key(&device)
    }

    /// CONNACK with success came; returns how long the device had been away.
    pub(super) fn handle_connected(
        &mut self,
        event: &Event,
        counts: &mut GroupCounts,
    ) -> Option<Duration> {
        let online = self.online.entry(event.device).or_insert(Online {
            group: event.group,
            since: event.now,
            connections: 0,
        });
        online.connections += 1;
        let absence = self.absences.remove(&event.device)?;
        absence.count(event.now, counts);
        let away = event.now.saturating_since(absence.ended_at?);
        if let (Away::Ended(kind), None) = (absence.why, absence.unasked_since) {
            self.returns.entry(kind).or_default().record(away);
        }
        Some(away)
    }

    /// How long devices were away after ends that the scenario asked for.
    pub(super) fn returns(&self) -> &BTreeMap<EndKind, Histogram> {
        &self.returns
    }

    /// A connection with a CONNACK ended: with the last one the device is away.
    pub(super) fn handle_ended(
        &mut self,
        event: &Event,
        end: &ConnectionEnd,
        counts: &mut GroupCounts,
    ) {
        let Some(online) = self.online.get_mut(&event.device) else {
            return;
        };
        online.connections -= 1;
        if online.connections > 0 {
            return;
        }
        counts.online += event.now.saturating_since(online.since);
        self.online.remove(&event.device);
        let kind = end.kind();
        let is_unasked = end.is_unexpected();
        let why = if end.is_of_link {
            Away::OfLink
        } else if end.is_of_stall {
            Away::OfStall
        } else if end.muted_by.is_some() {
            Away::OfMute
        } else if is_unasked || kind.is_asked() {
            Away::Ended(kind)
        } else {
            Away::Displaced
        };
        let absence = Absence {
            group: event.group,
            ended_at: Some(event.now),
            unasked_since: is_unasked.then_some(event.now),
            why,
        };
        self.absences.insert(event.device, absence);
    }

    /// A connection of the device did not come about.
    pub(super) fn handle_refused(&mut self, event: &Event, why: Away) {
        if self.is_online(event.device) {
            // A second connection beside one that is there.
            return;
        }
        let is_unasked = !why.is_asked();
        let absence = self.absences.entry(event.device).or_insert(Absence {
            group: event.group,
            ended_at: None,
            unasked_since: None,
            why,
        });
        absence.why = why;
        if is_unasked {
            absence.unasked_since.get_or_insert(event.now);
        }
    }

    /// Why a device that is not connected is away.
    pub(super) fn away(&self, device: DeviceId) -> Away {
        let absence = self.absences.get(&device);
        absence.map_or(Away::NotYet, |absence| absence.why)
    }

    /// Counts what goes on at `now`: the account is not added to afterwards.
    pub(super) fn close(&self, now: Instant, groups: &mut [GroupCounts]) {
        for online in self.online.values() {
            groups[usize::from(online.group.0)].online += now.saturating_since(online.since);
        }
        for absence in self.absences.values() {
            absence.count(now, &mut groups[usize::from(absence.group.0)]);
        }
    }
}

impl Absence {
    fn count(&self, now: Instant, counts: &mut GroupCounts) {
        // A device that never had a connection is told as that.
        if let Some(ended_at) = self.ended_at {
            counts.away += now.saturating_since(ended_at);
            if let Some(since) = self.unasked_since {
                counts.away_unasked += now.saturating_since(since);
            }
        }
    }
}
