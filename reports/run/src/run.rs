//! The run file as a whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Identity, Machine, Measured, Resources, Settings, Target, Times, Verdict};

/// The version of the schema that this crate writes.
///
/// A field that is added with a default keeps the version; anything that a reader of this
/// version would misunderstand takes a new one.
pub const VERSION: u32 = 2;

/// One execution of one scenario, complete: what a report is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "squall run file, version 2")]
pub struct Run {
    /// [`VERSION`] of the schema this was written with.
    pub version: u32,
    /// What ran, and how to run it again.
    pub identity: Identity,
    /// The machine the devices ran on.
    pub machine: Machine,
    /// The broker under test.
    pub target: Target,
    /// When, and in which phases.
    pub times: Times,
    /// What was set beyond the scenario's own text, and the groups as they ran.
    pub settings: Settings,
    /// What the devices saw: the fleet's part.
    pub measured: Measured,
    /// What processes used meanwhile.
    pub resources: Resources,
    /// What follows from it: whether the claims and thresholds held.
    pub verdict: Verdict,
}
