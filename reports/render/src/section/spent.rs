//! Where the latency was spent, in numbers.

use squall_run::{LatencyPart, Run, SpentRow, count_text};

use super::{Block, chart_block};
use crate::chart::spent;
use crate::table::{Cell, Column, Table};

/// What the section about latency shows of it; nothing where no delivery was divided.
pub(super) fn blocks(run: &Run) -> Vec<Block> {
    let mut blocks: Vec<Block> = chart_block(spent::chart(run), || table(run))
        .into_iter()
        .collect();
    let undivided: u64 = run.measured.spent.iter().map(|of| of.undivided).sum();
    if !blocks.is_empty() && undivided > 0 {
        blocks.push(Block::Note(format!(
            "{} deliveries are not divided: it is not known when their messages left their publishers, as of those that were sent \
             again, or their recipients did not read.",
            count_text(undivided)
        )));
    }
    let mut rows = run.measured.spent.iter().flat_map(|of| &of.rows);
    if rows.any(is_kept_for_long) {
        blocks.push(Block::Note(
            "A publisher keeps a message while it has no connection, or while the broker has not acknowledged as many of its earlier ones as may \
             be under way (Receive Maximum, or a window): a broker that stands still or is slow to acknowledge makes this part longer too."
                .to_owned(),
        ));
    }
    blocks
}

/// Whether enough of the latency is the publisher's that a reader asks why.
fn is_kept_for_long(row: &SpentRow) -> bool {
    /// As a share.
    const TOLD: f64 = 0.1;
    row.part_us(LatencyPart::Device) > TOLD * row.latency_us
}

fn table(run: &Run) -> Table {
    let parts = LatencyPart::ALL.map(|part| Column::quantity(part.in_words(), "us"));
    let mut columns = vec![
        Column::words("Group"),
        Column::count("Published QoS"),
        Column::words("Of"),
        Column::count("n"),
        Column::quantity("Mean latency", "us"),
    ];
    columns.extend(parts);
    let mut table = Table::new("latency-spent", "Where the latency was spent", columns);
    for of in &run.measured.spent {
        for row in &of.rows {
            let mut cells = vec![
                Cell::text(&of.group),
                Cell::Count(of.qos.into()),
                Cell::text(row.of.in_words()),
                Cell::Count(row.count),
                Cell::Micros(row.latency_us),
            ];
            cells.extend(row.parts_us.map(Cell::Micros));
            table.row(cells);
        }
    }
    table
}
