//! Which connection was the last to ask for each Session: one that ends later than that was displaced by it.
//!
//! A broker closes a connection that is taken over and answers the newcomer; through a relay, or from a broker that answers
//! first, the close is read after the CONNACK. Such an end is older than it looks: its Session was resumed before it was read.

use std::collections::HashMap;

use squall_fleet::SocketId;
use squall_protocol::Instant;
use squall_scenario::ClientKey;

use crate::books::event::Event;

/// The last connection of each Session for which CONNECT was sent.
#[derive(Debug, Default)]
pub(super) struct Holders {
    last: HashMap<ClientKey, Holder>,
}

/// A connection that has asked for a Session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder {
    socket: SocketId,
    /// When its CONNECT was sent, or left its device's link.
    pub(super) asked_at: Instant,
    /// When its CONNACK reached the device's machine; `None` before.
    pub(super) connected_at: Option<Instant>,
}

impl Holders {
    /// CONNECT was sent, or has left its device's link.
    pub(super) fn handle_connect_sent(&mut self, event: &Event) {
        let holder = Holder {
            socket: event.socket,
            asked_at: event.now,
            connected_at: None,
        };
        self.last.insert(event.client, holder);
    }

    /// CONNACK with success came.
    pub(super) fn handle_connected(&mut self, event: &Event) {
        let holder = self.last.get_mut(&event.client);
        if let Some(holder) = holder.filter(|holder| holder.socket == event.socket) {
            holder.connected_at = Some(event.arrived);
        }
    }

    /// The connection that displaced the one that ended, whose CONNACK came at `connected_at`; `None` if that is not certain:
    /// of two whose CONNECTs crossed either may be the newer, and an end that was there before the CONNECT is not its doing.
    pub(super) fn displacer_of(
        &self,
        event: &Event,
        connected_at: Option<Instant>,
    ) -> Option<Holder> {
        let holder = *self.last.get(&event.client)?;
        let is_newer = connected_at.is_some_and(|at| at <= holder.asked_at);
        let is_before = holder.asked_at < event.arrived;
        (holder.socket != event.socket && is_newer && is_before).then_some(holder)
    }
}
