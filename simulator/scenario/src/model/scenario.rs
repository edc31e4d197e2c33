//! The resolved scenario: what a run does, with every name looked up and every default filled in.
//!
//! A `Scenario` is made by `resolve` only, which has checked what the field docs promise; the
//! engine, the checks and the reports rely on them and check nothing again.
//!
//! The timeline of a run has four phases, in this order ([`squall_run::PhaseKind`]):
//!
//! 1. *connect*: each group connects and subscribes at its `connect_rate`; all groups at once. It
//!    ends when every device has its SUBACKs, or `connect_timeout` after the last connect was due.
//! 2. *warm-up*: the load runs and is checked, but no metric counts it.
//! 3. *measure*: for `duration`. Times of faults count from its beginning.
//! 4. *drain*: nothing is published; late deliveries and wills may still come.
//!
//! A message belongs to the phase in which it is due, whenever it is sent or delivered.

use std::net::IpAddr;

use indexmap::IndexMap;

use crate::id::{DeviceId, FaultId, GroupId, LinesId, NetworkId};
use crate::{
    Carrier, Content, Expectation, Fault, Feature, Group, LineCommand, Login, Network, Publish,
    RunSettings, Target, TargetTraits, Threshold, Tls, TlsId,
};

/// One scenario, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The name of the run in reports and folders: letters, digits, `-` and `_`, at least one.
    pub name: String,
    /// One or more sentences for the report; empty if the file has none.
    pub description: String,
    /// Seed of every random draw of the run.
    pub seed: u64,
    /// What its question is about: features without which it is skipped.
    pub needs: Vec<Feature>,
    /// `[vars]`: already put into every template; kept for the record.
    pub vars: IndexMap<String, String>,
    /// What is under test.
    pub target: Target,
    /// What else is known of it, and what was changed for it.
    pub traits: TargetTraits,
    /// Addresses of this machine that connections begin at, in turn; empty to let the system choose.
    pub sources: Vec<IpAddr>,
    /// How clients speak TLS, where the target has it.
    pub tls: Tls,
    /// The same for groups that have a client certificate of their own.
    pub tls_of_groups: Vec<Tls>,
    /// What `[target]` says that clients log in with: groups that say nothing else, and squall's own.
    pub login: Login,
    /// How long each phase lasts.
    pub run: RunSettings,
    /// By [`NetworkId`], in file order.
    pub networks: Vec<Network>,
    /// By [`GroupId`], in file order; at least one.
    pub groups: Vec<Group>,
    /// By [`FaultId`], in file order.
    pub faults: Vec<Fault>,
    /// What must hold, in file order.
    pub expectations: Vec<Expectation>,
    /// The limits of metrics, in file order.
    pub thresholds: Vec<Threshold>,
    /// Files that it extends, nearest first.
    pub extends: Vec<String>,
}

/// A stream whose payloads a command gives.
#[derive(Clone, Copy, Debug)]
pub struct LineStream<'a> {
    /// The command's name in the run.
    pub id: LinesId,
    /// The group whose devices publish it.
    pub group: &'a Group,
    /// The stream.
    pub publish: &'a Publish,
    /// The command.
    pub command: &'a LineCommand,
}

impl Scenario {
    /// The streams whose payloads commands give, by [`LinesId`].
    pub fn line_streams(&self) -> impl Iterator<Item = LineStream<'_>> {
        let groups = self.groups.iter();
        let streams =
            groups.flat_map(|group| group.publishes.iter().map(move |publish| (group, publish)));
        let commands = streams.filter_map(|(group, publish)| match &publish.payload {
            Content::Composed(_) => None,
            Content::Lines(command) => Some((group, publish, command)),
        });
        let ids = (0..).map(LinesId);
        ids.zip(commands)
            .map(|(id, (group, publish, command))| LineStream {
                id,
                group,
                publish,
                command,
            })
    }

    /// What squall's own clients log in with: what `[target]` says, else what the first group does that says
    /// something. They are told apart by an index: 0 is as good as any.
    pub fn own_login(&self) -> &Login {
        let of_groups = self.groups.iter().map(|group| &group.login);
        std::iter::once(&self.login)
            .chain(of_groups)
            .find(|login| !login.is_empty())
            .unwrap_or(&self.login)
    }

    /// What is said of TLS under `id`.
    pub fn tls_of(&self, id: TlsId) -> &Tls {
        match (id.0 as usize).checked_sub(1) {
            Some(place) => &self.tls_of_groups[place],
            None => &self.tls,
        }
    }

    /// What squall's own clients connect over: with the certificate that `[target]` names, else with that of the
    /// first group that has one.
    pub fn own_carrier(&self) -> Carrier {
        let mut carriers = self.groups.iter().map(|group| group.carriers.of(0, 0));
        let of_target = Carrier {
            transport: self.target.transport(),
            ..Carrier::default()
        };
        match self.tls.identity {
            Some(_) => of_target,
            None => carriers
                .find(|carrier| carrier.tls != TlsId::TARGET)
                .unwrap_or(of_target),
        }
    }

    /// The group `id`.
    pub fn group(&self, id: GroupId) -> &Group {
        &self.groups[usize::from(id.0)]
    }

    /// The network `id`.
    pub fn network(&self, id: NetworkId) -> &Network {
        &self.networks[usize::from(id.0)]
    }

    /// The fault `id`.
    pub fn fault(&self, id: FaultId) -> &Fault {
        &self.faults[usize::from(id.0)]
    }

    /// Groups whose Sessions of an earlier run must be ended before their devices connect. None
    /// if the broker begins with the run: it has no Sessions.
    pub fn groups_to_clear(&self) -> impl Iterator<Item = &Group> {
        let groups = self.groups.iter();
        groups.filter(|group| group.may_find_a_session() && self.broker_outlives_the_run())
    }

    /// Groups whose Sessions must be ended after their devices have left. None if the broker ends
    /// with the run: its Sessions end with it.
    pub fn groups_to_leave_clean(&self) -> impl Iterator<Item = &Group> {
        let groups = self.groups.iter();
        groups.filter(|group| group.leaves_no_session() && self.broker_outlives_the_run())
    }

    /// Whether the broker, or what it keeps on a disk, may have existed before the run and may
    /// exist after it.
    fn broker_outlives_the_run(&self) -> bool {
        self.target.history().has_earlier_runs()
    }

    /// Whether a fault does something to the broker itself.
    pub fn strikes_broker(&self) -> bool {
        let mut targets = self.faults.iter().map(|fault| &fault.target);
        targets.any(|target| target.broker().is_some())
    }

    /// Devices over all groups.
    pub fn device_count(&self) -> u32 {
        self.groups.iter().map(|group| group.count).sum()
    }

    /// The group that `device` belongs to, and its `{index}` there, counted from 0.
    ///
    /// Panics if no group has it.
    pub fn group_of(&self, device: DeviceId) -> (GroupId, u32) {
        let place = self
            .groups
            .partition_point(|group| group.first_device <= device)
            .checked_sub(1)
            .expect("the first group begins with device 0");
        let index = device.0 - self.groups[place].first_device.0;
        assert!(index < self.groups[place].count, "no such device");
        let id = u16::try_from(place).expect("groups are counted in 16 bits");
        (GroupId(id), index)
    }
}
