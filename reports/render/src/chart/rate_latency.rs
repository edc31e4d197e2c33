//! Latency against rate, as a search of the highest rate has found it: where it leaves its floor, and where it meets the bound.

use squall_run::count_text;

use super::Chart;
use super::figure::{Axis, Dot, Figure, Layer, Line, Look, Mark, MarkLine, Names, Stroke};
use super::scale::Scale;
use super::theme::Ink;
use super::unit::Unit;
use crate::rate_search::{RateSearch, RateStep, RateTarget};

/// One of the lines of each target.
struct Kind {
    name: String,
    of: fn(&RateStep) -> Option<f64>,
    stroke: Stroke,
}

/// A line of each target for the latency that is bound, and for the median and p99 where they are not it; `None` without a step
/// that has one.
pub(crate) fn chart(search: &RateSearch) -> Option<Chart> {
    let steps = search.targets.iter().flat_map(|target| &target.steps);
    let rates = steps.clone().map(|step| step.rate);
    let kinds = kinds(search);
    let latencies = steps.flat_map(|step| kinds.iter().filter_map(|kind| (kind.of)(step)));
    let mut figure = Figure::new(
        Axis::new(
            "Messages a second of all publishers (dots: steps that held)",
            Scale::log_around(rates),
            Unit::PerSecond,
        ),
        Axis::new(
            "Latency",
            Scale::log_around(latencies.chain([search.limit_us])),
            Unit::Micros,
        ),
    );
    figure.names = Names::Above;
    for (place, target) in search.targets.iter().enumerate() {
        let ink = Ink::Series(place);
        for kind in &kinds {
            figure.layers.push(line(target, kind, ink));
        }
        figure.layers.push(dots(target, ink));
        figure.marks.extend(knee(target, ink));
    }
    figure.marks.push(Mark {
        line: MarkLine::Level(search.limit_us),
        label: search.bound.clone(),
        ink: Ink::Limit,
    });
    let title = format!("Latency against rate, up to {}", search.bound);
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
    let others: [(&str, fn(&RateStep) -> Option<f64>, Stroke); 2] = [
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

fn line(target: &RateTarget, kind: &Kind, ink: Ink) -> Layer {
    Layer::Line(Line {
        label: format!("{} {}", target.name, kind.name),
        points: points(target, kind.of),
        look: Look {
            ink,
            stroke: kind.stroke,
        },
    })
}

/// By rate: of each repeat the last step, which decided, and of several repeats the median.
fn points(target: &RateTarget, of: fn(&RateStep) -> Option<f64>) -> Vec<(f64, f64)> {
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
    let held = target.held_per_s?;
    Some(Mark {
        line: MarkLine::Vertical(held),
        label: format!("{} {}", target.name, target.held_text(held)),
        ink,
    })
}

impl RateTarget {
    fn held_text(&self, held: f64) -> String {
        let at_least = if self.is_at_least { "≥ " } else { "" };
        format!("{at_least}{}/s", count_text(held.round() as u64))
    }
}
