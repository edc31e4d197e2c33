//! Bytes of payloads a second over time.

use squall_run::Run;

use super::Chart;
use super::figure::{Look, Stroke};
use super::over_time::{self, Series};
use super::theme::Ink;
use super::unit::Unit;

/// Payload bytes sent and delivered a second; `None` if they were not counted.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let series = |label, points, ink, stroke| Series {
        label,
        points,
        look: Look { ink, stroke },
    };
    let sent = over_time::rate(run, |interval| interval.sent_payload_bytes);
    let delivered = over_time::rate(run, |interval| interval.delivered_payload_bytes);
    let lines = vec![
        series("sent", sent, Ink::Series(0), Stroke::Solid),
        series("delivered", delivered, Ink::Series(2), Stroke::Dashed),
    ];
    Chart::of(
        "payload-rate",
        "Payload bytes a second",
        "Bytes of payloads, stamps included, without headers, topics and what TLS or WebSocket add. Delivered counts each subscriber and \
         each copy, wills and retained messages too.",
        over_time::counts(run, "Payload bytes a second", Unit::Bytes, lines)?,
    )
}
