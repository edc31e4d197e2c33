//! Throughput over time.

use squall_run::{Interval, Run};

use super::{Absent, Block, Section, chart_block, section_of};
use crate::chart::{over_time, throughput};
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let blocks: Vec<Block> = chart_block(throughput::chart(run), || intervals(run))
        .into_iter()
        .collect();
    section_of("throughput", "Throughput", blocks, "no message was due")
}

fn intervals(run: &Run) -> Table {
    let mut table = Table::new(
        "throughput",
        "Messages a second",
        vec![
            Column::quantity("From", "s"),
            Column::quantity("To", "s"),
            Column::quantity("Offered", "per_s"),
            Column::quantity("Sent", "per_s"),
            Column::quantity("Acknowledged", "per_s"),
            Column::quantity("Delivered", "per_s"),
            Column::quantity("Wills", "per_s"),
        ],
    );
    for stretch in over_time::stretches(run, over_time::POINTS) {
        let rate = |count: fn(&Interval) -> u64| Cell::PerSecond(stretch.rate(count));
        table.row(vec![
            Cell::At(stretch.from_s),
            Cell::At(stretch.to_s),
            rate(|interval| interval.scheduled),
            rate(|interval| interval.sent),
            rate(|interval| interval.acknowledged),
            rate(Interval::first_deliveries),
            rate(|interval| interval.wills),
        ]);
    }
    table
}
