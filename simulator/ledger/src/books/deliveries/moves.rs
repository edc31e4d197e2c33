//! What a publisher's Session that several devices hold in turn explains at QoS 2.
//!
//! The broker may take a message for what the device before had begun with the same Packet Identifier, and pass it on only
//! when it is sent again, or never. So order, copies and the loss of a message are excused where it was left open at a move, or was
//! sent with an identifier that another one had: what else comes or is lost is judged as ever. For a recipient, a copy is excused
//! of a message whose PUBREL had not come when the Session moved.

use squall_fleet::{ReceiverLeg, SenderLeg, Stamp};
use squall_protocol::{PacketId, QoS};

use super::case::Case;
use super::{Deliveries, session};
use crate::books::event::Event;
use crate::books::session::Holder;
use crate::books::stream::OpenPledge;

impl Deliveries {
    /// A device sent or got a packet of the exchange `id`, in which it sends the message of `stamp`.
    pub(crate) fn handle_sender_leg(
        &mut self,
        event: &Event,
        id: PacketId,
        (stamp, topic): (Stamp, &str),
        leg: SenderLeg,
    ) {
        if self.is_closed {
            return;
        }
        let stream = self.stream_of(event, topic);
        self.session_mut(event)
            .moves
            .handle_leg(id, (stamp, stream), leg);
        let streams = &self.streams;
        let session = self.sessions.get_mut(event.client.0 as usize);
        if let Some(session) = session.and_then(Option::as_mut) {
            let is_open = |stream: usize, sequence| streams[stream].record(sequence).is_some();
            session.moves.drop_settled(is_open);
        }
    }

    /// A packet of an exchange in which a device is the receiver.
    pub(crate) fn handle_receiver_leg(&mut self, event: &Event, id: PacketId, leg: ReceiverLeg) {
        if self.is_closed {
            return;
        }
        let holder = self.holder_of(event);
        let session = self.session_mut(event);
        match leg {
            ReceiverLeg::PublishReceived => session.moves.handle_coming(id),
            ReceiverLeg::PubrelReceived if holder == Holder::This => {
                session.moves.handle_released(id);
            }
            ReceiverLeg::PubrelReceived
            | ReceiverLeg::DuplicateReceived
            | ReceiverLeg::PubrecSent
            | ReceiverLeg::PubcompSent => {}
        }
    }

    /// A message came whose exchange goes on if it is of QoS 2.
    pub(super) fn note_receiving(&mut self, case: &Case<'_>) {
        if case.delivery.qos != QoS::ExactlyOnce {
            return;
        }
        let holder = self.holder_of(case.event);
        let session = self.session_mut(case.event);
        let message = (case.stream, case.sequence());
        session.moves.handle_came(message, holder);
    }

    /// Whether a connection has the Session. What a link lets pass of an older one, of the same device too, may come behind what
    /// was sent again on this.
    fn holder_of(&self, event: &Event) -> Holder {
        let session = session(&self.sessions, event.client);
        let is_newest = session.is_some_and(|session| {
            session.device == event.device && session.last.connected == Some(event.socket)
        });
        match is_newest {
            true => Holder::This,
            false => Holder::Another,
        }
    }

    /// Whether a device that had the Session before may have had this message without the end of its exchange.
    pub(super) fn was_left_to_next(&self, case: &Case<'_>) -> bool {
        session(&self.sessions, case.event.client)
            .is_some_and(|session| session.moves.was_left_to_next(case.stream, case.sequence()))
    }

    /// A connection of a Session ended. Where another goes on though its CONNACK came before, their CONNECTs had crossed: the
    /// device of that one has the Session.
    pub(super) fn note_move_back(&mut self, event: &Event) {
        let session = self.session_mut(event);
        let Some(holder) = session.live.last().map(|live| live.device) else {
            return;
        };
        if session.last.connected == Some(event.socket) && holder != session.device {
            session.device = holder;
            session.moves.note();
        }
    }

    /// Whether the broker may have taken the first sending of a message for another device's, and passed on what was sent
    /// again.
    pub(super) fn may_be_mistaken(&self, case: &Case<'_>) -> bool {
        let client = self.streams[case.stream].client;
        session(&self.sessions, client).is_some_and(|session| {
            session
                .moves
                .was_ever_mistaken(case.stream, case.sequence())
        })
    }

    /// Whether a message that never came may be one that the broker took for another device's.
    pub(super) fn was_mistaken(&self, id: usize, open: &OpenPledge) -> bool {
        let client = self.streams[id].client;
        open.record.qos == QoS::ExactlyOnce
            && session(&self.sessions, client)
                .is_some_and(|session| session.moves.was_mistaken(id, open.sequence))
    }
}
