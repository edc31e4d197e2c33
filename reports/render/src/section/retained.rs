//! Retained messages and what waited for devices that were away.

use squall_run::{Run, count_text};

use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if !run.measured.retained.is_empty() {
        blocks.push(Block::Table(retained(run)));
    }
    let late: u64 = run
        .measured
        .accounting
        .deliveries
        .iter()
        .map(|entry| entry.late)
        .sum();
    if late > 0 {
        blocks.push(Block::Note(format!(
            "{} deliveries came after their connection was resumed: they had waited in the broker or were sent again.",
            count_text(late)
        )));
    }
    section_of(
        "retained",
        "Retained messages and offline queues",
        blocks,
        "nothing retained was compared and nothing waited for a device",
    )
}

fn retained(run: &Run) -> Table {
    let mut table = Table::new(
        "retained",
        "Retained messages",
        vec![
            Column::words("Topic filter"),
            Column::words("Compared with"),
            Column::count("Expected"),
            Column::count("Right"),
            Column::count("Wrong"),
            Column::count("Missing"),
            Column::count("Unexpected"),
        ],
    );
    for outcome in &run.measured.retained {
        table.row(vec![
            Cell::Code(outcome.filter.clone()),
            Cell::text(outcome.equals.replace('_', " ")),
            Cell::Count(outcome.expected),
            Cell::Count(outcome.right),
            Cell::Bad(outcome.wrong),
            Cell::Bad(outcome.missing),
            Cell::Bad(outcome.unexpected),
        ]);
    }
    table
}
