//! Scenarios: the devices that connect, their network, what goes wrong and when, and what must hold.
//!
//! From the bottom up: `model` is the resolved [`Scenario`], `file` what the file may say, `resolve`
//! what it means by that, `read` all of it together; `print` writes a scenario as a file again and
//! `plan` tells what it would do. Nothing here reads a file or a clock: text comes in.

mod error;
mod file;
mod id;
mod listeners;
mod model;
mod overrides;
mod plan;
mod planned_fault;
mod ports;
mod print;
mod read;
mod reference;
mod resolve;
mod surroundings;
mod template;
mod unheard;

pub use error::{Problem, ScenarioError, ScenarioErrors};
pub use id::{ClientKey, DeviceId, FaultId, GroupId, LinesId, NetworkId, TopicKey};
pub use listeners::{OverloadedLink, overloaded_links, share_a_topic};
pub use model::availability::{Attendance, Availability, Farewell};
pub use model::backoff::{Backoff, GrowingBackoff, Jitter};
pub use model::bandwidth::Bandwidth;
pub use model::broker_fault::BrokerAction;
pub use model::description::{TargetDescription, TargetTraits};
pub use model::distribution::{Distribution, Measure};
pub use model::expectation::{
    ConnectionsClaim, DeliveryClaim, Expectation, ExpiryClaim, KeepAliveClaim, MalformedClaim,
    NetworkClaim, Qos2HandshakeClaim, QuotaClaim, ResponseClaim, RetainedClaim, RetainedValue,
    SessionClaim, SharedClaim, TakeoverClaim, WillClaim,
};
pub use model::fault::{
    DeviceFault, DisconnectReason, DropKind, Fault, FaultAction, FaultTarget, FaultTiming, Flap,
    FlapEnd, Select, fits_pattern,
};
pub use model::feature::Feature;
pub use model::group::{Group, SessionStart, connects_after};
pub use model::login::{ClientLogin, Login};
pub use model::network::{Loss, Network, Outages};
pub use model::pacing::{Arrival, Pacing};
pub use model::payload::{
    BytesSource, Content, FixedBytes, LineCommand, Payload, StampPlace, WillPayload,
};
pub use model::preset::Preset;
pub use model::properties::MessageProperties;
pub use model::publish::Publish;
pub use model::qos2::{CutAfter, Qos2, Retransmit, Withhold};
pub use model::rate::{Points, Rate, RatePoint};
pub use model::reconnect::{Reconnect, ReconnectWhen};
pub use model::respond::Respond;
pub use model::run::{LoadBegin, RunSettings};
pub use model::scenario::{LineStream, Scenario};
pub use model::share::{Share, Side};
pub use model::sizes::{ByteCount, Sizes};
pub use model::sources::SourceError;
pub use model::subscribe::{Churn, Subscribe, SubscribeTimes};
pub use model::sweep::{Combination, Setting, Sweep};
pub use model::target::{BrokerHistory, SpawnTarget, StopBy, Target, UrlError, UrlTarget};
pub use model::threshold::{
    Condition, Limit, MetricSelector, MetricTags, Threshold, ThresholdError,
};
pub use model::tls::{PemFile, Tls, TlsIdentity};
pub use model::transport::{
    AddressId, Carrier, Carriers, CertificateOwner, OwnTls, TlsId, Transport,
};
pub use model::will::{Birth, Will};
pub use overrides::{Override, OverrideError};
pub use plan::{
    BirthPlan, DESCRIPTORS_RESERVED, GroupPlan, Plan, Presence, RespondPlan, StreamPlan,
    SubscribePlan,
};
pub use planned_fault::PlannedFault;
pub use ports::PortNeed;
pub use reference::{
    Default, Item, ItemKind, Key, Reference, Section, UnknownTopic, Variant, Word, json_schema,
};
pub use surroundings::{FileUnreadable, NoSurroundings, Surroundings};
pub use template::{DeviceTemplate, MessageTemplate, TemplateError, TemplateValues};
pub use unheard::{UnheardStream, unheard_streams, unheard_streams_of};
