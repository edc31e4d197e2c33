//! Malformed packets: which of them made the broker close, and what it said.

use squall_run::{MalformedOutcome, Run, count_text};

use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let outcomes = &run.measured.malformed;
    let mut blocks = Vec::new();
    if !outcomes.is_empty() {
        blocks.push(Block::Table(table(outcomes)));
        blocks.push(Block::Note(
            "A server must close a connection on which a malformed packet comes. In MQTT 5.0 it may say why before. What was \
             taken over before it was closed says nothing from then on."
                .to_owned(),
        ));
    }
    section_of(
        "malformed",
        "Malformed packets",
        blocks,
        "no fault sent a malformed packet",
    )
}

fn table(outcomes: &[MalformedOutcome]) -> Table {
    let mut table = Table::new(
        "malformed",
        "Malformed packets by the rule that they break",
        vec![
            Column::words("Kind"),
            Column::words("MQTT"),
            Column::words("Rule"),
            Column::count("Sent"),
            Column::count("Closed"),
            Column::count("Left open"),
            Column::count("Taken over"),
            Column::quantity("Slowest close", "s"),
            Column::sentences("Reasons given"),
            Column::count("Unfit reasons"),
        ],
    );
    for outcome in outcomes {
        let reasons: Vec<String> = outcome
            .reasons
            .iter()
            .map(|(reason, &count)| format!("{reason}: {}", count_text(count)))
            .collect();
        table.row(vec![
            Cell::Text(outcome.kind.replace('_', " ")),
            Cell::text(&outcome.version),
            Cell::text(&outcome.source),
            Cell::Count(outcome.sent),
            Cell::Count(outcome.closed),
            Cell::Bad(outcome.left_open),
            Cell::Count(outcome.taken_over),
            outcome.slowest_s.map_or(Cell::None, Cell::Seconds),
            match reasons.is_empty() {
                true => Cell::text("none"),
                false => Cell::Text(reasons.join(", ")),
            },
            Cell::Bad(outcome.unfit_reasons),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// Each kind has a row with the rule that it breaks, and what was left open stands out.
    #[test]
    fn each_kind_has_a_row() {
        let section = section(&sample::passing()).unwrap();

        let Block::Table(table) = &section.blocks[0] else {
            panic!("it begins with the table");
        };
        let shown: Vec<String> = table.rows[1].iter().map(Cell::shown).collect();
        assert_eq!(
            shown,
            [
                "qos 3",
                "5.0",
                "MQTT-3.3.1-4",
                "20",
                "18",
                "2",
                "0",
                "12.0 ms",
                "0x81 Malformed Packet: 18",
                "0"
            ]
        );
    }
}
