//! What came to Sessions on their present connections, where they have been away before.
//!
//! A message that waited for its Session may have been sent on another connection before, so from its first copy nothing
//! follows. From a further one it does: on one connection a message is sent once [MQTT-4.4.0-1], and what a Session had
//! that is over does not come to the next one of its client [MQTT-3.1.2-4]. Sessions that were never away need none of this:
//! what they have was published on their present connection.

use std::collections::HashMap;

use squall_fleet::SocketId;
use squall_protocol::QoS;
use squall_scenario::ClientKey;

use super::case::Case;
use super::{Deliveries, StreamId, session};
use crate::books::sequences::SequenceSet;
use crate::books::topics::Recipient;

/// Streams that Sessions have had messages of on their present connections, over all Sessions. A Session that has one of
/// further streams is not judged until its next connection.
const STREAMS_MAX: usize = 1_000_000;

/// Ranges of sequence numbers of one of them; with more, the same.
const RANGES_MAX: usize = 16;

/// Where a message that comes again came before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CameBefore {
    /// On the same connection.
    Here,
    /// Not on this one, so on an earlier one.
    Elsewhere,
    /// That is not remembered.
    Unknown,
}

/// What came, by Session.
#[derive(Debug, Default)]
pub(super) struct CameHere {
    sessions: HashMap<ClientKey, OnConnection>,
    /// Streams of all of them.
    streams: usize,
}

/// What came to one Session on its present connection.
#[derive(Debug)]
struct OnConnection {
    socket: SocketId,
    /// `None` if it was too much to be remembered.
    came: Option<HashMap<StreamId, SequenceSet>>,
}

impl CameHere {
    /// A message came to a Session on a connection.
    fn note(&mut self, client: ClientKey, socket: SocketId, (stream, sequence): (StreamId, u32)) {
        let row = self.sessions.entry(client).or_insert(OnConnection {
            socket,
            came: Some(HashMap::new()),
        });
        if row.socket != socket {
            self.streams -= row.came.as_ref().map_or(0, HashMap::len);
            *row = OnConnection {
                socket,
                came: Some(HashMap::new()),
            };
        }
        let Some(came) = &mut row.came else {
            return;
        };
        let before = came.len();
        let set = came.entry(stream).or_default();
        set.insert(sequence);
        let has_room = set.excess(RANGES_MAX).is_none();
        self.streams += came.len() - before;
        if !has_room || self.streams > STREAMS_MAX {
            self.streams -= came.len();
            row.came = None;
        }
    }

    /// Where a message came before that comes again.
    fn came_before(
        &self,
        client: ClientKey,
        socket: SocketId,
        (stream, sequence): (StreamId, u32),
    ) -> CameBefore {
        let row = self.sessions.get(&client);
        // Nothing else has come here yet.
        let Some(row) = row.filter(|row| row.socket == socket) else {
            return CameBefore::Elsewhere;
        };
        let Some(came) = &row.came else {
            return CameBefore::Unknown;
        };
        let set = came.get(&stream);
        match set.is_some_and(|set| set.contains(sequence)) {
            true => CameBefore::Here,
            false => CameBefore::Elsewhere,
        }
    }
}

impl Deliveries {
    /// Remembers that a message came, if its Session was away before its present connection.
    pub(super) fn note_came_here(&mut self, case: &Case<'_>) {
        // Of what comes by a shared subscription nothing follows, and its members have gaps everywhere.
        match self.topics.places(case.topic)[case.place].recipient {
            Recipient::Session(_) => {}
            Recipient::Share(_) => return,
        }
        let row = session(&self.sessions, case.event.client);
        let was_away = row.is_some_and(|row| row.away.is_some());
        if was_away && case.delivery.qos > QoS::AtMostOnce {
            let message = (case.stream, case.sequence());
            self.came_here
                .note(case.event.client, case.event.socket, message);
        }
    }

    /// Where a message came before that comes again to a Session with one connection, which was away before that.
    pub(super) fn came_before(&self, case: &Case<'_>) -> CameBefore {
        let is_remembered = session(&self.sessions, case.event.client).is_some_and(|row| {
            row.away
                .is_some_and(|away| away.until == Some(row.connected_at))
                && row.has_only(case.event.socket)
                && row.last.connected == Some(case.event.socket)
        });
        if !is_remembered {
            return CameBefore::Unknown;
        }
        let message = (case.stream, case.sequence());
        self.came_here
            .came_before(case.event.client, case.event.socket, message)
    }

    /// Whether the Session, which was away before its present connection, began with that.
    pub(super) fn began_here(&self, client: ClientKey) -> bool {
        session(&self.sessions, client).is_some_and(|row| {
            row.away.is_some_and(|away| {
                away.until == Some(row.connected_at)
                    && away.from <= row.over_at
                    && row.last.resumed != row.last.connected
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: ClientKey = ClientKey(3);

    /// A message that came on the connection before did not come on this one.
    #[test]
    fn another_connection_forgets_what_came() {
        let mut came = CameHere::default();
        came.note(CLIENT, SocketId(1), (5, 7));
        assert_eq!(
            came.came_before(CLIENT, SocketId(1), (5, 7)),
            CameBefore::Here
        );

        came.note(CLIENT, SocketId(2), (5, 8));

        assert_eq!(
            came.came_before(CLIENT, SocketId(2), (5, 7)),
            CameBefore::Elsewhere
        );
        assert_eq!(came.streams, 1);
    }

    /// With too many gaps nothing is concluded until the next connection.
    #[test]
    fn too_many_gaps_are_not_remembered() {
        let mut came = CameHere::default();
        let sequences = (0..=RANGES_MAX).map(|number| u32::try_from(number * 2).expect("few"));
        for sequence in sequences {
            came.note(CLIENT, SocketId(1), (5, sequence));
        }

        let unknown = came.came_before(CLIENT, SocketId(1), (5, 0));

        assert_eq!((unknown, came.streams), (CameBefore::Unknown, 0));
        came.note(CLIENT, SocketId(2), (5, 1));
        let here = came.came_before(CLIENT, SocketId(2), (5, 1));
        assert_eq!(here, CameBefore::Here);
    }
}
