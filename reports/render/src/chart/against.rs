//! A figure of several runs against an axis of numbers: how it goes up or down with the value.

use squall_run::{Figure as RunFigure, FigureUnit, Row, RunSet};

use super::Chart;
use super::figure::{Axis, Dot, Figure, Layer, Line, Look, Names, Stroke};
use super::scale::Scale;
use super::theme::Ink;
use super::unit::Unit;
use crate::table::{Cell, Column, Table};

/// From this ratio of the greatest to the least value on, the axis is logarithmic: a linear one would crowd the
/// small values at its beginning.
const LOG_FROM: f64 = 20.0;

/// Why an axis of numbers has no chart.
pub(crate) const TOO_MANY: &str = "more lines than can be told apart";

/// How runs are spaced along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// By their values: by the logarithm of these where they reach far.
    OfValues,
    /// One after the other: the values are their numbers.
    InOrder,
}

/// The runs along one axis: a line for each combination of the other axes.
struct Along<'a> {
    /// The place of the axis.
    axis: usize,
    spacing: Spacing,
    lines: Vec<OneLine<'a>>,
}

/// The rows that differ in the axis only, ascending.
struct OneLine<'a> {
    /// The values of the other axes.
    others: Vec<&'a str>,
    rows: Vec<(f64, Row<'a>)>,
}

/// Charts of `figures` along axis number `axis`, each with its numbers; empty where its values are not two numbers at
/// least.
///
/// # Errors
/// [`TOO_MANY`], where the other axes make more lines than there are colours.
pub(crate) fn charts(
    set: &RunSet,
    axis: usize,
    spacing: Spacing,
    figures: &[RunFigure],
) -> Result<Vec<(Chart, Table)>, &'static str> {
    let Some(along) = Along::of(set, axis, spacing) else {
        return Ok(Vec::new());
    };
    match along.lines.len() > Ink::SERIES {
        true => Err(TOO_MANY),
        false => Ok(figures
            .iter()
            .filter_map(|figure| along.chart(set, *figure))
            .collect()),
    }
}

impl<'a> Along<'a> {
    fn of(set: &'a RunSet, axis: usize, spacing: Spacing) -> Option<Self> {
        let mut lines: Vec<OneLine<'a>> = Vec::new();
        for row in set.rows() {
            let value: f64 = row.values[axis]
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite())?;
            let places = row.values.iter().enumerate();
            let others: Vec<&str> = places
                .filter(|(place, _)| *place != axis)
                .map(|(_, value)| value.as_str())
                .collect();
            match lines.iter_mut().find(|line| line.others == others) {
                Some(line) => line.rows.push((value, row)),
                None => lines.push(OneLine {
                    others,
                    rows: vec![(value, row)],
                }),
            }
        }
        for line in &mut lines {
            line.rows
                .sort_by(|(one, _), (other, _)| one.total_cmp(other));
        }
        let has_several = lines.iter().any(|line| line.rows.len() > 1);
        has_several.then_some(Self {
            axis,
            spacing,
            lines,
        })
    }

    fn chart(&self, set: &RunSet, of: RunFigure) -> Option<(Chart, Table)> {
        let name = &set.short_axes()[self.axis];
        let runs: Vec<(f64, f64)> = self.lines.iter().flat_map(|line| line.runs(of)).collect();
        let highest = runs.iter().map(|(_, y)| *y).fold(0.0, f64::max);
        let first = runs.first()?.0;
        if highest <= 0.0 || runs.iter().all(|(x, _)| *x == first) {
            return None;
        }
        let title = capitalised(of.heading());
        let values = runs.iter().map(|(x, _)| *x);
        let x_unit = unit_of(values.clone());
        let x = Axis::new(name, scale(values, self.spacing), x_unit);
        let y = Axis::new(&title, Scale::from_zero(highest), unit(of));
        let mut figure = Figure::new(x, y);
        figure.names = Names::Above;
        for (place, line) in self.lines.iter().enumerate() {
            let ink = Ink::Series(place);
            let dots = line.runs(of).into_iter().map(|at| Dot {
                at,
                text: String::new(),
            });
            figure.layers.push(Layer::Line(Line {
                label: set.label_of_others(self.axis, &line.others),
                points: line.medians(of),
                look: Look {
                    ink,
                    stroke: Stroke::Solid,
                },
            }));
            figure.layers.push(Layer::Dots {
                label: String::new(),
                dots: dots.collect(),
                ink,
            });
        }
        let caption = match set.has_repeats() {
            true => {
                "Each dot is a run that is not INVALID; the line goes through the medians of those with the same values."
            }
            false => {
                "Each dot is one run that is not INVALID: what chance has in it, repeats would show."
            }
        };
        let id = format!("{}-against-{}", of.key(), file_name(name));
        let chart = Chart::of(&id, &format!("{title} against {name}"), caption, figure)?;
        Some((chart, self.numbers(set, of, &id)))
    }

    fn numbers(&self, set: &RunSet, of: RunFigure, id: &str) -> Table {
        let columns = vec![
            Column::words(&set.short_axes()[self.axis]),
            Column::words("With"),
            Column::count("Runs"),
            Column::count("min"),
            Column::count("median"),
            Column::count("max"),
        ];
        let mut table = Table::new(id, "Numbers", columns);
        for line in &self.lines {
            for (_, row) in &line.rows {
                let Some(spread) = row.spread(of) else {
                    continue;
                };
                let with = match set.label_of_others(self.axis, &line.others) {
                    with if with.is_empty() => Cell::None,
                    with => Cell::text(with),
                };
                let number = |number: f64| Cell::text(of.text(number));
                table.row(vec![
                    Cell::text(&row.values[self.axis]),
                    with,
                    Cell::Count(row.valid().count() as u64),
                    number(spread.min),
                    number(spread.median),
                    number(spread.max),
                ]);
            }
        }
        table
    }
}

impl OneLine<'_> {
    fn medians(&self, of: RunFigure) -> Vec<(f64, f64)> {
        let rows = self.rows.iter();
        rows.filter_map(|(x, row)| Some((*x, row.spread(of)?.median)))
            .collect()
    }

    fn runs(&self, of: RunFigure) -> Vec<(f64, f64)> {
        let rows = self.rows.iter();
        rows.flat_map(|(x, row)| {
            let figures = row.valid().filter_map(|run| run.figures.get(of));
            figures.map(|y| (*x, y)).collect::<Vec<_>>()
        })
        .collect()
    }
}

/// Between whole numbers there is nothing to mark: half a run, half a device.
fn unit_of(mut values: impl Iterator<Item = f64>) -> Unit {
    match values.all(|value| value.fract() == 0.0) {
        true => Unit::Count,
        false => Unit::Cores,
    }
}

fn scale(values: impl Iterator<Item = f64> + Clone, spacing: Spacing) -> Scale {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if spacing == Spacing::OfValues && low > 0.0 && high / low >= LOG_FROM {
        return Scale::log_around(values);
    }
    let room = match (spacing, high - low) {
        // Neither end reaches the number of a run that there is not.
        (Spacing::InOrder, _) => 0.5,
        (Spacing::OfValues, 0.0) => 1.0,
        (Spacing::OfValues, spread) => spread * 0.05,
    };
    Scale::Linear(low - room, high + room)
}

fn unit(of: RunFigure) -> Unit {
    match of.unit() {
        FigureUnit::Count | FigureUnit::PerMessage => Unit::Count,
        FigureUnit::Micros => Unit::Micros,
        FigureUnit::PerSecond => Unit::PerSecond,
        FigureUnit::Cores | FigureUnit::Seconds => Unit::Cores,
        FigureUnit::Bytes => Unit::Bytes,
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A name of an axis as part of an id.
fn file_name(name: &str) -> String {
    let kept = name
        .chars()
        .map(|letter| match letter.is_ascii_alphanumeric() {
            true => letter,
            false => '-',
        });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use squall_run::{ComparedRun, sample};

    use super::*;
    use crate::chart::Canvas;

    fn set(axes: &[&str], values: &[&[&str]]) -> RunSet {
        let axes = axes.iter().map(|axis| (*axis).to_owned()).collect();
        let mut set = RunSet::new("s".to_owned(), None, axes);
        for (n, values) in values.iter().enumerate() {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            let run = ComparedRun::not_run(values, 1, n as u64);
            set.runs
                .push(run.judged(&sample::passing(), "r".to_owned()));
        }
        set
    }

    fn lines(chart: &Chart) -> Vec<(String, Vec<f64>)> {
        let layers = chart.figure.layers.iter();
        let lines = layers.filter_map(|layer| match layer {
            Layer::Line(line) => Some((
                line.label.clone(),
                line.points.iter().map(|(x, _)| *x).collect(),
            )),
            Layer::Dots { .. } | Layer::Bars { .. } | Layer::Cells(_) => None,
        });
        lines.collect()
    }

    /// Values are put in order, and the other axes make the lines.
    #[test]
    fn a_line_goes_along_the_axis_for_each_combination_of_the_others() {
        let set = set(
            &["group.a.count", "target.use"],
            &[&["100", "x"], &["100", "y"], &["20", "x"], &["20", "y"]],
        );

        let charts = charts(&set, 0, Spacing::OfValues, &[RunFigure::Delivered]).unwrap();

        let (chart, numbers) = &charts[0];
        assert_eq!(
            lines(chart),
            [
                ("use=x".to_owned(), vec![20.0, 100.0]),
                ("use=y".to_owned(), vec![20.0, 100.0])
            ]
        );
        assert_eq!(numbers.rows.len(), 4);
    }

    /// A name that is longer than the picture is cut: its end would be beyond the edge.
    #[test]
    fn a_long_name_of_a_line_is_cut() {
        let long = "group.sensors.subscribe.0.retain_as_published=false ".repeat(6);
        let set = set(
            &["run", "x"],
            &[&["1", &long], &["2", &long], &["2", "short"]],
        );
        let charts = charts(&set, 0, Spacing::InOrder, &[RunFigure::Delivered]).unwrap();

        for canvas in [Canvas::column(), Canvas::small()] {
            let picture = charts[0].0.to_inline_svg(&canvas).unwrap();

            assert!(picture.contains("…</text>"));
            assert!(!picture.contains(&format!("x={long}</text>")));
            assert!(picture.contains("x=short</text>"));
        }
    }

    /// Names have no order to go along.
    #[test]
    fn an_axis_of_names_has_no_chart() {
        let set = set(&["target.use"], &[&["x"], &["y"]]);

        assert_eq!(
            charts(&set, 0, Spacing::OfValues, &RunFigure::ALL),
            Ok(Vec::new())
        );
    }

    /// Lines of one colour would be taken for one another.
    #[test]
    fn more_lines_than_colours_are_not_drawn() {
        let names: Vec<String> = (0..=Ink::SERIES).map(|n| format!("n{n}")).collect();
        let values: Vec<[&str; 2]> = names
            .iter()
            .flat_map(|name| [["1", name.as_str()], ["2", name.as_str()]])
            .collect();
        let values: Vec<&[&str]> = values.iter().map(<[&str; 2]>::as_slice).collect();
        let set = set(&["x", "y"], &values);

        assert_eq!(
            charts(&set, 0, Spacing::OfValues, &RunFigure::ALL),
            Err(TOO_MANY)
        );
    }

    /// Runs are counted: there is no tick between two of them, and the distance to the next one is the same throughout.
    #[test]
    fn an_axis_of_runs_has_whole_numbers_evenly() {
        let labels = |count: usize| -> Vec<String> {
            let numbers: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
            let values: Vec<[&str; 1]> = numbers.iter().map(|number| [number.as_str()]).collect();
            let values: Vec<&[&str]> = values.iter().map(<[&str; 1]>::as_slice).collect();
            let set = set(&["run"], &values);
            let charts = charts(&set, 0, Spacing::InOrder, &[RunFigure::Delivered]).unwrap();
            let x = &charts[0].0.figure.x;
            let ticks = x.scale.ticks(&x.unit, 8).into_iter();
            ticks.map(|tick| tick.label).collect()
        };

        assert_eq!(labels(2), ["1", "2"]);
        assert_eq!(labels(3), ["1", "2", "3"]);
        assert_eq!(labels(30), ["5", "10", "15", "20", "25", "30"]);
    }
}
