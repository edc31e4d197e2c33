//! What a bench found: of each target every repeat, with what is to be said of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::Figures;
use crate::{Keeps, count_text};

/// A share of an open loop's rate below which the rate was not reached.
pub const REACHED: f64 = 0.98;

/// What is said of publishers that stood still `count` times; nothing of none.
pub fn stalls_text(count: u64) -> Option<String> {
    let times = match count {
        0 => return None,
        1 => "once".to_owned(),
        count => format!("{} times", count_text(count)),
    };
    Some(format!(
        "publishers had no delivery for 2 s, {times}; they went on with new messages"
    ))
}

/// What stands before the figures of all targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// The name of the pattern.
    pub bench: String,
    /// Clients that publish.
    pub publishers: u32,
    /// Clients that subscribe.
    pub subscribers: u32,
    /// As asked for.
    pub qos: u8,
    /// Version of MQTT that was asked for; earlier files lack it.
    #[serde(default)]
    pub protocol: String,
    /// Of each message.
    pub payload_bytes: u64,
    /// Messages under way of each publisher, in a closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
    /// Messages a second of all publishers, in an open loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Whether broker and generator had a core each.
    pub pinned: bool,
    /// Cores that squall may use.
    pub cores: u32,
    /// The machine's processor.
    pub cpu: String,
}

/// All of a bench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchResult {
    /// What was done, and where.
    #[serde(flatten)]
    pub about: About,
    /// In the order of the command line.
    pub targets: Vec<TargetResult>,
    /// What a reader must know of the figures, a sentence each.
    pub warnings: Vec<String>,
    /// That of the command.
    pub exit_code: u8,
}

/// What was found of one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetResult {
    /// As on the command line.
    pub name: String,
    /// Product and version, as far as it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// What was changed for it, a sentence each.
    pub changes: Vec<String>,
    /// What it keeps when its process ends, if squall knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keeps: Option<Keeps>,
    /// One for each trial.
    pub repeats: Vec<Repeat>,
}

/// One trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Repeat {
    /// It has figures.
    Measured(Box<Figures>),
    /// There was none: the target lacks what the bench is about, for these reasons.
    Skipped {
        /// A sentence each; at least one.
        skipped: Vec<String>,
    },
    /// It has none, for this reason.
    Failed {
        /// The reason.
        error: String,
        /// The exit code that it stands for.
        exit_code: u8,
    },
}

impl Repeat {
    /// The exit code that it stands for.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Measured(_) => 0,
            Self::Skipped { .. } => 4,
            Self::Failed { exit_code, .. } => *exit_code,
        }
    }
}

impl TargetResult {
    /// Of a target that was not measured yet.
    pub fn new(name: String) -> Self {
        Self {
            name,
            software: None,
            changes: Vec::new(),
            keeps: None,
            repeats: Vec::new(),
        }
    }

    /// Those of the repeats that have some.
    pub fn figures(&self) -> impl Iterator<Item = &Figures> {
        self.repeats.iter().filter_map(|repeat| match repeat {
            Repeat::Measured(figures) => Some(&**figures),
            Repeat::Skipped { .. } | Repeat::Failed { .. } => None,
        })
    }

    /// Why repeats have none, a sentence each.
    pub fn errors(&self) -> Vec<String> {
        let repeats = (1..).zip(&self.repeats);
        let errors = repeats.filter_map(|(number, repeat): (u32, _)| match repeat {
            Repeat::Measured(_) => None,
            Repeat::Skipped { skipped } => {
                Some(format!("{} is skipped: {}", self.name, skipped.join("; ")))
            }
            Repeat::Failed { error, .. } => {
                Some(format!("{}, repeat {number}: {error}", self.name))
            }
        });
        errors.collect()
    }
}
