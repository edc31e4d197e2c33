//! Throughput over time: what was offered, what was sent, what arrived.

use squall_run::{Interval, Run};

use super::Chart;
use super::figure::{Look, Stroke};
use super::over_time::{self, Series};
use super::theme::Ink;
use super::unit::Unit;

/// Messages due, sent and delivered a second, and wills, over time.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let offered = over_time::rate(run, |interval| interval.scheduled);
    let sent = over_time::rate(run, |interval| interval.sent);
    let delivered = over_time::rate(run, Interval::first_deliveries);
    let wills = over_time::rate(run, |interval| interval.wills);
    let is_any = |points: &[(f64, f64)]| points.iter().any(|(_, rate)| *rate > 0.0);
    let has_load = is_any(&offered) || is_any(&sent);
    let series = |label, points, ink, stroke| Series {
        label,
        points,
        look: Look { ink, stroke },
    };
    let mut lines = Vec::new();
    if has_load {
        lines.push(series("offered", offered, Ink::Series(5), Stroke::Broad));
        lines.push(series("sent", sent, Ink::Series(0), Stroke::Solid));
        lines.push(series(
            "delivered",
            delivered,
            Ink::Series(2),
            Stroke::Dashed,
        ));
    }
    if is_any(&wills) {
        lines.push(series("wills", wills, Ink::Series(3), Stroke::Dotted));
    }
    Chart::of(
        "throughput",
        "Throughput over time",
        if has_load {
            "Offered is what the schedule asked for whatever the broker did; where sent falls below it, devices were offline or \
             held back. Delivered counts each subscriber, and a message that comes twice once, unless it bears no stamp."
        } else {
            "No device published: the wills of lost connections were all there was."
        },
        over_time::counts(run, "Messages a second", Unit::PerSecond, lines)?,
    )
}
