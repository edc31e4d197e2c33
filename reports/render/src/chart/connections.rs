//! Connections over time.

use squall_run::{Interval, Run};

use super::Chart;
use super::figure::{Axis, Layer, Line, Names, Stroke, Unit};
use super::over_time;
use super::scale::Scale;
use super::theme::Ink;

/// Devices online over time, and connections begun and ended a second.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let stretches = over_time::stretches(run, over_time::POINTS);
    let online: Vec<(f64, f64)> = stretches
        .iter()
        .filter_map(|stretch| Some((stretch.to_s, stretch.intervals.last()?.online as f64)))
        .collect();
    let rate = |count: fn(&Interval) -> u64| over_time::steps(&stretches, count);
    let connected = rate(|interval| interval.connected);
    let ended = rate(|interval| interval.ended);
    let all = [&online, &connected, &ended];
    let highest = all
        .iter()
        .flat_map(|points| points.iter().map(|(_, y)| *y))
        .fold(0.0, f64::max);
    if highest <= 0.0 {
        return None;
    }
    let axis = Axis::new(
        "Devices, and connections a second",
        Scale::from_zero(highest),
        Unit::Count,
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
    line("ended /s", ended, Ink::Series(1), Stroke::Thin);
    line("connected /s", connected, Ink::Series(2), Stroke::Thin);
    line("online", online, Ink::Series(0), Stroke::Solid);
    // Lines meet where the run ends and devices leave.
    figure.names = Names::Above;
    Chart::of(
        "connections",
        "Connections over time",
        "Devices that hold a connection, and connections accepted and ended a second.",
        figure,
    )
}
