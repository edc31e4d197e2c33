//! Packets that break a rule on purpose break it, and the server's role says so.

use std::time::Duration;

use squall_protocol::codec::{DecodeRules, PACKET_BYTES_MAX, PacketReader};
use squall_protocol::packet::{Connack, ConnackProperties, Packet};
use squall_protocol::server::{Connection, Settings};
use squall_protocol::{Instant, Malformation, ProtocolError, ReasonCode, Version};

/// What the server's role says of `bytes`, which come after a CONNECT of `version`.
fn refusal(bytes: &[u8], version: Version) -> Option<ProtocolError> {
    let settings = Settings {
        connect_timeout: Duration::from_secs(10),
        connect_size_max: 1024,
        maximum_packet_size: PACKET_BYTES_MAX,
        topic_alias_maximum: 0,
    };
    let mut connection = Connection::new(Instant::ZERO, &settings);
    // The second CONNECT is a whole one.
    let connect = Malformation::SecondConnect.encode(version);
    let mut rules = DecodeRules {
        version: None,
        maximum_packet_size: PACKET_BYTES_MAX,
    };
    let mut reader = PacketReader::default();
    for (input, is_last) in [(connect.as_slice(), false), (bytes, true)] {
        let mut input = input;
        let mut packet: Packet<'_> = match reader.poll_packet(&mut input, &rules) {
            Ok(packet) => packet?,
            Err(error) => return Some(error),
        };
        match connection.handle_packet(Instant::ZERO, &mut packet) {
            Ok(_) if is_last => return None,
            Ok(_) => {}
            Err(error) => return Some(error),
        }
        let connack = Connack {
            session_present: false,
            reason: ReasonCode::Success,
            properties: ConnackProperties::default(),
        };
        connection.accept(Instant::ZERO, &connack);
        rules.version = Some(version);
    }
    None
}

/// [MQTT-4.13.1-1], [3.1.1: MQTT-4.8.0-1]: each is refused, with a Reason Code that fits.
#[test]
fn each_is_refused_for_a_reason_that_fits() {
    for version in [Version::V3_1_1, Version::V5] {
        for malformation in Malformation::ALL {
            if !malformation.exists_in(version) {
                continue;
            }
            let name = malformation.name();

            let refusal = refusal(&malformation.encode(version), version);

            let error = refusal.unwrap_or_else(|| panic!("{name} is accepted in {version:?}"));
            let reason = error.reason();
            assert!(malformation.allows(reason), "{name}: {error} ({reason:?})");
        }
    }
}

/// A reason that has nothing to do with it does not fit.
#[test]
fn another_reason_does_not_fit() {
    assert!(!Malformation::Qos3.allows(ReasonCode::KeepAliveTimeout));
    assert!(!Malformation::Qos3.allows(ReasonCode::TopicNameInvalid));
    assert!(!Malformation::WildcardTopic.allows(ReasonCode::Success));
}
