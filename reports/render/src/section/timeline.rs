//! The run over time: charts below each other on one axis, so that a moment has one place in all of them.

use std::cmp::Reverse;

use squall_run::{Histogram, Interval, Percentile, Population, ProcessSample, Run};

use super::{Absent, Block, Section, chart_block, section_of};
use crate::chart::{
    backlog, connect_latency, connections, latency_over_time, over_time, payload_rate, processes,
    schedule_lag, throughput,
};
use crate::clock::Clock;
use crate::table::{Cell, Column, Table};

/// Groups and QoS that are drawn over time, at most: those to which most messages came.
const OVER_TIME_MAX: usize = 6;

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let mut blocks: Vec<Block> = Vec::new();
    blocks.extend(chart_block(throughput::chart(run), || rates(run)));
    blocks.extend(chart_block(payload_rate::chart(run), || payloads(run)));
    blocks.extend(chart_block(backlog::chart(run), || under_way(run)));
    blocks.extend(latencies(run));
    blocks.extend(chart_block(connections::devices(run), || devices(run)));
    blocks.extend(chart_block(connections::rates(run), || {
        connections_table(run)
    }));
    blocks.extend(chart_block(connect_latency::chart(run), || {
        let (id, title) = ("connect-latency-over-time", "Time to connect over time");
        stretches_table(run, id, title, |interval| Some(&interval.connect_latency))
    }));
    blocks.extend(chart_block(processes::cpu(run), || {
        samples(run, "broker", &run.resources.broker.samples)
    }));
    blocks.extend(chart_block(processes::memory(run), || {
        let generator = &run.resources.generator.samples;
        samples(run, "generator", generator)
    }));
    blocks.extend(chart_block(schedule_lag::chart(run), || {
        stretches_table(run, "schedule-lag", "Schedule lag over time", |interval| {
            Some(&interval.schedule_lag)
        })
    }));
    section_of("time", "Over time", blocks, "nothing was counted")
}

/// The groups and QoS that are drawn over time, by name, and those that are not.
pub(super) fn populations(run: &Run) -> (Vec<Population>, Vec<Population>) {
    let mut populations = run.measured.series.populations();
    populations.sort_by_key(|population| Reverse(population.histogram.count()));
    let left_out = populations.split_off(populations.len().min(OVER_TIME_MAX));
    populations.sort_by_cached_key(Population::to_string);
    (populations, left_out)
}

/// What the names of charts of one of `all` populations have in addition, and their titles.
pub(super) fn apart(
    number: usize,
    population: &Population,
    all: &[Population],
) -> (String, String) {
    match all.len() {
        1 => (String::new(), String::new()),
        _ => (format!("-{number}"), format!(": {population}")),
    }
}

/// Latency for each group and QoS by itself: a percentile over several of them would move with how many
/// messages each has at the moment.
fn latencies(run: &Run) -> Vec<Block> {
    let (populations, left_out) = populations(run);
    let mut blocks = Vec::new();
    for (number, population) in (1..).zip(&populations) {
        let (number, of) = apart(number, population, &populations);
        let id = format!("latency-over-time{number}");
        let chart = latency_over_time::chart(run, population, &id, &of);
        blocks.extend(chart_block(chart, || {
            stretches_table(run, &id, "Latency over time", |interval| {
                interval.latency_of(population)
            })
        }));
    }
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(Population::to_string).collect();
        blocks.push(Block::Note(format!(
            "Latency not drawn over time, since fewer messages came to them: {}.",
            names.join("; ")
        )));
    }
    blocks
}

fn columns(further: Vec<Column>) -> Vec<Column> {
    let bounds = ["From", "To"].map(|heading| Column::quantity(heading, "s"));
    bounds.into_iter().chain(further).collect()
}

/// A row for every stretch of time.
fn by_stretch(
    run: &Run,
    mut table: Table,
    cells: impl Fn(&over_time::Stretch<'_>) -> Vec<Cell>,
) -> Table {
    for stretch in over_time::stretches(run, over_time::POINTS) {
        let mut row = vec![Cell::At(stretch.from_s), Cell::At(stretch.to_s)];
        row.extend(cells(&stretch));
        table.row(row);
    }
    table
}

fn rates(run: &Run) -> Table {
    let names = ["Offered", "Sent", "Acknowledged", "Delivered", "Wills"];
    let further = names.map(|heading| Column::quantity(heading, "per_s"));
    let table = Table::new("throughput", "Messages a second", columns(further.into()));
    by_stretch(run, table, |stretch| {
        let counts: [fn(&Interval) -> u64; 5] = [
            |interval| interval.scheduled,
            |interval| interval.sent,
            |interval| interval.acknowledged,
            Interval::first_deliveries,
            |interval| interval.wills,
        ];
        counts
            .map(|count| Cell::PerSecond(stretch.rate(count)))
            .into()
    })
}

fn payloads(run: &Run) -> Table {
    let names = ["Sent", "Delivered"];
    let further = names.map(|heading| Column::quantity(heading, "bytes_per_s"));
    let table = Table::new(
        "payload-rate",
        "Payload bytes a second",
        columns(further.into()),
    );
    by_stretch(run, table, |stretch| {
        let counts: [fn(&Interval) -> u64; 2] = [
            |interval| interval.sent_payload_bytes,
            |interval| interval.delivered_payload_bytes,
        ];
        counts
            .map(|count| Cell::Bytes(stretch.rate(count).round() as u64))
            .into()
    })
}

fn under_way(run: &Run) -> Table {
    let further = vec![Column::count("Under way")];
    let table = Table::new("backlog", "Deliveries under way", columns(further));
    by_stretch(run, table, |stretch| {
        vec![stretch.under_way().map_or(Cell::None, Cell::Count)]
    })
}

fn devices(run: &Run) -> Table {
    let further = vec![Column::count("Online")];
    let table = Table::new("devices", "Devices online", columns(further));
    by_stretch(run, table, |stretch| vec![Cell::Count(stretch.online())])
}

fn connections_table(run: &Run) -> Table {
    let names = ["Begun", "Ended", "Failed"];
    let further = names.map(|heading| Column::quantity(heading, "per_s"));
    let table = Table::new(
        "connections-over-time",
        "Connections a second",
        columns(further.into()),
    );
    by_stretch(run, table, |stretch| {
        let counts: [fn(&Interval) -> u64; 3] = [
            |interval| interval.connected,
            |interval| interval.ended,
            |interval| interval.connect_failed,
        ];
        counts
            .map(|count| Cell::PerSecond(stretch.rate(count)))
            .into()
    })
}

/// A distribution of every stretch of time.
fn stretches_table(
    run: &Run,
    id: &str,
    title: &str,
    of: impl Fn(&Interval) -> Option<&Histogram>,
) -> Table {
    let percentiles = ["p50", "p90", "p95", "p99", "max"];
    let percentiles = percentiles.map(|heading| Column::quantity(heading, "us"));
    let further = std::iter::once(Column::count("n")).chain(percentiles);
    let mut table = Table::new(id, title, columns(further.collect()));
    for stretch in over_time::stretches(run, over_time::POINTS) {
        let merged = stretch.merged(&of);
        let Some(max_us) = merged.max_us() else {
            continue;
        };
        let mut cells = vec![
            Cell::At(stretch.from_s),
            Cell::At(stretch.to_s),
            Cell::Count(merged.count()),
        ];
        let shown = [
            Percentile::P50,
            Percentile::P90,
            Percentile::P95,
            Percentile::P99,
        ];
        cells.extend(shown.map(|percentile| Cell::Percentile(merged.percentile_us(percentile))));
        cells.push(Cell::Micros(max_us as f64));
        table.row(cells);
    }
    table
}

/// Samples of a process, each from the one before to it.
fn samples(run: &Run, process: &str, samples: &[ProcessSample]) -> Table {
    let clock = Clock::of(run);
    let further = vec![
        Column::quantity(&format!("CPU of the {process}"), "cores"),
        Column::quantity(&format!("Memory of the {process}"), "bytes"),
        Column::count(&format!("Descriptors of the {process}")),
    ];
    let id = format!("{process}-samples");
    let title = format!("Samples of the {process}");
    let mut table = Table::new(&id, &title, columns(further));
    let mut from_s = clock.start();
    for sample in samples {
        let to_s = clock.at(sample.at_s);
        table.row(vec![
            Cell::At(from_s.min(to_s)),
            Cell::At(to_s),
            Cell::Cores(sample.cpu_cores),
            Cell::Bytes(sample.rss_bytes),
            Cell::Count(sample.descriptors),
        ]);
        from_s = to_s;
    }
    table
}
