//! Scenarios, simulated devices, faults, the ledger and its checks. No I/O, no clock.
//!
//! One `Fleet` is one run of one scenario. It is driven by `runner` over real sockets in real
//! time, or by `world` in memory in virtual time; both feed it [`Input`]s and carry out
//! [`Action`]s, and decide nothing.

mod drive;
mod id;
mod observation;
mod stamp;

pub use drive::{Action, Actions, Input, OpenError, PeerClose, SocketId, Teardown};
pub use id::{ClientKey, DeviceId, FaultId, GroupId, NetworkId, TopicKey};
pub use observation::{EndCause, Fact, Observation, ReceiverLeg, SenderLeg};
pub use stamp::Stamp;
