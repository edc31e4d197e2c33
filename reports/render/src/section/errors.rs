//! Errors by reason, and the first anomalies of each kind.

use squall_run::Run;

use super::judgement::{add_anomaly, anomaly_table};
use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Column, Table};

/// The section.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if !run.measured.errors.is_empty() {
        blocks.push(Block::Table(errors(run)));
    }
    if !run.measured.anomalies.is_empty() {
        let mut table = anomaly_table(
            "anomalies",
            "First anomalies of each kind, judged or not",
            "No.",
        );
        for (index, anomaly) in run.measured.anomalies.iter().enumerate() {
            add_anomaly(&mut table, &(index + 1).to_string(), anomaly);
        }
        blocks.push(Block::Table(table));
    }
    section_of("errors", "Errors and anomalies", blocks, "there were none")
}

fn errors(run: &Run) -> Table {
    let mut table = Table::new(
        "errors",
        "Errors by reason",
        vec![
            Column::words("Where"),
            Column::words("Reason"),
            Column::count("Count"),
            Column::quantity("First since the run began", "s"),
        ],
    );
    for error in &run.measured.errors {
        table.row(vec![
            Cell::text(&error.area),
            Cell::text(&error.reason),
            Cell::Count(error.count),
            Cell::At(error.first_at_s),
        ]);
    }
    table
}
