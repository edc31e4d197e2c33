//! MQTT 3.1.1 and 5.0 without I/O: packets, codec, topics, session flows, connection roles.
//!
//! One model serves both versions: [`Version`] decides at encode, at decode and in a few named
//! questions. Nothing outside this crate turns MQTT bytes into packets or packets into bytes.
//! Nothing here reads a clock: `now` is an argument, and a deadline is a return value.

mod error;
mod malformation;
mod packet_id;
mod packet_ids;
mod property_id;
mod qos;
mod reason_code;
mod text;
mod time;
mod version;

pub mod alias;
pub mod client;
pub mod codec;
pub mod inbound;
pub mod keep_alive;
pub mod outbound;
pub mod packet;
pub mod server;
pub mod topic;

pub use error::ProtocolError;
pub use malformation::Malformation;
pub use packet_id::PacketId;
pub use property_id::PropertyId;
pub use qos::QoS;
pub use reason_code::ReasonCode;
pub use time::Instant;
pub use version::Version;
