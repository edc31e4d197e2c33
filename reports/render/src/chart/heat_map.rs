//! Heat map: all latencies over time, nothing hidden behind a percentile.

use squall_run::{Histogram, Population, Run, count_text};

use super::Chart;
use super::figure::{Axis, Layer, Ramp, Rectangle};
use super::over_time;
use super::rows;
use super::scale::{Scale, Span};
use super::theme::Ink;
use super::unit::Unit;
use crate::table::{self, Cell, Table};

const COLUMNS: usize = 150;
const ROWS: usize = 28;

/// Counts by time and latency.
struct Grid {
    scale: Scale,
    columns: Vec<Column>,
}

/// A stretch of time.
struct Column {
    /// Seconds since measuring began.
    time: Span,
    /// The ranges of latency that have counts.
    bins: Vec<rows::Bin>,
}

/// One range of latency in one stretch of time.
struct GridCell {
    time: Span,
    bin: rows::Bin,
}

impl Grid {
    fn of(run: &Run, population: &Population) -> Option<Self> {
        let latencies: Vec<(Span, Histogram)> = over_time::stretches(run, COLUMNS)
            .iter()
            .map(|stretch| {
                let time = Span::new(stretch.from_s, stretch.to_s);
                (
                    time,
                    stretch.merged(|interval| interval.latency_of(population)),
                )
            })
            .filter(|(_, latency)| !latency.is_empty())
            .collect();
        let extremes = latencies
            .iter()
            .flat_map(|(_, latency)| [latency.min_us(), latency.max_us()]);
        let scale = Scale::log_around(extremes.flatten().map(|value| value.max(1) as f64));
        let Scale::Log(low, high) = scale else {
            return None;
        };
        let columns = latencies.into_iter().map(|(time, latency)| {
            let mut bins = rows::between(&latency, Span::new(low, high), ROWS);
            bins.retain(|bin| bin.count > 0);
            Column { time, bins }
        });
        Some(Self {
            scale,
            columns: columns.collect(),
        })
    }

    fn cells(&self) -> impl Iterator<Item = GridCell> + '_ {
        self.columns.iter().flat_map(|column| {
            let time = column.time;
            column
                .bins
                .iter()
                .map(move |bin| GridCell { time, bin: *bin })
        })
    }
}

/// End-to-end latency of one population over time, colour by the number of messages; `id` names its
/// files, and `of` is added to its title.
pub(crate) fn chart(run: &Run, population: &Population, id: &str, of: &str) -> Option<Chart> {
    let grid = Grid::of(run, population)?;
    let most = grid.cells().map(|cell| cell.bin.count).max()?;
    let mut figure = over_time::figure(
        run,
        Axis::new("End-to-end latency", grid.scale, Unit::Micros),
    );
    // Faults are named in the chart of percentiles; here they would hide the cells.
    figure.marks.clear();
    figure.bands.clear();
    let cells = grid.cells().map(|GridCell { time, bin }| {
        let rectangle = Rectangle {
            x: time,
            y: Span::new(bin.low_us, bin.high_us),
        };
        (rectangle, Ink::Heat(step(bin.count, most)))
    });
    figure.layers.push(Layer::Cells(cells.collect()));
    figure.ramp = Some(Ramp {
        low: "1".to_owned(),
        high: format!("{} messages", count_text(most)),
    });
    let caption = format!(
        "{}. Each cell counts those of one stretch of time and one range of latency; the colour is by the logarithm of the \
         count, so that a single message is still seen.",
        over_time::messages_of(population)
    );
    Chart::of(
        id,
        &format!("Every latency over time{of}"),
        &caption,
        figure,
    )
}

/// The counts behind the chart.
pub(crate) fn table(run: &Run, population: &Population, id: &str) -> Table {
    let columns = vec![
        table::Column::quantity("From", "s"),
        table::Column::quantity("To", "s"),
        table::Column::quantity("Latency from", "us"),
        table::Column::quantity("Latency to", "us"),
        table::Column::count("Messages"),
    ];
    let mut table = Table::new(id, "Messages by time and latency", columns);
    for GridCell { time, bin } in Grid::of(run, population).iter().flat_map(Grid::cells) {
        table.row(vec![
            Cell::At(time.low),
            Cell::At(time.high),
            Cell::Micros(bin.low_us),
            Cell::Micros(bin.high_us),
            Cell::Count(bin.count),
        ]);
    }
    table
}

/// The colour of a count, by its logarithm between 1 and `most`.
fn step(count: u64, most: u64) -> usize {
    if most <= 1 {
        return Ink::HEATS - 1;
    }
    let share = (count.max(1) as f64).ln() / (most as f64).ln();
    (share * (Ink::HEATS - 1) as f64).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One message has the palest colour, the most the strongest.
    #[test]
    fn colours_span_the_counts() {
        assert_eq!(step(1, 10_000), 0);
        assert_eq!(step(10_000, 10_000), Ink::HEATS - 1);
        assert_eq!(step(1, 1), Ink::HEATS - 1);
    }
}
