//! Network Connections: how they began, how they ended, and what went wrong meanwhile.
//!
//! A connection that had no CONNACK with success was refused, whatever the broker did instead: only
//! one that had it can end unasked.

mod absence;
mod counts;
mod end;
mod error;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use squall_fleet::{EndCause, OpenError};
use squall_protocol::{Instant, ReasonCode};
use squall_run::{AnomalyKind, Histogram};
use squall_scenario::{DeviceId, FaultId};

use super::anomalies::{Anomalies, Noticed};
use super::event::Event;
use super::memory::Memory;
use super::of_link::LinkPart;
use super::roster::Roster;

pub(crate) use absence::Away;
use absence::Presence;
pub use counts::GroupCounts;
pub(crate) use end::ConnectionEnd;
pub use end::EndKind;
pub(crate) use end::PEER_CLOSES;
pub use error::{ErrorArea, ErrorTally};
pub(crate) use error::{layer_fault_name, open_error_name, reason_text};

/// The name in run files of a transport that could not be had because the device's link was out.
pub(crate) const OPENING_ON_LINK: &str = "simulated_link_out";

/// All connections of a run.
#[derive(Debug)]
pub(crate) struct Connections {
    groups: Vec<GroupCounts>,
    /// Devices that asked for a transport at some time.
    asked: HashSet<DeviceId>,
    /// Devices that had a CONNACK at some time.
    seen: HashSet<DeviceId>,
    presence: Presence,
    peak_online: u64,
    errors: BTreeMap<(ErrorArea, String), ErrorTally>,
    local_limit: u64,
    /// Devices that our own limits kept from a transport at some time.
    locally_limited: HashSet<DeviceId>,
    /// Devices that the broker or the network refused at some time.
    turned_away: HashSet<DeviceId>,
    /// Devices that a fault of the broker kept out at some time.
    kept_out_by_fault: HashSet<DeviceId>,
    /// How long a device waits for an answer.
    answer_max: Duration,
    anomalies: Anomalies,
    /// When the broker or the network first refused a connection.
    failing_since: Option<Instant>,
    /// By kind, the first device whose connection ended so though nothing asked for it.
    first_unexpected: BTreeMap<EndKind, DeviceId>,
    /// Devices of which the broker closed a connection without a word though nothing asked for it.
    closed_by_peer: HashSet<DeviceId>,
}

impl Connections {
    /// No device of `roster` is connected.
    pub(crate) fn new(roster: &Roster, memory: Memory) -> Self {
        Self {
            groups: vec![GroupCounts::default(); roster.groups()],
            asked: HashSet::new(),
            seen: HashSet::new(),
            presence: Presence::default(),
            peak_online: 0,
            errors: BTreeMap::new(),
            local_limit: 0,
            locally_limited: HashSet::new(),
            turned_away: HashSet::new(),
            kept_out_by_fault: HashSet::new(),
            answer_max: roster.connect_timeout(),
            anomalies: Anomalies::new(memory.anomalies_per_kind),
            failing_since: None,
            first_unexpected: BTreeMap::new(),
            closed_by_peer: HashSet::new(),
        }
    }

    /// What was wrong with connections.
    pub(crate) fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// The same, to be told of the generator's hold-ups.
    pub(crate) fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// By group, in file order.
    pub(crate) fn groups(&self) -> &[GroupCounts] {
        &self.groups
    }

    /// Devices that had a CONNACK with success at some time.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.len() as u64
    }

    /// Devices that asked for a transport at some time.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.len() as u64
    }

    /// The most devices that were connected at once.
    pub(crate) fn peak_online(&self) -> u64 {
        self.peak_online
    }

    /// Devices that are connected.
    pub(crate) fn online(&self) -> u64 {
        self.presence.online()
    }

    /// Whether a device is connected.
    pub(crate) fn is_online(&self, device: DeviceId) -> bool {
        self.presence.is_online(device)
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

    /// Devices that our own limits kept from a transport and that never had a CONNACK with success.
    pub(crate) fn locally_limited(&self) -> u64 {
        self.locally_limited.difference(&self.seen).count() as u64
    }

    /// Devices with links that never had a CONNACK with success, though nothing but their links kept them
    /// from it.
    pub(crate) fn kept_out_by_links(&self, roster: &Roster) -> u64 {
        let kept_out = roster.devices_on_links().filter(|device| {
            let sets = [&self.seen, &self.turned_away, &self.locally_limited];
            self.asked.contains(device)
                && !self.kept_out_by_fault.contains(device)
                && sets.iter().all(|set| !set.contains(device))
        });
        kept_out.count() as u64
    }

    /// Devices that never had a CONNACK with success, though nothing but faults of the broker, and perhaps their links,
    /// kept them from it.
    pub(crate) fn kept_out_by_faults(&self) -> u64 {
        let sets = [&self.seen, &self.turned_away, &self.locally_limited];
        let kept_out = self.kept_out_by_fault.iter();
        kept_out
            .filter(|device| sets.iter().all(|set| !set.contains(device)))
            .count() as u64
    }

    /// Since when connections fail, if every one did so far: no device of any group had a CONNACK with
    /// success. Our own limits do not count.
    pub(crate) fn shut_out_since(&self) -> Option<Instant> {
        self.failing_since.filter(|_| self.seen.is_empty())
    }

    /// A transport was asked for.
    pub(crate) fn handle_open_started(&mut self, event: &Event) {
        self.asked.insert(event.device);
        self.group_mut(event).attempts += 1;
    }

    /// A CONNECT was sent.
    pub(crate) fn handle_connect_sent(&mut self, event: &Event) {
        self.group_mut(event).connects += 1;
    }

    /// A transport could not be had; `part` is what the device's link had let pass, if it has one.
    pub(crate) fn handle_open_failed(
        &mut self,
        event: &Event,
        error: OpenError,
        part: Option<LinkPart>,
    ) {
        let is_of_link = part.is_some_and(|part| part.keeps_from_opening(self.answer_max));
        if matches!(error, OpenError::TimedOut | OpenError::Other) && is_of_link {
            let failed = &mut self.group_mut(event).open_failed;
            *failed.entry(OPENING_ON_LINK).or_default() += 1;
            self.presence.handle_refused(event, Away::OfLink);
            return;
        }
        let name = open_error_name(error);
        *self.group_mut(event).open_failed.entry(name).or_default() += 1;
        self.note_error(event.now, ErrorArea::Transport, name);
        if error == OpenError::LocalLimit {
            self.local_limit += 1;
            self.locally_limited.insert(event.device);
            return;
        }
        let away = Away::NotOpened(name);
        let what = format!("the transport could not be had: {name}");
        let noticed = match error {
            OpenError::TimedOut => event.after_a_silence(),
            OpenError::Refused | OpenError::LocalLimit | OpenError::Layer(_) | OpenError::Other => {
                event.subject().into()
            }
        };
        self.note_refused(event, away, noticed, what);
    }

    /// A connection did not come about because a fault had the broker away.
    pub(crate) fn handle_no_broker(&mut self, event: &Event, fault: FaultId) {
        self.group_mut(event).kept_out_by_fault += 1;
        self.kept_out_by_fault.insert(event.device);
        self.presence
            .handle_refused(event, Away::Ended(EndKind::Fault(fault)));
    }

    /// CONNACK with an error came.
    pub(crate) fn handle_refused(&mut self, event: &Event, reason: ReasonCode) {
        *self.group_mut(event).refused.entry(reason).or_default() += 1;
        self.note_error(event.now, ErrorArea::Connect, &reason_text(reason));
        let what = format!("CONNACK with {} (§3.2.2.2)", reason_text(reason));
        self.note_refused(event, Away::Refused(reason), event.subject().into(), what);
    }

    /// A connection did not come about, by no limit of our own.
    fn note_refused(&mut self, event: &Event, away: Away, noticed: Noticed, explanation: String) {
        self.failing_since.get_or_insert(event.now);
        self.turned_away.insert(event.device);
        self.presence.handle_refused(event, away);
        self.anomalies
            .note(AnomalyKind::ConnectionRefused, noticed, || {
                event.anomaly(AnomalyKind::ConnectionRefused, explanation)
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
        let group = &mut self.groups[usize::from(event.group.0)];
        let away = self.presence.handle_connected(event, group);
        self.peak_online = self.peak_online.max(self.online());
        away
    }

    /// A connection ended, one with a CONNACK or not. Returns whether it was refused by that: it had
    /// no CONNACK, and nothing in the scenario ended it.
    pub(crate) fn handle_ended(&mut self, event: &Event, end: &ConnectionEnd) -> bool {
        let kind = end.kind();
        *self.group_mut(event).ended.entry(kind).or_default() += 1;
        self.note_error_of(event, end.cause);
        if end.was_connected {
            self.handle_connection_lost(event, end, kind);
            return false;
        }
        if end.cause != EndCause::RunEnded {
            self.group_mut(event).ended_early += 1;
        }
        if end.is_of_link {
            self.presence.handle_refused(event, Away::OfLink);
        } else if let Some(fault) = end.of_broker {
            self.handle_no_broker(event, fault);
        }
        if !end.is_unexpected() {
            return false;
        }
        *self.group_mut(event).unanswered.entry(kind).or_default() += 1;
        let what = format!("no CONNACK, but: {kind}");
        // The two others have been noted as errors of another area.
        if !matches!(end.cause, EndCause::ProtocolError(_) | EndCause::TimedOut) {
            self.note_error(event.now, ErrorArea::Connect, &what);
        }
        self.note_refused(event, Away::Unanswered(kind), event.after_a_silence(), what);
        true
    }

    /// A connection with a CONNACK ended.
    fn handle_connection_lost(&mut self, event: &Event, end: &ConnectionEnd, kind: EndKind) {
        let group = &mut self.groups[usize::from(event.group.0)];
        self.presence.handle_ended(event, end, group);
        if !end.is_unexpected() {
            return;
        }
        *self.group_mut(event).unexpected.entry(kind).or_default() += 1;
        self.first_unexpected.entry(kind).or_insert(event.device);
        if matches!(end.cause, EndCause::PeerClosed(_)) {
            self.closed_by_peer.insert(event.device);
        }
        self.anomalies.note(
            AnomalyKind::UnexpectedDisconnect,
            event.after_a_silence(),
            || {
                event.anomaly(
                    AnomalyKind::UnexpectedDisconnect,
                    format!(
                        "{kind}; no fault, cut or takeover asked for it{}",
                        end.lookalike()
                    ),
                )
            },
        );
    }

    /// Some ends are errors, with a CONNACK or without.
    fn note_error_of(&mut self, event: &Event, cause: EndCause) {
        match cause {
            EndCause::ProtocolError(reason) => {
                self.note_error(event.now, ErrorArea::Protocol, &reason_text(reason));
                self.anomalies
                    .note(AnomalyKind::ProtocolError, event.subject(), || {
                        event.anomaly(
                            AnomalyKind::ProtocolError,
                            format!("the broker broke the protocol: {}", reason_text(reason)),
                        )
                    });
            }
            EndCause::TimedOut => self.note_error(event.now, ErrorArea::Transport, "no answer"),
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::WentAway(_)
            | EndCause::Qos2Cut { .. }
            | EndCause::PeerClosed(_)
            | EndCause::ServerDisconnect(_)
            | EndCause::Refused
            | EndCause::RunEnded => {}
        }
    }

    /// How long devices were away after ends that the scenario asked for, until they were back, by kind of
    /// end.
    pub(crate) fn returns(&self) -> &BTreeMap<EndKind, Histogram> {
        self.presence.returns()
    }

    /// Why a device is not connected; `None` if it is.
    pub(crate) fn away(&self, device: DeviceId) -> Option<Away> {
        (!self.is_online(device)).then(|| self.presence.away(device))
    }

    /// Connections with a CONNACK that ended so though nothing asked for it, of all groups.
    pub(crate) fn unexpected(&self, kind: EndKind) -> u64 {
        let groups = self.groups.iter();
        groups
            .filter_map(|counts| counts.unexpected.get(&kind))
            .sum()
    }

    /// The first device whose connection ended so though nothing asked for it.
    pub(crate) fn first_unexpected(&self, kind: EndKind) -> Option<DeviceId> {
        self.first_unexpected.get(&kind).copied()
    }

    /// Whether the broker closed a connection of a device without a word though nothing asked for it.
    pub(crate) fn was_closed_by_peer(&self, device: DeviceId) -> bool {
        self.closed_by_peer.contains(&device)
    }

    /// Ends the account at `now`: devices leave from then on.
    pub(crate) fn close(&mut self, now: Instant) {
        self.presence.close(now, &mut self.groups);
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
