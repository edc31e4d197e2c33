//! Tells of the packets that a fault has a device send, and of those that come where the client role reads no longer.

use squall_protocol::codec::{DecodeRules, PACKET_BYTES_MAX, PacketReader};
use squall_protocol::packet::{Packet, PacketType};
use squall_protocol::{ProtocolError, Version};

use super::turn::Turn;
use crate::drive::SocketId;
use crate::packet_seen::{PacketSeen, PacketState, Passing};
use crate::sink::Sink;

/// Tells of what was read of a connection that the client role has given up.
pub(super) fn tell_came(
    turn: &mut Turn<'_>,
    socket: SocketId,
    polled: &Result<Option<Packet<'_>>, ProtocolError>,
) {
    let place = turn.coming(socket);
    match polled {
        Ok(Some(packet)) => turn.sink.pass(&PacketSeen::of(place, packet)),
        Ok(None) => {}
        Err(error) => turn.sink.pass(&PacketSeen::broken(place, error.reason())),
    }
}

/// Tells `sink` of the packets in `bytes`, which its client role has not made.
pub(super) fn tell_sent(sink: &mut dyn Sink, place: Passing, version: Version, bytes: &[u8]) {
    let rules = DecodeRules {
        version: Some(version),
        maximum_packet_size: PACKET_BYTES_MAX,
    };
    let mut reader = PacketReader::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let spoiled = |state| PacketSeen {
            state,
            ..PacketSeen::bare(place, PacketType::from_bits(first >> 4))
        };
        match reader.poll_packet(&mut rest, &rules) {
            Ok(Some(packet)) => sink.pass(&PacketSeen::of(place, &packet)),
            Ok(None) => return sink.pass(&spoiled(PacketState::CutShort)),
            Err(_) => return sink.pass(&spoiled(PacketState::Malformed)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use squall_protocol::{Instant, PacketId, ReasonCode};

    use super::*;
    use crate::observation::{Observation, Way};
    use crate::progress::Phase;

    /// Keeps what it is told of.
    #[derive(Default)]
    pub(in super::super) struct Passed(pub(in super::super) Vec<PacketSeen>);

    impl Sink for Passed {
        fn observe(&mut self, _: Instant, _: &Observation<'_>) {}

        fn enter_phase(&mut self, _: Instant, _: Phase) {}

        fn pass(&mut self, packet: &PacketSeen) {
            self.0.push(*packet);
        }
    }

    /// All packets of what is sent at once are told, in order, and one that breaks off or breaks a rule ends them.
    #[test]
    fn what_is_sent_is_told_packet_by_packet() {
        let place = Passing {
            at: Instant::ZERO,
            socket: SocketId(7),
            way: Way::Up,
        };
        // PUBACK 5, PINGREQ, and the beginning of a PUBLISH (§3.4, §3.12, §3.3); then a reserved flag of PINGREQ.
        let cases: [(&[u8], _); 2] = [
            (&[0x40, 2, 0, 5, 0xC0, 0, 0x30, 9, 0], PacketState::CutShort),
            (&[0x40, 2, 0, 5, 0xC0, 0, 0xC1, 0], PacketState::Malformed),
        ];
        for (bytes, last) in cases {
            let mut passed = Passed::default();

            tell_sent(&mut passed, place, Version::V5, bytes);

            let told: Vec<_> = passed
                .0
                .iter()
                .map(|seen| (seen.packet, seen.state))
                .collect();
            let kind = PacketType::from_bits(bytes[6] >> 4);
            assert_eq!(
                told,
                [
                    (Some(PacketType::Puback), PacketState::Whole),
                    (Some(PacketType::Pingreq), PacketState::Whole),
                    (kind, last)
                ]
            );
            assert_eq!(passed.0[0].id, PacketId::new(5));
            assert_eq!(passed.0[0].reason, Some(ReasonCode::Success));
        }
    }
}
