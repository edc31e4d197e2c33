//! What ran, and how to run it again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything that names a run and lets it be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// `name` of the scenario.
    pub name: String,
    /// The question the scenario asks: its `description`, or the first comment of its file.
    pub question: Option<String>,
    /// The seed every random draw came from.
    pub seed: u64,
    /// The scenario itself.
    pub scenario: ScenarioText,
    /// The squall that ran it.
    pub squall: Software,
    /// The command line, one argument an item, program name first.
    pub command_line: Vec<String>,
    /// A command that repeats this run with the same seed and settings, ready for a shell.
    pub replay: String,
}

/// A scenario file as it was read and as it was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioText {
    /// The path as given on the command line.
    pub path: String,
    /// Hash of `original`, as `algorithm:hex`.
    pub hash: String,
    /// The file's text, with `***` in place of every password and other secret.
    pub original: String,
    /// The same scenario with every default and override written out (TOML).
    pub resolved: String,
    /// Whether something is hidden: then the hash is not that of the file, and who repeats the run has to know it.
    #[serde(default)]
    pub has_secrets: bool,
}

/// A build of squall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Software {
    /// Package version.
    pub version: String,
    /// Git commit, when the build knew it.
    pub commit: Option<String>,
    /// `release` or `debug`.
    pub profile: String,
}
