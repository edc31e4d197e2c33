//! Brokers that are described once, for all scenarios: `scenarios/targets/*.toml`.

use squall_run::Keeps;

use crate::{Feature, Target};

/// A broker as its file describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetDescription {
    /// What scenarios call it: letters, digits, `-` and `_`.
    pub name: String,
    /// What it is, in one line.
    pub about: String,
    /// The version that the file was tried with; `None` if it was not tried.
    pub tested: Option<String>,
    /// A command that installs it.
    pub install: Option<String>,
    /// What a user needs to know, a paragraph each.
    pub notes: Vec<String>,
    /// How it is started, or where it is; `None` where only the user knows that.
    pub target: Option<Target>,
    /// Whether it speaks MQTT 3.1.1 alone.
    pub is_3_1_1_only: bool,
    /// What it does not have.
    pub lacks: Vec<Feature>,
}

/// What a scenario knows of its target beside how it is reached.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TargetTraits {
    /// What `target.use` calls it.
    pub name: Option<String>,
    /// The command that its description says installs it.
    pub install: Option<String>,
    /// What it keeps when its process ends; `None` if that is not known.
    pub keeps: Option<Keeps>,
    /// What it does not have, in file order.
    pub lacks: Vec<Feature>,
    /// What was changed or left out to bring the scenario down to what it has, a sentence each.
    pub changes: Vec<String>,
    /// Why the scenario cannot be run against it, a sentence each; empty if it can.
    pub skipped_because: Vec<String>,
}
