//! What the broker used: processor, memory, descriptors.

use squall_run::{ProcessSample, Resources, Run, Summary};

use super::{Absent, Block, Section, chart_block, section_of};
use crate::chart::processes;
use crate::table::{Cell, Column, Table};

/// The section.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks = Vec::new();
    if !run.resources.broker.is_empty() {
        blocks.push(Block::Table(totals(run)));
        blocks.push(Block::Note(
            "CPU per million messages is all processor time of the broker, connecting included, for the messages that it took in and \
             gave out; with fewer than 100,000 it would say more about the connecting and is left out. Memory per connection is the \
             growth from the first sample to the peak, Sessions and queues included, for each of the most devices online at once."
                .to_owned(),
        ));
        blocks.extend(chart_block(processes::cpu(run), || {
            samples(
                "broker-samples",
                "Samples of the broker",
                &run.resources.broker,
            )
        }));
        blocks.extend(chart_block(processes::memory(run), || {
            samples(
                "generator-samples",
                "Samples of the generator",
                &run.resources.generator,
            )
        }));
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
            Column::quantity("CPU, mean", "cores"),
            Column::quantity("CPU, total", "s"),
            Column::quantity("CPU per million messages", "s"),
            Column::quantity("Memory, peak", "bytes"),
            Column::quantity("Memory per connection", "bytes"),
            Column::count("Descriptors, peak"),
        ],
    );
    let processes = [
        ("broker", &run.resources.broker),
        ("generator", &run.resources.generator),
    ];
    for (name, samples) in processes {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            continue;
        };
        let is_broker = name == "broker";
        let of_broker = |cell: Option<Cell>| cell.filter(|_| is_broker).unwrap_or(Cell::None);
        table.row(vec![
            Cell::text(name),
            Resources::mean_cores(samples).map_or(Cell::None, Cell::Cores),
            Cell::Seconds(last.cpu_total_s - first.cpu_total_s),
            of_broker(summary.broker_cpu_s_per_million.map(Cell::Seconds)),
            Resources::peak_rss_bytes(samples).map_or(Cell::None, Cell::Bytes),
            of_broker(summary.broker_rss_per_connection_bytes.map(Cell::Bytes)),
            Cell::Count(
                samples
                    .iter()
                    .map(|sample| sample.descriptors)
                    .max()
                    .unwrap_or(0),
            ),
        ]);
    }
    table
}

fn samples(id: &str, title: &str, samples: &[ProcessSample]) -> Table {
    let mut table = Table::new(
        id,
        title,
        vec![
            Column::quantity("At", "s"),
            Column::quantity("CPU", "cores"),
            Column::quantity("Memory", "bytes"),
            Column::count("Descriptors"),
        ],
    );
    for sample in samples {
        table.row(vec![
            Cell::At(sample.at_s),
            Cell::Cores(sample.cpu_cores),
            Cell::Bytes(sample.rss_bytes),
            Cell::Count(sample.descriptors),
        ]);
    }
    table
}
