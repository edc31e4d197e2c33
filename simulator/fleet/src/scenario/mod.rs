//! Scenarios: who connects, over what network, what goes wrong and when, and what must hold.
//!
//! `model` and its siblings hold the resolved [`Scenario`], which cannot be wrong: every name is
//! an id, every default is filled in, every value has its unit in its type. Nothing here reads a
//! file or a clock: text comes in.

mod distribution;
mod expectation;
mod fault;
mod group;
mod model;
mod network;
mod payload;
mod template;
mod threshold;

pub use distribution::Distribution;
pub use expectation::{
    ConnectionsClaim, DeliveryClaim, Expectation, NetworkClaim, Qos2HandshakeClaim, RetainedClaim,
    RetainedValue, TakeoverClaim, WillClaim,
};
pub use fault::{DisconnectReason, DropKind, Fault, FaultAction, FaultTiming, Select};
pub use group::{
    Arrival, CutAfter, Group, Publish, Qos2, Reconnect, ReconnectWhen, Subscribe, Will, Withhold,
};
pub use model::{RunSettings, Scenario, SpawnTarget, Target, UrlTarget};
pub use network::{Bandwidth, Loss, Network, Outages};
pub use payload::Payload;
pub use template::{DeviceTemplate, MessageTemplate, TemplateValues};
pub use threshold::{
    Aggregate, Comparison, Condition, Limit, Metric, MetricSelector, MetricTags, Threshold,
};
