//! A suite as Markdown.

use std::fmt::Write as _;

use squall_run::bench::Suite;

use super::{Cell, Table, Tables, machine, method, software};

/// The whole page.
pub(crate) fn text(suite: &Suite) -> String {
    let tables = Tables::of(suite);
    let date = suite.started_at.split('T').next().unwrap_or_default();
    let mut text = format!(
        "# Brokers side by side\n\nMeasured with squall {} on {date} by `{}`.\n\n{}\n\nMachine: {}.\n",
        suite.squall,
        suite.command,
        method(suite),
        machine(suite)
    );
    for table in &tables.tables {
        add_table(&mut text, table, &suite.targets);
    }
    text.push_str("\n## Versions\n\n");
    for name in &suite.targets {
        let version = software(suite, name).unwrap_or("it does not say");
        let _ = writeln!(text, "- {name}: {}", line(version));
    }
    text.push_str("\n## To repeat a row\n\n");
    for row in &suite.rows {
        let _ = writeln!(text, "- {}: `{}`", row.title, row.command);
    }
    if !tables.notes.is_empty() {
        text.push_str("\n## Notes\n\n");
        for (number, note) in (1..).zip(&tables.notes) {
            let _ = writeln!(text, "{number}. {}", line(note));
        }
    }
    text
}

fn add_table(text: &mut String, table: &Table, targets: &[String]) {
    // A String takes all that is written.
    let _ = write!(
        text,
        "\n## {}\n\n{}\n\n| workload |",
        table.title,
        line(table.about)
    );
    for target in targets {
        let _ = write!(text, " {} |", cell_text(target));
    }
    let _ = write!(text, "\n| --- |{}\n", " ---: |".repeat(targets.len()));
    for (name, cells) in &table.rows {
        let _ = write!(text, "| {} |", cell_text(name));
        for cell in cells {
            let _ = write!(text, " {} |", of_cell(cell));
        }
        text.push('\n');
    }
}

/// `0.196 (0.190 … 0.201) [1] [2]`
fn of_cell(cell: &Cell) -> String {
    let range = cell.range.iter().map(|range| format!(" ({range})"));
    let notes = cell.notes.iter().map(|note| format!(" [{note}]"));
    let parts = range.chain(notes);
    parts.fold(cell_text(&cell.text), |text, part| text + &part)
}

fn cell_text(text: &str) -> String {
    line(text).replace('|', "\\|")
}

/// On one line: what a broker printed may have several.
fn line(text: &str) -> String {
    text.split('\n')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" / ")
}
