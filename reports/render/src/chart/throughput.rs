//! Throughput over time: what was offered, what was sent, what arrived.

use squall_run::{Interval, Run};

use super::Chart;
use super::figure::{Axis, Layer, Line, Names, Stroke, Unit};
use super::over_time;
use super::scale::Scale;
use super::theme::Ink;

/// Messages due, sent and delivered a second, over time.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let stretches = over_time::stretches(run, over_time::POINTS);
    let rate = |count: fn(&Interval) -> u64| over_time::steps(&stretches, count);
    let offered = rate(|interval| interval.scheduled);
    let sent = rate(|interval| interval.sent);
    let delivered = rate(|interval| interval.delivered);
    let all = [&offered, &sent, &delivered];
    let highest = all
        .iter()
        .flat_map(|points| points.iter().map(|(_, y)| *y))
        .fold(0.0, f64::max);
    if highest <= 0.0 {
        return None;
    }
    let has_load = offered.iter().chain(&sent).any(|(_, rate)| *rate > 0.0);
    let axis = Axis::new(
        "Messages a second",
        Scale::from_zero(highest),
        Unit::PerSecond,
    );
    let mut figure = over_time::figure(run, axis);
    let mut line = |label: &str, points, ink, stroke| {
        figure.layers.push(Layer::Line(Line {
            label: label.to_owned(),
            points,
            ink,
            stroke,
        }));
    };
    // A scenario in which nobody publishes still delivers its wills.
    if has_load {
        line("offered", offered, Ink::Series(5), Stroke::Broad);
        line("sent", sent, Ink::Series(0), Stroke::Solid);
    }
    line("delivered", delivered, Ink::Series(2), Stroke::Thin);
    // All lines end at zero, when the load does.
    figure.names = Names::Above;
    Chart::of(
        "throughput",
        "Throughput over time",
        if has_load {
            "Offered is what the schedule asked for whatever the broker did; where sent falls below it, devices were offline or \
             held back. Delivered counts each subscriber."
        } else {
            "No device published; what was delivered are wills. Delivered counts each subscriber."
        },
        figure,
    )
}
