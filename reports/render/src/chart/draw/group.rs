//! Groups in SVG: what belongs together, how its lines are broken, and what is told of it.
//!
//! plotters draws single elements only, one after the other. A group is noted between them as a text that
//! begins with a character of private use, and [`grouped`] makes elements of these texts.

use super::canvas::{Canvas, Point};
use crate::chart::figure::{Dot, Figure, Frame, Line, Rectangle};
use crate::chart::scale::Scale;
use crate::chart::unit::Unit;

/// Begins a note. No font has it, and none is asked for it.
const NOTE: char = '\u{e000}';
/// Parts the fields of a note.
const FIELD: char = '\u{e001}';
/// Ends a group.
pub(super) const CLOSE: &str = "\u{e000}";

/// A group of elements.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    /// What it is, for style and script.
    class: &'static str,
    /// Which series it belongs to; may be empty.
    name: String,
    /// What is shown beside the pointer; may be empty.
    title: String,
    /// How its lines are broken, as SVG has it; may be empty.
    dashes: String,
    /// Where the plot is: left, top, right, bottom, and the values at its left and right; may be empty.
    plot: String,
}

impl Group {
    /// A line of a series.
    pub(super) fn of_line(line: &Line, canvas: &Canvas) -> Self {
        Self {
            class: "series",
            name: line.label.clone(),
            title: line.label.clone(),
            dashes: line
                .look
                .stroke
                .dashes()
                .map_or_else(String::new, |dashes| in_units(dashes, canvas)),
            ..Self::default()
        }
    }

    /// The name of a series.
    pub(super) fn of_name(name: &str) -> Self {
        Self {
            class: "name",
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// What a script moves when it shows less time than the chart does; `None` in charts that are not over time.
    pub(super) fn of_time(figure: &Figure) -> Option<Self> {
        Self::in_chart_over_time(figure, "time")
    }

    /// What is right only while the chart shows all of its time, and that a script hides otherwise; `None` likewise.
    pub(super) fn of_whole(figure: &Figure) -> Option<Self> {
        Self::in_chart_over_time(figure, "whole")
    }

    fn in_chart_over_time(figure: &Figure, class: &'static str) -> Option<Self> {
        match figure.frame {
            Frame::OverTime => Some(Self {
                class,
                ..Self::default()
            }),
            Frame::Own => None,
        }
    }

    /// Lines that are broken.
    pub(super) fn of_dashes(dashes: (f64, f64), canvas: &Canvas) -> Self {
        Self {
            class: "dashes",
            dashes: in_units(dashes, canvas),
            ..Self::default()
        }
    }

    /// A bar, with its bounds and its height.
    pub(super) fn of_bar(figure: &Figure, bar: &Rectangle) -> Self {
        let x = |value| figure.x.unit.label(value, bar.x.length());
        let title = match &figure.y.unit {
            Unit::Names(names) => {
                let name = names.get(((bar.y.low + bar.y.high) / 2.0).round() as usize);
                let name = name.map_or("", String::as_str);
                format!("{name}: {}", x(bar.x.high))
            }
            unit @ (Unit::RunTime
            | Unit::Micros
            | Unit::Count
            | Unit::PerSecond
            | Unit::Bytes
            | Unit::Cores
            | Unit::Share
            | Unit::Percentile) => format!(
                "{} to {}: {}",
                x(bar.x.low),
                x(bar.x.high),
                unit.label(bar.y.high, bar.y.high)
            ),
        };
        Self {
            class: "bar",
            title,
            ..Self::default()
        }
    }

    /// A point, with what it says.
    pub(super) fn of_dot(figure: &Figure, dot: &Dot) -> Self {
        let (x, y) = dot.at;
        let title = if let (true, Unit::Names(names)) = (dot.text.is_empty(), &figure.y.unit) {
            let name = names.get(y.round() as usize).map_or("", String::as_str);
            format!("{name}: {}", figure.x.unit.label(x, x))
        } else if dot.text.is_empty() {
            format!(
                "{}, {}",
                figure.x.unit.label(x, x),
                figure.y.unit.label(y, y)
            )
        } else {
            dot.text.clone()
        };
        Self {
            class: "dot",
            title,
            ..Self::default()
        }
    }

    /// Where the plot of a chart over time is (left, top, right, bottom), for a script; `None` for other charts.
    pub(super) fn of_plot(figure: &Figure, sides: [i32; 4]) -> Option<Self> {
        match (figure.frame, figure.x.scale) {
            (Frame::OverTime, Scale::Linear(from, to)) => Some(Self {
                class: "plot",
                plot: format!(
                    "{} {from:.3} {to:.3}",
                    sides.map(|side| side.to_string()).join(" ")
                ),
                ..Self::default()
            }),
            (Frame::Own | Frame::OverTime, _) => None,
        }
    }

    /// The text that stands for its beginning.
    pub(super) fn note(&self) -> String {
        let clean = |text: &str| text.replace([NOTE, FIELD], "");
        let fields = [
            self.class.to_owned(),
            clean(&self.name),
            clean(&self.title),
            self.dashes.clone(),
            self.plot.clone(),
        ];
        format!("{NOTE}{}", fields.join(&FIELD.to_string()))
    }
}

fn in_units((on, off): (f64, f64), canvas: &Canvas) -> String {
    format!("{} {}", canvas.units(on), canvas.units(off))
}

/// `svg` with groups where there were notes.
pub(crate) fn grouped(svg: &str) -> String {
    let mut rest = svg;
    let mut out = String::with_capacity(rest.len());
    while let Some(at) = rest.find(NOTE) {
        let (before, after) = rest.split_at(at);
        // The note is all that its text element holds.
        let element = before.rfind("<text").unwrap_or(before.len());
        let (note, later) = after.split_once("</text>").unwrap_or((after, ""));
        out.push_str(before[..element].trim_end_matches('\n'));
        out.push_str(&element_of(note.trim_start_matches(NOTE).trim()));
        rest = later;
    }
    out.push_str(rest);
    out
}

/// The element that a note stands for; its fields are escaped for texts already.
fn element_of(note: &str) -> String {
    let mut fields = note.split(FIELD);
    let mut field = || fields.next().unwrap_or_default();
    let class = field();
    if class.is_empty() {
        return "</g>".to_owned();
    }
    let (name, title, dashes, plot) = (field(), field(), field(), field());
    let mut element = format!("<g class=\"{class}\"");
    for (attribute, value) in [
        ("data-name", name),
        ("stroke-dasharray", dashes),
        ("data-plot", plot),
    ] {
        if !value.is_empty() {
            element.push_str(&format!(
                " {attribute}=\"{}\"",
                value.replace('"', "&quot;")
            ));
        }
    }
    element.push('>');
    if !title.is_empty() {
        element.push_str(&format!("<title>{title}</title>"));
    }
    element
}

/// Pieces of `on` units of a line through `points`, with `off` units between them.
pub(super) fn pieces(points: &[Point], on: f64, off: f64) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<Point> = points.first().copied().into_iter().collect();
    let mut is_on = true;
    let mut left = on;
    for pair in points.windows(2) {
        let (mut from, to) = (to_f64(pair[0]), to_f64(pair[1]));
        loop {
            let (dx, dy) = (to.0 - from.0, to.1 - from.1);
            let length = dx.hypot(dy);
            if length < left {
                left -= length;
                break;
            }
            from = (from.0 + dx * left / length, from.1 + dy * left / length);
            let corner = (from.0.round() as i32, from.1.round() as i32);
            if is_on {
                piece.push(corner);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece.push(corner);
            }
            is_on = !is_on;
            left = if is_on { on } else { off };
        }
        if is_on {
            piece.push(pair[1]);
        }
    }
    if is_on {
        pieces.push(piece);
    }
    pieces
}

fn to_f64((x, y): Point) -> (f64, f64) {
    (x.into(), y.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes become groups, and what is between them stays.
    #[test]
    fn notes_become_groups() {
        let open = Group {
            class: "series",
            name: "a \"b\"".to_owned(),
            title: "a".to_owned(),
            dashes: "14 8".to_owned(),
            plot: String::new(),
        };
        let svg = format!(
            "<svg>\n<text x=\"0\">\n{}</text>\n<polyline/>\n<text x=\"0\">\n{CLOSE}</text>\n<text>x</text></svg>",
            open.note()
        );

        let grouped = grouped(&svg);

        assert_eq!(
            grouped,
            "<svg><g class=\"series\" data-name=\"a &quot;b&quot;\" stroke-dasharray=\"14 8\"><title>a</title>\n<polyline/></g>\n<text>x</text></svg>"
        );
    }

    /// Dashes go on around corners, and their gaps are left out.
    #[test]
    fn dashes_follow_the_line() {
        let corner = [(0, 0), (10, 0), (10, 10)];

        assert_eq!(
            pieces(&corner, 6.0, 2.0),
            [
                vec![(0, 0), (6, 0)],
                vec![(8, 0), (10, 0), (10, 4)],
                vec![(10, 6), (10, 10)]
            ]
        );
        assert_eq!(pieces(&[(0, 0), (0, 0)], 6.0, 2.0).len(), 1);
    }
}
