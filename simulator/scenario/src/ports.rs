//! Local ports that a run needs: those of open connections, and those that wait after one.
//!
//! The side that ends a TCP connection first keeps its port for a while, so that late segments of
//! the old connection are not taken for the next one's (TIME-WAIT, RFC 9293, 3.6.1). Against one
//! address of a broker such a port cannot be used. A reset leaves none behind.

use std::collections::BTreeSet;
use std::time::Duration;

use squall_protocol::Version;

use crate::{
    DeviceFault, Distribution, DropKind, Fault, FaultAction, FlapEnd, Group, Plan, ReconnectWhen,
    Scenario, Target,
};

/// Local ports at the moment of a run that takes the most of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PortNeed {
    /// Of connections that are open.
    pub open: u64,
    /// Of connections that have ended not long before, and whose ports wait: those that ended
    /// Sessions, said goodbye, were dropped with a FIN, or were displaced.
    pub waiting: u64,
}

impl PortNeed {
    /// Both together.
    pub fn total(&self) -> u64 {
        self.open + self.waiting
    }
}

/// Connections that end at one moment of the run and leave their ports waiting.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct End {
    at: Duration,
    count: u64,
}

impl Plan {
    /// The most local ports that `scenario`, whose plan this is, needs at one moment, where the port
    /// of an ended connection waits for `wait`.
    ///
    /// An upper bound, but for what the broker does unasked: each displaced connection counts, though
    /// a broker may have closed it first.
    pub fn ports(&self, scenario: &Scenario, wait: Duration) -> PortNeed {
        let open = self.connections_max;
        if open > u64::from(u16::MAX) {
            // There are not that many ports, whatever waits: that need not be worked out for millions.
            return PortNeed { open, waiting: 0 };
        }
        let mut ends = self.ends(scenario);
        ends.sort_unstable();
        let fights = fights(scenario, wait.min(self.total()));
        let mut need = self.need_at(self.clearing + self.start, 0);
        let (mut first, mut waiting) = (0, 0);
        for end in &ends {
            waiting += end.count;
            while ends[first].at + wait <= end.at {
                waiting -= ends[first].count;
                first += 1;
            }
            let here = self.need_at(end.at, waiting);
            if here.total() > need.total() {
                need = here;
            }
        }
        PortNeed {
            waiting: need.waiting + fights,
            ..need
        }
    }

    /// With `waiting` ports at a moment since the start of the run.
    fn need_at(&self, moment: Duration, waiting: u64) -> PortNeed {
        let all_connected = self.clearing + self.start;
        let open = match moment.checked_sub(self.clearing) {
            None => 0,
            Some(_) if moment >= all_connected => self.connections_max,
            Some(since) => {
                let due = self.groups.iter().map(|group| {
                    let due = (since.as_secs_f64() * group.connect_rate) as u64 + 1;
                    due.min(u64::from(group.devices))
                });
                due.sum()
            }
        };
        PortNeed { open, waiting }
    }

    /// In no order.
    fn ends(&self, scenario: &Scenario) -> Vec<End> {
        let measured = self.clearing + self.start + self.run.warmup;
        let left = measured + self.run.duration + self.run.drain;
        let has_sessions = scenario.target != Target::Embedded;
        let groups = scenario.groups.iter().filter(|_| has_sessions);
        let endings = groups.flat_map(|group| {
            let is_needed = group.may_find_a_session() || group.leaves_no_session();
            let ids = if is_needed {
                client_ids(group).len() as u64
            } else {
                0
            };
            let before = if group.may_find_a_session() { ids } else { 0 };
            let after = sessions_left(scenario, group, ids);
            let cleared = one_by_one(group, Duration::ZERO, before);
            cleared.chain(one_by_one(group, left, after))
        });
        let faults = scenario.faults.iter().flat_map(|fault| {
            let count = ports_left(fault, scenario);
            fault.times().filter(move |_| count > 0).map(move |at| End {
                at: measured + at,
                count,
            })
        });
        endings.chain(faults).collect()
    }
}

/// Sessions are ended at the rate at which the group's devices connect.
fn one_by_one(group: &Group, begin: Duration, count: u64) -> impl Iterator<Item = End> {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    (0..count).map(move |index| End {
        at: begin + group.connects_after(index),
        count: 1,
    })
}

/// Sessions that the run has to end by connections of their own. A device of 5.0 ends its Session
/// with its goodbye (§3.14.2.2.2), unless it is not there to say one.
fn sessions_left(scenario: &Scenario, group: &Group, ids: u64) -> u64 {
    if !group.leaves_no_session() {
        return 0;
    }
    match group.version {
        Version::V3_1_1 => ids,
        Version::V5 => {
            let faults = scenario.faults.iter();
            let taken = faults.filter_map(|fault| {
                let devices = fault.devices()?;
                let is_of_group = scenario.group(devices.group).name == group.name;
                is_of_group.then(|| wanted(devices, group).saturating_mul(fault.timing.count()))
            });
            taken.fold(0, u64::saturating_add).min(ids)
        }
    }
}

/// Connections of one device that the fault ends each time that it strikes.
fn ends_each_time(fault: &Fault) -> u64 {
    let Some(devices) = fault.devices() else {
        return 1;
    };
    let lasts = fault
        .lasts
        .as_ref()
        .map_or(Duration::ZERO, Distribution::median);
    match devices.action {
        FaultAction::Takeover(contenders) => contenders.into(),
        FaultAction::Flap(flap) => {
            let ends = lasts.as_nanos() / flap.period.as_nanos().max(1);
            u64::try_from(ends).unwrap_or(u64::MAX).saturating_add(1)
        }
        FaultAction::Drop(_)
        | FaultAction::Disconnect(_)
        | FaultAction::Stall
        | FaultAction::Mute
        | FaultAction::Network(_)
        | FaultAction::Partition => 1,
    }
}

/// Ports that wait each time that the fault strikes, beside those of open connections: only a device
/// that comes back takes another.
fn ports_left(fault: &Fault, scenario: &Scenario) -> u64 {
    let Some(devices) = fault.devices() else {
        return 0;
    };
    let group = scenario.group(devices.group);
    let comes_back = group.reconnect.when == ReconnectWhen::Always;
    let leaves_a_port = match devices.action {
        FaultAction::Takeover(_) => true,
        FaultAction::Stall
        | FaultAction::Mute
        | FaultAction::Network(_)
        | FaultAction::Partition => false,
        FaultAction::Disconnect(_) => comes_back,
        FaultAction::Flap(flap) => match flap.end {
            FlapEnd::Drop(kind) => kind != DropKind::Rst,
            FlapEnd::Disconnect(_) => true,
        },
        FaultAction::Drop(kind) => match kind {
            DropKind::Fin | DropKind::HalfClose | DropKind::MidPacket | DropKind::TlsAbort => {
                comes_back
            }
            // The broker ends those.
            DropKind::Silent | DropKind::Malformed => false,
            DropKind::Rst => false,
        },
    };
    if leaves_a_port {
        wanted(devices, group).saturating_mul(ends_each_time(fault))
    } else {
        0
    }
}

fn wanted(fault: &DeviceFault, group: &Group) -> u64 {
    fault
        .select
        .wanted(group.count)
        .unwrap_or(group.count)
        .into()
}

/// Connections that are displaced within `time` because devices share a Client Identifier: each that
/// is not connected waits for its backoff and displaces another.
fn fights(scenario: &Scenario, time: Duration) -> u64 {
    let displaced = scenario.groups.iter().map(|group| {
        let rivals = u64::from(group.count) - client_ids(group).len() as u64;
        let pause = group.reconnect.backoff.typical().as_secs_f64();
        match group.reconnect.when {
            ReconnectWhen::Never => rivals,
            ReconnectWhen::Unexpected | ReconnectWhen::Always => {
                (rivals as f64 * (time.as_secs_f64() / pause.max(1e-3)).max(1.0)).ceil() as u64
            }
        }
    });
    displaced.fold(0, u64::saturating_add)
}

fn client_ids(group: &Group) -> BTreeSet<String> {
    (0..group.count)
        .map(|index| group.client_id_of(index))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn need(text: &str, wait: Duration) -> PortNeed {
        let text = format!("version = 1\nname = \"ports\"\n{text}");
        let scenario = Scenario::parse("test.toml", &text, &[]);
        let scenario = scenario.unwrap_or_else(|errors| panic!("{errors}"));
        Plan::of(&scenario).ports(&scenario, wait)
    }

    fn fleet(rate: u32, group: &str) -> String {
        format!(
            "[target]\nurl = \"mqtt://broker.test\"\n[run]\nduration = \"2m\"\n\
             [[group]]\nname = \"g\"\ncount = 1000\nconnect_rate = {rate}\n{group}"
        )
    }

    /// Connections that end Sessions before the run wait while its devices connect; those at its end
    /// come when the devices' own ports wait.
    #[test]
    fn ended_sessions_leave_ports_behind() {
        let kept = "protocol = \"3.1.1\"\nclean_start = false\n";

        let at_once = need(&fleet(1000, kept), MINUTE);
        let slowly = need(&fleet(10, kept), MINUTE);
        let none = need(&fleet(1000, ""), MINUTE);

        assert_eq!(
            at_once,
            PortNeed {
                open: 1_000,
                waiting: 1_000
            }
        );
        // Ten a second for a minute.
        assert_eq!(
            slowly,
            PortNeed {
                open: 1_000,
                waiting: 600
            }
        );
        assert_eq!(
            none,
            PortNeed {
                open: 1_000,
                waiting: 0
            }
        );
    }

    /// Goodbyes and drops with a FIN leave the port on our side if the device comes back; a reset and
    /// silence do not.
    #[test]
    fn devices_that_come_back_need_a_second_port() {
        let with = |action: &str, when: &str| {
            let fault = format!(
                "[group.reconnect]\nwhen = \"{when}\"\n[[fault]]\nname = \"f\"\nat = \"1s\"\n\
                 group = \"g\"\nselect = {{ count = 300 }}\n{action}\n"
            );
            need(&fleet(1000, &fault), MINUTE).waiting
        };

        assert_eq!(with("action = \"disconnect\"", "always"), 300);
        assert_eq!(with("action = \"drop\"\nhow = \"fin\"", "always"), 300);
        assert_eq!(with("action = \"drop\"\nhow = \"fin\"", "never"), 0);
        assert_eq!(with("action = \"drop\"\nhow = \"rst\"", "always"), 0);
        assert_eq!(with("action = \"takeover\"", "unexpected"), 300);
    }

    /// Only what ended within the wait counts, wherever in the run that is the most.
    #[test]
    fn the_worst_window_counts() {
        let fault = "[group.reconnect]\nwhen = \"always\"\n[[fault]]\nname = \"f\"\nevery = \"10s\"\n\
            group = \"g\"\nselect = { count = 100 }\naction = \"disconnect\"\n\
            [[fault]]\nname = \"one\"\nat = \"40s\"\ngroup = \"g\"\nselect = { count = 5 }\n\
            action = \"disconnect\"\n";

        assert_eq!(need(&fleet(1000, fault), MINUTE).waiting, 605);
        assert_eq!(
            need(&fleet(1000, fault), Duration::from_secs(1)).waiting,
            105
        );
    }

    /// Four devices for each Client Identifier: three of them wait half a second on average, and then
    /// displace the fourth.
    #[test]
    fn devices_that_fight_leave_ports_behind() {
        let group = "client_id = \"g-{index % 250}\"\n[group.reconnect]\nwhen = \"always\"\n\
            backoff = \"500ms\"\n";

        assert_eq!(need(&fleet(1000, group), MINUTE).waiting, 750 * 60 * 2);
    }
}
