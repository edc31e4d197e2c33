//! What the broker used: processor, memory, descriptors.

use squall_run::{ProcessUse, Run, Summary};

use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Column, Table};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if !run.resources.broker.samples.is_empty() {
        blocks.push(Block::Table(totals(run)));
        blocks.push(Block::Note(
            "CPU, and memory unless it says so, are those of the measured part, between readings at its borders: connecting, warm-up and \
             drain are not in them. The peak of CPU is the busiest stretch of about a second. CPU per million messages is for those \
             that were sent and delivered in the measured part; with fewer than 100,000 it would say more about idling and is left \
             out. Memory per connection is the growth from the first sample to the peak of the run, Sessions and queues included, for \
             each of the most devices online at once."
                .to_owned(),
        ));
    }
    section_of(
        "resources",
        "Broker resources",
        blocks,
        "the broker's process could not be looked at",
    )
}

fn totals(run: &Run) -> Table {
    let summary = Summary::of(run);
    let mut table = Table::new(
        "resources",
        "Processes",
        vec![
            Column::words("Process"),
            Column::quantity("From", "s"),
            Column::quantity("To", "s"),
            Column::quantity("CPU, mean", "cores"),
            Column::quantity("CPU, peak", "cores"),
            Column::quantity("CPU time", "s"),
            Column::quantity("CPU per million messages", "s"),
            Column::quantity("Memory, peak", "bytes"),
            Column::quantity("Memory, peak of the run", "bytes"),
            Column::quantity("Memory per connection", "bytes"),
            Column::count("Descriptors, peak"),
        ],
    );
    let processes = [
        ("broker", &run.resources.broker),
        ("generator", &run.resources.generator),
    ];
    for (name, record) in processes {
        if record.samples.is_empty() {
            continue;
        }
        let measured =
            |cell: fn(&ProcessUse) -> Cell| record.measured.as_ref().map_or(Cell::None, cell);
        let is_broker = name == "broker";
        let of_broker = |cell: Option<Cell>| cell.filter(|_| is_broker).unwrap_or(Cell::None);
        table.row(vec![
            Cell::text(name),
            measured(|used| Cell::At(used.from_s)),
            measured(|used| Cell::At(used.to_s)),
            measured(|used| Cell::Cores(used.cpu_cores.mean)),
            measured(|used| Cell::Cores(used.cpu_cores.peak)),
            measured(|used| Cell::Seconds(used.cpu_s)),
            of_broker(summary.broker_cpu_s_per_million.map(Cell::Seconds)),
            measured(|used| Cell::Bytes(used.rss_bytes.peak as u64)),
            record.rss_peak_of_run().map_or(Cell::None, Cell::Bytes),
            of_broker(summary.broker_rss_per_connection_bytes.map(Cell::Bytes)),
            Cell::Count(
                record
                    .samples
                    .iter()
                    .map(|sample| sample.descriptors)
                    .max()
                    .unwrap_or(0),
            ),
        ]);
    }
    table
}
