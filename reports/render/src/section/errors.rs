//! Errors by reason, and the first anomalies of each kind.

use squall_run::{Run, count_text};

use super::judgement::{Listed, add_anomaly, anomaly_table};
use super::{Absent, Block, Section, packets, section_of};
use crate::clock::Clock;
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if !run.measured.errors.is_empty() {
        blocks.push(Block::Table(errors(run)));
    }
    if !run.measured.anomalies.is_empty() {
        blocks.push(Block::Note(anomalies_in_all(run)));
        let mut table = anomaly_table(
            "anomalies",
            "First anomalies of each kind, judged or not",
            "No.",
        );
        for (index, anomaly) in run.measured.anomalies.iter().enumerate() {
            let number = (index + 1).to_string();
            let of_its_kind = run.measured.anomaly_counts.get(&anomaly.kind);
            let listed = Listed {
                first: &number,
                in_all: of_its_kind.copied().unwrap_or(0),
            };
            add_anomaly(&mut table, &listed, anomaly, run);
        }
        blocks.push(Block::Table(table));
        blocks.extend(packets::of_others(run));
    }
    section_of("errors", "Errors and anomalies", blocks, "there were none")
}

/// How many there were, of which a table has the first.
fn anomalies_in_all(run: &Run) -> String {
    let counts = &run.measured.anomaly_counts;
    let total: u64 = counts.values().sum();
    let kinds: Vec<String> = counts
        .iter()
        .map(|(kind, count)| format!("{} {}", count_text(*count), kind.label()))
        .collect();
    format!(
        "Anomalies in all: {} ({}). The table has the first of each kind, {} of them.",
        count_text(total),
        kinds.join(", "),
        count_text(run.measured.anomalies.len() as u64)
    )
}

fn errors(run: &Run) -> Table {
    let mut table = Table::new(
        "errors",
        "Errors by reason",
        vec![
            Column::words("Where"),
            Column::words("Reason"),
            Column::count("Count"),
            Column::quantity("First at", "s"),
            Column::quantity("Since the run began", "s"),
        ],
    );
    let clock = Clock::of(run);
    for error in &run.measured.errors {
        table.row(vec![
            Cell::text(&error.area),
            Cell::text(&error.reason),
            Cell::Count(error.count),
            Cell::At(clock.at(error.first_at_s)),
            Cell::At(error.first_at_s),
        ]);
    }
    table
}
