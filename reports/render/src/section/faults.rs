//! Fault timeline: what was broken on purpose, and the first anomaly after it.

use squall_run::{FaultOccurrence, Qos2, Run, count_text, duration_text};

use super::qos2::cut_step;
use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if !run.measured.faults.is_empty() {
        match repeated(run) {
            Some(summary) => {
                blocks.push(Block::Table(summary));
                blocks.push(Block::Folded(timeline(run)));
            }
            None => blocks.push(Block::Table(timeline(run))),
        }
        blocks.push(Block::Note(
            "At is the time that the scenario names, since measuring began. Selected devices that had no connection at the \
             moment were not hit. An anomaly after a fault need not come of it."
                .to_owned(),
        ));
    }
    if let Some(qos2) = &run.measured.qos2 {
        let faults = handshake_faults(qos2);
        if !faults.rows.is_empty() {
            blocks.push(Block::Table(faults));
            blocks.push(Block::Note(
                "What a qos2 block asks for is drawn anew for each handshake, all through the load: it has no moment of its own."
                    .to_owned(),
            ));
        }
    }
    section_of(
        "faults",
        "Faults",
        blocks,
        "the scenario has no fault, and no handshake was cut or left waiting on purpose",
    )
}

/// A fault that strikes more often than this is a row by itself, and each time is behind a fold.
const TIMES_SHOWN: usize = 5;

/// A row for each fault, where one strikes so often that its rows would hide those of others.
fn repeated(run: &Run) -> Option<Table> {
    let mut faults: Vec<(&str, Vec<&FaultOccurrence>)> = Vec::new();
    for fault in &run.measured.faults {
        match faults.iter_mut().find(|(name, _)| *name == fault.name) {
            Some((_, times)) => times.push(fault),
            None => faults.push((&fault.name, vec![fault])),
        }
    }
    if faults.iter().all(|(_, times)| times.len() <= TIMES_SHOWN) {
        return None;
    }
    let mut table = Table::new(
        "faults-repeated",
        "Faults",
        vec![
            Column::words("Fault"),
            Column::words("Action"),
            Column::words("Group"),
            Column::count("Times"),
            Column::quantity("First at", "s"),
            Column::quantity("Last at", "s"),
            Column::count("Selected"),
            Column::count("Hit"),
            Column::count("Anomalies followed"),
        ],
    );
    for (name, times) in faults {
        let (first, last) = (times[0], times[times.len() - 1]);
        let followed = times.iter().filter(|fault| fault.first_anomaly.is_some());
        table.row(vec![
            Cell::text(name),
            Cell::Text(action(first)),
            first.group.as_ref().map_or(Cell::None, Cell::text),
            Cell::Count(times.len() as u64),
            Cell::Seconds(first.planned_s),
            Cell::Seconds(last.planned_s),
            Cell::Count(times.iter().map(|fault| fault.selected).sum()),
            Cell::Count(times.iter().map(|fault| fault.applied).sum()),
            Cell::Text(format!("{} of {} times", followed.count(), times.len())),
        ]);
    }
    Some(table)
}

/// `drop (half close)`
fn action(fault: &FaultOccurrence) -> String {
    match &fault.how {
        Some(how) => format!("{} ({})", fault.action, how.replace('_', " ")),
        None => fault.action.replace('_', " "),
    }
}

fn timeline(run: &Run) -> Table {
    let mut table = Table::new(
        "faults",
        "Faults in order of time",
        vec![
            Column::quantity("At", "s"),
            Column::quantity("Since the run began", "s"),
            Column::words("Fault"),
            Column::words("Action"),
            Column::words("Group"),
            Column::quantity("Lasts", "s"),
            Column::count("Selected"),
            Column::count("Hit"),
            Column::sentences("What it did"),
            Column::sentences("First anomaly after it"),
        ],
    );
    for fault in &run.measured.faults {
        let anomaly = fault.first_anomaly.as_ref().map(|anomaly| {
            Cell::Text(format!(
                "{}, {:.1} s since the run began: {}",
                anomaly.kind.label(),
                anomaly.at_s,
                anomaly.explanation
            ))
        });
        table.row(vec![
            Cell::Seconds(fault.planned_s),
            Cell::At(fault.at_s),
            Cell::text(&fault.name),
            Cell::Text(action(fault)),
            fault.group.as_ref().map_or(Cell::None, Cell::text),
            fault.lasts_s.map_or(Cell::None, Cell::Seconds),
            Cell::Count(fault.selected),
            Cell::Count(fault.applied),
            effects(fault),
            anomaly.unwrap_or(Cell::text("none")),
        ]);
    }
    table
}

/// What a fault brought about, one after the other.
fn effects(fault: &FaultOccurrence) -> Cell {
    let words = fault.effects.iter().map(|effect| {
        let count = count_text(effect.count);
        match effect.longest_s {
            Some(longest) => format!(
                "{count} {}, the longest for {}",
                effect.what,
                duration_text(longest)
            ),
            None => format!("{count} {}", effect.what),
        }
    });
    let words: Vec<String> = words.collect();
    match words.is_empty() {
        true => Cell::None,
        false => Cell::Text(words.join("; ")),
    }
}

/// What `qos2` blocks did to handshakes, by kind.
fn handshake_faults(qos2: &Qos2) -> Table {
    let mut table = Table::counts("qos2-faults", "Handshakes broken on purpose");
    for (step, count) in &qos2.cuts {
        table.count("Connection cut", &cut_step(step), Cell::Count(*count));
    }
    for (answer, count) in &qos2.withheld {
        table.count(
            "Answer withheld",
            &answer.to_uppercase(),
            Cell::Count(*count),
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    fn tables(section: &Section) -> Vec<&Table> {
        let blocks = section.blocks.iter();
        blocks
            .filter_map(|block| match block {
                Block::Table(table)
                | Block::Folded(table)
                | Block::Trace(table)
                | Block::Chart(_, table) => Some(table),
                Block::Note(_) | Block::Warning(_) | Block::Facts(_) | Block::Text(..) => None,
            })
            .collect()
    }

    /// A scenario whose `qos2` block cuts connections breaks something, though it has no `[[fault]]`.
    #[test]
    fn what_a_qos2_block_does_is_a_fault() {
        let mut run = sample::passing();
        run.measured.faults.clear();

        let section = section(&run).unwrap();

        let table = tables(&section)[0];
        let rows: Vec<String> = table
            .rows
            .iter()
            .map(|row| row.iter().map(Cell::shown).collect::<Vec<_>>().join(" | "))
            .collect();
        assert_eq!(
            rows,
            [
                "Connection cut | 1,104 | after PUBLISH",
                "Connection cut | 1,090 | after PUBREC",
                "Connection cut | 1,121 | after PUBREL",
                "Answer withheld | 549 | PUBCOMP",
                "Answer withheld | 551 | PUBREC",
            ]
        );
    }

    /// Thirty times the same fault are one row, and each of them is behind a fold.
    #[test]
    fn a_fault_that_repeats_is_one_row() {
        let mut run = sample::passing();
        let storm = run.measured.faults[0].clone();
        run.measured.faults = (0..30).map(|_| storm.clone()).collect();
        run.measured.faults[7].first_anomaly =
            sample::failing().measured.faults[1].first_anomaly.clone();

        let section = section(&run).unwrap();

        let [Block::Table(summary), Block::Folded(all), ..] = section.blocks.as_slice() else {
            panic!("{:?}", section.blocks);
        };
        assert_eq!(summary.rows.len(), 1);
        assert_eq!(summary.rows[0][3], Cell::Count(30));
        assert_eq!(summary.rows[0][8].shown(), "1 of 30 times");
        assert_eq!(all.rows.len(), 30);
    }

    /// A fault has the time that the file names and the time since the run began.
    #[test]
    fn a_fault_has_both_clocks() {
        let section = section(&sample::passing()).unwrap();

        let first = &tables(&section)[0].rows[0];

        assert_eq!(first[0].shown(), "20.0 s");
        assert_eq!(first[1].shown(), "40.0 s");
    }
}
