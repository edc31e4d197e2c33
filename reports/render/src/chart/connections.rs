//! Devices and connections over time, each with an axis of its own.

use squall_run::Run;

use super::Chart;
use super::figure::{Look, Stroke};
use super::over_time::{self, Series};
use super::theme::Ink;
use super::unit::Unit;

fn series(label: &'static str, points: Vec<(f64, f64)>, ink: Ink, stroke: Stroke) -> Series {
    Series {
        label,
        points,
        look: Look { ink, stroke },
    }
}

/// Devices online over time.
pub(crate) fn devices(run: &Run) -> Option<Chart> {
    let online = series(
        "online",
        over_time::online(run),
        Ink::Series(0),
        Stroke::Solid,
    );
    Chart::of(
        "devices",
        "Devices online",
        "Devices that hold a connection, counted at the end of each stretch of time, which begins where a fault strikes. The goodbye of \
         all devices after the drain is left out.",
        over_time::level(run, "Devices", Unit::Count, vec![online])?,
    )
}

/// Connections begun, ended and failed a second, over time.
pub(crate) fn rates(run: &Run) -> Option<Chart> {
    let connected = over_time::rate(run, |interval| interval.connected);
    let ended = over_time::rate(run, |interval| interval.ended);
    let failed = over_time::rate(run, |interval| interval.connect_failed);
    let mut lines = vec![
        series("begun", connected, Ink::Series(2), Stroke::Solid),
        series("ended", ended, Ink::Series(1), Stroke::Dashed),
    ];
    if failed.iter().any(|(_, rate)| *rate > 0.0) {
        lines.push(series("failed", failed, Ink::Series(3), Stroke::Dotted));
    }
    Chart::of(
        "connections",
        "Connections a second",
        "Connections that were accepted and that ended, and attempts that failed or were refused.",
        over_time::counts(run, "Connections a second", Unit::PerSecond, lines)?,
    )
}
