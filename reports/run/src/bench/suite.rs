//! A table of benches on several brokers: what `squall bench suite` writes.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use super::result::BenchResult;

/// All of a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "squall bench suite, version 1")]
pub struct Suite {
    /// Version of this format.
    pub version: u32,
    /// Version of squall that measured.
    pub squall: String,
    /// When it began, as UTC in ISO 8601.
    pub started_at: String,
    /// Where all ran: generator and brokers.
    pub machine: SuiteMachine,
    /// Whether broker and generator had a core each.
    pub pinned: bool,
    /// Trials of each target in each row.
    pub repeat: u32,
    /// Seconds that each was measured.
    pub duration_s: f64,
    /// Seconds that the load ran before that.
    pub warmup_s: f64,
    /// The command that does all of it again.
    pub command: String,
    /// The targets, in the order of the columns.
    pub targets: Vec<String>,
    /// The workloads.
    pub rows: Vec<SuiteRow>,
    /// That of the command: 0 if each target was measured in each row, or lacks what the row is about.
    pub exit_code: u8,
}

/// The machine that a suite ran on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteMachine {
    /// Model name of the processor.
    pub cpu: String,
    /// Logical cores that squall may use.
    pub cores: u32,
    /// Physical memory.
    pub memory_bytes: u64,
    /// Operating system and kernel release.
    pub kernel: String,
}

/// One workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteRow {
    /// As `--only` has it.
    pub id: String,
    /// For a reader.
    pub title: String,
    /// The command that measures this row alone.
    pub command: String,
    /// What that found.
    #[serde(flatten)]
    pub result: BenchResult,
}

impl Suite {
    /// Version of the format that is written.
    pub const VERSION: u32 = 1;

    /// The JSON Schema of `suite.json`.
    pub fn json_schema() -> schemars::Schema {
        SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Self>()
    }
}
