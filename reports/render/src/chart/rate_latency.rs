//! Latency against rate, as a search of the highest rate has found it: where it leaves its floor, and where it meets the bound.

use squall_run::count_text;

use super::Chart;
use super::figure::{Axis, Dot, Figure, Layer, Line, Look, Mark, MarkLine, Names, Stroke};
use super::scale::Scale;
use super::theme::Ink;
use super::unit::Unit;
use crate::rate_search::{RateSearch, RateStep, RateTarget};

/// Highest rates that are nearer than this, as a share of the axis, may have no room for their words side by side.
const NEAR: f64 = 0.3;

/// A latency of a step, in microseconds.
type Of = fn(&RateStep) -> Option<f64>;

/// One of the lines of each target.
struct Kind {
    name: String,
    of: Of,
    stroke: Stroke,
}

/// A line of each target for the latency that is bound, and for the median and p99 where they are not it; `None` without a step
/// that has one.
pub(crate) fn chart(search: &RateSearch) -> Option<Chart> {
    let steps = search.targets.iter().flat_map(|target| &target.steps);
    let rates = steps.clone().map(|step| step.rate);
    let kinds = kinds(search);
    let latencies = steps.flat_map(|step| kinds.iter().filter_map(|kind| (kind.of)(step)));
    let latencies: Vec<f64> = latencies.collect();
    if latencies.is_empty() {
        return None;
    }
    let across = Scale::log_around(rates);
    let mut figure = Figure::new(
        Axis::new(
            "Messages a second of all publishers (dots: steps that held)",
            across,
            Unit::PerSecond,
        ),
        Axis::new(
            "Latency",
            Scale::log_around(latencies.into_iter().chain([search.limit_us])),
            Unit::Micros,
        ),
    );
    figure.names = Names::Above;
    figure.layers.push(limit(search, across));
    let told_above = have_room(search, across);
    for (place, target) in search.targets.iter().enumerate() {
        let ink = Ink::Series(place);
        for kind in &kinds {
            let mut label = format!("{} {}", target.name, kind.name);
            if kind.name == search.bound_of && told_above == Told::InTheLegend {
                label.extend(target.held_text().map(|held| format!(", {held}")));
            }
            figure.layers.push(line(target, kind, ink, label));
        }
        figure.layers.push(dots(target, ink));
        figure.marks.extend(knee(target, ink));
    }
    let title = format!(
        "Latency against rate, with the highest rate for {}",
        search.bound
    );
    let caption = "Each line goes through the steps of a search; an upright line is at the highest rate that held.";
    Chart::of("find-max", &title, caption, figure)
}

/// The latency that is bound goes first.
fn kinds(search: &RateSearch) -> Vec<Kind> {
    let mut kinds = vec![Kind {
        name: search.bound_of.clone(),
        of: |step| step.bound_us,
        stroke: Stroke::Solid,
    }];
    let others: [(&str, Of, Stroke); 2] = [
        ("p99", |step| step.p99_us, Stroke::Dotted),
        ("p50", |step| step.p50_us, Stroke::Dashed),
    ];
    let others = others
        .into_iter()
        .filter(|(name, ..)| *name != search.bound_of);
    kinds.extend(others.map(|(name, of, stroke)| Kind {
        name: name.to_owned(),
        of,
        stroke,
    }));
    kinds
}

fn line(target: &RateTarget, kind: &Kind, ink: Ink, label: String) -> Layer {
    Layer::Line(Line {
        label,
        points: points(target, kind.of),
        look: Look {
            ink,
            stroke: kind.stroke,
        },
    })
}

/// By rate: of each repeat the last step, which decided, and of several repeats the median.
fn points(target: &RateTarget, of: Of) -> Vec<(f64, f64)> {
    let mut rates: Vec<f64> = target.steps.iter().map(|step| step.rate).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let point = |rate: f64| {
        let decided = target.steps.iter().filter(|step| {
            let mut later = target.steps.iter();
            let is_again = later.any(|other| {
                other.repeat == step.repeat && other.rate == rate && other.attempt > step.attempt
            });
            step.rate == rate && !is_again
        });
        let mut found: Vec<f64> = decided.filter_map(of).collect();
        found.sort_by(f64::total_cmp);
        let half = found.len() / 2;
        let median = match found.len() {
            0 => return None,
            even if even % 2 == 0 => f64::midpoint(found[half - 1], found[half]),
            _ => found[half],
        };
        Some((rate, median))
    };
    rates.into_iter().filter_map(point).collect()
}

fn dots(target: &RateTarget, ink: Ink) -> Layer {
    let held = target.steps.iter().filter(|step| step.holds);
    let dot = |step: &RateStep| {
        Some(Dot {
            at: (step.rate, step.bound_us?),
            text: String::new(),
        })
    };
    Layer::Dots {
        label: String::new(),
        dots: held.filter_map(dot).collect(),
        ink,
    }
}

fn knee(target: &RateTarget, ink: Ink) -> Option<Mark> {
    Some(Mark {
        line: MarkLine::Vertical(target.held_per_s?),
        label: format!("{} {}", target.name, target.held_text()?),
        ink,
    })
}

/// From side to side, and named in the legend: words at the line would lie on the others.
fn limit(search: &RateSearch, across: Scale) -> Layer {
    let (left, right) = match across {
        Scale::Linear(low, high) | Scale::Log(low, high) => (low, high),
        Scale::Nines(nines) => (0.0, nines),
    };
    Layer::Line(Line {
        label: search.bound.clone(),
        points: vec![(left, search.limit_us), (right, search.limit_us)],
        look: Look {
            ink: Ink::Limit,
            stroke: Stroke::Dashed,
        },
    })
}

/// Where the highest rates are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// At their lines alone.
    AtTheirLines,
    /// In the legend too, since words of lines that are near to each other are left out.
    InTheLegend,
}

fn have_room(search: &RateSearch, across: Scale) -> Told {
    let held = search.targets.iter().filter_map(|target| target.held_per_s);
    let mut places: Vec<f64> = held.map(|rate| across.place(rate)).collect();
    places.sort_by(f64::total_cmp);
    let is_near = places.windows(2).any(|pair| pair[1] - pair[0] < NEAR);
    match is_near {
        true => Told::InTheLegend,
        false => Told::AtTheirLines,
    }
}

impl RateTarget {
    /// The highest rate that held: `≥ 2,000/s`.
    fn held_text(&self) -> Option<String> {
        let held = count_text(self.held_per_s?.round() as u64);
        let at_least = if self.is_at_least { "≥ " } else { "" };
        Some(format!("{at_least}{held}/s"))
    }
}
