//! What a publisher's Session that several devices hold in turn explains at QoS 2.
//!
//! The broker may take a message for what the device before had begun with the same Packet Identifier, and pass it on only
//! when it is sent again, or never. So order and copies are excused where the message was sent before a move or was sent
//! again since, and as many losses as exchanges were open at the moves: what comes long after is judged as ever.

use squall_protocol::QoS;
use squall_scenario::{ClientKey, DeviceId};

use super::case::Case;
use super::{Deliveries, session};
use crate::books::event::Event;
use crate::books::stream::OpenPledge;

impl Deliveries {
    /// A device got its CONNACK with a Session that another one had.
    pub(super) fn note_move(&mut self, event: &Event, before: DeviceId) {
        let streams = self.device_streams.get(&before);
        let open = streams.into_iter().flatten().map(|&id| {
            let stream = &self.streams[id];
            let records = stream
                .sequences()
                .filter_map(|number| stream.record(number));
            let in_doubt =
                records.filter(|record| record.qos == QoS::ExactlyOnce && record.is_in_doubt());
            in_doubt.count() as u64
        });
        let left_open = open.sum();
        self.session_mut(event).moves.note(event.now, left_open);
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
            self.note_move(event, event.device);
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
    pub(super) fn was_mistaken(&mut self, id: usize, open: &OpenPledge) -> bool {
        let ClientKey(client) = self.streams[id].client;
        let session = self.sessions.get_mut(client as usize);
        let session = session.and_then(Option::as_mut);
        open.record.qos == QoS::ExactlyOnce
            && session.is_some_and(|session| session.moves.take_for_another(id, open.sequence))
    }
}
