//! What a fault will do, before the run.

use std::time::Duration;

use squall_toml::quantity::format_duration;

use crate::{Distribution, Fault, FaultTiming, Scenario};

/// What a fault will do.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedFault {
    /// The fault's name.
    pub name: String,
    /// What happens, as `drop rst`.
    pub action: String,
    /// Name of the group it takes devices from; `None` if it strikes the broker.
    pub group: Option<String>,
    /// When it happens first, from the beginning of the measured part.
    pub first: Duration,
    /// When it happens last.
    pub last: Duration,
    /// How many times it happens.
    pub times: u64,
    /// Devices it takes each time; `None` if that depends on Client Identifiers.
    pub devices: Option<u32>,
}

impl PlannedFault {
    /// What `fault` of `scenario` will do.
    pub(crate) fn of(fault: &Fault, scenario: &Scenario) -> Self {
        let devices = fault.devices();
        let group = devices.map(|devices| scenario.group(devices.group));
        let detail = devices.and_then(|devices| devices.action.detail());
        let detail = detail.map(|(_, word)| word.to_owned());
        let lasts = fault.lasts.as_ref().map(|lasts| match lasts {
            Distribution::Constant { value } => format!("for {}", format_duration(*value)),
            drawn @ (Distribution::Uniform { .. }
            | Distribution::Normal { .. }
            | Distribution::Lognormal { .. }
            | Distribution::Exponential { .. }
            | Distribution::Pareto { .. }
            | Distribution::Empirical { .. }) => {
                format!("for about {}", format_duration(drawn.median()))
            }
        });
        let words = [Some(fault.target.action_name().to_owned()), detail, lasts];
        Self {
            name: fault.name.clone(),
            action: words.into_iter().flatten().collect::<Vec<_>>().join(" "),
            group: group.map(|group| group.name.clone()),
            first: match fault.timing {
                FaultTiming::At(at) => at,
                FaultTiming::Every { period, .. } => period,
            },
            last: fault.timing.last(),
            times: fault.timing.count(),
            devices: devices
                .zip(group)
                .and_then(|(devices, group)| devices.select.wanted(group.count)),
        }
    }
}
