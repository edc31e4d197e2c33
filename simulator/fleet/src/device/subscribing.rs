//! What a device subscribes to: one SUBSCRIBE for each Subscription Identifier, and when each is answered.
//!
//! A SUBSCRIBE has one identifier for all of its filters (§3.8.2.1.2), so filters of one device that have
//! different ones are asked for in several packets, sent one right after the other. The device is subscribed once
//! each has its SUBACK.

use squall_protocol::packet::SubscribeProperties;
use squall_protocol::{PacketId, ReasonCode};

use super::asking::Asked;
use super::connection::{Active, Role};
use super::profile::subscriptions;
use super::turn::Turn;
use super::{Device, Subscribed};
use crate::observation::{Fact, SubscriptionFact, Wanted};

/// What a device subscribes to, packet by packet.
#[derive(Debug)]
pub(super) struct Subscriptions {
    packets: Box<[Box<[Wanted]>]>,
}

impl Subscriptions {
    /// Those of a device that wants this.
    pub(super) fn new(wanted: Vec<Wanted>) -> Self {
        let mut packets: Vec<Vec<Wanted>> = Vec::new();
        for wanted in wanted {
            let mut same = packets.iter_mut();
            match same.find(|packet| packet[0].identifier == wanted.identifier) {
                Some(packet) => packet.push(wanted),
                None => packets.push(vec![wanted]),
            }
        }
        Self {
            packets: packets.into_iter().map(Vec::into_boxed_slice).collect(),
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }
}

impl Device {
    /// Whether SUBSCRIBE was sent on the connection at `place`, and SUBACK has not come.
    pub(super) fn awaits_suback(&self, place: usize) -> bool {
        match &self.connections[place].role {
            Role::Active(active) => active.asking.is_open(),
            Role::Opening(_)
            | Role::Displaced(_)
            | Role::Abandoned
            | Role::Closing
            | Role::Done => false,
        }
    }

    pub(super) fn subscribe(&mut self, turn: &mut Turn<'_>, place: usize) {
        for packet in 0..self.subscriptions.packets.len() {
            let wanted = &self.subscriptions.packets[packet];
            let properties = SubscribeProperties {
                subscription_identifier: wanted[0].identifier,
                ..SubscribeProperties::default()
            };
            let asked = self
                .client
                .subscribe(turn.now, properties, subscriptions(wanted));
            let Ok(id) = asked else {
                // All identifiers are taken by what is in flight; the next connect asks again.
                return;
            };
            self.subscribed = Subscribed::Asked;
            let connection = &mut self.connections[place];
            if let Role::Active(active) = &mut connection.role {
                active.asking.sent += 1;
                active.asking.open.push(Asked {
                    id,
                    packet,
                    since: turn.now,
                });
            }
            let fact = Fact::Subscription(SubscriptionFact::Sent { wanted });
            self.who.tell(turn, connection.socket, fact);
        }
    }

    /// SUBACK came.
    pub(super) fn handle_suback(
        &mut self,
        turn: &mut Turn<'_>,
        id: PacketId,
        reasons: &[ReasonCode],
    ) {
        let Some(place) = self.active_place() else {
            return;
        };
        let connection = &mut self.connections[place];
        let Role::Active(Active { asking, .. }) = &mut connection.role else {
            return;
        };
        let Some(asked) = asking.open.iter().position(|asked| asked.id == id) else {
            return;
        };
        let Asked { packet, since, .. } = asking.open.remove(asked);
        let is_last = asking.open.is_empty() && asking.sent == self.subscriptions.packets.len();
        let fact = Fact::Subscription(SubscriptionFact::Answered {
            wanted: &self.subscriptions.packets[packet],
            reasons,
            sent_at: since,
        });
        self.who.tell(turn, connection.socket, fact);
        self.note_subscribed(turn, reasons);
        if is_last {
            self.subscribed = Subscribed::Yes;
            self.note_ready(turn);
            self.publish_birth(turn);
        }
    }
}
