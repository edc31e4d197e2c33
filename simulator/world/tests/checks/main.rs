//! Every check passes over the real broker core, and fails when something between it and the
//! devices breaks the promise: exactly that check, and no other.
//!
//! Each scenario makes many claims, each in an `[[expect]]` of its own unless one violation must
//! break two. Without tampering all of them hold.

mod aliases;
mod asked_for;
mod attendance;
mod births;
mod broker_faults;
mod brokers;
mod checker;
mod closed_loop;
mod commands;
mod connections;
mod copies;
mod crowding;
mod cut;
mod delivery;
mod determinism;
mod duplicates;
mod excuses;
mod figures;
mod flap;
mod generator;
#[path = "../harness/mod.rs"]
mod harness;
mod hindered;
mod keep_alive;
mod kept;
mod lag;
mod less_lag;
mod link_faults;
mod links;
mod malformed;
mod misrouted;
mod mute;
mod network;
mod on_link;
mod options;
mod others;
mod outages;
mod properties;
mod qos2_handshake;
mod replays;
mod responses;
mod retained;
mod run;
mod same_connection;
mod service;
mod sessions;
mod shares;
mod spent;
mod stalls;
mod stamps;
mod stopped;
mod subscription_times;
mod tail;
mod takeover;
mod tampering;
mod traces;
mod transports;
mod unanswered;
mod unstamped;
mod verdict;
mod violations;
mod will;
mod will_delay;
mod will_return;
