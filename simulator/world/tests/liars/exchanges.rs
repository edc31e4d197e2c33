//! The exchanges that a liar has by itself: neither the broker nor a device notices that the other is lied to.

use std::collections::HashSet;

use squall_fleet::SocketId;
use squall_protocol::codec::encode_publish;
use squall_protocol::packet::{
    Packet, Puback, Pubcomp, Publish, PublishProperties, Pubrec, Pubrel,
};
use squall_protocol::topic::TopicName;
use squall_protocol::{PacketId, QoS, ReasonCode, Version};
use squall_world::{Direction, Passing, Tampered};

use crate::notes::Kept;

/// Packet Identifiers from here on are a liar's: the broker takes the lowest that is free.
const OWN_IDS: u16 = 60_000;

/// What is under way.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    used: u16,
    /// Messages at QoS 2 that their devices never saw.
    swallowed: HashSet<(SocketId, PacketId)>,
}

impl Exchanges {
    /// Answers what is part of the liar's own exchanges; false if the packet is not.
    pub(crate) fn settle(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) -> bool {
        let is_own = |id: PacketId| id.get() >= OWN_IDS;
        match (passing.direction, passing.packet) {
            (Direction::ToBroker, Packet::Pubrec(pubrec)) if is_own(pubrec.id) => {
                let pubrel = Pubrel::new(pubrec.id, ReasonCode::Success);
                tampered.answer(passing, &Packet::Pubrel(pubrel));
                true
            }
            (Direction::ToBroker, Packet::Puback(puback)) => is_own(puback.id),
            (Direction::ToBroker, Packet::Pubcomp(pubcomp)) => is_own(pubcomp.id),
            (Direction::ToDevice, Packet::Pubrel(pubrel)) => {
                let is_swallowed = self.swallowed.remove(&(passing.socket, pubrel.id));
                if is_swallowed {
                    let pubcomp = Pubcomp::new(pubrel.id, ReasonCode::Success);
                    tampered.answer(passing, &Packet::Pubcomp(pubcomp));
                }
                is_swallowed
            }
            (Direction::ToBroker | Direction::ToDevice, _) => false,
        }
    }

    /// Answers a message in place of its device, which does not see it.
    pub(crate) fn swallow(
        &mut self,
        passing: &Passing<'_>,
        publish: &Publish<'_>,
        tampered: &mut Tampered,
    ) {
        let Some(id) = publish.packet_id else {
            return;
        };
        match publish.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => {
                let puback = Puback::new(id, ReasonCode::Success);
                tampered.answer(passing, &Packet::Puback(puback));
            }
            QoS::ExactlyOnce => {
                self.swallowed.insert((passing.socket, id));
                let pubrec = Pubrec::new(id, ReasonCode::Success);
                tampered.answer(passing, &Packet::Pubrec(pubrec));
            }
        }
    }

    /// Sends `publish` to the device in an exchange of the liar's own.
    pub(crate) fn send(
        &mut self,
        passing: &Passing<'_>,
        publish: &Publish<'_>,
        tampered: &mut Tampered,
    ) {
        let mut publish = publish.clone();
        publish.packet_id = match publish.qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce | QoS::ExactlyOnce => Some(self.take_id()),
        };
        let mut bytes = Vec::new();
        encode_publish(&publish, passing.version, &mut bytes);
        tampered.forward(Direction::ToDevice, &bytes);
    }

    /// Sends what was kept, at QoS 1 or lower.
    pub(crate) fn send_kept(
        &mut self,
        passing: &Passing<'_>,
        (kept, dup): (&Kept, Dup),
        tampered: &mut Tampered,
    ) {
        let is_v5 = passing.version == Version::V5;
        let publish = Publish {
            dup: dup == Dup::Set && kept.qos > QoS::AtMostOnce,
            qos: kept.qos,
            retain: false,
            topic: TopicName::new(kept.topic.as_str()).expect("it was published"),
            packet_id: None,
            properties: PublishProperties {
                message_expiry_interval: kept.expiry.filter(|_| is_v5),
                ..PublishProperties::default()
            },
            payload: &kept.payload,
        };
        self.send(passing, &publish, tampered);
    }

    fn take_id(&mut self) -> PacketId {
        self.used = (self.used + 1) % 5_000;
        PacketId::new(OWN_IDS + self.used).expect("it is not 0")
    }
}

/// The DUP flag of a copy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dup {
    /// It says that the message may have been sent before.
    Set,
    /// It says that it was not.
    Clear,
}
