//! How long the wills of silent drops took, beside what Keep Alive allows.

use squall_run::{Histogram, MetricName, Run, Tags, WillOutcome, count_text, duration_text};

use super::Chart;
use super::figure::{Axis, Figure, Layer, Mark, MarkLine, Rectangle};
use super::scale::{Scale, Span};
use super::theme::Ink;
use super::unit::Unit;
use crate::on_links;
use crate::table::{Cell, Column, Table};

/// Bars between the least and the greatest sample.
const BINS: u32 = 24;

const SILENT: &str = "silent";

/// Histogram on an even axis, with one and a half times Keep Alive and the scenario's limit.
pub(crate) fn chart(run: &Run) -> Option<Chart> {
    let times = times(run);
    let samples = Span::new(times.min_us()? as f64, times.max_us()? as f64);
    let marks = marks(run);
    let places = || marks.iter().map(|mark| mark.at_us);
    let all = Span::new(
        places().fold(samples.low, f64::min),
        places().fold(samples.high, f64::max),
    );
    let room = (all.length() * 0.08).max(10_000.0);
    let bars = bars(&times, samples);
    let highest = bars.iter().map(|bar| bar.y.high).fold(0.0, f64::max);
    let mut figure = Figure::new(
        Axis::new(
            "From the drop to the will",
            Scale::Linear((all.low - room).max(0.0), all.high + room),
            Unit::Micros,
        ),
        Axis::new("Wills", Scale::from_zero(highest), Unit::Count),
    );
    figure.layers.push(Layer::Bars {
        label: String::new(),
        rectangles: bars,
        ink: Ink::Series(1),
    });
    for mark in marks {
        figure.marks.push(Mark {
            line: MarkLine::Vertical(mark.at_us),
            label: mark.label,
            ink: mark.ink,
        });
    }
    Chart::of(
        "time-to-will-silent",
        "Time to will after a silent drop",
        &format!(
            "{}{}",
            caption(&times, &allowed_s(run)),
            on_links::sentence(
                &run.measured.metrics,
                MetricName::TimeToWill,
                &silent_tags()
            )
        ),
        figure,
    )
}

/// How to read it, and how many came later than Keep Alive allows, if that is one time for all.
fn caption(times: &Histogram, allowed_s: &[f64]) -> String {
    let mut caption = "A broker notices a silent drop by Keep Alive alone: it waits 1.5 times its length from the last packet it got. \
                       That packet mostly came before the drop, so most wills are due up to one Keep Alive before the mark; \
                       one that a link delivered after the drop puts the will off."
        .to_owned();
    if let [allowed_s] = allowed_s {
        let late = times.count() - times.count_at_or_below((allowed_s * 1e6) as u64);
        let latest_s = times.max_us().unwrap_or(0) as f64 / 1e6 - allowed_s;
        let all = count_text(times.count());
        caption.push_str(&match late {
            0 => format!(" All {all} came before the mark."),
            late => format!(
                " {} of {all} came after the mark, the last one {} after it.",
                count_text(late),
                duration_text(latest_s.max(0.0))
            ),
        });
    }
    caption
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
    for bar in bars(&times, Span::new(least as f64, most as f64)) {
        table.row(vec![
            Cell::Micros(bar.x.low),
            Cell::Micros(bar.x.high),
            Cell::Count(bar.y.high as u64),
        ]);
    }
    table
}

fn times(run: &Run) -> Histogram {
    let metrics = &run.measured.metrics;
    metrics.select(MetricName::TimeToWill, &silent_tags())
}

fn silent_tags() -> Tags {
    Tags::from([("how".to_owned(), SILENT.to_owned())])
}

/// A reference, in microseconds.
struct Reference {
    at_us: f64,
    label: String,
    ink: Ink,
}

fn marks(run: &Run) -> Vec<Reference> {
    let limits = silent(run).filter_map(|will| will.limit_s);
    let reference = |words: &str, seconds: f64, ink| Reference {
        at_us: seconds * 1e6,
        label: format!("{words} {}", duration_text(seconds)),
        ink,
    };
    let allowed = allowed_s(run).into_iter();
    let allowed = allowed.map(|seconds| reference("1.5 × Keep Alive", seconds, Ink::Text));
    let limits = distinct(limits).into_iter();
    let limits = limits.map(|seconds| reference("limit", seconds, Ink::Limit));
    allowed.chain(limits).collect()
}

fn silent(run: &Run) -> impl Iterator<Item = &WillOutcome> {
    run.measured.wills.iter().filter(|will| will.how == SILENT)
}

/// What Keep Alive allows the groups whose devices fell silent, in seconds.
fn allowed_s(run: &Run) -> Vec<f64> {
    distinct(silent(run).filter_map(|will| keep_alive_allows_s(run, will.fault.as_deref()?)))
}

/// Ascending, each once.
fn distinct(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers
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
fn bars(times: &Histogram, span: Span) -> Vec<Rectangle> {
    // No narrower than what a histogram of three digits can tell apart.
    let width = (span.length() / f64::from(BINS))
        .max(span.high / 500.0)
        .max(1.0);
    let count = (span.length() / width).floor() as usize + 1;
    let mut heights = vec![0_u64; count];
    for bucket in times.buckets() {
        let place = ((bucket.low_us as f64 - span.low) / width).max(0.0) as usize;
        heights[place.min(count - 1)] += bucket.count;
    }
    heights
        .iter()
        .enumerate()
        .map(|(index, height)| {
            let left = span.low + index as f64 * width;
            Rectangle {
                x: Span::new(left, left + width),
                y: Span::new(0.0, *height as f64),
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

        let sum = |bars: Vec<Rectangle>| bars.iter().map(|bar| bar.y.high).sum::<f64>();
        assert_eq!(sum(bars(&times, Span::new(13e6, 15.01e6))), 4.0);
        assert_eq!(sum(bars(&one, Span::new(15e6, 15e6))), 7.0);
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

    /// The caption counts what came after the mark: a broker that is late is not said to be in time.
    #[test]
    fn the_caption_counts_what_was_late() {
        let mut times = Histogram::new();
        times.record_us_times(14_000_000, 9);
        times.record_us_times(19_000_000, 991);

        let late = caption(&times, &[15.0]);
        let unknown = caption(&times, &[15.0, 30.0]);

        assert!(
            late.ends_with("991 of 1,000 came after the mark, the last one 4.00 s after it."),
            "{late}"
        );
        assert!(unknown.ends_with("puts the will off."), "{unknown}");
    }
}
