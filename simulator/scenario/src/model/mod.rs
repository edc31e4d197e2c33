//! The resolved scenario: every name is an id, every default is filled in, every value has its
//! unit in its type.
//!
//! It cannot be wrong: `resolve` alone makes it, and has checked what the field docs promise.

pub(crate) mod availability;
pub(crate) mod backoff;
pub(crate) mod bandwidth;
pub(crate) mod broker_fault;
pub(crate) mod description;
pub(crate) mod distribution;
pub(crate) mod expectation;
pub(crate) mod fault;
pub(crate) mod feature;
pub(crate) mod group;
pub(crate) mod login;
pub(crate) mod network;
pub(crate) mod pacing;
pub(crate) mod payload;
pub(crate) mod preset;
pub(crate) mod properties;
pub(crate) mod publish;
pub(crate) mod qos2;
pub(crate) mod rate;
pub(crate) mod reconnect;
pub(crate) mod respond;
pub(crate) mod run;
pub(crate) mod scenario;
pub(crate) mod share;
pub(crate) mod sizes;
pub(crate) mod sources;
pub(crate) mod subscribe;
pub(crate) mod sweep;
pub(crate) mod target;
pub(crate) mod threshold;
pub(crate) mod tls;
pub(crate) mod transport;
pub(crate) mod will;
