//! What a device subscribes to, and when: SUBSCRIBE and UNSUBSCRIBE, and how each is answered.
//!
//! A SUBSCRIBE has one Subscription Identifier for all of its filters (§3.8.2.1.2), so filters of one device that have
//! different ones are asked for in several packets, sent one right after the other; those that are held at different
//! times are, too. An UNSUBSCRIBE gives up what one SUBSCRIBE asked for.
//!
//! A Session that goes on keeps its subscriptions: a device asks again only where it has had no answer, or where it is to
//! hold something else than before. One request for the same filters is under way at a time.

use squall_protocol::packet::{SubscribeProperties, UserProperties};
use squall_protocol::{Instant, PacketId, ReasonCode};
use squall_scenario::SubscribeTimes;

use super::Device;
use super::asking::{Asked, Asking, Beginning, Request};
use super::connection::{Active, Role};
use super::holding::Holding;
use super::profile::{filters, subscriptions};
use super::turn::Turn;
use crate::observation::{Fact, Planned, SubscriptionFact, Wanted};
use crate::random::{Draws, Purpose};
use crate::schedule::Load;

/// What a device subscribes to, packet by packet.
#[derive(Debug)]
pub(super) struct Subscriptions {
    packets: Box<[Packet]>,
}

/// The filters of one SUBSCRIBE.
#[derive(Debug)]
struct Packet {
    wanted: Box<[Wanted]>,
    held: Held,
    /// `None` if they are always to be held.
    holding: Option<Box<Holding>>,
}

/// What the Session knows of the filters of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Held {
    /// It does not have them.
    No,
    /// One of both: an answer did not come.
    Unknown,
    /// It has them.
    Yes,
}

impl Packet {
    /// What has to be asked for, if anything has.
    fn request(&self) -> Option<Request> {
        let is_on = self.holding.as_ref().is_none_or(|holding| holding.is_on());
        match (is_on, self.held) {
            (true, Held::Yes) | (false, Held::No) => None,
            (true, Held::No | Held::Unknown) => Some(Request::Subscribe),
            (false, Held::Yes | Held::Unknown) => Some(Request::Unsubscribe),
        }
    }
}

impl Subscriptions {
    /// Those of a device that wants this, each at its times.
    pub(super) fn new(wanted: Vec<(Wanted, SubscribeTimes)>, draws: Draws) -> Self {
        let mut packets: Vec<(u64, SubscribeTimes, Vec<Wanted>)> = Vec::new();
        for (number, (wanted, times)) in (0..).zip(wanted) {
            let mut same = packets.iter_mut();
            let same = same
                .find(|(_, known, of)| of[0].identifier == wanted.identifier && *known == times);
            match same {
                Some((_, _, packet)) => packet.push(wanted),
                None => packets.push((number, times, vec![wanted])),
            }
        }
        let packets = packets.into_iter().map(|(number, times, wanted)| Packet {
            wanted: wanted.into_boxed_slice(),
            held: Held::No,
            holding: Holding::new(&times, draws.generator(Purpose::Churn, number)),
        });
        Self {
            packets: packets.collect(),
        }
    }

    /// The Session has none of them.
    pub(super) fn forget(&mut self) {
        for packet in &mut self.packets {
            packet.held = Held::No;
        }
    }

    /// The load begins at `now`.
    pub(super) fn begin(&mut self, now: Instant, load: Load) {
        for holding in self.holdings_mut() {
            holding.begin(now, load);
        }
    }

    /// The run is stopped: what is held stays so.
    pub(super) fn end(&mut self) {
        self.holdings_mut().for_each(Holding::end);
    }

    /// When something is to be asked for or given up next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let holdings = self.packets.iter().filter_map(|of| of.holding.as_deref());
        holdings.filter_map(Holding::next_due).min()
    }

    fn holdings_mut(&mut self) -> impl Iterator<Item = &mut Holding> {
        self.packets
            .iter_mut()
            .filter_map(|packet| packet.holding.as_deref_mut())
    }
}

impl Device {
    /// Whether SUBSCRIBE or UNSUBSCRIBE was sent on the connection at `place`, and not answered.
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

    /// CONNACK with Success came: asks for what the Session does not have, and gives up what it should not.
    pub(super) fn begin_subscribing(&mut self, turn: &mut Turn<'_>, place: usize) {
        self.ask_where_due(turn, place);
        if !self.awaits_suback(place) {
            self.end_beginning(turn, place);
        }
    }

    /// Asks for what is due now, and gives up what is over.
    pub(super) fn subscribe_due(&mut self, turn: &mut Turn<'_>) {
        let mut begun = Vec::new();
        for holding in self.subscriptions.holdings_mut() {
            begun.extend(holding.advance(turn.now));
        }
        if begun.is_empty() || !self.is_online() {
            return;
        }
        let Some(place) = self.active_place() else {
            return;
        };
        for due in begun {
            let what = Planned::Subscription;
            self.tell(turn, self.current_socket(), Fact::Begun { what, due });
        }
        self.ask_where_due(turn, place);
    }

    /// Sends a SUBSCRIBE or UNSUBSCRIBE for each packet that needs one and has none under way; later if the device is muted.
    pub(super) fn ask_where_due(&mut self, turn: &mut Turn<'_>, place: usize) {
        if self.connections[place].is_muted() {
            return;
        }
        for packet in 0..self.subscriptions.packets.len() {
            let Some(request) = self.subscriptions.packets[packet].request() else {
                continue;
            };
            let is_under_way = self
                .asking_mut(place)
                .is_none_or(|asking| asking.is_open_for(packet));
            if is_under_way {
                continue;
            }
            if !self.ask(turn, place, packet, request) {
                if let Some(asking) = self.asking_mut(place)
                    && asking.beginning == Beginning::UnderWay
                {
                    asking.beginning = Beginning::Stuck;
                }
                return;
            }
        }
    }

    /// Sends one request; fails if all identifiers are taken by what is in flight: the next answer or connect asks again.
    fn ask(&mut self, turn: &mut Turn<'_>, place: usize, packet: usize, request: Request) -> bool {
        let Packet { wanted, held, .. } = &mut self.subscriptions.packets[packet];
        let (sent, fact) = match request {
            Request::Subscribe => {
                let properties = SubscribeProperties {
                    subscription_identifier: wanted[0].identifier,
                    ..SubscribeProperties::default()
                };
                let filters = subscriptions(wanted);
                let sent = self.client.subscribe(turn.now, properties, filters);
                (sent, SubscriptionFact::Sent { wanted })
            }
            Request::Unsubscribe => {
                let filters = filters(wanted);
                let sent = self
                    .client
                    .unsubscribe(turn.now, UserProperties::default(), filters);
                (sent, SubscriptionFact::UnsubscribeSent { wanted })
            }
        };
        let Ok(id) = sent else {
            return false;
        };
        *held = Held::Unknown;
        let connection = &mut self.connections[place];
        if let Role::Active(active) = &mut connection.role {
            active.asking.open.push(Asked {
                id,
                request,
                packet,
                since: turn.now,
            });
        }
        self.who
            .tell(turn, connection.socket, Fact::Subscription(fact));
        true
    }

    /// SUBACK or UNSUBACK came.
    pub(super) fn handle_request_answered(
        &mut self,
        turn: &mut Turn<'_>,
        id: PacketId,
        reasons: &[ReasonCode],
    ) {
        let Some(place) = self.active_place() else {
            return;
        };
        let Some(asked) = self.asking_mut(place).and_then(|asking| asking.answer(id)) else {
            return;
        };
        let Packet { wanted, held, .. } = &mut self.subscriptions.packets[asked.packet];
        let sent_at = asked.since;
        let fact = match asked.request {
            Request::Subscribe => {
                *held = Held::Yes;
                SubscriptionFact::Answered {
                    wanted,
                    reasons,
                    sent_at,
                }
            }
            Request::Unsubscribe => {
                *held = Held::No;
                SubscriptionFact::UnsubscribeAnswered { wanted, reasons }
            }
        };
        let socket = self.connections[place].socket;
        self.who.tell(turn, socket, Fact::Subscription(fact));
        if asked.request == Request::Subscribe {
            self.note_subscribed(turn, reasons);
        }
        // What was due meanwhile had to wait for this answer.
        self.ask_where_due(turn, place);
        if !self.awaits_suback(place) {
            self.end_beginning(turn, place);
        }
    }

    /// Everything that was due on the CONNACK is answered: the device is ready, once, and tells of its birth.
    fn end_beginning(&mut self, turn: &mut Turn<'_>, place: usize) {
        let Some(asking) = self.asking_mut(place) else {
            return;
        };
        if asking.beginning != Beginning::UnderWay {
            return;
        }
        asking.beginning = Beginning::Over;
        self.note_ready(turn);
        self.publish_birth(turn);
    }

    fn asking_mut(&mut self, place: usize) -> Option<&mut Asking> {
        match &mut self.connections[place].role {
            Role::Active(Active { asking, .. }) => Some(asking),
            Role::Opening(_)
            | Role::Displaced(_)
            | Role::Abandoned
            | Role::Closing
            | Role::Done => None,
        }
    }
}
