//! Charts of several sides: their spectra on one axis, and the same quantity over time, a small chart for each side.

use squall_run::{CountedFrom, Histogram, Interval, MetricName, Percentile, Population, Run, Side};

use super::Chart;
use super::figure::{Axis, Figure, Layer, Line, Look, Names, Stroke};
use super::over_time::{self, Process, Stretch};
use super::scale::Scale;
use super::spectrum;
use super::theme::Ink;
use super::unit::Unit;
use crate::clock::Clock;
use crate::table::{Cell, Table};

/// Groups and QoS that are drawn, the first by name.
const POPULATIONS_MAX: usize = 4;
/// Points of a line over time: the charts are small.
const POINTS: usize = 60;

/// One quantity over time: a chart for each side, all on the same scales.
pub(crate) struct Multiples {
    /// Name in links.
    pub(crate) id: String,
    /// What it is.
    pub(crate) title: String,
    /// How to read it.
    pub(crate) caption: String,
    /// The label of each side with its chart.
    pub(crate) charts: Vec<(String, Chart)>,
}

/// The runs of a side that are drawn.
fn runs(side: &Side) -> Vec<&Run> {
    side.compared().map(|run| &run.run).collect()
}

/// Names of groups and QoS that any side has, without what waited for a device that was away.
fn populations(sides: &[Side]) -> Vec<Population> {
    let mut all: Vec<Population> = Vec::new();
    for run in sides.iter().flat_map(runs) {
        let found = run
            .measured
            .metrics
            .populations(MetricName::E2eLatency, CountedFrom::Scheduled);
        for population in found {
            if !population.is_late() && all.iter().all(|known| known.tags != population.tags) {
                all.push(population);
            }
        }
    }
    all.sort_by_cached_key(Population::to_string);
    all.truncate(POPULATIONS_MAX);
    all
}

/// Which messages, behind a title; empty if there is one kind only.
fn of(population: &Population, all: &[Population]) -> String {
    match all.len() {
        1 => String::new(),
        _ => format!(", {population}"),
    }
}

/// The latency of each side by percentile, on one axis: a chart for each group and QoS, with its numbers.
pub(crate) fn spectra(sides: &[Side]) -> Vec<(Chart, Table)> {
    let all = populations(sides);
    let of_one = |(place, population): (usize, &Population)| {
        let merged: Vec<(&Side, Histogram)> = sides
            .iter()
            .map(|side| {
                let select = |run: &Run| {
                    run.measured
                        .metrics
                        .select(MetricName::E2eLatency, &population.tags)
                };
                let histograms: Vec<Histogram> = runs(side).into_iter().map(select).collect();
                (side, Histogram::merged(&histograms))
            })
            .collect();
        let mut figure = spectrum::axes(merged.iter().map(|(_, histogram)| histogram), None);
        let id = format!("spectrum-{}", place + 1);
        let title = format!("Latency by percentile{}", of(population, &all));
        let mut numbers = Table::of_distributions(&id, "Numbers", &["side"]);
        for (place, (side, histogram)) in merged.iter().enumerate() {
            let look = Look {
                ink: Ink::Series(place),
                stroke: Stroke::Solid,
            };
            figure
                .layers
                .push(spectrum::line(&side.label, histogram, look));
            numbers.distribution(vec![Cell::text(&side.label)], histogram);
        }
        figure.names = Names::Above;
        let caption = format!(
            "End-to-end latency, from the moment a message was due, of all runs of a side together. {}",
            spectrum::END
        );
        Some((Chart::of(&id, &title, &caption, figure)?, numbers))
    };
    all.iter().enumerate().filter_map(of_one).collect()
}

/// A run's line over time.
type Points = Vec<(f64, f64)>;

/// What is drawn over time: deliveries, latency, and what the broker uses.
pub(crate) fn over_time(sides: &[Side]) -> Vec<Multiples> {
    let delivered = |run: &Run| over_time::rate(run, Interval::first_deliveries);
    let process =
        |what| move |run: &Run| over_time::process(run, &run.resources.broker.samples, what);
    let mut all = vec![multiples(
        sides,
        "delivered",
        "Messages delivered a second",
        Unit::PerSecond,
        &delivered,
    )];
    let populations = populations(sides);
    for (place, population) in populations.iter().enumerate() {
        let percentile = percentile_for(sides, population);
        let latency = |run: &Run| latency(run, population, percentile);
        let id = format!("latency-{}", place + 1);
        let title = format!("Latency {percentile}{}", of(population, &populations));
        all.push(multiples(sides, &id, &title, Unit::Micros, &latency));
    }
    let cpu = process(Process::Cores);
    all.push(multiples(
        sides,
        "broker-cpu",
        "Processor cores in use by the broker",
        Unit::Cores,
        &cpu,
    ));
    let memory = process(Process::Memory);
    all.push(multiples(
        sides,
        "broker-memory",
        "Resident memory of the broker",
        Unit::Bytes,
        &memory,
    ));
    all.into_iter().flatten().collect()
}

/// What is drawn of one side.
struct LinesOfSide<'a> {
    label: &'a str,
    lines: Vec<LineOfRun<'a>>,
}

struct LineOfRun<'a> {
    run: &'a Run,
    points: Points,
}

impl<'a> LinesOfSide<'a> {
    fn of(side: &'a Side, points: &dyn Fn(&Run) -> Points) -> Self {
        let line = |run| LineOfRun {
            run,
            points: points(run),
        };
        Self {
            label: &side.label,
            lines: runs(side).into_iter().map(line).collect(),
        }
    }
}

/// A chart of `points` for each side, all on the same scales; `None` if they never leave zero.
fn multiples(
    sides: &[Side],
    id: &str,
    title: &str,
    unit: Unit,
    points: &dyn Fn(&Run) -> Points,
) -> Option<Multiples> {
    let all: Vec<LinesOfSide<'_>> = sides
        .iter()
        .map(|side| LinesOfSide::of(side, points))
        .collect();
    let y = vertical(&all, &unit)?;
    let x = horizontal(&all);
    let charts = all.iter().enumerate().filter_map(|(place, side)| {
        // The phases and faults of the first run stand for all: they are the scenario's.
        let first = side.lines.first()?;
        let mut figure: Figure = over_time::figure(first.run, Axis::new("", y, unit.clone()));
        figure.x = Axis::new("Since measuring began", x, Unit::RunTime);
        figure.layers = side.lines.iter().map(|line| layer(place, line)).collect();
        let id = format!("{id}-{}", place + 1);
        let title = format!("{title}: {}", side.label);
        let chart = Chart::of(&id, &title, "", figure)?;
        Some((side.label.to_owned(), chart))
    });
    Some(Multiples {
        id: id.to_owned(),
        title: title.to_owned(),
        caption: "A line for each run; all charts of this row have the same scales. Red lines are faults."
            .to_owned(),
        charts: charts.collect(),
    })
}

/// A scale that holds the values of all sides.
fn vertical(all: &[LinesOfSide<'_>], unit: &Unit) -> Option<Scale> {
    let lines = all.iter().flat_map(|side| &side.lines);
    let values = lines.flat_map(|line| line.points.iter().map(|(_, y)| *y));
    let values = values.filter(|y| y.is_finite());
    let highest = values.clone().fold(0.0, f64::max);
    if highest <= 0.0 {
        return None;
    }
    Some(match unit {
        Unit::Micros => Scale::log_around(values),
        Unit::RunTime
        | Unit::Count
        | Unit::PerSecond
        | Unit::Bytes
        | Unit::Cores
        | Unit::Share
        | Unit::Percentile
        | Unit::Names(_) => Scale::from_zero(highest),
    })
}

/// From the earliest start of all runs to the latest end, on the clock of the scenario.
fn horizontal(all: &[LinesOfSide<'_>]) -> Scale {
    let lines = all.iter().flat_map(|side| &side.lines);
    let clocks = lines.map(|line| Clock::of(line.run));
    let start = clocks
        .clone()
        .map(Clock::start)
        .fold(f64::INFINITY, f64::min);
    let end = clocks.map(Clock::end).fold(start + 1e-3, f64::max);
    Scale::Linear(start, end)
}

fn layer(side: usize, line: &LineOfRun<'_>) -> Layer {
    Layer::Line(Line {
        label: String::new(),
        points: line.points.clone(),
        look: Look {
            ink: Ink::Series(side),
            stroke: Stroke::Solid,
        },
    })
}

fn latency(run: &Run, population: &Population, percentile: Percentile) -> Points {
    let stretches = over_time::stretches(run, POINTS);
    let loaded = stretches
        .iter()
        .filter(|stretch| over_time::is_loaded(stretch));
    loaded
        .map(|stretch| {
            let merged = merged(run, stretch, population);
            let value = merged.percentile_us(percentile);
            (
                stretch.middle_s(),
                value.map_or(f64::NAN, |us| us.max(1) as f64),
            )
        })
        .collect()
}

/// The latencies of one kind of message within a stretch. Where the run has one kind, they are not kept by kind.
fn merged(run: &Run, stretch: &Stretch<'_>, population: &Population) -> Histogram {
    let has_kinds = run
        .measured
        .series
        .intervals
        .iter()
        .any(|interval| !interval.e2e_latency_of.is_empty());
    stretch.merged(|interval| match has_kinds {
        true => interval.latency_of(population),
        false => Some(&interval.e2e_latency),
    })
}

/// The highest percentile of a few that half of the stretches of each run have samples enough for.
fn percentile_for(sides: &[Side], population: &Population) -> Percentile {
    let is_drawn = |percentile: &Percentile| {
        sides.iter().flat_map(runs).all(|run| {
            let points = latency(run, population, *percentile);
            points.iter().filter(|(_, y)| y.is_finite()).count() * 2 >= points.len()
        })
    };
    let candidates = [Percentile::P99, Percentile::P90];
    candidates
        .into_iter()
        .find(is_drawn)
        .unwrap_or(Percentile::P50)
}
