//! A device that connects and disconnects again and again, for as long as a fault lasts.
//!
//! Each period begins with the end of its connection, whatever has become of that so far, and half a period later the
//! device connects again, whatever its group's `reconnect` says. A polite one can say goodbye only once it has its CONNACK:
//! one that has not when its time comes goes on connecting.

use squall_protocol::{
    Instant, ReasonCode,
    packet::{Disconnect, DisconnectProperties},
};
use squall_scenario::{DisconnectReason, DropKind, FaultId, Flap, FlapEnd};

use super::ending::TransportEnd;
use super::turn::{Stage, Turn};
use super::{Device, Presence};
use crate::drive::Teardown;
use crate::fault_plan::Hit;
use crate::firing::Firing;
use crate::observation::{Departure, EndCause, Fact, Planned};

/// A fault that lets a device come and go.
#[derive(Debug)]
pub(super) struct Flapping {
    by: Firing,
    flap: Flap,
    /// When its connection ends next.
    next: Instant,
    /// When the fault is over: none ends from then on.
    until: Instant,
}

impl Flapping {
    /// When there is something to do next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        (self.next < self.until).then_some(self.next)
    }
}

impl Device {
    /// Comes and goes from now on, unless it does so already.
    pub(super) fn begin_flap(&mut self, turn: &mut Turn<'_>, hit: Hit, flap: Flap) {
        let firing = hit.firing;
        if self.flapping.is_some() || !self.is_online() {
            turn.note_inapplicable(firing.fault);
            return;
        }
        self.note_applied(turn, self.current_socket(), firing);
        self.flapping = Some(Box::new(Flapping {
            by: firing,
            flap,
            next: firing.at + flap.period,
            until: hit.until.unwrap_or(firing.at),
        }));
        self.go_for_a_moment(turn, firing, flap);
        self.wake = Some(firing.at + flap.period / 2);
    }

    /// This firing lets the device come and go no more: it stays, or comes back for the last time.
    pub(super) fn end_flap(&mut self, turn: &mut Turn<'_>, firing: Firing) {
        if self
            .flapping
            .as_ref()
            .is_none_or(|flapping| flapping.by != firing)
        {
            return;
        }
        self.flapping = None;
        let is_on_its_way = self.wake.is_some() || !self.connections.is_empty();
        if self.presence == Presence::Away && !is_on_its_way {
            self.wake = Some(turn.now);
        }
    }

    /// Ends its connection if it is time to.
    pub(super) fn flap_due(&mut self, turn: &mut Turn<'_>) {
        let Some(flapping) = &mut self.flapping else {
            return;
        };
        let Some(due) = flapping.next_due().filter(|&due| due <= turn.now) else {
            return;
        };
        let (by, flap) = (flapping.by, flapping.flap);
        while flapping.next <= turn.now {
            flapping.next += flap.period;
        }
        let is_gone = matches!(self.presence, Presence::Gone | Presence::Leaving);
        if is_gone || turn.shared.stage == Stage::Stopped {
            self.flapping = None;
            return;
        }
        let is_polite = matches!(flap.end, FlapEnd::Disconnect(_));
        if is_polite && !self.is_online() {
            return;
        }
        let what = Planned::Fault(by.fault);
        self.tell(turn, self.current_socket(), Fact::Begun { what, due });
        self.go_for_a_moment(turn, by, flap);
        self.wake = Some(due + flap.period / 2);
    }

    /// Ends what there is of its connection.
    fn go_for_a_moment(&mut self, turn: &mut Turn<'_>, by: Firing, flap: Flap) {
        self.end_any_mute(turn);
        self.give_up_all_opening(turn);
        if self.active_place().is_some() {
            turn.shared.faults.note_connection(by);
        }
        let fault = by.fault;
        match flap.end {
            FlapEnd::Drop(kind) => {
                let teardown = match kind {
                    DropKind::Rst => Teardown::Reset,
                    DropKind::Fin
                    | DropKind::Silent
                    | DropKind::HalfClose
                    | DropKind::MidPacket
                    | DropKind::Malformed
                    | DropKind::TlsAbort => Teardown::Fin,
                };
                let cause = EndCause::Dropped { fault };
                self.end_active(turn, cause, TransportEnd::Close(teardown));
            }
            FlapEnd::Disconnect(reason) => self.say_goodbye_for(turn, fault, reason),
        }
        self.presence = Presence::Away;
    }

    /// Ends the active connection with DISCONNECT; nothing happens without a CONNACK.
    pub(super) fn say_goodbye_for(
        &mut self,
        turn: &mut Turn<'_>,
        fault: FaultId,
        reason: DisconnectReason,
    ) {
        let reason = match reason {
            DisconnectReason::Normal => ReasonCode::Success,
            DisconnectReason::WithWill => ReasonCode::DisconnectWithWillMessage,
        };
        let disconnect = Disconnect {
            reason,
            properties: DisconnectProperties::default(),
        };
        if self.client.disconnect(turn.now, &disconnect).is_err() {
            return;
        }
        if let Some(place) = self.active_place() {
            // DISCONNECT is the end for the broker, the FIN behind it is not.
            self.flush(turn);
            self.mark(turn, place, Departure::End);
        }
        let cause = EndCause::Disconnected { fault, reason };
        self.end_active(turn, cause, TransportEnd::Close(Teardown::Fin));
    }
}
