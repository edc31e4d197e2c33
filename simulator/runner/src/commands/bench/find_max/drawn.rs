//! What a search leaves in a folder: a chart, a table of its steps, and the JSON.

use std::path::Path;

use squall_reports::{RateSearch, RateStep, RateTarget, check_bench_folder, write_rate_search};
use squall_run::bytes_text;

use super::result::{FindMaxResult, SearchedTarget};
use super::step::Step;
use crate::exit::Failure;
use crate::out_folder::OutFolder;
use crate::remark::remark;

/// Takes the folder before the search, so that what is found is not lost for a folder that cannot be written.
pub fn take(folder: &Path) -> Result<OutFolder, Failure> {
    let taken = OutFolder::take(folder.to_owned());
    let taken = taken.map_err(|error| Failure::Usage(error.to_string()))?;
    check_bench_folder(folder)
        .map_err(|error| Failure::Usage(crate::commands::with_causes(&error)))?;
    Ok(taken)
}

/// Writes all that was found.
pub fn write(result: &FindMaxResult, folder: &OutFolder) -> Result<(), Failure> {
    let mut json = serde_json::to_string_pretty(result).map_err(anyhow::Error::from)?;
    json.push('\n');
    let picture = write_rate_search(&shown(result), &json, folder.path());
    match picture.map_err(anyhow::Error::from)? {
        Some(picture) => remark(&format!("chart: {}", picture.display())),
        None => remark(&format!(
            "no chart: no step has a latency; {} has what was found",
            folder.path().display()
        )),
    }
    Ok(())
}

fn shown(result: &FindMaxResult) -> RateSearch {
    let about = &result.about;
    let date = result.started_at.split('T').next().unwrap_or_default();
    RateSearch {
        load: format!(
            "{} {} to {} · QoS {} · {}",
            about.bench,
            about.publishers,
            about.subscribers,
            about.qos,
            bytes_text(about.payload_bytes)
        ),
        bound: result.find_max.text().to_owned(),
        bound_of: result.find_max.of.name().to_owned(),
        limit_us: result.find_max.limit_us(),
        date: date.to_owned(),
        version: result.squall.to_owned(),
        targets: result.targets.iter().map(target).collect(),
    }
}

fn target(target: &SearchedTarget) -> RateTarget {
    let repeats = (1..).zip(&target.repeats);
    let steps =
        repeats.flat_map(|(number, one)| one.steps.iter().map(move |found| (number, found)));
    RateTarget {
        name: target.name.clone(),
        software: target.software.clone(),
        held_per_s: target.held_per_s.map(|spread| spread.median),
        is_at_least: target.repeats.iter().any(|one| one.is_at_least),
        steps: steps.map(|(number, found)| step(number, found)).collect(),
    }
}

fn step(repeat: u32, step: &Step) -> RateStep {
    let figures = &step.figures;
    let micros = |us: Option<u64>| us.map(|us| us as f64);
    RateStep {
        repeat,
        rate: step.rate,
        attempt: step.attempt,
        holds: step.holds,
        why: step.why.join("; "),
        sent_per_s: figures.published_per_s,
        delivered_per_s: figures.messages_per_s,
        lost: figures.account.lost,
        p50_us: micros(figures.latency.p50_us),
        p99_us: micros(figures.latency.p99_us),
        bound_us: micros(step.bound_us),
        broker_us_per_message: figures.broker_cpu_us_per_message,
        broker_cores: figures.broker_cores,
        generator_cores: figures.generator_cores,
    }
}
