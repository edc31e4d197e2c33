//! How long the wills of silent drops took, beside what Keep Alive allows.

use squall_run::{Histogram, MetricName, Run, Tags, duration_text};

use super::Chart;
use super::figure::{Axis, Figure, Layer, Mark, MarkLine, Rectangle, Unit};
use super::scale::Scale;
use super::theme::Ink;
use crate::table::{Cell, Column, Table};

/// Bars between the least and the greatest sample.
const BINS: u32 = 24;

const SILENT: &str = "silent";

/// Histogram on an even axis, with one and a half times Keep Alive and the scenario's limit.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let times = times(run);
    let (least, most) = (times.min_us()? as f64, times.max_us()? as f64);
    let marks = marks(run);
    let farthest = marks
        .iter()
        .map(|(at_us, _, _)| *at_us)
        .fold(most, f64::max);
    let nearest = marks
        .iter()
        .map(|(at_us, _, _)| *at_us)
        .fold(least, f64::min);
    let room = ((farthest - nearest) * 0.08).max(10_000.0);
    let bars = bars(&times, (least, most));
    let highest = bars.iter().map(|bar| bar.y.1).fold(0.0, f64::max);
    let mut figure = Figure::new(
        Axis::new(
            "From the drop to the will",
            Scale::Linear((nearest - room).max(0.0), farthest + room),
            Unit::Micros,
        ),
        Axis::new("Wills", Scale::from_zero(highest), Unit::Count),
    );
    figure.layers.push(Layer::Bars {
        label: String::new(),
        rectangles: bars,
        ink: Ink::Series(1),
    });
    for (at_us, label, ink) in marks {
        figure.marks.push(Mark {
            line: MarkLine::Vertical(at_us),
            label,
            ink,
        });
    }
    Chart::of(
        "time-to-will-silent",
        "Time to will after a silent drop",
        "A broker notices a silent drop by Keep Alive alone: it waits 1.5 times its length from the last packet it got, which \
         was some time before the drop. So wills come up to one Keep Alive sooner than the mark, and not much later.",
        figure,
    )
}

/// The bars as a table.
pub(crate) fn table(run: &Run) -> Table {
    let columns = vec![
        Column::quantity("From", "us"),
        Column::quantity("To", "us"),
        Column::count("Wills"),
    ];
    let mut table = Table::new(
        "time-to-will-silent",
        "Wills of silent drops by time",
        columns,
    );
    let times = times(run);
    let (Some(least), Some(most)) = (times.min_us(), times.max_us()) else {
        return table;
    };
    for bar in bars(&times, (least as f64, most as f64)) {
        table.row(vec![
            Cell::Micros(bar.x.0),
            Cell::Micros(bar.x.1),
            Cell::Count(bar.y.1 as u64),
        ]);
    }
    table
}

fn times(run: &Run) -> Histogram {
    let tags = Tags::from([("how".to_owned(), SILENT.to_owned())]);
    run.measured.metrics.select(MetricName::TimeToWill, &tags)
}

/// Where the references are, in microseconds.
fn marks(run: &Run) -> Vec<(f64, String, Ink)> {
    let silent = || run.measured.wills.iter().filter(|will| will.how == SILENT);
    let mut allowed_s: Vec<f64> = silent()
        .filter_map(|will| keep_alive_allows_s(run, will.fault.as_deref()?))
        .collect();
    allowed_s.sort_by(f64::total_cmp);
    allowed_s.dedup();
    let mut limits_s: Vec<f64> = silent().filter_map(|will| will.limit_s).collect();
    limits_s.sort_by(f64::total_cmp);
    limits_s.dedup();
    let allowed = allowed_s.into_iter().map(|seconds| {
        let label = format!("1.5 × Keep Alive {}", duration_text(seconds));
        (seconds * 1e6, label, Ink::Text)
    });
    let limits = limits_s.into_iter().map(|seconds| {
        let label = format!("limit {}", duration_text(seconds));
        (seconds * 1e6, label, Ink::Limit)
    });
    allowed.chain(limits).collect()
}

/// One and a half times the Keep Alive of the group that `fault` is aimed at, in seconds (§3.1.2.10).
///
/// `None` if the fault is aimed at no one group, or the group has no Keep Alive.
pub(crate) fn keep_alive_allows_s(run: &Run, fault: &str) -> Option<f64> {
    let fault = run
        .measured
        .faults
        .iter()
        .find(|occurrence| occurrence.name == fault)?;
    let name = fault.group.as_ref()?;
    let group = run
        .settings
        .groups
        .iter()
        .find(|group| group.name == *name)?;
    (group.keep_alive_s > 0).then(|| f64::from(group.keep_alive_s) * 1.5)
}

/// Bars of equal width that hold every sample between two ends, in microseconds.
fn bars(times: &Histogram, (least, most): (f64, f64)) -> Vec<Rectangle> {
    // No narrower than what a histogram of three digits can tell apart.
    let width = ((most - least) / f64::from(BINS))
        .max(most / 500.0)
        .max(1.0);
    let count = ((most - least) / width).floor() as usize + 1;
    let mut heights = vec![0_u64; count];
    for bucket in times.buckets() {
        let place = ((bucket.low_us as f64 - least) / width).max(0.0) as usize;
        heights[place.min(count - 1)] += bucket.count;
    }
    heights
        .iter()
        .enumerate()
        .map(|(index, height)| {
            let left = least + index as f64 * width;
            Rectangle {
                x: (left, left + width),
                y: (0.0, *height as f64),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// Bars hold every sample, also where all are the same.
    #[test]
    fn bars_keep_all_samples() {
        let mut times = Histogram::new();
        for value_us in [13_000_000, 14_200_000, 14_900_000, 15_010_000] {
            times.record_us(value_us);
        }
        let mut one = Histogram::new();
        one.record_us_times(15_000_000, 7);

        let sum = |bars: Vec<Rectangle>| bars.iter().map(|bar| bar.y.1).sum::<f64>();
        assert_eq!(sum(bars(&times, (13e6, 15.01e6))), 4.0);
        assert_eq!(sum(bars(&one, (15e6, 15e6))), 7.0);
    }

    /// The mark is 1.5 times the Keep Alive of the group that was hit (§3.1.2.10), and the limit the scenario's.
    #[test]
    fn references_are_keep_alive_and_limit() {
        let run = sample::passing();

        let chart = chart(&run).unwrap();

        let labels: Vec<&str> = chart
            .figure
            .marks
            .iter()
            .map(|mark| mark.label.as_str())
            .collect();
        let silent = run
            .measured
            .wills
            .iter()
            .find(|will| will.how == SILENT)
            .unwrap();
        let allowed_s = keep_alive_allows_s(&run, silent.fault.as_deref().unwrap()).unwrap();
        assert_eq!(
            labels,
            [
                format!("1.5 × Keep Alive {}", duration_text(allowed_s)),
                format!("limit {}", duration_text(silent.limit_s.unwrap())),
            ]
        );
    }
}
