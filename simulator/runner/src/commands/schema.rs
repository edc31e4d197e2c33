//! `squall schema`: the JSON Schema of scenario files and of each kind of file that squall writes for programs.

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
        SchemaOf::Index => squall_run::Trends::json_schema().to_value(),
        SchemaOf::BenchSuite => squall_run::bench::Suite::json_schema().to_value(),
    };
    Ok(serde_json::to_string_pretty(&schema).context("cannot write the schema as JSON")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schemas that are published are those of the types that write the files.
    #[test]
    fn published_schemas_are_fresh() {
        for (of, name, published) in [
            (
                SchemaOf::Run,
                "run",
                include_str!("../../../../reports/run/schemas/run.schema.json"),
            ),
            (
                SchemaOf::Summary,
                "summary",
                include_str!("../../../../reports/run/schemas/summary.schema.json"),
            ),
            (
                SchemaOf::Runs,
                "runs",
                include_str!("../../../../reports/run/schemas/runs.schema.json"),
            ),
            (
                SchemaOf::Compare,
                "compare",
                include_str!("../../../../reports/run/schemas/compare.schema.json"),
            ),
            (
                SchemaOf::Index,
                "index",
                include_str!("../../../../reports/run/schemas/index.schema.json"),
            ),
            (
                SchemaOf::BenchSuite,
                "bench-suite",
                include_str!("../../../../reports/run/schemas/bench-suite.schema.json"),
            ),
        ] {
            let fresh = text(of).expect("it can be written");
            assert!(
                fresh == published.trim_end(),
                "run `squall schema {name} > reports/run/schemas/{name}.schema.json`"
            );
        }
    }
}
