//! Fault timeline: what was broken on purpose, and the first anomaly after it.

use squall_run::Run;

use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Column, Table};

/// The section.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if !run.measured.faults.is_empty() {
        blocks.push(Block::Table(timeline(run)));
        blocks.push(Block::Note(
            "Selected devices that had no connection at the moment were not hit. An anomaly after a fault need not come of it."
                .to_owned(),
        ));
    }
    section_of(
        "faults",
        "Fault timeline",
        blocks,
        "the scenario breaks nothing",
    )
}

fn timeline(run: &Run) -> Table {
    let mut table = Table::new(
        "faults",
        "Faults in order of time",
        vec![
            Column::quantity("At", "s"),
            Column::words("Fault"),
            Column::words("Action"),
            Column::words("Group"),
            Column::quantity("Lasts", "s"),
            Column::count("Selected"),
            Column::count("Hit"),
            Column::sentences("First anomaly after it"),
        ],
    );
    for fault in &run.measured.faults {
        let action = match &fault.how {
            Some(how) => format!("{} ({})", fault.action, how.replace('_', " ")),
            None => fault.action.replace('_', " "),
        };
        let anomaly = fault.first_anomaly.as_ref().map(|anomaly| {
            Cell::Text(format!(
                "{} at {:.1} s: {}",
                anomaly.kind.label(),
                anomaly.at_s,
                anomaly.explanation
            ))
        });
        table.row(vec![
            Cell::At(fault.at_s),
            Cell::text(&fault.name),
            Cell::Text(action),
            fault.group.as_ref().map_or(Cell::None, Cell::text),
            fault.lasts_s.map_or(Cell::None, Cell::Seconds),
            Cell::Count(fault.selected),
            Cell::Count(fault.applied),
            anomaly.unwrap_or(Cell::text("none")),
        ]);
    }
    table
}
