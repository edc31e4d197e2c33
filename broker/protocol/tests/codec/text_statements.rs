//! UTF-8 strings (§1.5.4), wherever a packet has one.

use squall_protocol::packet::Packet;
use squall_protocol::{ReasonCode, Version};

use crate::wire::{decode, refusal};

/// Packets of `version` with `text` as each kind of string.
fn packets_with(text: &[u8], version: Version) -> Vec<Vec<u8>> {
    let is_5 = version == Version::V5;
    let section: &[u8] = if is_5 { b"\0" } else { b"" };
    let string = [&[0, text.len() as u8], text].concat();
    let connect = |flags: u8, payload: &[&[u8]]| {
        let head = [
            b"\x00\x04MQTT".as_slice(),
            &[version as u8, flags, 0, 10],
            section,
        ];
        (0x10, [head.concat(), payload.concat()].concat())
    };
    let mut packets = vec![
        connect(0x02, &[&string]),
        connect(0x82, &[b"\x00\x01p", &string]),
        connect(0x06, &[b"\x00\x01p", section, &string, b"\x00\x00"]),
        (0x30, [&string, section, b"x"].concat()),
        (0x82, [b"\x00\x01", section, &string, b"\x00"].concat()),
        (0xa2, [b"\x00\x01", section, &string].concat()),
    ];
    if is_5 {
        packets.extend(packets_with_property(&string));
    }
    packets
        .into_iter()
        .map(|(first_byte, body)| [vec![first_byte, body.len() as u8], body].concat())
        .collect()
}

/// 5.0 packets with `string` as each kind of property that has one.
fn packets_with_property(string: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let section = |property: &[&[u8]]| {
        let property = property.concat();
        [&[property.len() as u8], property.as_slice()].concat()
    };
    let publish =
        |property: &[&[u8]]| (0x30, [b"\x00\x01t", section(property).as_slice()].concat());
    let mut packets = vec![
        publish(&[b"\x26", string, b"\x00\x01v"]),
        publish(&[b"\x26\x00\x01n", string]),
        publish(&[b"\x03", string]),
    ];
    packets.push((
        0x40,
        [b"\x00\x01\x00", section(&[b"\x1f", string]).as_slice()].concat(),
    ));
    packets.push((
        0xf0,
        [b"\x18", section(&[b"\x15", string]).as_slice()].concat(),
    ));
    packets
}

fn assert_refused(text: &[u8]) {
    for version in [Version::V3_1_1, Version::V5] {
        for packet in packets_with(text, version) {
            assert_eq!(
                refusal(version, &packet),
                ReasonCode::MalformedPacket,
                "{packet:02x?}"
            );
        }
    }
}

fn assert_accepted(text: &[u8]) {
    for version in [Version::V3_1_1, Version::V5] {
        for packet in packets_with(text, version) {
            let decoded = decode(version, &packet);
            assert!(decoded.is_ok(), "{decoded:?}: {packet:02x?}");
        }
    }
}

/// [MQTT-1.5.4-1] and [3.1.1: MQTT-1.5.3-1], for each kind of string: Client Identifier
/// [MQTT-3.1.3-4], Will Topic [MQTT-3.1.3-11], User Name [MQTT-3.1.3-12], Topic Name
/// [MQTT-3.3.2-1], Topic Filters [MQTT-3.8.3-1] [MQTT-3.10.3-1], both strings of a pair
/// [MQTT-1.5.7-1], Content Type [MQTT-3.3.2-19]. Ill-formed are surrogates, over-long forms, lone continuation
/// bytes, code points above U+10FFFF, a character that is cut off.
#[test]
fn ill_formed_utf8_is_refused() {
    for text in [
        b"a\xed\xa0\x80".as_slice(),
        b"a\xed\xbf\xbf",
        b"a\xc0\x80",
        b"a\xc0\xaf",
        b"a\xe0\x80\xaf",
        b"a\x80",
        b"a\xf4\x90\x80\x80",
        b"a\xff",
        b"a\xf0\xaa\x9b",
    ] {
        assert_refused(text);
    }
}

/// [MQTT-1.5.4-2] and [3.1.1: MQTT-1.5.3-2]
#[test]
fn the_null_character_is_refused() {
    assert_refused(b"a\x00b");
    assert_refused(b"\x00");
}

/// [MQTT-1.5.4-3] and [3.1.1: MQTT-1.5.3-3]
#[test]
fn the_byte_order_mark_is_kept() {
    assert_accepted(b"\xef\xbb\xbfa");

    let publish = b"\x30\x07\x00\x04\xef\xbb\xbfax";
    let Ok(Packet::Publish(publish)) = decode(Version::V3_1_1, publish) else {
        panic!("no PUBLISH");
    };
    assert_eq!(publish.topic.as_str(), "\u{feff}a");
}

/// The example of §1.5.4: U+2A6D4, four bytes.
#[test]
fn characters_of_four_bytes_are_accepted() {
    assert_accepted(b"A\xf0\xaa\x9b\x94");
}

/// They should not be sent and may be refused (§1.5.4).
#[test]
fn control_characters_and_non_characters_are_refused() {
    for text in [
        b"a\x01".as_slice(),
        b"a\x1f",
        b"a\x7f",
        b"a\xc2\x80",
        b"a\xc2\x9f",
        b"a\xef\xbf\xbf",
        b"a\xef\xbf\xbe",
        b"a\xef\xb7\x90",
        b"a\xf0\x9f\xbf\xbf",
        b"a\xf4\x8f\xbf\xbf",
    ] {
        assert_refused(text);
    }
    // Their neighbours are characters.
    for text in [
        b"a~".as_slice(),
        b"a\xc2\xa0",
        b"a\xef\xbf\xbd",
        b"a\xef\xb7\x8f",
    ] {
        assert_accepted(text);
    }
}

/// A password is binary data (§3.1.3.6), as is Correlation Data (§3.3.2.3.6).
#[test]
fn binary_data_may_have_any_bytes() {
    let password = b"\x10\x12\x00\x04MQTT\x04\xc2\x00\x0a\x00\x00\x00\x00\x00\x02\x00\xff";
    assert!(decode(Version::V3_1_1, password).is_ok());

    let correlation_data = b"\x30\x09\x00\x01t\x05\x09\x00\x02\x00\xff";
    assert!(decode(Version::V5, correlation_data).is_ok());
}
