//! What a bench did and where: what its figures are of.

use serde::Serialize;
use squall_saturate::Pace;

use super::IsPinned;
use super::plan::BenchPlan;
use crate::machine::parts;

/// What stands before the figures of all targets.
#[derive(Debug, Serialize)]
pub struct About {
    /// The name of the pattern.
    pub bench: &'static str,
    /// Clients that publish.
    pub publishers: u32,
    /// Clients that subscribe.
    pub subscribers: u32,
    /// As asked for.
    pub qos: u8,
    /// Of each message.
    pub payload_bytes: u64,
    /// Messages under way of each publisher, in a closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    /// Messages a second of all publishers, in an open loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Whether broker and generator had a core each.
    pub pinned: bool,
    /// Cores that squall may use.
    pub cores: u32,
    /// The machine's processor.
    pub cpu: String,
}

impl About {
    /// Of a bench on this machine.
    pub fn new(plan: &BenchPlan, is_pinned: IsPinned) -> Self {
        let (window, rate) = match plan.pace {
            Pace::Window(window) => (Some(window), None),
            Pace::Rate(rate) => (None, Some(rate)),
        };
        let parts = parts::read();
        Self {
            bench: plan.pattern.name(),
            publishers: plan.publishers,
            subscribers: plan.subscribers,
            qos: plan.qos,
            payload_bytes: plan.payload_bytes,
            window,
            rate,
            pinned: is_pinned == IsPinned::Yes,
            cores: parts.cores,
            cpu: parts.cpu_model,
        }
    }
}
