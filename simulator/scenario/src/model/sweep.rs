//! What one file runs: a scenario for each combination of the values of `[matrix]`, or one.

use crate::Scenario;
use crate::overrides::Override;

/// Every scenario that a file stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Keys that take several values, dotted as `--set` has them, in file order; none without a `[matrix]`.
    pub axes: Vec<String>,
    /// One for each combination of values, the values of the last axis changing first: at least one, at most 1,000.
    pub combinations: Vec<Combination>,
}

/// One combination of the values of a `[matrix]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// What each axis is set to, in the order of the axes.
    pub settings: Vec<Setting>,
    /// The scenario with these values.
    pub scenario: Scenario,
}

/// The value that a combination gives an axis.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setting {
    /// The key and the value as TOML: given as `--set` it chooses this value.
    pub change: Override,
    /// The value for a reader: a text without its quotes.
    pub shown: String,
}

impl Sweep {
    /// How often each combination is run: `run.repeat`.
    pub fn repeat(&self) -> u32 {
        let first = self.combinations.first();
        first.map_or(1, |first| first.scenario.run.repeat)
    }

    /// Runs of all of it.
    pub fn runs(&self) -> u64 {
        self.combinations.len() as u64 * u64::from(self.repeat())
    }
}
