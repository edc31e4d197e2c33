//! Faults of the broker: `action = "kill_broker"`, `"pause_broker"` and `"restart_broker"`.

use squall_toml::at::At;
use squall_toml::quantity::format_duration;

use super::Resolver;
use crate::file::FaultFile;
use crate::{Distribution, FaultTiming};

impl Resolver<'_> {
    /// A fault of the broker takes no devices, needs a broker that squall can stop and start, and is over before it comes
    /// again.
    pub(super) fn check_broker_fault(
        &mut self,
        file: &FaultFile,
        timing: FaultTiming,
        lasts: Option<&Distribution>,
        at: &At<'_>,
    ) {
        let action = file.action.name();
        for key in ["group", "select", "kind"] {
            self.misplaced(at, key, "an action on devices or links, such as `drop`");
        }
        if let Some(url) = &self.target_url {
            let what =
                format!("`{action}` needs a broker that squall starts, and {url} runs already");
            let remedy = "no `[target]` for squall's own broker, `target.spawn` with the command that starts yours, or `--target NAME`";
            self.contradiction(&at.key("action"), what, remedy.to_owned());
        }
        if let (FaultTiming::Every { period, .. }, Some(&Distribution::Constant { value })) =
            (timing, lasts)
            && period <= value
        {
            let what = format!(
                "it lasts {} and comes every {}, so the broker would be away when it comes again",
                format_duration(value),
                format_duration(period)
            );
            let remedy = "a longer `every` or a shorter `lasts`".to_owned();
            self.contradiction(&at.key("every"), what, remedy);
        }
    }
}
