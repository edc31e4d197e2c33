//! Link delay, configured against measured.

use squall_run::{Direction, NetworkOutcome, Run};

use super::Chart;
use super::figure::{Axis, Figure, Layer, Line, Look, Stroke};
use super::scale::Scale;
use super::theme::Ink;
use super::unit::Unit;

const POINTS: u32 = 200;
/// More links than this would not be told apart.
const MOST: usize = Ink::SERIES;

/// Cumulative distributions of one-way delay for each profile and direction.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let links: Vec<&NetworkOutcome> = run
        .measured
        .networks
        .iter()
        .filter(|link| !link.measured_delay.is_empty())
        .take(MOST)
        .collect();
    let ends = links.iter().flat_map(|link| {
        let configured = link
            .configured_delay
            .iter()
            .map(|quantile| quantile.value_us);
        let measured =
            [0.001, 0.999].map(|q| link.measured_delay.quantile_us(q).map(|us| us as f64));
        configured.chain(measured.into_iter().flatten())
    });
    let mut figure = Figure::new(
        Axis::new(
            "One-way delay",
            Scale::log_around(ends.map(|value| value.max(1.0))),
            Unit::Micros,
        ),
        Axis::new(
            "Share of segments at or below",
            Scale::Linear(0.0, 1.0),
            Unit::Share,
        ),
    );
    for (index, link) in links.iter().enumerate() {
        let name = format!("{} {}", link.profile, direction(link.direction));
        let configured = link
            .configured_delay
            .iter()
            .map(|q| (q.value_us.max(1.0), q.quantile));
        figure
            .layers
            .push(line("", configured.collect(), index, Stroke::Broad));
        let measured = (1..POINTS).filter_map(|step| {
            let quantile = f64::from(step) / f64::from(POINTS);
            Some((
                link.measured_delay.quantile_us(quantile)?.max(1) as f64,
                quantile,
            ))
        });
        figure
            .layers
            .push(line(&name, measured.collect(), index, Stroke::Solid));
    }
    Chart::of(
        "network-delay",
        "Link delay, configured against measured",
        "Broad and pale: as configured. Thin: as the simulator measured it. Where \
         the lines differ, the simulated link was not as configured, and the run says little about the broker.",
        figure,
    )
}

fn line(label: &str, points: Vec<(f64, f64)>, index: usize, stroke: Stroke) -> Layer {
    Layer::Line(Line {
        label: label.to_owned(),
        points,
        look: Look {
            ink: Ink::Series(index),
            stroke,
        },
    })
}

/// A direction in a word.
pub(crate) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}
