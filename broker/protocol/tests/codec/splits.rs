//! The answer to a stream does not depend on how it was split.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use squall_protocol::ProtocolError;
use squall_protocol::packet::Packet;

use crate::packets::{packet, version};
use crate::wire::{encoded, read, rules};

fn is_connect(packet: &Packet<'_>) -> bool {
    matches!(packet, Packet::Connect(_))
}

/// `bytes` cut at every one of `cuts`.
fn parts<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut positions: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    positions.sort_unstable();
    let mut parts = Vec::new();
    let mut begin = 0;
    for position in positions {
        parts.push(&bytes[begin..position]);
        begin = position;
    }
    parts.push(&bytes[begin..]);
    parts
}

proptest! {
    #[test]
    fn any_split_of_a_stream_gives_the_same_packets(
        (version, packets) in version().prop_flat_map(|version| {
            (Just(version), vec(packet(version), 1..6))
        }),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let stream: Vec<u8> = packets
            .iter()
            .flat_map(|packet| encoded(packet, version))
            .collect();

        let outcome = read(parts(&stream, &cuts), &rules(version));

        // The stream of one connection has one CONNECT [MQTT-3.1.0-2].
        let second = (0..packets.len()).filter(|&nth| is_connect(&packets[nth])).nth(1);
        let expected: Vec<String> = packets[..second.unwrap_or(packets.len())]
            .iter()
            .map(|packet| format!("{packet:?}"))
            .collect();
        prop_assert_eq!(outcome.error, second.map(|_| ProtocolError::SecondConnect));
        prop_assert_eq!(outcome.packets, expected);
    }

    #[test]
    fn any_split_of_a_corrupted_stream_gives_the_same_packets_and_error(
        (version, packets) in version().prop_flat_map(|version| {
            (Just(version), vec(packet(version), 1..4))
        }),
        corruptions in vec((any::<Index>(), any::<u8>()), 1..4),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let mut stream: Vec<u8> = packets
            .iter()
            .flat_map(|packet| encoded(packet, version))
            .collect();
        for (position, byte) in corruptions {
            let position = position.index(stream.len());
            stream[position] = byte;
        }

        let whole = read([stream.as_slice()], &rules(version));

        prop_assert_eq!(&read(parts(&stream, &cuts), &rules(version)), &whole);
        prop_assert_eq!(&read(stream.chunks(1), &rules(version)), &whole);
    }

    #[test]
    fn any_split_of_noise_gives_the_same_answer(
        version in version(),
        noise in vec(any::<u8>(), 0..64),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        let whole = read([noise.as_slice()], &rules(version));

        prop_assert_eq!(&read(parts(&noise, &cuts), &rules(version)), &whole);
        prop_assert_eq!(&read(noise.chunks(1), &rules(version)), &whole);
    }
}
