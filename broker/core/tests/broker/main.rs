//! The broker's rules, one test each, in virtual time and without a socket.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod close_causes;
mod connect;
mod delivery;
mod expiry;
mod flow_control;
mod harness;
mod keep_alive;
mod limits;
mod long_requests;
mod model;
mod packet_size;
mod packets;
mod publish;
mod received;
mod retained;
mod retained_limits;
mod shared;
mod shutdown;
mod slow_readers;
mod subscribe;
mod sys;
mod takeover;
mod will;
