//! `squall schema`: the JSON Schema of scenario files, of run files, of `summary.json`, of `runs.json` or of
//! `compare.json`.

use anyhow::Context as _;

use crate::cli::{SchemaArgs, SchemaOf};
use crate::exit::Failure;
use crate::output::print_line;

/// Prints it. All are generated from the types that read and write the files.
pub fn schema(args: &SchemaArgs) -> Result<u8, Failure> {
    print_line(&text(args.of)?)?;
    Ok(0)
}

/// The schema of a kind of file, without an end of line.
pub fn text(of: SchemaOf) -> Result<String, Failure> {
    let schema = match of {
        SchemaOf::Scenario => squall_scenario::json_schema(),
        SchemaOf::Run => squall_run::json_schema().to_value(),
        SchemaOf::Summary => squall_run::SummaryFile::json_schema().to_value(),
        SchemaOf::Runs => squall_run::RunSet::json_schema().to_value(),
        SchemaOf::Compare => squall_run::SideBySide::json_schema().to_value(),
    };
    Ok(serde_json::to_string_pretty(&schema).context("cannot write the schema as JSON")?)
}
