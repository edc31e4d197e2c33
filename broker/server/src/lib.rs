//! The squall broker's sockets, shards, config and shutdown.
//!
//! It moves bytes between sockets and `squall_core`, which decides everything about MQTT. A shard
//! is one thread with one broker, its connections, one read buffer and one timer; [`serve`] runs
//! one shard. The seam for more is [`Server::shards`]: sockets, state and timers of a shard belong to
//! its thread alone, and a connection is bound to one when it is accepted.

mod accept;
mod alarm;
mod client_ids;
mod clock;
mod close_log;
mod config;
mod connection;
mod error;
mod limits;
mod listener;
mod serve;
mod shard;
mod sockets;

pub mod descriptors;

pub use config::{
    Config, ConfigConflict, ConfigError, ConfigErrors, ConfigProblem, Listen, Server,
};
pub use error::ServeError;
pub use serve::{serve, stop_signal};
