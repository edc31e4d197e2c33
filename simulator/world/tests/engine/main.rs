//! Tests of the engine in virtual time: the fleet against the real broker core, in memory.
//!
//! Each test is a scenario as a user would write it, and looks at the facts that the devices told.
//! A run of minutes takes milliseconds, and its seed alone repeats it.

mod attendance;
mod births;
mod determinism;
mod drops;
#[path = "../harness/mod.rs"]
mod harness;
mod lateness;
mod links;
mod logins;
mod payloads;
mod phases;
mod profiles;
mod properties;
mod publishing;
mod qos2;
mod reconnect;
mod recording;
mod responding;
mod retained;
mod scale;
mod stopping;
mod subscribing;
mod takeover;
mod transports;
