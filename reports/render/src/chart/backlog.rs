//! Deliveries under way over time: sent, and not yet delivered.

use squall_run::Run;

use super::Chart;
use super::figure::{Look, Stroke};
use super::over_time::{self, Series};
use super::theme::Ink;
use super::unit::Unit;

/// Deliveries that were under way at the end of each stretch; `None` if they were not counted.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let points = over_time::under_way(run)?;
    let line = Series {
        label: "under way",
        points,
        look: Look {
            ink: Ink::Series(0),
            stroke: Stroke::Solid,
        },
    };
    Chart::of(
        "backlog",
        "Backlog",
        "Deliveries whose message was sent and had not come at the end of each stretch of time, but came later. It rises where the broker \
         or a link cannot keep up, and where devices are away. What never came is not in it.",
        over_time::level(run, "Deliveries under way", Unit::Count, vec![line])?,
    )
}
