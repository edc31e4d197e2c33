//! `action = "mute"`: Keep Alive is broken on purpose.

use squall_toml::at::At;
use squall_toml::quantity::format_duration;

use super::Resolver;
use crate::{DeviceFault, Distribution, Fault, FaultAction};

impl Resolver<'_> {
    /// A mute breaks the Keep Alive of a group that has one.
    pub(super) fn check_mute(&mut self, fault: &DeviceFault, at: &At<'_>) {
        let group = &self.groups[usize::from(fault.group.0)];
        if fault.action == FaultAction::Mute && group.keep_alive == 0 {
            let what = format!(
                "devices of group `{}` have no Keep Alive, which a mute could break",
                group.name
            );
            let remedy = "a `keep_alive` above 0s in the group";
            self.contradiction(&at.key("group"), what, remedy.to_owned());
        }
    }

    /// Why no connection is closed because of a mute that always lasts equally long, if that is too short for it even
    /// where the device was about to send PINGREQ when it began.
    pub(super) fn outlasted(&self, fault: &Fault) -> Option<(String, String)> {
        let devices = fault.devices()?;
        let group = &self.groups[usize::from(devices.group.0)];
        let (FaultAction::Mute, Some(Distribution::Constant { value }), Some(limit)) =
            (devices.action, &fault.lasts, group.keep_alive_limit())
        else {
            return None;
        };
        (*value < limit / 3).then(|| {
            let what = format!(
                "fault `{}` lasts {}: with what a device does not say before it, its one and a half times Keep Alive of {} are not \
                 over, and the broker closes nothing",
                fault.name,
                format_duration(*value),
                format_duration(limit)
            );
            let remedy = format!("a fault that `lasts` longer than {}", format_duration(limit));
            (what, remedy)
        })
    }
}
