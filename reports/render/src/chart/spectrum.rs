//! Percentile spectrum: the whole distribution of latency, its far end spread out.

use squall_run::{CountedFrom, Histogram, MetricName, Population, Run, duration_text};

use super::figure::{Axis, Dot, Figure, Layer, Line, Look, Names, Stroke};
use super::scale::{Scale, nines_of};
use super::theme::Ink;
use super::unit::Unit;
use super::{Chart, limits};

/// Points of a line between two nines.
const POINTS_A_NINE: f64 = 40.0;

/// Latency of `metric` by percentile: response and service time of one population, or the response
/// times of several.
pub(crate) fn chart(run: &Run, metric: MetricName) -> Option<Chart> {
    let of = |from| run.measured.metrics.populations(metric, from);
    let response = of(CountedFrom::Scheduled);
    match response.as_slice() {
        [] => None,
        [alone] => {
            let service = of(CountedFrom::Sent);
            of_one(run, metric, &alone.histogram, service.first())
        }
        several => of_several(run, metric, several),
    }
}

/// Lines are told from their neighbours without their colours.
const STROKES: [Stroke; 3] = [Stroke::Solid, Stroke::Dashed, Stroke::Dotted];

/// How limits are shown.
const LIMITS: &str = "Red steps are the limits that the file sets: a line has to stay below them at the end of each. ";

fn told_limits(steps: &[Layer]) -> &'static str {
    if steps.is_empty() { "" } else { LIMITS }
}

/// The highest step of limits.
fn highest(steps: &[Layer]) -> Option<f64> {
    let points = steps.iter().flat_map(|layer| match layer {
        Layer::Line(line) => line.points.as_slice(),
        Layer::Bars { .. } | Layer::Dots { .. } | Layer::Cells(_) => &[],
    });
    points.map(|(_, us)| *us).reduce(f64::max)
}

/// Where one sample is left, on every line.
pub(super) const END: &str =
    "Each step to the right is ten times rarer. A line ends where one sample is left: the maximum.";

fn of_one(
    run: &Run,
    metric: MetricName,
    response: &Histogram,
    service: Option<&Population>,
) -> Option<Chart> {
    let service = service.map(|population| &population.histogram);
    let steps = limits::steps(run, metric, quantile_at(nines_of_count(response)));
    let room = room_above(response).into_iter().chain(highest(&steps));
    let mut figure = axes([response].into_iter().chain(service), room);
    let told = told_limits(&steps);
    figure.layers.extend(steps);
    if let Some(service) = service {
        figure.layers.push(line(
            "service time",
            service,
            look(Ink::Series(5), Stroke::Dashed),
        ));
    }
    figure.layers.push(line(
        "response time",
        response,
        look(Ink::Series(0), Stroke::Solid),
    ));
    if let Some(max_us) = response.max_us() {
        let at = (quantile_at(nines_of_count(response)), max_us.max(1) as f64);
        let text = format!("max {}", duration_text(max_us as f64 / 1e6));
        figure.layers.push(Layer::Dots {
            label: String::new(),
            dots: vec![Dot { at, text }],
            ink: Ink::Series(0),
        });
    }
    let caption = format!(
        "Response time counts from the moment a message was due, service time from the moment it was really sent; \
         where they part, messages waited. {told}{END}"
    );
    chart_of(&caption, figure)
}

fn of_several(run: &Run, metric: MetricName, populations: &[Population]) -> Option<Chart> {
    let mut slowest: Vec<&Population> = populations.iter().collect();
    slowest.sort_by_key(|population| std::cmp::Reverse(population.histogram.max_us()));
    slowest.truncate(Ink::SERIES);
    let most = slowest
        .iter()
        .map(|population| nines_of_count(&population.histogram));
    let steps = limits::steps(run, metric, quantile_at(most.fold(1.0, f64::max)));
    let mut figure = axes(
        slowest.iter().map(|population| &population.histogram),
        highest(&steps),
    );
    let told = told_limits(&steps);
    figure.layers.extend(steps);
    for (index, population) in slowest.iter().enumerate() {
        figure.layers.push(line(
            &population.to_string(),
            &population.histogram,
            look(Ink::Series(index), STROKES[index % STROKES.len()]),
        ));
    }
    // They end at different percentiles, so that a name beside the plot could stand far from its line.
    figure.names = Names::Above;
    let left_out = match populations.len() - slowest.len() {
        0 => String::new(),
        more => format!(" {more} further ones, all faster, are in the table."),
    };
    let caption = format!(
        "Response time, from the moment a message was due, by group and QoS. There is no line for all together: what they \
         wait for differs.{left_out} {told}{END}"
    );
    chart_of(&caption, figure)
}

fn chart_of(caption: &str, figure: Figure) -> Option<Chart> {
    Chart::of("latency-spectrum", "Latency by percentile", caption, figure)
}

fn look(ink: Ink, stroke: Stroke) -> Look {
    Look { ink, stroke }
}

/// Axes that hold all of `histograms`, and `room` above them.
pub(super) fn axes<'a>(
    histograms: impl Iterator<Item = &'a Histogram> + Clone,
    room: impl IntoIterator<Item = f64>,
) -> Figure {
    let most = histograms.clone().map(Histogram::count).max().unwrap_or(0);
    let ends = histograms
        .flat_map(|histogram| [histogram.min_us(), histogram.max_us()])
        .flatten()
        .map(|value| value.max(1) as f64)
        .chain(room);
    Figure::new(
        Axis::new(
            "Percentile, on a scale of 1 / (1 − p)",
            Scale::Nines((most as f64).log10().max(1.0)),
            Unit::Percentile,
        ),
        Axis::new("Latency", Scale::log_around(ends), Unit::Micros),
    )
}

/// Room above the maximum for its label, which would lie on the other line below it.
fn room_above(histogram: &Histogram) -> Option<f64> {
    let (least, most) = (
        histogram.min_us()?.max(1) as f64,
        histogram.max_us()? as f64,
    );
    Some(most * (most / least).max(1.0).powf(0.12).max(1.5))
}

/// The line of a distribution.
pub(super) fn line(label: &str, histogram: &Histogram, look: Look) -> Layer {
    let nines = nines_of_count(histogram);
    let steps = (nines * POINTS_A_NINE).ceil() as u32;
    let places = (0..steps).map(|step| nines * f64::from(step) / f64::from(steps));
    let before_last = places.map(quantile_at).filter_map(|quantile| {
        let value_us = histogram.quantile_us(quantile)?;
        Some((quantile, value_us))
    });
    // Where one sample is left, it is the maximum: the quantile there is still that of the last but one.
    let last = histogram
        .max_us()
        .map(|max_us| (quantile_at(nines), max_us));
    let points = before_last
        .chain(last)
        .map(|(quantile, value_us)| (quantile, value_us.max(1) as f64))
        .collect();
    Layer::Line(Line {
        label: label.to_owned(),
        points,
        look,
    })
}

/// Where the last sample is: of n samples, one n-th is left.
fn nines_of_count(histogram: &Histogram) -> f64 {
    nines_of(1.0 - 1.0 / histogram.count().max(2) as f64)
}

fn quantile_at(nines: f64) -> f64 {
    1.0 - 10_f64.powf(-nines)
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// The lines of distributions.
    fn lines(chart: &Chart) -> Vec<&Line> {
        let layers = chart.figure.layers.iter();
        layers
            .filter_map(|layer| match layer {
                Layer::Line(line) => (line.look.ink != Ink::Limit).then_some(line),
                Layer::Dots { .. } | Layer::Bars { .. } | Layer::Cells(_) => None,
            })
            .collect()
    }

    /// The line ends in the maximum, and the dot of the maximum sits on its end.
    #[test]
    fn the_maximum_sits_on_the_end_of_the_line() {
        let mut run = sample::passing();
        let cells = &mut run.measured.metrics.cells;
        cells.retain(|cell| cell.tags.get("qos").is_none_or(|qos| qos != "2"));
        for cell in cells {
            // One sample far beyond the others.
            cell.histogram.record_us(30_000_000);
        }

        let chart = chart(&run, MetricName::E2eLatency).unwrap();

        let dots: Vec<(f64, f64)> = chart
            .figure
            .layers
            .iter()
            .flat_map(|layer| match layer {
                Layer::Dots { dots, .. } => dots.iter().map(|dot| dot.at).collect(),
                Layer::Line(_) | Layer::Bars { .. } | Layer::Cells(_) => Vec::new(),
            })
            .collect();
        let response = lines(&chart)[1];
        assert_eq!(response.label, "response time");
        assert_eq!(response.points.last(), dots.first());
        assert_eq!(dots[0].1, 30_000_000.0);
    }

    /// Groups and QoS that have nothing in common have a line each, and no line is for all.
    #[test]
    fn populations_have_lines_of_their_own() {
        let chart = chart(&sample::passing(), MetricName::E2eLatency).unwrap();

        let labels: Vec<&str> = lines(&chart)
            .iter()
            .map(|line| line.label.as_str())
            .collect();
        assert_eq!(labels, ["backend QoS 2", "backend QoS 1"]);
    }
}
