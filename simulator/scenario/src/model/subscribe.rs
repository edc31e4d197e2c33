//! Subscriptions.

use std::time::Duration;

use squall_protocol::packet::{SubscriptionIdentifier, SubscriptionOptions};

use crate::{DeviceTemplate, Distribution, RunSettings};

/// `[[group.subscribe]]`: one subscription of each device.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribe {
    /// A Topic Filter for every device, possibly shared.
    pub filter: DeviceTemplate,
    /// Highest QoS it takes, by default 0, and the options of MQTT 5.0, by default none (§3.8.3.1).
    pub options: SubscriptionOptions,
    /// A number that comes back on each delivery for it (§3.8.2.1.2). MQTT 5.0 only. Default none.
    pub identifier: Option<SubscriptionIdentifier>,
    /// When it is held. By default from the first connection to the end.
    pub times: SubscribeTimes,
}

/// When a subscription is held, counted from the beginning of the measured part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscribeTimes {
    /// When SUBSCRIBE is due; `None` for the first connection.
    pub start: Option<Duration>,
    /// When UNSUBSCRIBE is due; `None` for never.
    pub until: Option<Duration>,
    /// How it is held and given up again and again between; `None` if it is held.
    pub churn: Option<Churn>,
}

/// A subscription that is made and given up again and again while the load goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Churn {
    /// Time from a SUBSCRIBE to the UNSUBSCRIBE after it.
    pub on: Distribution,
    /// Time from an UNSUBSCRIBE to the SUBSCRIBE after it.
    pub off: Distribution,
}

impl SubscribeTimes {
    /// Whether it is held from the first connection to the end.
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// The share of the measured part in which a device holds it, on average.
    pub fn share(&self, run: &RunSettings) -> f64 {
        let start = self.start.unwrap_or_default().min(run.duration);
        let until = self.until.unwrap_or(run.duration).min(run.duration);
        let span = until.saturating_sub(start).as_secs_f64() / run.duration.as_secs_f64();
        span * self.churn.as_ref().map_or(1.0, Churn::share)
    }
}

impl Churn {
    /// The share of the time in which it is held, on average; of a distribution without a mean the median counts.
    fn share(&self) -> f64 {
        let mean = |of: &Distribution| of.mean().unwrap_or_else(|| of.median()).as_secs_f64();
        let (on, off) = (mean(&self.on), mean(&self.off));
        match on + off {
            0.0 => 0.5,
            whole => on / whole,
        }
    }
}
