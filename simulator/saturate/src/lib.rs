//! Brings an MQTT broker to its limit from one thread, and counts every message.
//!
//! `squall-fleet` simulates devices with all that may happen to them, and takes microseconds for a message. Here a client is
//! a socket, a [`PacketReader`](squall_protocol::codec::PacketReader) and a few numbers, so that one core keeps a broker busy
//! that has another: messages are encoded from a template, a publisher's are written at once, and acknowledgements go with
//! the next write. What is not given up for it is the account: each message has a publisher and a sequence, and is
//! delivered in order, late, twice or not at all.
//!
//! [`Engine::connect`] opens all connections, [`Engine::run`] keeps the load up for a time, [`Engine::drain`] waits for what is
//! under way, and [`Engine::account`] says what became of each message. What the processes use meanwhile is for the caller to read.

#![forbid(unsafe_code)]

mod account;
mod alarm;
mod asking;
mod client;
mod clock;
mod ending;
mod engine;
mod error;
mod layers;
mod limits;
mod load;
mod pauses;
mod publisher;
mod receive;
mod send;
mod stamp;
mod track;

pub use account::Account;
pub use engine::{Counters, Engine};
pub use error::{Client, LoadError};
pub use layers::OpenLayers;
pub use load::{Load, Pace, PublisherSpec, Sessions, Share, SubscriberSpec};
pub use stamp::STAMP_BYTES;
