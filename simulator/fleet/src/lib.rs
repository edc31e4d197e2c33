//! Simulated devices, their links and the faults that strike them: what happens in a run.
//!
//! One `Fleet` is one run of one scenario. It is driven by `runner` over real sockets in real
//! time, or by `squall-world` in memory in virtual time; both feed it [`Input`]s and carry out
//! [`Action`]s, and decide nothing. It tells facts to a [`Sink`] and concludes nothing from them.

mod broker_order;
mod clearing;
mod deadline;
mod device;
mod drive;
mod fault_plan;
mod firing;
mod fleet;
mod lines;
mod lines_event;
mod link;
mod members;
mod observation;
mod outcome;
mod packet_seen;
mod progress;
mod schedule;
mod selection;
mod sink;
mod stamp;

pub mod payload;
pub mod random;

pub use broker_order::{BrokerEvent, BrokerOrder};
pub use drive::{
    Action, Actions, Input, LayerFault, OpenError, PeerClose, SocketId, Standstill, Teardown,
};
pub use fleet::{Fleet, STANDSTILL_MIN, VIRTUAL_START, drain_max};
pub use lines_event::LinesEvent;
pub use link::{DirectionReport, LinkReport};
pub use observation::{
    About, BrokerFact, ConnectionFact, CutStep, DeliveredFact, Departure, EndCause, ExchangeFact,
    Fact, LegFact, LinkAtEnd, LinkFact, NoLine, Observation, Pace, Path, Planned, ProvocationFact,
    PublicationFact, ReceiverAnswer, ReceiverLeg, RepeatedPacket, RetainedFact, SenderLeg,
    SilenceFact, SkipCause, SubscriptionFact, Unchecked, Wanted, Way,
};
pub use outcome::{Cleared, DrainExtension, FaultReport, LinesReport, Outcome, Sessions, Strike};
pub use packet_seen::{PacketSeen, PacketState, ShortTopic};
pub use progress::{Phase, Progress};
pub use sink::Sink;
pub use stamp::{RunTag, Stamp};
