//! Scenarios: who connects, over what network, what goes wrong and when, and what must hold.
//!
//! `model` and its siblings hold the resolved [`Scenario`], which cannot be wrong: every name is
//! an id, every default is filled in, every value has its unit in its type. Nothing here reads a
//! file or a clock: text comes in.

mod distribution;
mod document;
mod error;
mod expectation;
mod fault;
mod file;
mod group;
mod id;
mod location;
mod model;
mod network;
mod overrides;
mod payload;
mod plan;
mod read;
mod resolve;
mod resolved;
mod schema;
mod shape;
mod source;
mod target;
mod template;
mod threshold;
mod toml_text;
mod unsupported;

pub mod units;

pub use distribution::Distribution;
pub use error::{Problem, ScenarioError, ScenarioErrors};
pub use expectation::{
    ConnectionsClaim, DeliveryClaim, Expectation, NetworkClaim, Qos2HandshakeClaim, RetainedClaim,
    RetainedValue, TakeoverClaim, WillClaim,
};
pub use fault::{
    DisconnectReason, DropKind, Fault, FaultAction, FaultTiming, Select, fits_pattern,
};
pub use group::{
    Arrival, CutAfter, Group, Publish, Qos2, Reconnect, ReconnectWhen, SessionStart, Subscribe,
    Will, Withhold,
};
pub use id::{ClientKey, DeviceId, FaultId, GroupId, NetworkId, TopicKey};
pub use model::{RunSettings, Scenario};
pub use network::{Bandwidth, Loss, Network, Outages};
pub use overrides::{Override, OverrideError};
pub use payload::Payload;
pub use plan::{GroupPlan, Plan, PlannedFault, StreamPlan};
pub use schema::json_schema;
pub use target::{SpawnTarget, Target, UrlError, UrlTarget};
pub use template::{DeviceTemplate, MessageTemplate, TemplateError, TemplateValues};
pub use threshold::{
    Aggregate, Comparison, Condition, Limit, Metric, MetricSelector, MetricTags, Threshold,
    ThresholdError,
};
