//! Faults of links: `action = "network"` and `action = "partition"`.

use squall_toml::at::At;

use super::Resolver;
use crate::file::FaultFile;
use crate::{DeviceFault, FaultAction};

impl Resolver<'_> {
    /// The change of a link that `file` asks for. Without its profile it is noted, and a partition stands for it.
    pub(super) fn resolve_change(&mut self, file: &FaultFile, at: &At<'_>) -> FaultAction {
        let Some(name) = &file.profile else {
            self.needed_by(file.action, "profile", at);
            return FaultAction::Partition;
        };
        let network = self.network_named(name, &at.key("profile"));
        network.map_or(FaultAction::Partition, FaultAction::Network)
    }

    /// A fault of links takes devices that have one, and changes something.
    pub(super) fn check_link(&mut self, fault: &DeviceFault, at: &At<'_>) {
        let group = &self.groups[usize::from(fault.group.0)];
        let other = match fault.action {
            FaultAction::Partition => None,
            FaultAction::Network(id) => Some(id),
            FaultAction::Drop(_)
            | FaultAction::Disconnect(_)
            | FaultAction::Takeover(_)
            | FaultAction::Stall
            | FaultAction::Mute
            | FaultAction::Flap(_) => return,
        };
        let name = &group.name;
        if group.network.is_none() {
            let what = format!("devices of group `{name}` have no simulated link");
            let remedy = "`network = \"lan\"` in the group, with a `[[network]]` of that name, which need say no more, or a shipped \
                          profile such as `wifi`";
            self.contradiction(&at.key("group"), what, remedy.to_owned());
        } else if group.network == other {
            let what = format!("the links of group `{name}` have this profile already");
            let remedy = "another `profile`".to_owned();
            self.contradiction(&at.key("profile"), what, remedy);
        }
    }
}
