//! Latency: the spectrum, over time, spread and in numbers.

use squall_run::{
    CountedFrom, MetricName, Percentile, PhaseKind, Population, Run, count_text, duration_text,
};

use super::{Absent, Block, Section, chart_block, section_of, spent, timeline};
use crate::chart::{heat_map, latency_histogram, spectrum};
use crate::table::{Cell, Table};

/// Latencies of messages, best first: the one that is there heads the section.
const OF_MESSAGES: [MetricName; 2] = [MetricName::E2eLatency, MetricName::AckLatency];

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let metrics = &run.measured.metrics;
    let Some(metric) = OF_MESSAGES
        .into_iter()
        .find(|name| !metrics.all(*name).is_empty())
    else {
        return section_of("latency", "Latency", Vec::new(), "no message was measured");
    };
    let mut blocks = vec![Block::Note(introduction(run, metric))];
    blocks.extend(run.measured.closed_loop_note().map(Block::Note));
    if let Some(delays) = scenario_delays(run) {
        blocks.push(Block::Note(delays));
    }
    blocks.extend(spent::blocks(run));
    blocks.extend(chart_block(spectrum::chart(run, metric), || {
        spectrum_table(run, metric)
    }));
    blocks.push(Block::Table(by_tags(run)));
    blocks.extend(heat_maps(run));
    blocks.extend(chart_block(latency_histogram::chart(run, metric), || {
        latency_histogram::table_of_populations(run, metric)
    }));
    section_of("latency", "Latency", blocks, "")
}

/// Every latency over time, for each group and QoS by itself.
fn heat_maps(run: &Run) -> Vec<Block> {
    let (populations, _) = timeline::populations(run);
    let of_one = |(number, population): (usize, &Population)| {
        let (number, of) = timeline::apart(number, population, &populations);
        let id = format!("latency-heat-map{number}");
        let chart = heat_map::chart(run, population, &id, &of);
        chart_block(chart, || heat_map::table(run, population, &id))
    };
    (1..).zip(&populations).filter_map(of_one).collect()
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
        "Charts show {} ({metric}): {}.{warmup}{late} A percentile is shown only where at least {} samples lie beyond it: p99 takes {}.",
        metric.in_words(),
        metric.definition(),
        Percentile::SAMPLES_BEYOND,
        count_text(Percentile::P99.samples_needed()),
    )
}

/// What the scenario itself adds to the latencies; `None` if it adds nothing.
fn scenario_delays(run: &Run) -> Option<String> {
    let delays = &run.measured.scenario_delays;
    if delays.is_empty() {
        return None;
    }
    let delays: Vec<String> = delays.iter().map(ToString::to_string).collect();
    Some(format!(
        "These latencies include delays that the scenario makes, and that the broker is not the cause of: {}.",
        delays.join("; ")
    ))
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
            match run.measured.closed_loops.is_empty() {
                true => "the time it was due (response time)",
                false => "the time it was due (response time), in a closed loop the write",
            },
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
        match run.measured.closed_loops.is_empty() {
            true => "Latency by group and QoS",
            false => "Latency by group and QoS, in a closed loop from the write",
        },
        &["Metric", "Group", "Published QoS"],
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

#[cfg(test)]
mod tests {
    use squall_run::{ClosedLoop, sample};

    use super::*;

    /// Where messages had no due time, each table of their latencies says what they count from.
    #[test]
    fn a_closed_loop_is_said_at_the_latencies() {
        let mut run = sample::passing();
        run.measured.closed_loops = vec![ClosedLoop {
            group: "sensors".to_owned(),
            topic: "t".to_owned(),
            qos: 1,
            window: 100,
        }];

        let section = section(&run).expect("there are latencies");

        let text = format!("{:?}", section.blocks);
        for part in [
            "Closed loop: sensors to t with at most 100 unanswered of each device",
            "in a closed loop the write",
            "in a closed loop from the write",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }
}
