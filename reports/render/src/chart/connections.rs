//! Connections over time.

use squall_run::Run;

use super::Chart;
use super::figure::{Look, Stroke};
use super::over_time::{self, Series};
use super::theme::Ink;
use super::unit::Unit;

/// Devices online over time, and connections begun and ended a second.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let series = |label, points, ink, stroke| Series {
        label,
        points,
        look: Look { ink, stroke },
    };
    let ended = over_time::rate(run, |interval| interval.ended);
    let connected = over_time::rate(run, |interval| interval.connected);
    let lines = vec![
        series("ended /s", ended, Ink::Series(1), Stroke::Thin),
        series("connected /s", connected, Ink::Series(2), Stroke::Thin),
        series(
            "online",
            over_time::online(run),
            Ink::Series(0),
            Stroke::Solid,
        ),
    ];
    let title = "Devices, and connections a second";
    Chart::of(
        "connections",
        "Connections over time",
        "Devices that hold a connection, and connections accepted and ended a second. Devices are counted at the end of each \
         interval, and an interval begins where a fault strikes. The goodbye of all devices after the drain is left out.",
        over_time::counts(run, title, Unit::Count, lines)?,
    )
}
