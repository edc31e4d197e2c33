//! What a bench did and where: what its figures are of.

use squall_run::bench::About;
use squall_saturate::Pace;

use super::IsPinned;
use super::plan::BenchPlan;
use crate::machine::parts;

/// Of a bench on this machine.
pub fn of(plan: &BenchPlan, is_pinned: IsPinned) -> About {
    let (window, rate) = match plan.pace {
        Pace::Window(window) => (Some(window), None),
        Pace::Rate(rate) => (None, Some(rate)),
    };
    let parts = parts::read();
    About {
        bench: plan.pattern.name().to_owned(),
        publishers: plan.publishers,
        subscribers: plan.subscribers,
        qos: plan.qos,
        protocol: plan.protocol.name().to_owned(),
        payload_bytes: plan.payload_bytes,
        window,
        rate,
        pinned: is_pinned == IsPinned::Yes,
        cores: parts.cores,
        cpu: parts.cpu_model,
    }
}
