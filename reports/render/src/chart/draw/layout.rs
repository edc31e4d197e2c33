//! Where the parts of a chart go: the plot's edges, the rows above and below it, the ticks.
//!
//! From the top: the title, the vertical axis' title, rows of the legend, a row for the words of
//! bands and marks, the plot, tick labels, the horizontal axis' title.

use plotters::backend::DrawingBackend;

use super::canvas::Canvas;
use super::legend::{self, Entry};
use super::pen::{Pen, Weight};
use crate::chart::figure::{Figure, Frame, Layer};
use crate::chart::scale::{Scale, Tick};
use crate::chart::unit::Unit;

/// Where the parts of a chart go, in units of the picture.
pub(super) struct Layout {
    /// Left edge of the plot.
    pub(super) left: i32,
    /// Upper edge of the plot.
    pub(super) top: i32,
    /// Right edge of the plot.
    pub(super) right: i32,
    /// Lower edge of the plot.
    pub(super) bottom: i32,
    /// Left edge of everything.
    pub(super) margin: i32,
    /// Middle of the row of the vertical axis' title.
    pub(super) y_title: i32,
    /// Middle of the row of words about bands and marks.
    pub(super) words: i32,
    /// Rows of the legend: the middle of each, with its entries.
    pub(super) legend: Vec<(i32, Vec<Entry>)>,
    /// Entries at the ends of lines.
    pub(super) names_at_lines: bool,
    /// Ticks of the horizontal axis.
    pub(super) x_ticks: Vec<Tick>,
    /// Ticks of the vertical axis.
    pub(super) y_ticks: Vec<Tick>,
    x: Scale,
    y: Scale,
}

const MARGIN: f64 = 8.0;
const ROW: f64 = 20.0;
const GAP: f64 = 6.0;

impl Layout {
    /// Finds a place for each part.
    pub(super) fn of<B: DrawingBackend>(
        figure: &Figure,
        canvas: &Canvas,
        pen: &Pen<'_, B>,
    ) -> Self {
        let (width, height) = canvas.size();
        let (width, height) = (width as i32, height as i32);
        let margin = pen.units(MARGIN);
        let names_at_lines = legend::names_at_lines(figure, canvas);
        let rows = legend::rows(figure, canvas, pen, width - 2 * margin);
        let has_words = !figure.bands.is_empty() || !figure.marks.is_empty();

        let title = title_height(canvas);
        let y_title = pen.units(title + 4.0 + ROW / 2.0);
        let legend_top = pen.units(title + 4.0 + if figure.y.title.is_empty() { 0.0 } else { ROW });
        let row = pen.units(ROW);
        let words = legend_top + row * rows.len() as i32 + row / 2;
        let top = words + row / 2 * i32::from(has_words) - row / 2 * i32::from(!has_words)
            + pen.units(GAP + 4.0);
        let bottom =
            height - pen.units(ROW + GAP + if figure.x.title.is_empty() { 2.0 } else { ROW });

        // Low charts below each other have their ticks closer.
        let apart = match figure.frame {
            Frame::Own => 44.0,
            Frame::OverTime => 34.0,
        };
        let y_count = ((bottom - top) / pen.units(apart).max(1)).max(2) as usize;
        let y = figure.y.scale.up_to_a_tick(&figure.y.unit, y_count);
        let y_ticks = y.ticks(&figure.y.unit, y_count);
        let widest = y_ticks
            .iter()
            .map(|tick| pen.width_of(&tick.label, Weight::Regular))
            .max();
        let own_left = (margin + widest.unwrap_or(0)).min(width * 2 / 5) + pen.units(GAP);
        let own_right = if names_at_lines {
            names_width(figure, pen)
        } else {
            room_beside_dots(figure, pen)
        };
        let (left, right) = match figure.frame {
            Frame::Own => (own_left, width - margin - own_right),
            Frame::OverTime => {
                let (left, right) = canvas.sides_over_time();
                (pen.units(left), width - pen.units(right))
            }
        };
        let x_count = ((right - left) / pen.units(84.0).max(1)).max(2) as usize;
        let legend = rows
            .into_iter()
            .enumerate()
            .map(|(index, entries)| (legend_top + row * index as i32 + row / 2, entries))
            .collect();
        Self {
            left,
            top,
            right,
            bottom,
            margin,
            y_title,
            words,
            legend,
            names_at_lines,
            x_ticks: figure.x.scale.ticks(&figure.x.unit, x_count),
            y_ticks,
            x: figure.x.scale,
            y,
        }
    }

    /// Left, top, right and bottom of the plot.
    pub(super) fn sides(&self) -> [i32; 4] {
        [self.left, self.top, self.right, self.bottom]
    }

    /// The place of a value of the horizontal axis.
    pub(super) fn x(&self, value: f64) -> i32 {
        self.x_at(self.x.place(value))
    }

    /// The place of a value of the vertical axis.
    pub(super) fn y(&self, value: f64) -> i32 {
        self.y_at(self.y.place(value))
    }

    /// A place of the horizontal axis, from 0 to 1.
    pub(super) fn x_at(&self, place: f64) -> i32 {
        self.left + (place * f64::from(self.right - self.left)).round() as i32
    }

    /// A place of the vertical axis, from 0 to 1.
    pub(super) fn y_at(&self, place: f64) -> i32 {
        self.bottom - (place * f64::from(self.bottom - self.top)).round() as i32
    }

    /// Whether the vertical axis shows names, which need no lines anchor.
    pub(super) fn has_named_rows(figure: &Figure) -> bool {
        matches!(figure.y.unit, Unit::Names(_))
    }
}

fn names_width<B: DrawingBackend>(figure: &Figure, pen: &Pen<'_, B>) -> i32 {
    let widest = legend::lines(figure)
        .map(|line| pen.width_of(&line.label, Weight::SemiBold))
        .max();
    widest.unwrap_or(0) + pen.units(12.0)
}

/// Room for half a label of the last tick, or for words beside points in named rows.
fn room_beside_dots<B: DrawingBackend>(figure: &Figure, pen: &Pen<'_, B>) -> i32 {
    if !Layout::has_named_rows(figure) {
        return pen.units(18.0);
    }
    let beside_dots = figure.layers.iter().flat_map(|layer| match layer {
        Layer::Dots { dots, .. } => dots.iter().map(|dot| dot.text.as_str()).collect(),
        Layer::Line(_) | Layer::Bars { .. } | Layer::Cells(_) => Vec::new(),
    });
    let beside_marks = figure.marks.iter().map(|mark| mark.label.as_str());
    let words = beside_dots.chain(beside_marks);
    let widest = words
        .map(|words| pen.width_of(words, Weight::Regular))
        .max();
    widest.map_or(pen.units(18.0), |width| width + pen.units(12.0))
}

/// Height of the row of the picture's own title, if it has one.
fn title_height(canvas: &Canvas) -> f64 {
    if canvas.heading.is_some() {
        f64::from(Canvas::HEADING_HEIGHT)
    } else {
        0.0
    }
}
