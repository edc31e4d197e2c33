//! What each packet of the broker changes.

use squall_protocol::codec;
use squall_protocol::packet::{
    Connack, Packet, PacketType, Puback, Pubcomp, Publish, Pubrec, Pubrel, Suback,
};
use squall_protocol::{PacketId, QoS, ReasonCode};
use squall_run::Histogram;

use crate::account::Books;
use crate::client::{self, Phase, Side};
use crate::error::{Client, LoadError};
use crate::limits::KEEP_ALIVE_SECONDS;
use crate::load::Load;
use crate::publisher::Publisher;

/// All that packets change, but for the connections themselves.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) load: Load,
    pub(crate) publishers: Vec<Publisher>,
    pub(crate) books: Books,
    pub(crate) latency: Latency,
    pub(crate) acknowledged: u64,
    /// Clients that are ready.
    pub(crate) ready: usize,
    /// Publishers that may have got the right to send.
    pub(crate) may_send: Vec<u32>,
    /// The least Keep Alive that any connection has, in seconds.
    pub(crate) keep_alive: u16,
}

/// Latencies; those of messages that were sent and read together are added together.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    histogram: Histogram,
    nanos: u64,
    times: u64,
}

impl Latency {
    #[inline]
    pub(crate) fn add(&mut self, nanos: u64) {
        if nanos == self.nanos {
            self.times += 1;
        } else {
            self.flush();
            self.nanos = nanos;
            self.times = 1;
        }
    }

    fn flush(&mut self) {
        let micros = (self.nanos + 500) / 1000;
        self.histogram.record_us_times(micros, self.times);
        self.times = 0;
    }

    /// What was added since the last call.
    pub(crate) fn take(&mut self) -> Histogram {
        self.flush();
        std::mem::take(&mut self.histogram)
    }
}

impl World {
    /// Handles a packet that `side` was sent and that was read at `now`.
    #[inline]
    pub(crate) fn handle(
        &mut self,
        side: &mut Side,
        packet: &Packet<'_>,
        now: u64,
    ) -> Result<(), LoadError> {
        match packet {
            Packet::Publish(publish) => self.handle_publish(side, publish, now),
            Packet::Puback(Puback { reason, .. }) | Packet::Pubcomp(Pubcomp { reason, .. }) => {
                self.handle_acknowledgement(side, packet.packet_type(), *reason)
            }
            Packet::Pubrec(Pubrec { id, reason, .. }) => self.handle_pubrec(side, *id, *reason),
            Packet::Pubrel(Pubrel { id, .. }) => {
                self.answer(
                    side,
                    &Packet::Pubcomp(Pubcomp::new(*id, ReasonCode::Success)),
                );
                Ok(())
            }
            Packet::Connack(connack) => self.handle_connack(side, connack),
            Packet::Suback(suback) => self.handle_suback(side, suback),
            Packet::Pingresp => {
                side.unanswered_pings = side.unanswered_pings.saturating_sub(1);
                Ok(())
            }
            Packet::Disconnect(disconnect) => Err(LoadError::Disconnected {
                client: side.client,
                reason: disconnect.reason,
            }),
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq
            | Packet::Auth(_) => Err(unexpected(side, packet.packet_type())),
        }
    }

    #[inline]
    fn handle_publish(
        &mut self,
        side: &mut Side,
        publish: &Publish<'_>,
        now: u64,
    ) -> Result<(), LoadError> {
        let Client::Subscriber(subscriber) = side.client else {
            return Err(unexpected(side, PacketType::Publish));
        };
        if !self.books.is_of_others()
            && let Some(stamp) = self.books.stamp_of(publish.payload)
        {
            let publisher = &mut self.publishers[stamp.publisher as usize];
            let over = self.books.arrived(subscriber, stamp, publisher.sent);
            if over > 0 {
                self.latency.add(now.saturating_sub(stamp.at));
                publisher.settle(over, now, self.books.delivered());
                self.list(stamp.publisher);
            }
        }
        match (publish.qos, publish.packet_id) {
            (QoS::AtLeastOnce, Some(id)) => {
                self.answer(side, &Packet::Puback(Puback::new(id, ReasonCode::Success)));
            }
            (QoS::ExactlyOnce, Some(id)) => {
                self.answer(side, &Packet::Pubrec(Pubrec::new(id, ReasonCode::Success)));
            }
            // The reader has seen to it that QoS 1 and 2 have an identifier.
            (QoS::AtMostOnce | QoS::AtLeastOnce | QoS::ExactlyOnce, _) => {}
        }
        Ok(())
    }

    fn handle_acknowledgement(
        &mut self,
        side: &Side,
        packet: PacketType,
        reason: ReasonCode,
    ) -> Result<(), LoadError> {
        let place = publisher_of(side, packet)?;
        if reason.is_error() {
            let client = side.client;
            return Err(LoadError::NotPublished { client, reason });
        }
        if !self.publishers[place as usize].acknowledge() {
            return Err(unexpected(side, packet));
        }
        self.acknowledged += 1;
        self.list(place);
        Ok(())
    }

    fn handle_pubrec(
        &mut self,
        side: &mut Side,
        id: PacketId,
        reason: ReasonCode,
    ) -> Result<(), LoadError> {
        publisher_of(side, PacketType::Pubrec)?;
        if reason.is_error() {
            let client = side.client;
            return Err(LoadError::NotPublished { client, reason });
        }
        self.answer(side, &Packet::Pubrel(Pubrel::new(id, ReasonCode::Success)));
        Ok(())
    }

    fn handle_connack(&mut self, side: &mut Side, connack: &Connack) -> Result<(), LoadError> {
        let client = side.client;
        if side.phase != Phase::Connecting {
            return Err(unexpected(side, PacketType::Connack));
        }
        if connack.reason.is_error() {
            let reason = connack.reason;
            return Err(LoadError::Refused { client, reason });
        }
        let properties = &connack.properties;
        // 0 asks for no pings.
        match properties.server_keep_alive {
            Some(seconds) if seconds > 0 => self.keep_alive = self.keep_alive.min(seconds),
            Some(_) | None => {}
        }
        match client {
            Client::Publisher(place) => {
                if let Some(maximum) = properties.receive_maximum {
                    self.publishers[place as usize].limit(maximum);
                }
                side.phase = Phase::Ready;
                self.ready += 1;
            }
            Client::Subscriber(place) => {
                let subscribe = client::subscribe(place, &self.load);
                self.answer(side, &subscribe);
                side.phase = Phase::Subscribing;
            }
        }
        Ok(())
    }

    fn handle_suback(&mut self, side: &mut Side, suback: &Suback) -> Result<(), LoadError> {
        let client = side.client;
        if side.phase != Phase::Subscribing {
            return Err(unexpected(side, PacketType::Suback));
        }
        let granted = match self.load.qos {
            QoS::AtMostOnce => ReasonCode::Success,
            QoS::AtLeastOnce => ReasonCode::GrantedQoS1,
            QoS::ExactlyOnce => ReasonCode::GrantedQoS2,
        };
        match suback.reasons.as_slice() {
            [reason] if *reason == granted => {
                side.phase = Phase::Ready;
                self.ready += 1;
                Ok(())
            }
            [reason, ..] => Err(LoadError::NotSubscribed {
                client,
                reason: *reason,
            }),
            [] => Err(unexpected(side, PacketType::Suback)),
        }
    }

    fn answer(&self, side: &mut Side, packet: &Packet<'_>) {
        codec::encode(packet, self.load.version, &mut side.out);
    }

    /// Notes that a publisher may have got the right to send.
    #[inline]
    pub(crate) fn list(&mut self, place: u32) {
        let publisher = &mut self.publishers[place as usize];
        if !publisher.is_listed {
            publisher.is_listed = true;
            self.may_send.push(place);
        }
    }

    pub(crate) fn new(load: Load) -> Self {
        let publishers = (0..).zip(&load.publishers);
        Self {
            publishers: publishers
                .map(|(place, spec)| Publisher::new(place, spec, &load))
                .collect(),
            books: Books::new(&load),
            latency: Latency::default(),
            acknowledged: 0,
            ready: 0,
            may_send: Vec::new(),
            keep_alive: KEEP_ALIVE_SECONDS,
            load,
        }
    }
}

fn publisher_of(side: &Side, packet: PacketType) -> Result<u32, LoadError> {
    match side.client {
        Client::Publisher(place) => Ok(place),
        Client::Subscriber(_) => Err(unexpected(side, packet)),
    }
}

fn unexpected(side: &Side, packet: PacketType) -> LoadError {
    LoadError::Unexpected {
        client: side.client,
        packet,
    }
}
