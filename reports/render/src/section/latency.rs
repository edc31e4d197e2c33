//! Latency: the spectrum, over time, spread and in numbers.

use squall_run::{
    CountedFrom, Histogram, MetricName, Percentile, PhaseKind, Population, Run, count_text,
    duration_text,
};

use super::{Absent, Block, Section, chart_block, section_of};
use crate::chart::{heat_map, latency_histogram, latency_over_time, over_time, spectrum};
use crate::table::{Cell, Column, Table};

/// Latencies of messages, best first: the one that is there heads the section.
const OF_MESSAGES: [MetricName; 2] = [MetricName::E2eLatency, MetricName::AckLatency];

/// The section.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let metrics = &run.measured.metrics;
    let Some(metric) = OF_MESSAGES
        .into_iter()
        .find(|name| !metrics.all(*name).is_empty())
    else {
        return section_of("latency", "Latency", Vec::new(), "no message was measured");
    };
    let mut blocks = vec![Block::Note(introduction(run, metric))];
    blocks.extend(chart_block(spectrum::chart(run, metric), || {
        spectrum_table(run, metric)
    }));
    blocks.push(Block::Table(by_tags(run)));
    blocks.extend(chart_block(latency_over_time::chart(run), || {
        stretches_table(run, "latency-over-time", "Latency over time", |interval| {
            &interval.e2e_latency
        })
    }));
    blocks.extend(chart_block(heat_map::chart(run), || heat_map::table(run)));
    blocks.extend(chart_block(latency_histogram::chart(run, metric), || {
        latency_histogram::table_of_populations(run, metric)
    }));
    section_of("latency", "Latency", blocks, "")
}

fn introduction(run: &Run, metric: MetricName) -> String {
    let warmup_s = run.times.phase_length_s(PhaseKind::Warmup);
    let warmup = if warmup_s > 0.0 {
        format!(
            " The warm-up of {} is left out of the figures.",
            duration_text(warmup_s)
        )
    } else {
        String::new()
    };
    let populations = run
        .measured
        .metrics
        .populations(metric, CountedFrom::Scheduled);
    let late = if populations.iter().any(Population::is_late) {
        " What was sent while its recipient was away came late: its latency is the time of that, and it is kept apart."
    } else {
        ""
    };
    format!(
        "Charts show {metric}: {}.{warmup}{late} A percentile is shown only where at least {} samples lie beyond it ({} for p99).",
        metric.definition(),
        Percentile::SAMPLES_BEYOND,
        count_text(Percentile::P99.samples_needed()),
    )
}

fn spectrum_table(run: &Run, metric: MetricName) -> Table {
    let metrics = &run.measured.metrics;
    let mut table = Table::of_distributions(
        "latency-spectrum",
        "Response and service time",
        &["Of", "Counted from"],
    );
    for (from, words) in [
        (
            CountedFrom::Scheduled,
            "the time it was due (response time)",
        ),
        (CountedFrom::Sent, "the time it was sent (service time)"),
    ] {
        for population in metrics.populations(metric, from) {
            let labels = vec![Cell::text(population.to_string()), Cell::text(words)];
            table.distribution(labels, &population.histogram);
        }
    }
    table
}

/// Every latency of messages by group and QoS, warm-up left out.
fn by_tags(run: &Run) -> Table {
    let mut table = Table::of_distributions(
        "latency",
        "Latency by group and QoS",
        &["Metric", "Group", "QoS"],
    );
    let metrics = &run.measured.metrics;
    for metric in OF_MESSAGES {
        for population in metrics.populations(metric, CountedFrom::Scheduled) {
            let tag = |name: &str| population.tags.get(name).map_or(Cell::None, Cell::text);
            let qos = if population.is_late() {
                let qos = population.tags.get("qos").map_or("", String::as_str);
                Cell::text(format!("{qos}, late"))
            } else {
                tag("qos")
            };
            let labels = vec![Cell::Code(metric.to_string()), tag("group"), qos];
            table.distribution(labels, &population.histogram);
        }
    }
    table
}

/// A distribution of every stretch of time.
pub(super) fn stretches_table(
    run: &Run,
    id: &str,
    title: &str,
    of: fn(&squall_run::Interval) -> &Histogram,
) -> Table {
    let mut table = Table::new(
        id,
        title,
        vec![
            Column::quantity("From", "s"),
            Column::quantity("To", "s"),
            Column::count("n"),
            Column::quantity("p50", "us"),
            Column::quantity("p90", "us"),
            Column::quantity("p99", "us"),
            Column::quantity("max", "us"),
        ],
    );
    for stretch in over_time::stretches(run, over_time::POINTS) {
        let merged = stretch.merged(of);
        let Some(max_us) = merged.max_us() else {
            continue;
        };
        let mut cells = vec![
            Cell::At(stretch.from_s),
            Cell::At(stretch.to_s),
            Cell::Count(merged.count()),
        ];
        let shown = [Percentile::P50, Percentile::P90, Percentile::P99];
        cells.extend(shown.map(|percentile| Cell::Percentile(merged.percentile_us(percentile))));
        cells.push(Cell::Micros(max_us as f64));
        table.row(cells);
    }
    table
}
