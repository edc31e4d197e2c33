//! What is encoded decodes to itself, whatever the packet.

use proptest::prelude::*;
use squall_protocol::codec::encoded_len;

use crate::packets::versioned_packet;
use crate::wire::{decode, encoded};

proptest! {
    #[test]
    fn every_packet_decodes_to_what_was_encoded((version, packet) in versioned_packet()) {
        let bytes = encoded(&packet, version);

        prop_assert_eq!(decode(version, &bytes), Ok(packet));
    }

    #[test]
    fn the_encoded_length_is_exact((version, packet) in versioned_packet()) {
        let bytes = encoded(&packet, version);

        prop_assert_eq!(encoded_len(&packet, version), bytes.len());
    }
}
