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
    /// What was changed or left out in the scenario for what it does not have, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// Process id, if squall started it.
    pub pid: Option<u32>,
    /// Settings of the broker that squall knows of: a config file's content, announced limits.
    pub settings: BTreeMap<String, String>,
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
