//! The broker as a state machine: [`Input`] in, [`Outboxes`] out.
//!
//! It owns every Session, subscription and message of one shard and reads no clock, socket, file
//! or thread. A shell feeds it bytes and writes what [`Outboxes`] holds.

mod broker;
mod client_ids;
mod close;
mod config;
mod connection;
mod counters;
mod input;
mod keys;
mod message;
mod outboxes;
mod queue;
mod replays;
mod request;
mod retained;
mod session;
mod sessions;
mod subscriptions;
mod timer;
mod will;

pub use broker::Broker;
pub use client_ids::ClientIds;
pub use close::{Close, CloseCause};
pub use config::{Config, OutboxLimits, QueueLimits, QueuePolicy, RetainedLimits};
pub use counters::{Counters, DropReason};
pub use input::{ConnectionId, Input};
pub use outboxes::Outboxes;
