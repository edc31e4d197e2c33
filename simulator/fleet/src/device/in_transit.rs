//! What a device's links hold when nothing more is waited for.

use squall_protocol::Instant;

use super::Device;
use super::connection::Connection;
use super::turn::Turn;
use crate::observation::{ConnectionFact, Way};

impl Device {
    /// What its link did that only the end of the run knows.
    pub(crate) fn finish_link(&mut self, turn: &mut Turn<'_>) {
        if let Some(link) = &mut self.link {
            let report = &mut turn.shared.links[usize::from(link.network().0)];
            link.finish(turn.now, report);
        }
    }

    /// When everything that its link holds has arrived; `None` if it holds nothing.
    pub(crate) fn in_transit_until(&self) -> Option<Instant> {
        let connections = self.connections.iter();
        connections.filter_map(Connection::in_transit_until).max()
    }

    /// Tells what its links hold at the end: it has not come, and nothing follows from that.
    pub(crate) fn tell_in_transit(&mut self, turn: &mut Turn<'_>) {
        for connection in &self.connections {
            for way in connection.ways_in_transit() {
                self.tell_connection(turn, connection.socket, ConnectionFact::StillOnLink(way));
            }
            // Its links may have held up a takeover for so long that the answer is under way now: what
            // the older connection was sent is sent again on this one.
            if self.link.is_some() && connection.awaits_connack() {
                let fact = ConnectionFact::StillOnLink(Way::Down);
                self.tell_connection(turn, connection.socket, fact);
            }
        }
    }
}
