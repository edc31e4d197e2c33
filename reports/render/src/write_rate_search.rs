//! What a search of the highest rate leaves: a chart of rate against latency, its steps as a table, and a file for programs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::chart::rate_latency;
use crate::rate_search::{RateSearch, RateStep, RateTarget};
use crate::report_error::ReportError;
use crate::table::{Cell, Column, Table};
use crate::write_runs::put;

/// Name of all files, without ending.
const NAME: &str = "find-max";

/// Finds out before a search or a suite of benches whether what it leaves can be written into `folder`, which is made if need be.
/// Files of an earlier one, and others, may be there.
///
/// # Errors
/// As [`write_rate_search`].
pub fn check_bench_folder(folder: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(folder).map_err(|source| ReportError::at(folder, source))?;
    let probe = folder.join(".bench.probe");
    fs::write(&probe, [0; 4096])
        .and_then(|()| fs::remove_file(&probe))
        .map_err(|source| ReportError::at(folder, source))
}

/// Writes `find-max.json` with `json`, `find-max.csv`, and, if any step has a latency, `find-max.svg` and `find-max.png` into
/// `folder`, which is made if need be, in place of those of an earlier search; other files are left as they are. The path of the
/// picture, if there is one.
///
/// # Errors
/// If the folder cannot be written. Each file is whole, or as it was before.
pub fn write_rate_search(
    search: &RateSearch,
    json: &str,
    folder: &Path,
) -> Result<Option<PathBuf>, ReportError> {
    fs::create_dir_all(folder).map_err(|source| ReportError::at(folder, source))?;
    put(folder, &format!("{NAME}.json"), json.as_bytes())?;
    let table = table(search);
    let csv = table.to_csv().map_err(|source| ReportError::Table {
        table: NAME.to_owned(),
        source,
    })?;
    put(folder, &format!("{NAME}.csv"), &csv)?;
    let picture = format!("{NAME}.png");
    let drawing = format!("{NAME}.svg");
    let Some(chart) = rate_latency::chart(search) else {
        // Those of an earlier search would be taken for this one's.
        for name in [picture, drawing] {
            let _ = fs::remove_file(folder.join(name));
        }
        return Ok(None);
    };
    let source = source(search);
    put(folder, &drawing, chart.to_svg_file(&source)?.as_bytes())?;
    put(folder, &picture, &chart.to_png(&source)?)?;
    Ok(Some(folder.join(picture)))
}

/// Which search a picture is of, wherever it is pasted.
fn source(search: &RateSearch) -> String {
    let targets = search.targets.iter();
    let mut targets: Vec<&str> = targets
        .map(|target| target.software.as_deref().unwrap_or(&target.name))
        .collect();
    // One broker with two configurations.
    targets.dedup();
    format!(
        "{} · {} · {} · by squall {}",
        targets.join(", "),
        search.load,
        search.date,
        search.version
    )
}

fn table(search: &RateSearch) -> Table {
    let columns = vec![
        Column::words("Target"),
        Column::count("Repeat"),
        Column::quantity("Rate", "per_s"),
        Column::count("Attempt"),
        Column::words("Holds"),
        Column::quantity("Sent", "per_s"),
        Column::quantity("Delivered", "per_s"),
        Column::count("Lost"),
        Column::quantity("p50", "us"),
        Column::quantity("p99", "us"),
        Column::quantity("Bound", "us"),
        Column::quantity("Broker", "us_per_message"),
        Column::count("Broker cores"),
        Column::count("Generator cores"),
        Column::sentences("Why"),
    ];
    let mut table = Table::new(NAME, "Steps", columns);
    for target in &search.targets {
        for step in &target.steps {
            table.row(row(target, step));
        }
    }
    table
}

fn row(target: &RateTarget, step: &RateStep) -> Vec<Cell> {
    let micros = |us: Option<f64>| us.map_or(Cell::None, Cell::Micros);
    vec![
        Cell::text(&target.name),
        Cell::Count(step.repeat.into()),
        Cell::PerSecond(step.rate),
        Cell::Count(step.attempt.into()),
        Cell::text(if step.holds { "yes" } else { "no" }),
        Cell::PerSecond(step.sent_per_s),
        Cell::PerSecond(step.delivered_per_s),
        Cell::Bad(step.lost),
        micros(step.p50_us),
        micros(step.p99_us),
        micros(step.bound_us),
        micros(step.broker_us_per_message),
        step.broker_cores.map_or(Cell::None, Cell::Cores),
        Cell::Cores(step.generator_cores),
        Cell::text(&step.why),
    ]
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn step(rate: f64, p99_us: f64) -> RateStep {
        RateStep {
            repeat: 1,
            rate,
            attempt: 1,
            holds: p99_us < 10_000.0,
            why: match p99_us < 10_000.0 {
                true => String::new(),
                false => format!("p99 is {p99_us}, not < 10ms"),
            },
            sent_per_s: rate,
            delivered_per_s: rate,
            lost: 0,
            p50_us: Some(p99_us / 4.0),
            p99_us: Some(p99_us),
            bound_us: Some(p99_us),
            broker_us_per_message: Some(5.0),
            broker_cores: None,
            generator_cores: 0.5,
        }
    }

    fn search(steps: Vec<RateStep>) -> RateSearch {
        RateSearch {
            load: "pairs, 10 clients".to_owned(),
            bound: "p99 < 10ms".to_owned(),
            bound_of: "p99".to_owned(),
            limit_us: 10_000.0,
            date: "2026-11-29".to_owned(),
            version: "0.1.0".to_owned(),
            targets: vec![RateTarget {
                name: "squall".to_owned(),
                software: Some("squall 0.1.0".to_owned()),
                held_per_s: Some(2000.0),
                is_at_least: true,
                steps,
            }],
        }
    }

    /// The files hold the steps, the bound, the highest rate that held, and what they are of.
    #[test]
    fn a_search_leaves_a_chart_and_a_table() {
        let root = TempDir::new().unwrap();
        let found = search(vec![
            step(1000.0, 900.0),
            step(2000.0, 1500.0),
            step(2100.0, 50_000.0),
        ]);

        let picture = write_rate_search(&found, "{}\n", root.path()).unwrap();

        assert_eq!(picture, Some(root.path().join("find-max.png")));
        let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
        let svg = read("find-max.svg");
        for words in [
            "Latency against rate, with the highest rate for p99 &lt; 10ms",
            "squall 0.1.0 · pairs, 10 clients · 2026-11-29 · by squall 0.1.0",
            "squall ≥ 2,000/s",
            "squall p50",
        ] {
            assert!(svg.contains(words), "{words}: {svg}");
        }
        let csv = read("find-max.csv");
        assert!(
            csv.starts_with("target,repeat,rate_per_s,attempt,holds,sent_per_s,"),
            "{csv}"
        );
        assert!(csv.contains("squall,1,2100,1,no,2100,"), "{csv}");
        assert_eq!(read("find-max.json"), "{}\n");
    }

    /// A search without a step has no chart, and does not leave that of an earlier one.
    #[test]
    fn a_search_without_steps_has_no_chart() {
        let root = TempDir::new().unwrap();
        check_bench_folder(root.path()).unwrap();
        write_rate_search(&search(vec![step(1000.0, 900.0)]), "{}", root.path()).unwrap();

        let picture = write_rate_search(&search(Vec::new()), "{}", root.path()).unwrap();

        assert_eq!(picture, None);
        let mut names: Vec<_> = fs::read_dir(root.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["find-max.csv", "find-max.json"]);
    }

    /// Of a step that was made again the second one is drawn.
    #[test]
    fn the_step_that_decided_is_drawn() {
        let again = RateStep {
            attempt: 2,
            ..step(2000.0, 1500.0)
        };
        let found = search(vec![step(1000.0, 900.0), step(2000.0, 90_000.0), again]);

        let chart = rate_latency::chart(&found).unwrap();

        let lines = chart.figure.layers.iter().filter_map(|layer| match layer {
            crate::chart::figure::Layer::Line(line) => Some(line.points.clone()),
            crate::chart::figure::Layer::Bars { .. }
            | crate::chart::figure::Layer::Dots { .. }
            | crate::chart::figure::Layer::Cells(_) => None,
        });
        assert_eq!(
            lines.collect::<Vec<_>>()[1],
            [(1000.0, 900.0), (2000.0, 1500.0)]
        );
    }

    /// Highest rates that are too near to each other to be told at their lines are told in the legend.
    #[test]
    fn near_rates_are_told_in_the_legend() {
        let mut found = search(vec![step(1000.0, 900.0), step(64_000.0, 1500.0)]);
        let is_in_the_legend = |found: &RateSearch| {
            let chart = rate_latency::chart(found).unwrap();
            let svg = chart.to_svg_file("").unwrap();
            svg.contains("squall p99, ≥ 2,000/s")
        };
        assert!(!is_in_the_legend(&found));

        found.targets.push(found.targets[0].clone());

        assert!(is_in_the_legend(&found));
    }
}
