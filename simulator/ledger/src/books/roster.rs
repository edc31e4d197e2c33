//! Who takes part in a run, as far as the ledger must know.

use std::rc::Rc;
use std::time::Duration;

use squall_fleet::{About, RunTag};
use squall_protocol::Version;
use squall_scenario::{
    BrokerHistory, DeviceId, DropKind, Fault, FaultId, Group, GroupId, Scenario, SessionStart,
};

use super::delay::Delay;

/// Groups and faults of a scenario, reduced to the ledger's questions.
#[derive(Clone, Debug)]
pub struct Roster {
    /// First device of each group, ascending.
    first_devices: Vec<DeviceId>,
    /// Devices of all groups; those from here on are the fleet's own checkers.
    devices: u32,
    /// By group: how long a Session outlives its connection.
    session_expiries: Vec<Duration>,
    /// By group: how long its wills wait.
    will_delays: Vec<Delay>,
    /// By group: whether its Sessions are those of an earlier run.
    resumes: Vec<bool>,
    /// By [`FaultId`]: how it drops.
    drops: Vec<Option<DropKind>>,
    /// By group: whether its devices have links.
    on_links: Vec<bool>,
    /// By group: whether its devices have a Receive Maximum.
    limits_quota: Vec<bool>,
    /// By group: whether its devices release QoS 2 messages later than they are asked to.
    releases_late: Vec<bool>,
    /// How long a device waits for an answer.
    connect_timeout: Duration,
    history: BrokerHistory,
    names: Names,
    run: RunTag,
}

/// What devices are called: as their Client Identifiers.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    groups: Rc<[Group]>,
}

impl Names {
    /// The Client Identifier of a device.
    pub(crate) fn of(&self, device: DeviceId) -> String {
        let later = self
            .groups
            .partition_point(|group| group.first_device <= device);
        let group = later.checked_sub(1).map(|place| &self.groups[place]);
        group.map_or_else(
            || format!("device {}", device.0),
            |group| group.client_id_of(device.0 - group.first_device.0),
        )
    }
}

impl Roster {
    /// Who takes part in a run of `scenario` whose messages bear `run`.
    pub fn of(scenario: &Scenario, run: RunTag) -> Self {
        Self {
            first_devices: scenario
                .groups
                .iter()
                .map(|group| group.first_device)
                .collect(),
            devices: scenario.device_count(),
            session_expiries: scenario
                .groups
                .iter()
                .map(|group| expiry_of(group.session_expiry_interval))
                .collect(),
            will_delays: scenario.groups.iter().map(Delay::of).collect(),
            resumes: scenario
                .groups
                .iter()
                .map(|group| group.session == SessionStart::Resume)
                .collect(),
            drops: scenario.faults.iter().map(Fault::drop_kind).collect(),
            on_links: scenario
                .groups
                .iter()
                .map(|group| group.network.is_some())
                .collect(),
            limits_quota: scenario.groups.iter().map(limits_quota).collect(),
            releases_late: scenario
                .groups
                .iter()
                .map(|group| group.qos2.delay_pubrel.is_some())
                .collect(),
            connect_timeout: scenario.run.connect_timeout,
            history: scenario.target.history(),
            names: Names {
                groups: scenario.groups.as_slice().into(),
            },
            run,
        }
    }

    /// Whether the devices of a group speak MQTT 5.0.
    pub(crate) fn speaks_v5(&self, group: GroupId) -> bool {
        let group = self.names.groups.get(usize::from(group.0));
        group.is_some_and(|group| group.version == Version::V5)
    }

    /// Whether the devices of a group answer requests.
    pub(crate) fn responds(&self, group: GroupId) -> bool {
        !self.names.groups[usize::from(group.0)].responds.is_empty()
    }

    /// Whether any group does.
    pub(crate) fn has_responses(&self) -> bool {
        let mut groups = self.names.groups.iter();
        groups.any(|group| !group.responds.is_empty())
    }

    /// What devices are called.
    pub(crate) fn names(&self) -> Names {
        self.names.clone()
    }

    /// What the messages of this run bear in their stamps.
    pub(crate) fn run(&self) -> RunTag {
        self.run
    }

    /// Number of groups.
    pub(crate) fn groups(&self) -> usize {
        self.first_devices.len()
    }

    /// The number after that of the last device.
    pub(crate) fn end_of_devices(&self) -> DeviceId {
        DeviceId(self.devices)
    }

    /// The group of a device; `None` for the fleet's own checkers.
    pub(crate) fn group_of(&self, device: DeviceId) -> Option<GroupId> {
        if device.0 >= self.devices {
            return None;
        }
        let place = self
            .first_devices
            .partition_point(|&first| first <= device)
            .checked_sub(1)?;
        u16::try_from(place).ok().map(GroupId)
    }

    /// The group that a fact is about; `None` for the run and the fleet's own checkers.
    pub(crate) fn group_about(&self, about: About) -> Option<GroupId> {
        match about {
            About::Device { device, .. } => self.group_of(device),
            About::Run => None,
        }
    }

    /// How long a Session of a group outlives its connection.
    pub(crate) fn session_expiry(&self, group: GroupId) -> Duration {
        self.session_expiries[usize::from(group.0)]
    }

    /// How long the wills of a group wait.
    pub(crate) fn will_delay(&self, group: GroupId) -> Delay {
        self.will_delays[usize::from(group.0)]
    }

    /// Whether the Sessions of a group may hold messages of an earlier run.
    pub(crate) fn resumes(&self, group: GroupId) -> bool {
        self.resumes[usize::from(group.0)]
    }

    /// By group: whether its Sessions may hold messages of an earlier run.
    pub(crate) fn resuming(&self) -> &[bool] {
        &self.resumes
    }

    /// How a fault drops devices; `None` if it does something else.
    pub(crate) fn drop_kind(&self, fault: FaultId) -> Option<DropKind> {
        self.drops.get(usize::from(fault.0)).copied().flatten()
    }

    /// By group: whether its devices have links.
    pub(crate) fn on_links(&self) -> &[bool] {
        &self.on_links
    }

    /// By group: whether its devices have a Receive Maximum.
    pub(crate) fn limiting_quotas(&self) -> &[bool] {
        &self.limits_quota
    }

    /// By group: whether its devices release QoS 2 messages later than they are asked to.
    pub(crate) fn releasing_late(&self) -> &[bool] {
        &self.releases_late
    }

    /// How long a device waits for an answer.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Whether the devices of a group have links.
    pub(crate) fn is_on_link(&self, group: GroupId) -> bool {
        self.on_links[usize::from(group.0)]
    }

    /// Devices that have links.
    pub(crate) fn devices_on_links(&self) -> impl Iterator<Item = DeviceId> {
        let on_links = self.on_links.iter().enumerate();
        let groups = on_links.filter(|&(_, &on_link)| on_link);
        groups.flat_map(|(group, _)| self.devices_of(group))
    }

    /// The devices of the group at this place of the scenario.
    fn devices_of(&self, group: usize) -> impl Iterator<Item = DeviceId> + use<> {
        let end = self.first_devices.get(group + 1);
        let end = end.map_or(self.devices, |first| first.0);
        (self.first_devices[group].0..end).map(DeviceId)
    }

    /// What the broker may know that is not of the run.
    pub(crate) fn history(&self) -> BrokerHistory {
        self.history
    }
}

fn limits_quota(group: &Group) -> bool {
    group.version == Version::V5 && group.receive_maximum.get() < u16::MAX
}

fn expiry_of(seconds: u32) -> Duration {
    match seconds {
        u32::MAX => Duration::MAX,
        seconds => Duration::from_secs(seconds.into()),
    }
}

#[cfg(test)]
impl Roster {
    /// One group for each pair of a number of devices and a Session Expiry Interval in seconds;
    /// `drops` are the faults.
    pub(crate) fn with(groups: &[(u32, u32)], drops: &[Option<DropKind>]) -> Self {
        let mut first = 0;
        let first_devices = groups
            .iter()
            .map(|(count, _)| {
                let device = DeviceId(first);
                first += count;
                device
            })
            .collect();
        Self {
            first_devices,
            devices: first,
            session_expiries: groups
                .iter()
                .map(|&(_, expiry)| expiry_of(expiry))
                .collect(),
            will_delays: vec![Delay::None; groups.len()],
            resumes: vec![false; groups.len()],
            drops: drops.to_vec(),
            on_links: vec![false; groups.len()],
            limits_quota: vec![false; groups.len()],
            releases_late: vec![false; groups.len()],
            connect_timeout: Duration::from_secs(10),
            history: BrokerHistory::Empty,
            names: Names {
                groups: Rc::default(),
            },
            run: RunTag::of_seed(1),
        }
    }

    /// The same, with a broker that may know this.
    pub(crate) fn on_broker(self, history: BrokerHistory) -> Self {
        Self { history, ..self }
    }

    /// The same, with groups whose Sessions are those of an earlier run.
    pub(crate) fn with_resuming(mut self, groups: &[usize]) -> Self {
        for &group in groups {
            self.resumes[group] = true;
        }
        self
    }

    /// The same, with groups that have a Receive Maximum.
    pub(crate) fn with_receive_maximum(mut self) -> Self {
        self.limits_quota.fill(true);
        self
    }

    /// The same, with links for all devices.
    pub(crate) fn with_links(mut self) -> Self {
        self.on_links.fill(true);
        self
    }

    /// The same, with groups that release QoS 2 messages late.
    pub(crate) fn with_late_releases(mut self) -> Self {
        self.releases_late.fill(true);
        self
    }

    /// A roster whose wills all wait so long.
    pub(crate) fn with_will_delay(mut self, delay: Delay) -> Self {
        self.will_delays.fill(delay);
        self
    }
}
