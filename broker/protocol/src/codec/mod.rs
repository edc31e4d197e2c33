//! Bytes to packets and packets to bytes (§2, §3), for both versions.
//!
//! [`PacketReader`] takes packets out of a byte stream, [`encode`] appends one to a buffer, and
//! [`PublishTemplate`] appends one message to many buffers. The codec refuses what a single
//! packet shows to be wrong; order, state and direction are the business of the roles. It trusts
//! no length it has not received: nothing is reserved for bytes that are only announced.
//!
//! PUBLISH is decoded in place: without an allocation, except for User Properties and
//! Subscription Identifiers, which are lists.

mod decode;
mod encode;
mod fields;
mod header;
mod property;
mod publish_template;
mod reader;
mod sink;

pub use decode::{next_filters, next_subscriptions};
pub use encode::{encode, encode_publish, encoded_len};
pub use property::PropertyId;
pub use publish_template::{PublishExtras, PublishFlags, PublishTemplate};
pub use reader::{DecodeRules, PacketReader};

/// Largest value of a variable byte integer, and so of a Remaining Length, in bytes (§1.5.5).
pub const VARIABLE_BYTE_INTEGER_MAX: u32 = 268_435_455;
/// Largest control packet, in bytes: the largest Remaining Length and five bytes of header.
pub const PACKET_BYTES_MAX: u32 = VARIABLE_BYTE_INTEGER_MAX + 5;
