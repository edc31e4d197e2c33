//! What a publisher's Session that several devices hold in turn explains at QoS 2.
//!
//! The broker may take a message for what the device before had begun with the same Packet Identifier, and pass it on only
//! when it is sent again, or never. So order and copies are excused where the message was sent before a move or was sent
//! again since, and the loss of a message that was left open at a move, or was sent with an identifier that another one had: what
//! else is lost is judged as ever.

use squall_fleet::{SenderLeg, Stamp};
use squall_protocol::{PacketId, QoS};

use super::case::Case;
use super::{Deliveries, session};
use crate::books::event::Event;
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

    /// A connection of a Session ended. Where another goes on though its CONNACK came before, their CONNECTs had crossed: the
    /// device of that one has the Session.
    pub(super) fn note_move_back(&mut self, event: &Event) {
        let session = self.session_mut(event);
        let Some(holder) = session.live.last().map(|live| live.device) else {
            return;
        };
        if session.last.connected == Some(event.socket) && holder != session.device {
            session.device = holder;
            session.moves.note(event.now);
        }
    }

    /// Whether the broker may have taken the first sending of a message for another device's, and passed on what was sent
    /// again.
    pub(super) fn may_be_mistaken(&self, case: &Case<'_>) -> bool {
        let client = self.streams[case.stream].client;
        session(&self.sessions, client).is_some_and(|session| {
            let was_sent_again = || !self.was_sent_once(case);
            session.moves.may_mistake()
                && (session.moves.has_moved_since(case.sent_at_least()) || was_sent_again())
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
