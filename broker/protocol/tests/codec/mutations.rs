//! Every truncation and every change of one byte of a corpus of all packets: no panic, and the
//! same answer whether the bytes come at once or one by one.

use crate::vectors::all;
use crate::wire::{Outcome, read, rules};

#[test]
fn every_truncation_waits_for_the_rest() {
    for vector in all() {
        for length in 0..vector.bytes.len() {
            let truncated = &vector.bytes[..length];

            let outcome = read([truncated], &rules(vector.version));

            let nothing = Outcome {
                packets: Vec::new(),
                error: None,
            };
            assert_eq!(outcome, nothing, "{} cut to {length} bytes", vector.name);
        }
    }
}

/// A body that ends too early is an error or a shorter packet, and never a panic: the Remaining
/// Length is cut with the body.
#[test]
fn every_shortened_body_gives_the_same_answer_whatever_the_split() {
    for vector in all() {
        for length in 0..vector.bytes.len() - 2 {
            let mut bytes = vec![vector.bytes[0], length as u8];
            bytes.extend_from_slice(&vector.bytes[2..2 + length]);

            let whole = read([bytes.as_slice()], &rules(vector.version));

            let name = vector.name;
            let answers = whole.packets.len() + usize::from(whole.error.is_some());
            assert_eq!(answers, 1, "{name} with a body of {length} bytes");
            let split = read(bytes.chunks(1), &rules(vector.version));
            assert_eq!(split, whole, "{name} with a body of {length} bytes");
        }
    }
}

#[test]
fn every_change_of_one_byte_gives_the_same_answer_whatever_the_split() {
    for vector in all() {
        let mut bytes = vector.bytes.to_vec();
        for position in 0..bytes.len() {
            let original = bytes[position];
            for byte in 0..=u8::MAX {
                bytes[position] = byte;
                let whole = read([bytes.as_slice()], &rules(vector.version));
                let split = read(bytes.chunks(1), &rules(vector.version));
                let name = vector.name;
                assert_eq!(split, whole, "{name} with {byte:#04x} at {position}");
            }
            bytes[position] = original;
        }
    }
}
