//! What a legend holds and how much room it takes. The layout finds the room, `names` draws it.
//!
//! Lines are named at their ends where there is room beside the plot, else in rows above it.

use plotters::backend::DrawingBackend;

use super::canvas::{Beside, Canvas};
use super::pen::{Pen, Weight};
use crate::chart::figure::{Figure, Layer, Line, Look, Names};
use crate::chart::theme::Ink;

/// One entry of a legend in a row.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// What stands before the label.
    pub(super) sign: Sign,
    /// The name of what is drawn so.
    pub(super) label: String,
    /// As much of it as a row has room for.
    pub(super) shown: String,
    /// Its left end, from the left margin.
    pub(super) at: i32,
}

/// The sign of an entry.
#[derive(Clone, Debug)]
pub(super) enum Sign {
    /// A piece of a line.
    Line(Look),
    /// A small bar.
    Box(Ink),
    /// A dot.
    Dot(Ink),
    /// The colours of amounts, after the label of the palest one.
    Ramp(String),
}

/// Room for a sign, in points.
pub(super) const SIGN: f64 = 21.0;
/// Room for one colour of a ramp, in points.
pub(super) const RAMP_STEP: f64 = 14.0;
/// Room between entries, in points.
const SPACE: f64 = 16.0;

/// Whether lines are named at their ends.
pub(super) fn names_at_lines(figure: &Figure, canvas: &Canvas) -> bool {
    canvas.beside == Beside::Room
        && match figure.names {
            Names::AtTheLine | Names::InOrder => true,
            Names::Above => false,
        }
        && lines(figure).next().is_some()
}

/// The lines that have a name and can be seen.
pub(super) fn lines(figure: &Figure) -> impl Iterator<Item = &Line> {
    figure.layers.iter().filter_map(|layer| match layer {
        Layer::Line(line) if !line.label.is_empty() && end_of(line).is_some() => Some(line),
        Layer::Line(_) | Layer::Bars { .. } | Layer::Dots { .. } | Layer::Cells(_) => None,
    })
}

/// The last point of a line that can be seen.
pub(super) fn end_of(line: &Line) -> Option<(f64, f64)> {
    line.points
        .iter()
        .copied()
        .rfind(|(x, y)| x.is_finite() && y.is_finite())
}

/// The entries that go above the plot, in rows no wider than `width`.
pub(super) fn rows<B: DrawingBackend>(
    figure: &Figure,
    canvas: &Canvas,
    pen: &Pen<'_, B>,
    width: i32,
) -> Vec<Vec<Entry>> {
    let at_lines = names_at_lines(figure, canvas);
    let mut signs: Vec<(Sign, String)> = Vec::new();
    for layer in &figure.layers {
        match layer {
            Layer::Line(line) if !at_lines && end_of(line).is_some() => {
                signs.push((Sign::Line(line.look), line.label.clone()));
            }
            Layer::Bars { label, ink, .. } => signs.push((Sign::Box(*ink), label.clone())),
            Layer::Dots { label, ink, .. } => signs.push((Sign::Dot(*ink), label.clone())),
            Layer::Line(_) | Layer::Cells(_) => {}
        }
    }
    signs.retain(|(_, label)| !label.is_empty());
    if let Some(ramp) = &figure.ramp {
        signs.push((Sign::Ramp(ramp.low.clone()), ramp.high.clone()));
    }
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    let mut at = 0;
    for (sign, label) in signs {
        let beside = sign_width(&sign, pen);
        let shown = pen.shortened(&label, width - beside);
        let length = beside + pen.width_of(&shown, Weight::Regular);
        if at == 0 || at + length > width {
            rows.push(Vec::new());
            at = 0;
        }
        if let Some(row) = rows.last_mut() {
            row.push(Entry {
                sign,
                label,
                shown,
                at,
            });
        }
        at += length + pen.units(SPACE);
    }
    rows
}

fn sign_width<B: DrawingBackend>(sign: &Sign, pen: &Pen<'_, B>) -> i32 {
    match sign {
        Sign::Line(_) | Sign::Box(_) | Sign::Dot(_) => pen.units(SIGN),
        Sign::Ramp(low) => {
            pen.width_of(low, Weight::Regular) + pen.units(RAMP_STEP * Ink::HEATS as f64 + 12.0)
        }
    }
}
