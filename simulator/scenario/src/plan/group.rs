//! What a group will do.

use std::time::Duration;

use squall_protocol::QoS;

use super::{Presence, StreamPlan};
use crate::{
    Attendance, Backoff, Group, GrowingBackoff, ReconnectWhen, RunSettings, Scenario,
    SubscribeTimes,
};

/// What a group will do.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupPlan {
    /// The group's name.
    pub name: String,
    /// Devices in it.
    pub devices: u32,
    /// Connects per second at the start.
    pub connect_rate: f64,
    /// Time until its last device is due to connect.
    pub connected_after: Duration,
    /// When its devices are there.
    pub attendance: Attendance,
    /// How many of them are connected when.
    pub presence: Presence,
    /// How the waits of a device that comes back grow; `None` if they do not, or if none comes back.
    pub backoff: Option<GrowingBackoff>,
    /// Subscriptions that are not there from the first connection to the end, in file order.
    pub subscribes: Vec<SubscribePlan>,
    /// What it publishes, in file order.
    pub streams: Vec<StreamPlan>,
    /// What each device publishes once on each connection.
    pub birth: Option<BirthPlan>,
    /// What it answers, in file order.
    pub responds: Vec<RespondPlan>,
    /// Bits per second that the link of each device carries up; `None` is without a limit.
    pub up_bits_per_second: Option<u64>,
}

/// A subscription of each device that is there for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscribePlan {
    /// Template of the Topic Filter, as in the file.
    pub filter: String,
    /// When it is held.
    pub times: SubscribeTimes,
}

/// What a device answers.
#[derive(Clone, Debug, PartialEq)]
pub struct RespondPlan {
    /// Template of the Topic Filter of the requests, as in the file.
    pub filter: String,
    /// QoS of the responses.
    pub qos: QoS,
    /// Half of the responses come no later than this after their requests.
    pub delay: Duration,
}

/// The message that a device publishes once on each connection.
#[derive(Clone, Debug, PartialEq)]
pub struct BirthPlan {
    /// Template of the Topic Name, as in the file.
    pub topic: String,
    /// QoS of the PUBLISH.
    pub qos: QoS,
}

impl GroupPlan {
    /// The plan of `group`.
    pub(super) fn of(group: &Group, scenario: &Scenario) -> Self {
        Self {
            name: group.name.clone(),
            devices: group.count,
            connect_rate: group.connect_rate,
            connected_after: match group.attendance.start {
                Some(_) => Duration::ZERO,
                None => group.connects_after(begins_with(group, &scenario.run).saturating_sub(1)),
            },
            attendance: group.attendance.clone(),
            presence: Presence::of(group, &scenario.run),
            backoff: match (group.reconnect.when, &group.reconnect.backoff) {
                (ReconnectWhen::Never, _) | (_, Backoff::Drawn(_)) => None,
                (ReconnectWhen::Unexpected | ReconnectWhen::Always, Backoff::Growing(growing)) => {
                    Some(*growing)
                }
            },
            subscribes: group
                .subscribes
                .iter()
                .filter(|subscribe| !subscribe.times.is_always())
                .map(|subscribe| SubscribePlan {
                    filter: subscribe.filter.source().to_owned(),
                    times: subscribe.times.clone(),
                })
                .collect(),
            streams: group
                .publishes
                .iter()
                .map(|publish| StreamPlan::of(publish, group, scenario))
                .collect(),
            birth: group.birth.as_ref().map(|birth| BirthPlan {
                topic: birth.topic.source().to_owned(),
                qos: birth.qos,
            }),
            responds: group
                .responds
                .iter()
                .map(|respond| RespondPlan {
                    filter: respond.filter.source().to_owned(),
                    qos: respond.qos,
                    delay: respond.delay.median(),
                })
                .collect(),
            up_bits_per_second: group
                .network
                .and_then(|id| scenario.network(id).bandwidth.up_bits_per_second),
        }
    }
}

/// Devices of a group that connect before the load.
fn begins_with(group: &Group, run: &RunSettings) -> u32 {
    let online = group.attendance.online.as_ref();
    let share = online.map_or(1.0, |share| share.at(-run.warmup.as_secs_f64()));
    (share * f64::from(group.count)).round() as u32
}
