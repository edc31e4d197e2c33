//! The plan of a scenario: what a run will do, worked out without running it.
//!
//! `squall plan` draws it, and `squall run` refuses in advance what the machine cannot hold. Times
//! and rates are those of the scenario; deliveries are an estimate from a sample of messages,
//! because topics may be random.

mod group;
mod presence;
mod samples;
mod stream;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::{
    DropKind, Expectation, FaultAction, PlannedFault, ReconnectWhen, RunSettings, Scenario,
};

pub use group::{BirthPlan, GroupPlan, RespondPlan, SubscribePlan};
pub use presence::Presence;
pub use stream::StreamPlan;

/// Descriptors that a run needs besides one a connection: files, pipes, the poller, standard streams, the
/// report.
pub const DESCRIPTORS_RESERVED: u64 = 64;

/// What a run will do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Time before the first connect in which the Sessions of an earlier run are ended, if every
    /// answer comes at once.
    pub clearing: Duration,
    /// Time until the last device is due to connect; answers may take a little longer.
    pub start: Duration,
    /// The phases after the start.
    pub run: RunSettings,
    /// By group, in file order.
    pub groups: Vec<GroupPlan>,
    /// By fault, in file order.
    pub faults: Vec<PlannedFault>,
    /// Devices over all groups.
    pub devices: u32,
    /// Most connections that are open at once on our side: devices, their second connections
    /// during a takeover, sockets that silent devices leave behind, and checkers.
    pub connections_max: u64,
}

impl Plan {
    /// The plan of `scenario`.
    pub fn of(scenario: &Scenario) -> Self {
        let groups: Vec<GroupPlan> = scenario
            .groups
            .iter()
            .map(|group| GroupPlan::of(group, scenario))
            .collect();
        let start = groups.iter().map(|group| group.connected_after).max();
        let faults = scenario.faults.iter();
        Self {
            clearing: clearing(scenario),
            start: start.unwrap_or_default(),
            run: scenario.run,
            faults: faults
                .map(|fault| PlannedFault::of(fault, scenario))
                .collect(),
            devices: scenario.device_count(),
            connections_max: connections_max(scenario),
            groups,
        }
    }

    /// Time from the start to the end of the drain, if every answer comes at once.
    pub fn total(&self) -> Duration {
        self.clearing + self.start + self.run.warmup + self.run.duration + self.run.drain
    }

    /// Messages published over the whole load, responses included.
    pub fn messages(&self) -> f64 {
        // An empty sum of floats is a negative zero.
        let messages = |stream: &StreamPlan| stream.messages * (1.0 + stream.responses);
        0.0 + self.streams().map(messages).sum::<f64>()
    }

    /// Messages delivered over the whole load: an estimate.
    pub fn deliveries(&self) -> f64 {
        0.0 + self.streams().map(StreamPlan::deliveries).sum::<f64>()
    }

    /// Messages published per second on average while each stream goes on.
    pub fn publish_rate(&self) -> f64 {
        self.streams()
            .map(|stream| stream.rate * (1.0 + stream.responses))
            .sum()
    }

    /// Messages delivered per second on average while each stream goes on: an estimate.
    pub fn delivery_rate(&self) -> f64 {
        self.streams()
            .map(|stream| stream.rate * (stream.fan_out + stream.response_deliveries))
            .sum()
    }

    /// Messages published per second at `moment`, counted from the beginning of the load.
    pub fn publish_rate_at(&self, moment: Duration) -> f64 {
        let rates = self
            .streams()
            .map(|stream| stream.rate_at(moment, &self.run));
        0.0 + rates.sum::<f64>()
    }

    /// Devices that are connected at `moment`, counted from the beginning of the load: an estimate where devices come and go
    /// by themselves, and as if nothing went wrong.
    pub fn devices_online_at(&self, moment: Duration) -> f64 {
        let groups = self.groups.iter();
        0.0 + groups
            .map(|group| group.presence.devices_at(moment))
            .sum::<f64>()
    }

    /// Whether all devices are connected from the beginning of the load to its end, as far as the scenario says.
    pub fn is_always_whole(&self) -> bool {
        self.groups.iter().all(|group| group.presence.is_whole())
    }

    /// Whether devices publish as fast as the broker answers: then how many messages there will be is not known.
    pub fn has_closed_loops(&self) -> bool {
        self.streams().any(|stream| stream.pacing.window.is_some())
    }

    /// Descriptors that the simulator needs; an embedded or spawned broker is a process of its own.
    pub fn descriptors(&self) -> u64 {
        self.connections_max + DESCRIPTORS_RESERVED
    }

    fn streams(&self) -> impl Iterator<Item = &StreamPlan> {
        self.groups.iter().flat_map(|group| &group.streams)
    }
}

/// Sessions are ended at the rate at which devices connect.
fn clearing(scenario: &Scenario) -> Duration {
    let times = scenario.groups_to_clear().map(|group| {
        let ids: BTreeSet<String> = (0..group.count)
            .map(|index| group.client_id_of(index))
            .collect();
        let last = ids.len().saturating_sub(1);
        group.connects_after(u32::try_from(last).expect("devices are counted in 32 bits"))
    });
    times.max().unwrap_or_default()
}

fn connections_max(scenario: &Scenario) -> u64 {
    let seconds = scenario.faults.iter().map(|fault| {
        let Some(devices) = fault.devices() else {
            return 0;
        };
        let group = scenario.group(devices.group);
        let comes_back = group.reconnect.when == ReconnectWhen::Always;
        let wanted = devices.select.wanted(group.count).unwrap_or(group.count);
        match devices.action {
            FaultAction::Takeover(contenders) => u64::from(wanted) * u64::from(contenders),
            FaultAction::Drop(DropKind::Silent) if comes_back => u64::from(group.count),
            FaultAction::Drop(_)
            | FaultAction::Disconnect(_)
            | FaultAction::Stall
            | FaultAction::Mute
            | FaultAction::Flap(_)
            | FaultAction::Network(_)
            | FaultAction::Partition => 0,
        }
    });
    let checkers = scenario
        .expectations
        .iter()
        .filter(|expectation| matches!(expectation, Expectation::Retained(_)));
    u64::from(scenario.device_count()) + seconds.sum::<u64>() + checkers.count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        let scenario = Scenario::parse("test.toml", text, &[]);
        Plan::of(&scenario.unwrap_or_else(|errors| panic!("{errors}")))
    }

    const FLEET: &str = r#"
version = 1
name = "plan"
[run]
warmup = "10s"
duration = "50s"
[[group]]
name = "sensors"
count = 1000
connect_rate = 100
[[group.publish]]
topic = "fleet/{client_id}/t"
rate = 500
start = "10s"
[[group]]
name = "backend"
count = 4
[[group.subscribe]]
filter = "$share/app/fleet/+/t"
[[group]]
name = "dashboards"
count = 3
[[group.subscribe]]
filter = "fleet/#"
[[group.subscribe]]
filter = "fleet/+/t"
"#;

    #[test]
    fn a_plan_counts_messages_over_the_whole_load() {
        let plan = plan(FLEET);

        let stream = &plan.groups[0].streams[0];
        assert_eq!(stream.rate, 500.0);
        assert_eq!(stream.messages, 500.0 * 40.0);
        assert_eq!(plan.publish_rate_at(Duration::from_secs(19)), 0.0);
        assert_eq!(plan.publish_rate_at(Duration::from_secs(20)), 500.0);
        assert_eq!(plan.publish_rate_at(Duration::from_secs(60)), 0.0);
    }

    /// However low an even rate is, the first message is due when the load begins; and where
    /// nothing is published, zero has no sign.
    #[test]
    fn an_even_stream_sends_at_least_one_message() {
        let stream = "[[group.publish]]\ntopic = \"t\"\nrate = 0.01\n";
        let head = "version = 1\nname = \"a\"\n[run]\nwarmup = \"0s\"\nduration = \"5s\"\n[[group]]\nname = \"g\"\ncount = 1\n";

        let one = plan(&format!("{head}{stream}"));
        let random = plan(&format!("{head}{stream}arrival = \"poisson\"\n"));
        let none = plan(head);

        assert_eq!(one.messages(), 1.0);
        assert!((random.messages() - 0.05).abs() < 1e-9);
        assert!(none.messages().is_sign_positive() && none.deliveries().is_sign_positive());
    }

    /// A shared subscription gets a message once; a device with two matching filters counts once.
    #[test]
    fn a_message_is_heard_once_per_share_and_once_per_session() {
        let plan = plan(FLEET);

        assert_eq!(plan.groups[0].streams[0].fan_out, 1.0 + 3.0);
        assert_eq!(plan.deliveries(), plan.messages() * 4.0);
    }

    #[test]
    fn the_start_takes_as_long_as_the_slowest_group() {
        let plan = plan(FLEET);

        assert_eq!(plan.start, Duration::from_millis(9_990));
        assert_eq!(plan.total(), plan.start + Duration::from_secs(65));
    }

    #[test]
    fn takeovers_and_checkers_need_connections_of_their_own() {
        let text = format!(
            "{FLEET}
[[fault]]
action = \"takeover\"
every = \"7s\"
group = \"sensors\"
select = {{ count = 50 }}
[[expect]]
check = \"retained\"
filter = \"fleet/#\"
equals = \"x\"
"
        );

        let plan = plan(&text);

        assert_eq!(plan.connections_max, 1_007 + 50 + 1);
        let fault = &plan.faults[0];
        assert_eq!((fault.times, fault.devices), (7, Some(50)));
        assert_eq!(fault.last, Duration::from_secs(49));
    }

    /// Each request to one of two devices is answered once, and heard once; a dashboard hears all of it.
    #[test]
    fn responses_are_messages_too() {
        let plan = plan(
            r#"
version = 1
name = "plan"
[run]
duration = "10s"
[[group]]
name = "operators"
count = 4
[[group.publish]]
topic = "cmd/device-{seq % 2}"
rate = 20
response_topic = "answers/{client_id}"
[[group.subscribe]]
filter = "answers/{client_id}"
[[group]]
name = "device"
count = 2
[[group.respond]]
filter = "cmd/{client_id}"
delay = "2s"
[[group]]
name = "dashboard"
count = 1
[[group.subscribe]]
filter = "+/+"
"#,
        );

        assert_eq!(plan.messages(), 2.0 * 200.0);
        assert_eq!(plan.deliveries(), 2.0 * 400.0);
        assert_eq!(plan.publish_rate_at(Duration::from_secs(1)), 40.0);
        let respond = &plan.groups[1].responds[0];
        assert_eq!(respond.delay, Duration::from_secs(2));
    }
}
