//! What a fault does to a device (`[[fault]]`).

use squall_protocol::{
    QoS,
    codec::encode,
    packet::{Packet, Publish, PublishProperties},
    topic::TopicName,
};
use squall_scenario::{DisconnectReason, DropKind, FaultAction};

use super::Device;
use super::connection::{Role, Voice};
use super::ending::TransportEnd;
use super::turn::{Stage, Turn};
use crate::drive::Teardown;
use crate::fault_plan::Hit;
use crate::firing::Firing;
use crate::observation::{EndCause, Fact, Planned};

/// Payload of the PUBLISH that is cut in the middle, in bytes.
const CUT_PAYLOAD_BYTES: usize = 64;

/// Connections that a fault has a device make one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contention {
    by: Firing,
    /// How many are to be opened still.
    left: u16,
}

impl Device {
    /// Does to this device what a fault chose it for, or notes that it cannot be done.
    ///
    /// `drop` and `disconnect` need a connection with a CONNACK. `takeover` needs none, and counts as
    /// done when its CONNECT is sent.
    pub(crate) fn apply(&mut self, turn: &mut Turn<'_>, hit: Hit, action: FaultAction) {
        let firing = hit.firing;
        let Firing { fault, at: due, .. } = firing;
        let what = Planned::Fault(fault);
        self.tell(turn, self.current_socket(), Fact::Begun { what, due });
        match action {
            FaultAction::Takeover(contenders) => self.take_over(turn, firing, contenders),
            FaultAction::Drop(_)
            | FaultAction::Disconnect(_)
            | FaultAction::Stall
            | FaultAction::Mute
                if !self.is_online() =>
            {
                turn.note_inapplicable(fault);
            }
            FaultAction::Drop(kind) => {
                self.end_any_mute(turn);
                self.drop_connection(turn, firing, kind);
            }
            FaultAction::Disconnect(reason) => {
                self.end_any_mute(turn);
                self.say_goodbye(turn, firing, reason);
            }
            FaultAction::Stall => self.begin_stall(turn, firing),
            FaultAction::Mute => self.begin_mute(turn, firing),
            FaultAction::Flap(flap) => self.begin_flap(turn, hit, flap),
            FaultAction::Partition => self.begin_partition(turn, hit),
            FaultAction::Network(id) => self.begin_network(turn, firing, id),
        }
        self.settle(turn);
    }

    /// A fault that lasted is over for this device, which it chose.
    pub(crate) fn end_fault(&mut self, turn: &mut Turn<'_>, firing: Firing, action: FaultAction) {
        match action {
            FaultAction::Drop(_) | FaultAction::Disconnect(_) | FaultAction::Takeover(_) => {}
            FaultAction::Stall => self.end_stall(turn, firing),
            FaultAction::Mute => self.end_mute(turn, firing),
            FaultAction::Flap(_) => self.end_flap(turn, firing),
            FaultAction::Partition => self.end_partition(turn, firing),
            FaultAction::Network(_) => self.end_network(turn, firing),
        }
        self.settle(turn);
    }

    /// Opens a second connection, or the first one sooner than planned, and more once it is there.
    fn take_over(&mut self, turn: &mut Turn<'_>, firing: Firing, contenders: u16) {
        let mut connections = self.connections.iter();
        if connections.any(|connection| matches!(connection.role, Role::Opening(_))) {
            // A transport is being opened already, which will take over: a second one would only
            // displace that.
            turn.note_inapplicable(firing.fault);
        } else {
            self.contention = Some(Contention {
                by: firing,
                left: contenders - 1,
            });
            turn.shared.faults.note_connection(firing);
            self.open(turn, Some(firing));
        }
    }

    /// A CONNACK came: opens the next connection of a fault that wants several one after the other.
    pub(super) fn contend(&mut self, turn: &mut Turn<'_>) {
        let Some(Contention { by, left }) = &mut self.contention else {
            return;
        };
        if *left == 0 || turn.shared.stage == Stage::Stopped {
            self.contention = None;
            return;
        }
        *left -= 1;
        turn.shared.faults.note_connection(*by);
        self.open(turn, None);
    }

    fn say_goodbye(&mut self, turn: &mut Turn<'_>, firing: Firing, reason: DisconnectReason) {
        if !self.is_online() {
            turn.note_inapplicable(firing.fault);
            return;
        }
        self.note_applied(turn, self.current_socket(), firing);
        self.say_goodbye_for(turn, firing.fault, reason);
    }

    fn drop_connection(&mut self, turn: &mut Turn<'_>, firing: Firing, kind: DropKind) {
        let fault = firing.fault;
        let Some(place) = self.active_place() else {
            turn.note_inapplicable(fault);
            return;
        };
        // What the device sent before the fault still leaves.
        self.flush(turn);
        let transport = match kind {
            DropKind::Silent => TransportEnd::Close(Teardown::Silent),
            DropKind::Fin => TransportEnd::Close(Teardown::Fin),
            DropKind::Rst => TransportEnd::Close(Teardown::Reset),
            DropKind::HalfClose => TransportEnd::Close(Teardown::HalfClose),
            DropKind::TlsAbort => TransportEnd::Close(Teardown::Abort),
            DropKind::MidPacket => {
                let bytes = self.half_a_publish();
                self.send_foreign(turn, place, &bytes);
                TransportEnd::Close(Teardown::Fin)
            }
            DropKind::Malformed => {
                self.provoke(turn, place, firing);
                TransportEnd::LeftToBroker
            }
        };
        self.note_applied(turn, self.connections[place].socket, firing);
        if kind == DropKind::Silent {
            self.connections[place].voice = Voice::Silenced;
        }
        let keep_alive = self.client.keep_alive();
        self.end_active(turn, EndCause::Dropped { fault }, transport);
        if kind == DropKind::Silent {
            self.tell_silence_began(turn, place, firing, keep_alive);
        }
    }

    /// The first half of a PUBLISH.
    fn half_a_publish(&self) -> Vec<u8> {
        let topic = self.profile.any_topic(self.index, &self.client_id);
        let topic = TopicName::new(topic.as_str()).unwrap_or(TopicName::ALIASED);
        let publish = Packet::Publish(Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: false,
            topic,
            packet_id: None,
            properties: PublishProperties::default(),
            payload: &[0; CUT_PAYLOAD_BYTES],
        });
        let mut bytes = Vec::new();
        encode(&publish, self.profile.version, &mut bytes);
        bytes.truncate(bytes.len() / 2);
        bytes
    }
}
