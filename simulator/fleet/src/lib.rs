//! Scenarios, simulated devices, faults, the ledger and its checks. No I/O, no clock.
//!
//! One `Fleet` is one run of one scenario. It is driven by `runner` over real sockets in real
//! time, or by `world` in memory in virtual time; both feed it [`Input`]s and carry out
//! [`Action`]s, and decide nothing.

mod checks;
mod deadline;
mod device;
mod drive;
mod fault;
mod fleet;
mod id;
pub mod ledger;
mod link;
mod metrics;
mod observation;
mod outcome;
mod progress;
mod recorder;
mod results;
mod schedule;
mod sink;
mod stamp;

pub mod payload;
pub mod random;
pub mod scenario;
pub mod world;

pub use drive::{Action, Actions, Input, OpenError, PeerClose, SocketId, Teardown};
pub use fleet::Fleet;
pub use id::{ClientKey, DeviceId, FaultId, GroupId, NetworkId, TopicKey};
pub use link::{DirectionReport, LinkReport};
pub use observation::{
    CutStep, EndCause, Fact, Observation, ReceiverAnswer, ReceiverLeg, SenderLeg,
};
pub use outcome::{FaultReport, Outcome, Strike};
pub use progress::{Phase, Progress};
pub use recorder::Recorder;
pub use results::{Judgement, SCHEDULE_LAG_P99_MAX, judge};
pub use sink::Sink;
pub use stamp::Stamp;
