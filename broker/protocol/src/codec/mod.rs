//! Bytes to packets and packets to bytes (§2, §3), for both versions.
//!
//! [`PacketReader`] takes packets out of a byte stream, [`encode`] appends one to a buffer, and
//! [`PublishTemplate`] appends one message to many buffers. The codec refuses what a single
//! packet shows to be wrong; the roles check order, state and direction. It reserves no memory for
//! bytes that a length announces and that have not come.
//!
//! PUBLISH is decoded in place: without an allocation, except for User Properties and
//! Subscription Identifiers, which are lists.

mod decode;
mod encode;
mod fields;
mod header;
mod publish_flags;
mod publish_template;
mod reader;
mod rules;
mod sink;

pub use decode::{next_filters, next_subscriptions};
pub use encode::{encode, encode_publish, encoded_len};
pub use publish_flags::PublishFlags;
pub use publish_template::{PublishExtras, PublishTemplate};
pub use reader::PacketReader;
pub use rules::{DecodeRules, PACKET_BYTES_MAX, VARIABLE_BYTE_INTEGER_MAX};
