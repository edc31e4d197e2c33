//! Packets that the client role has queued: what is told of them once they are handed over, without reading their bytes.

use squall_protocol::client::Journal;
use squall_protocol::codec::PublishFlags;
use squall_protocol::packet::{Packet, PacketType, Publish};
use squall_protocol::{PacketId, ReasonCode, Version};
use squall_scenario::{DeviceId, StampPlace};

use super::message::{Message, MessageHandle};
use crate::packet_seen::{PacketSeen, Passing, ShortTopic, id_and_reason};
use crate::sink::Sink;

/// What a client role has queued and not handed over. Of one packet, as most are sent, it needs no memory of its own.
#[derive(Debug, Default)]
pub(super) struct Queued {
    first: Option<Entry>,
    more: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    packet: PacketType,
    id: Option<PacketId>,
    reason: Option<ReasonCode>,
    /// Of a PUBLISH.
    message: Option<MessageHandle>,
    dup: bool,
}

impl Journal for Queued {
    type Message = MessageHandle;

    fn note_publish(&mut self, message: &MessageHandle, publish: &Publish<'_>) {
        self.push(Entry {
            packet: PacketType::Publish,
            id: publish.packet_id,
            reason: None,
            message: Some(message.clone()),
            dup: publish.dup,
        });
    }

    fn note(&mut self, packet: &Packet<'_>) {
        let (id, reason) = id_and_reason(packet);
        self.push(Entry {
            packet: packet.packet_type(),
            id,
            reason,
            message: None,
            dup: false,
        });
    }
}

impl Queued {
    fn push(&mut self, entry: Entry) {
        match self.first {
            None => self.first = Some(entry),
            Some(_) => self.more.push(entry),
        }
    }

    /// Tells `sink` of the packets, which are handed over now on a connection of this version.
    pub(super) fn tell(self, sink: &mut dyn Sink, place: Passing, version: Version) {
        for mut entry in self.first.into_iter().chain(self.more) {
            if version == Version::V3_1_1 {
                // It has no Reason Codes, and its packets say nothing but Success.
                entry.reason = entry.reason.map(|_| ReasonCode::Success);
            }
            sink.pass(&entry.seen(place));
        }
    }
}

impl Entry {
    fn seen(&self, place: Passing) -> PacketSeen {
        let bare = PacketSeen {
            id: self.id,
            reason: self.reason,
            ..PacketSeen::bare(place, Some(self.packet))
        };
        let Some(MessageHandle(message)) = &self.message else {
            return bare;
        };
        PacketSeen {
            flags: PublishFlags {
                dup: self.dup,
                qos: message.qos,
                retain: message.retain,
            },
            message: borne(message),
            payload_bytes: u32::try_from(message.payload.len()).unwrap_or(u32::MAX),
            topic: ShortTopic::of(message.topic.as_str()),
            ..bare
        }
    }
}

/// Publisher and sequence number, if a recipient can read them.
fn borne(message: &Message) -> Option<(DeviceId, u32)> {
    match message.stamp_place {
        StampPlace::Payload | StampPlace::Property => {
            Some((message.stamp.device, message.stamp.sequence))
        }
        StampPlace::None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use squall_protocol::client::{Answers, Client, Settings};
    use squall_protocol::codec;
    use squall_protocol::packet::{
        Connack, ConnackProperties, Connect, ConnectProperties, Disconnect, DisconnectProperties,
    };
    use squall_protocol::topic::TopicName;
    use squall_protocol::{Instant, QoS};

    use super::super::message::DrawnSteps;
    use super::super::passing::tell_sent;
    use super::super::passing::tests::Passed;
    use super::super::properties::Tie;
    use super::*;
    use crate::drive::SocketId;
    use crate::observation::Way;
    use crate::payload::append_text;
    use crate::stamp::{RunTag, Stamp};

    const PLACE: Passing = Passing {
        at: Instant::ZERO,
        socket: SocketId(7),
        way: Way::Up,
    };

    type Role = Client<MessageHandle, Queued>;

    fn message(topic: &str, qos: QoS, sequence: u32) -> MessageHandle {
        let stamp = Stamp {
            run: RunTag::of_seed(1),
            device: DeviceId(3),
            sequence,
            scheduled: Instant::ZERO,
        };
        let mut payload = Vec::new();
        append_text(&mut payload, stamp, b"21.5");
        MessageHandle(Rc::new(Message {
            stamp,
            reached_at: Instant::ZERO,
            topic: TopicName::new(topic).unwrap().to_stored(),
            qos,
            retain: sequence == 2,
            payload,
            properties: None,
            stamp_property: None,
            stamp_place: StampPlace::Payload,
            tie: Tie::None,
            closed_loop: None,
            drawn: Cell::new(DrawnSteps::default()),
        }))
    }

    fn receive(role: &mut Role, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        codec::encode(packet, role.version(), &mut bytes);
        let mut input = bytes.as_slice();
        while role.poll_event(Instant::ZERO, &mut input).is_some() {}
    }

    /// A client role on a connection whose broker takes one Topic Alias; CONNECT was sent.
    fn connected(version: Version) -> Role {
        let mut role = Role::with_journal(Settings {
            answers: Answers::Manual,
            topic_aliases_max: 5,
            ..Settings::default()
        });
        let connect = Connect {
            version,
            clean_start: true,
            keep_alive: 10,
            client_id: "a".to_owned(),
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties::default(),
        };
        role.connect(Instant::ZERO, &connect);
        let connack = Connack {
            session_present: false,
            reason: ReasonCode::Success,
            properties: ConnackProperties {
                topic_alias_maximum: (version == Version::V5).then_some(1),
                ..ConnackProperties::default()
            },
        };
        receive(&mut role, &Packet::Connack(Box::new(connack)));
        role
    }

    /// What is told of what `role` has queued, and what its bytes say.
    fn told(role: &mut Role) -> [Vec<PacketSeen>; 2] {
        let mut bytes = Vec::new();
        let (mut told, mut read) = (Passed::default(), Passed::default());
        let queued = role.poll_transmit(&mut bytes);
        queued.tell(&mut told, PLACE, role.version());
        tell_sent(&mut read, PLACE, role.version(), &bytes);
        [told.0, read.0]
    }

    /// In both versions all is told of packets that their bytes say (§3), in order.
    #[test]
    fn packets_are_told_as_their_bytes_have_them() {
        for version in [Version::V3_1_1, Version::V5] {
            let mut role = connected(version);
            let now = Instant::ZERO;
            let mut ids = Vec::new();
            for (sequence, qos) in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]
                .into_iter()
                .enumerate()
            {
                // Only the first topic has an alias, and is sent once: with its name.
                let topic = format!("a/{sequence}");
                let message = message(&topic, qos, sequence as u32);
                let id = role.publish(now, message).expect("it is connected");
                ids.extend(id);
            }
            role.retransmit(now, ids[0]).expect("it awaits PUBACK");
            role.send_puback(now, PacketId::new(9).unwrap(), ReasonCode::QuotaExceeded)
                .expect("it is connected");
            let goodbye = Disconnect {
                reason: ReasonCode::DisconnectWithWillMessage,
                properties: DisconnectProperties::default(),
            };
            role.disconnect(now, &goodbye).expect("it is connected");

            let [told, read] = told(&mut role);

            let kinds: Vec<_> = told.iter().filter_map(|seen| seen.packet).collect();
            let publishes = [PacketType::Publish; 4];
            let expected = [
                &[PacketType::Connect],
                &publishes[..],
                &[PacketType::Puback, PacketType::Disconnect],
            ];
            assert_eq!(kinds, expected.concat());
            assert_eq!(told[3].message, Some((DeviceId(3), 2)));
            assert_eq!(told, read);
        }
    }

    /// A PUBLISH by a Topic Alias alone is told with its Topic Name, and one of another topic with its own (§3.3.2.3.4).
    #[test]
    fn an_alias_is_told_as_the_name_it_stands_for() {
        let mut role = connected(Version::V5);
        for (sequence, topic) in ["a/b", "a/c", "a/b", "a/c"].into_iter().enumerate() {
            let message = message(topic, QoS::AtMostOnce, sequence as u32 / 2);
            role.publish(Instant::ZERO, message)
                .expect("it is connected");
        }

        let [told, read] = told(&mut role);

        let names = |seen: &[PacketSeen]| -> Vec<_> {
            seen[1..].iter().map(|seen| seen.topic.text()).collect()
        };
        let [b, c] = ["a/b", "a/c"].map(|name| Some(name.to_owned()));
        assert_eq!(names(&read), [b.clone(), c.clone(), None, c.clone()]);
        assert_eq!(names(&told), [b.clone(), c.clone(), b, c]);
    }

    /// What was queued on a connection that is lost is not told on the next.
    #[test]
    fn what_is_lost_with_its_connection_is_not_told() {
        let mut role = connected(Version::V5);
        role.publish(Instant::ZERO, message("a", QoS::AtMostOnce, 0))
            .expect("it is connected");

        role.connection_lost();

        assert_eq!(told(&mut role), [Vec::new(), Vec::new()]);
    }

    /// A message that no recipient can tell from others is told without a number.
    #[test]
    fn a_message_without_a_stamp_has_no_number() {
        let mut role = connected(Version::V5);
        let MessageHandle(stamped) = message("a", QoS::AtMostOnce, 0);
        let unstamped = Message {
            stamp_place: StampPlace::None,
            ..Rc::into_inner(stamped).expect("it is not shared")
        };
        role.publish(Instant::ZERO, MessageHandle(Rc::new(unstamped)))
            .expect("it is connected");

        let [told, _] = told(&mut role);

        assert_eq!(told[1].message, None);
        assert!(told[1].payload_bytes > 0);
    }
}
