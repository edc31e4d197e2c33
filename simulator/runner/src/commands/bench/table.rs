//! A bench for the terminal: a row for each target, and below what a reader must know of the figures.

use std::io;

use squall_run::bench::{BenchResult, Figures, TargetResult};
use squall_run::{FigureSpread, bytes_text, count_text};

use crate::bench_args::Pattern;
use crate::output::columns;

/// The heading of the targets' column.
const TARGET: &str = "target";
/// What stands where there is no figure.
const NONE: &str = "-";
/// Columns between two figures.
const GAP: usize = 2;

/// One figure of all repeats of a target.
struct Column {
    heading: &'static str,
    value: fn(&Figures) -> Option<f64>,
    text: fn(f64) -> String,
}

const COLUMNS: [Column; 12] = [
    Column {
        heading: "messages/s",
        value: |figures| Some(figures.messages_per_s),
        text: |value| count_text(value.round() as u64),
    },
    Column {
        heading: "broker µs/msg",
        value: |figures| figures.broker_cpu_us_per_message,
        text: |value| format!("{value:.3}"),
    },
    Column {
        heading: "cores",
        value: |figures| figures.broker_cores,
        text: |value| format!("{value:.2}"),
    },
    Column {
        heading: "p50",
        value: |figures| figures.latency.p50_us.map(|us| us as f64),
        text: micros,
    },
    Column {
        heading: "p99",
        value: |figures| figures.latency.p99_us.map(|us| us as f64),
        text: micros,
    },
    Column {
        heading: "p99.9",
        value: |figures| figures.latency.p999_us.map(|us| us as f64),
        text: micros,
    },
    Column {
        heading: "RSS",
        value: |figures| figures.broker_rss_bytes.map(|bytes| bytes as f64),
        text: |value| bytes_text(value as u64),
    },
    Column {
        heading: "B/conn",
        value: |figures| figures.broker_bytes_per_connection,
        text: |value| count_text(value.round() as u64),
    },
    Column {
        heading: "switches/msg",
        value: |figures| figures.broker_switches_per_message,
        text: |value| format!("{value:.4}"),
    },
    Column {
        heading: "syscalls/msg",
        value: |figures| figures.broker_syscalls_per_message,
        text: |value| format!("{value:.3}"),
    },
    Column {
        heading: "disk B/msg",
        value: |figures| figures.broker_written_bytes_per_message,
        text: |value| format!("{value:.1}"),
    },
    Column {
        heading: "generator µs/msg",
        value: |figures| figures.generator_cpu_us_per_message,
        text: |value| format!("{value:.3}"),
    },
];

/// The table of the targets that have figures, and the sentences below it; nothing without any.
pub fn text(result: &BenchResult) -> String {
    let mut rows = vec![heading(&result.about.bench)];
    let measured = result
        .targets
        .iter()
        .filter(|target| target.figures().count() > 0);
    rows.extend(measured.map(row));
    if rows.len() == 1 {
        return String::new();
    }
    let mut text = aligned(&rows, columns(io::stdout()));
    for warning in &result.warnings {
        text.push_str(&format!("{warning}\n"));
    }
    text
}

/// Rows of as many cells each, in columns: words on the left, then quantities. Columns without any are left out, and where
/// `width` has no room for all of them, the rest follow in rows of their own.
pub fn aligned(rows: &[Vec<String>], width: Option<usize>) -> String {
    let column_count = rows.first().map_or(0, Vec::len);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let width_of = |column: usize| {
        let widths = cells(column).map(|cell| cell.chars().count());
        widths.max().unwrap_or(0)
    };
    let is_filled = |column: &usize| cells(*column).skip(1).any(|cell| cell != NONE);
    let mut blocks: Vec<Vec<usize>> = vec![Vec::new()];
    let mut taken = width_of(0);
    for column in (1..column_count).filter(is_filled) {
        let needed = GAP + width_of(column);
        if width.is_some_and(|width| taken + needed > width) && blocks.last() != Some(&Vec::new()) {
            blocks.push(Vec::new());
            taken = width_of(0);
        }
        taken += needed;
        if let Some(block) = blocks.last_mut() {
            block.push(column);
        }
    }
    let mut text = String::new();
    for (place, block) in blocks.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        for row in rows {
            let mut line = format!("{:<1$}", row[0], width_of(0));
            for &column in block {
                let width = GAP + width_of(column);
                line.push_str(&format!("{:>width$}", row[column]));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

/// With what the figures are for each of.
fn heading(bench: &str) -> Vec<String> {
    let headings = COLUMNS
        .iter()
        .map(|column| match bench == Pattern::Conn.name() {
            true => column
                .heading
                .replace("messages", "connects")
                .replace("msg", "connect"),
            false => column.heading.to_owned(),
        });
    std::iter::once(TARGET.to_owned()).chain(headings).collect()
}

fn row(target: &TargetResult) -> Vec<String> {
    let figures: Vec<&Figures> = target.figures().collect();
    let cell = |column: &Column| {
        let values = figures.iter().filter_map(|figures| (column.value)(figures));
        match FigureSpread::of(values) {
            None => NONE.to_owned(),
            Some(spread) => spread.text(column.text),
        }
    };
    let cells = COLUMNS.iter().map(cell);
    std::iter::once(target.name.clone()).chain(cells).collect()
}

/// With the unit that fits.
pub fn micros(us: f64) -> String {
    squall_run::duration_text(us / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A column without figures is left out, and what has no room follows below, with the names again.
    #[test]
    fn columns_that_do_not_fit_follow_below() {
        let rows = [
            ["target", "rate", "RSS", "p99"],
            ["broker", "12,345", "-", "1 ms"],
        ];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());

        assert_eq!(
            aligned(&rows, None),
            "target    rate   p99\nbroker  12,345  1 ms\n"
        );
        assert_eq!(
            aligned(&rows, Some(19)),
            "target    rate\nbroker  12,345\n\ntarget   p99\nbroker  1 ms\n"
        );
    }
}
