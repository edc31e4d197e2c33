//! Whether a run lasts until the wills that it claims are due.

use squall_toml::at::At;
use squall_toml::quantity::format_duration;

use super::Resolver;
use crate::{DropKind, WillClaim};

impl Resolver<'_> {
    /// The run must last until the last will that is claimed is due.
    pub(super) fn check_time_is_left(&mut self, claim: &WillClaim, at: &At<'_>) {
        for id in &claim.after {
            let fault = &self.faults[usize::from(id.0)];
            let (Some(devices), Some(kind)) = (fault.devices(), fault.drop_kind()) else {
                continue;
            };
            let group = &self.groups[usize::from(devices.group.0)];
            let (keep_alive, delay) = (group.keep_alive_limit(), group.will_delay_of_the_gone());
            let (what, remedy) = match (kind, keep_alive) {
                (DropKind::Silent, None) => (
                    format!(
                        "fault `{}` is silent and its group has no keep alive: the broker never notices",
                        fault.name
                    ),
                    "a `keep_alive` above 0s",
                ),
                (kind, keep_alive) => {
                    let limit = claim.within.get(&kind).copied();
                    let notice = keep_alive.filter(|_| kind == DropKind::Silent);
                    let notice = delay + limit.max(notice).unwrap_or_default();
                    let due = fault.last_end() + notice;
                    if due <= self.run_ends {
                        continue;
                    }
                    let what = format!(
                        "wills after `{}` may come until {}, the run ends at {}",
                        fault.name,
                        format_duration(due),
                        format_duration(self.run_ends)
                    );
                    (what, "a longer `run.duration` or `run.drain`")
                }
            };
            self.contradiction(at, what, remedy.to_owned());
        }
    }
}
