//! Where the latency was spent: a bar for each percentile, divided into parts.

use std::cmp::Reverse;

use squall_run::{LatencyPart, LatencySpent, Run, SpentRow, duration_text};

use super::Chart;
use super::figure::{Axis, Figure, Layer, Rectangle};
use super::scale::{Scale, Span};
use super::theme::Ink;
use super::unit::Unit;

/// Groups and QoS that are drawn, at most: those to which most messages came.
const DRAWN_MAX: usize = 4;

/// A bar: its name and its parts.
struct Bar<'a> {
    name: String,
    row: &'a SpentRow,
}

/// A bar as wide as the plot for each row, whatever its latency: the name tells that.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let bars = bars(&run.measured.spent);
    let names: Vec<String> = bars.iter().rev().map(|bar| bar.name.clone()).collect();
    let mut figure = Figure::new(
        Axis::new("Part of the latency", Scale::Linear(0.0, 1.0), Unit::Share),
        Axis::new(
            "",
            Scale::Linear(-0.5, bars.len() as f64 - 0.5),
            Unit::Names(names),
        ),
    );
    for part in LatencyPart::ALL {
        let rectangles: Vec<Rectangle> = (0..)
            .zip(bars.iter().rev())
            .filter_map(|(at, bar)| rectangle(f64::from(at), bar.row, part))
            .collect();
        if !rectangles.is_empty() {
            figure.layers.push(Layer::Bars {
                label: part.in_words().to_owned(),
                rectangles,
                ink: ink(part),
            });
        }
    }
    let caption = "Means of the deliveries around each percentile, one in a hundred, and of the slowest. The broker's part is \
                   from the write to the arrival, so the network that is really between is in it; the links are those that squall \
                   simulates, and the generator is squall itself.";
    Chart::of(
        "latency-spent",
        "Where the latency was spent",
        caption,
        figure,
    )
}

fn bars(spent: &[LatencySpent]) -> Vec<Bar<'_>> {
    let mut drawn: Vec<&LatencySpent> = spent.iter().filter(|of| !of.rows.is_empty()).collect();
    drawn.sort_by_key(|of| Reverse(of.count));
    drawn.truncate(DRAWN_MAX);
    drawn.sort_by(|one, other| (&one.group, one.qos).cmp(&(&other.group, other.qos)));
    let is_alone = drawn.len() == 1;
    let bars = drawn.iter().flat_map(|of| {
        of.rows.iter().map(move |row| {
            let latency = duration_text(row.latency_us / 1e6);
            let what = format!("{}: {latency}", row.of.in_words());
            let name = match is_alone {
                true => what,
                false => format!("{} QoS {}, {what}", of.group, of.qos),
            };
            Bar { name, row }
        })
    });
    bars.collect()
}

/// The part of a bar, as a share of its latency; `None` if there is nothing of it.
fn rectangle(at: f64, row: &SpentRow, part: LatencyPart) -> Option<Rectangle> {
    let share = |us: f64| us / row.latency_us;
    let before: f64 = row.parts_us[..part as usize].iter().sum();
    let own = row.part_us(part);
    (own > 0.0).then(|| Rectangle {
        x: Span::new(share(before), share(before + own)),
        y: Span::new(at - 0.36, at + 0.36),
    })
}

const fn ink(part: LatencyPart) -> Ink {
    match part {
        LatencyPart::Generator => Ink::Axis,
        LatencyPart::Device => Ink::Series(3),
        LatencyPart::LinkUp => Ink::Series(2),
        LatencyPart::Broker => Ink::Series(0),
        LatencyPart::LinkDown => Ink::Series(1),
    }
}

#[cfg(test)]
mod tests {
    use squall_run::{SpentBy, sample};

    use super::*;

    /// The parts of a bar follow each other and fill it.
    #[test]
    fn the_parts_fill_their_bar() {
        let mut run = sample::passing();
        run.measured.spent = vec![LatencySpent {
            group: "readers".to_owned(),
            qos: 1,
            count: 1_000,
            undivided: 0,
            rows: vec![SpentRow {
                of: SpentBy::Median,
                count: 10,
                latency_us: 8_000.0,
                parts_us: [1_000.0, 0.0, 4_000.0, 2_000.0, 1_000.0],
            }],
        }];

        let chart = chart(&run).expect("there is a bar");

        let ends: Vec<(&str, f64, f64)> = chart
            .figure
            .layers
            .iter()
            .map(|layer| match layer {
                Layer::Bars {
                    label, rectangles, ..
                } => (label.as_str(), rectangles[0].x.low, rectangles[0].x.high),
                Layer::Line(_) | Layer::Dots { .. } | Layer::Cells(_) => panic!("only bars"),
            })
            .collect();
        assert_eq!(
            ends,
            [
                ("generator", 0.0, 0.125),
                ("link up", 0.125, 0.625),
                ("broker", 0.625, 0.875),
                ("link down", 0.875, 1.0)
            ]
        );
    }
}
