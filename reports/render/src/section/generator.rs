//! Generator health: whether squall itself kept up.

use squall_run::{MetricName, Run, Summary, count_text, duration_text};

use super::{Absent, Block, Section, section_of};
use crate::table::{Cell, Table, cores_text};

/// The section of the report, or why it is absent.
pub(super) fn section(run: &Run) -> Result<Section, Absent> {
    let lag = run.measured.metrics.all(MetricName::ScheduleLag);
    let mut blocks = Vec::new();
    if !lag.is_empty() {
        blocks.push(Block::Note(introduction(run)));
        let mut table = Table::of_distributions("generator", "Schedule lag", &["What"]);
        table.distribution(vec![Cell::text("schedule lag")], &lag);
        if let Some(workers) = &run.resources.workers {
            let ways = [
                ("hand-over to workers", &workers.handed_over),
                ("hand-over from workers", &workers.reported),
            ];
            for (way, took) in ways {
                table.distribution(vec![Cell::text(way)], took);
            }
        }
        blocks.push(Block::Table(table));
    }
    section_of(
        "generator",
        "Generator health",
        blocks,
        "no message was due, so no lag was measured",
    )
}

fn introduction(run: &Run) -> String {
    let summary = Summary::of(run);
    let never: u64 = run
        .measured
        .accounting
        .publications
        .iter()
        .map(|entry| entry.failed)
        .sum();
    let mut text =
        "Schedule lag is squall's own delay between the time something was due and the time it was done."
            .to_owned();
    if let (Some(mean), Some(peak)) = (
        summary.generator_cpu_mean_cores,
        summary.generator_cpu_peak_cores,
    ) {
        text.push_str(&format!(
            " In the measured part the generator used {} of the machine's {} on average, {} at its peak.",
            cores_text(mean),
            run.machine.cores,
            cores_text(peak)
        ));
    }
    if let Some(latency) = &summary.schedule_lag {
        text.push_str(&format!(
            " It was never later than {}.",
            duration_text(latency.max_us as f64 / 1e6)
        ));
    }
    if let Some(workers) = &run.resources.workers {
        text.push_str(&format!(
            " {} workers had the connections; what is handed over to them is on its way for a while, which is part of \
             each latency.",
            workers.count
        ));
    }
    text.push_str(&format!(
        " {} messages were due and never sent, for want of a connection.",
        count_text(never)
    ));
    text
}
