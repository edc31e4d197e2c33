//! Lies in the answers of QoS 2 exchanges (§4.3.3): left out, with the identifier of another exchange, or forgotten with the
//! connection.

use std::collections::HashMap;

use squall_fleet::SocketId;
use squall_protocol::packet::{Packet, PacketType, Pubcomp, Pubrec, Pubrel};
use squall_protocol::{PacketId, QoS};
use squall_world::{Direction, Passing, Tampered};

use crate::liar::Liar;
use crate::lies::Lie;

/// How far a wrong identifier is from the right one: the two ends take the lowest that are free.
const WRONG_BY: u16 = 20_000;

/// Who began an exchange.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum By {
    Broker,
    Device,
}

/// The connections on which exchanges began that are open.
#[derive(Debug, Default)]
pub(crate) struct Begun(HashMap<(String, PacketId, By), SocketId>);

impl Begun {
    /// A packet passes: whether it goes on with an exchange that began on an earlier connection.
    fn handle(&mut self, passing: &Passing<'_>) -> bool {
        let by = |direction| match direction {
            Direction::ToBroker => By::Device,
            Direction::ToDevice => By::Broker,
        };
        let key = |id| (passing.client_id.to_owned(), id, by(passing.direction));
        if let Packet::Publish(publish) = passing.packet
            && publish.qos == QoS::ExactlyOnce
            && let Some(id) = publish.packet_id
        {
            if !publish.dup {
                self.0.insert(key(id), passing.socket);
            }
            return self.is_older(passing, &key(id));
        }
        if let Packet::Pubrel(pubrel) = passing.packet {
            return self.is_older(passing, &key(pubrel.id));
        }
        if let Packet::Pubcomp(pubcomp) = passing.packet {
            let began_by = by(passing.direction.opposite());
            self.0
                .remove(&(passing.client_id.to_owned(), pubcomp.id, began_by));
        }
        false
    }

    fn is_older(&self, passing: &Passing<'_>, key: &(String, PacketId, By)) -> bool {
        let began = self.0.get(key);
        began.is_some_and(|&began| began != passing.socket)
    }
}

impl Liar {
    /// Lies about a packet of an exchange; false if it leaves that as it is.
    pub(crate) fn lie_in_exchange(
        &mut self,
        passing: &Passing<'_>,
        tampered: &mut Tampered,
    ) -> bool {
        let goes_on = self.begun.handle(passing);
        if self.lie == Lie::ForgetExchange {
            if goes_on {
                self.count();
            }
            return goes_on;
        }
        let is_to_device = passing.direction == Direction::ToDevice;
        let is_about = is_to_device
            && match passing.packet.packet_type() {
                PacketType::Pubrec => matches!(self.lie, Lie::NoPubrec | Lie::WrongPubrec),
                PacketType::Pubrel => matches!(self.lie, Lie::NoPubrel | Lie::WrongPubrel),
                PacketType::Pubcomp => matches!(self.lie, Lie::NoPubcomp | Lie::WrongPubcomp),
                PacketType::Connect
                | PacketType::Connack
                | PacketType::Publish
                | PacketType::Puback
                | PacketType::Subscribe
                | PacketType::Suback
                | PacketType::Unsubscribe
                | PacketType::Unsuback
                | PacketType::Pingreq
                | PacketType::Pingresp
                | PacketType::Disconnect
                | PacketType::Auth => false,
            };
        if !is_about || !self.takes() {
            return false;
        }
        self.count();
        let wrong =
            |id: PacketId| PacketId::new(id.get() % WRONG_BY + WRONG_BY).expect("it is not 0");
        if !matches!(
            self.lie,
            Lie::WrongPubrec | Lie::WrongPubrel | Lie::WrongPubcomp
        ) {
            return true;
        }
        let changed = if let Packet::Pubrec(it) = passing.packet {
            Packet::Pubrec(Pubrec::new(wrong(it.id), it.reason))
        } else if let Packet::Pubrel(it) = passing.packet {
            Packet::Pubrel(Pubrel::new(wrong(it.id), it.reason))
        } else if let Packet::Pubcomp(it) = passing.packet {
            Packet::Pubcomp(Pubcomp::new(wrong(it.id), it.reason))
        } else {
            return true;
        };
        tampered.replace(passing, &changed);
        true
    }
}
