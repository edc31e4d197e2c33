//! Packets and their bytes, both written by hand from the specification, compared both ways.

use std::collections::BTreeSet;

use squall_protocol::Version;
use squall_protocol::codec::encoded_len;
use squall_protocol::packet::{Packet, PacketType};

use crate::wire::{decode, encoded};
use crate::{vectors_3_1_1, vectors_5};

/// One packet in both forms.
pub(crate) struct Vector {
    pub(crate) name: &'static str,
    pub(crate) version: Version,
    pub(crate) packet: Packet<'static>,
    pub(crate) bytes: &'static [u8],
}

/// All vectors of both versions.
pub(crate) fn all() -> Vec<Vector> {
    let mut vectors = vectors_3_1_1::vectors();
    vectors.extend(vectors_5::vectors());
    vectors
}

#[test]
fn the_bytes_of_every_vector_decode_to_its_packet() {
    for vector in all() {
        let decoded = decode(vector.version, vector.bytes);

        assert_eq!(decoded, Ok(vector.packet), "{}", vector.name);
    }
}

#[test]
fn the_packet_of_every_vector_encodes_to_its_bytes() {
    for vector in all() {
        let bytes = encoded(&vector.packet, vector.version);

        assert_eq!(bytes, vector.bytes, "{}", vector.name);
        let length = encoded_len(&vector.packet, vector.version);
        assert_eq!(length, vector.bytes.len(), "{}", vector.name);
    }
}

#[test]
fn the_vectors_have_every_packet_type_in_every_version() {
    let seen: BTreeSet<(u8, PacketType)> = all()
        .iter()
        .map(|vector| (vector.version as u8, vector.packet.packet_type()))
        .collect();

    // AUTH is of 5.0 only.
    assert_eq!(seen.len(), 14 + 15);
}
