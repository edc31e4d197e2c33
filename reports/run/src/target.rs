//! The broker under test.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The broker under test, as far as squall could tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// How it came to be there.
    pub kind: TargetKind,
    /// Where the devices connected: `mqtt://127.0.0.1:41883`.
    pub url: String,
    /// The command that started it, if squall did.
    pub command: Option<String>,
    /// Product and version, if it said so (`$SYS/broker/version`, or the command's own answer).
    pub software: Option<String>,
    /// The name of the description that it was found by: `[target] use`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it keeps when its process ends, if squall knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps: Option<Keeps>,
    /// What was changed or left out in the scenario for what it does not have, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// Process id, if squall started it.
    pub pid: Option<u32>,
    /// Settings of the broker that squall knows of: a config file's content, announced limits.
    pub settings: BTreeMap<String, String>,
}

impl Target {
    /// What tells it from others in a word: its name in scenarios, else what it says of itself, else its address.
    pub fn called(&self) -> &str {
        let embedded = matches!(self.kind, TargetKind::Embedded | TargetKind::World);
        let own = embedded.then_some("squall");
        let name = self.name.as_deref().or(own);
        name.or(self.software.as_deref()).unwrap_or(&self.url)
    }

    /// What it is called where there is room for a word or two: its product and version, or else its command, or its URL.
    pub fn shown(&self) -> &str {
        let known = self.software.as_deref().or(self.command.as_deref());
        known.unwrap_or(&self.url)
    }
}

/// What a broker, set up as it is, keeps when its process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keeps {
    /// All is in memory.
    Nothing,
    /// It writes Sessions and messages to a disk.
    Disk,
}

impl Keeps {
    /// As scenarios have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Disk => "disk",
        }
    }

    /// What to know before what a broker forgets by a fault that ended its process is held against it, as a sentence
    /// without a full stop; `None` if there is nothing. `name` is what `target.use` calls it.
    pub fn remark(self, name: Option<&str>) -> Option<String> {
        let broker = match name {
            Some("squall") | None => "this target".to_owned(),
            Some(name) => format!("the target `{name}`, as squall sets it up,"),
        };
        match self {
            Self::Nothing => Some(format!(
                "{broker} keeps nothing on disk: what it forgets when a fault ends its process says nothing about what it \
                 keeps when it is set up otherwise"
            )),
            Self::Disk => None,
        }
    }
}

/// How the broker came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// squall's own broker, as a child process.
    Embedded,
    /// It was running already.
    Url,
    /// A command of the scenario started it.
    Spawn,
    /// squall's broker core in memory, in virtual time.
    World,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// What a broker forgot that is set up to keep nothing is not held against it without a word.
    #[test]
    fn a_broker_that_keeps_nothing_is_noted_after_a_fault_that_ends_its_process() {
        let noted = |keeps, action: &str| {
            let mut run = sample::passing();
            run.target.keeps = keeps;
            run.target.name = Some("mosquitto".to_owned());
            run.measured.faults[0].action = action.to_owned();
            let told = "The target `mosquitto`, as squall sets it up, keeps nothing on disk: ";
            run.notes().iter().any(|note| note.starts_with(told))
        };

        assert!(noted(Some(Keeps::Nothing), "kill_broker"));
        assert!(noted(Some(Keeps::Nothing), "restart_broker"));
        assert!(!noted(Some(Keeps::Nothing), "pause_broker"));
        assert!(!noted(Some(Keeps::Disk), "kill_broker"));
        assert!(!noted(None, "kill_broker"));
    }
}
