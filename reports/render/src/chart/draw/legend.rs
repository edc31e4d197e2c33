//! Says what is what: beside each line where there is room, else in rows above the plot.

use plotters::backend::DrawingBackend;
use plotters::style::text_anchor::HPos;

use super::canvas::{Beside, Canvas};
use super::layout::Layout;
use super::pen::{Cut, Drawn, Pen, Words};
use crate::chart::figure::{Figure, Layer, Line, Names};
use crate::chart::theme::Ink;

/// One entry of a legend in a row.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    sign: Sign,
    label: String,
    /// From the left margin.
    at: i32,
}

#[derive(Clone, Debug)]
enum Sign {
    Line(Ink),
    Box(Ink),
    Dot(Ink),
    Ramp(String),
}

const SIGN: f64 = 18.0;
const SPACE: f64 = 16.0;
const RAMP_STEP: f64 = 14.0;

/// The names of a figure's lines.
pub(super) fn line_names(figure: &Figure) -> Vec<&str> {
    lines(figure).map(|line| line.label.as_str()).collect()
}

/// Whether lines are named at their ends.
pub(super) fn names_at_lines(figure: &Figure, canvas: &Canvas) -> bool {
    canvas.beside == Beside::Room
        && figure.names == Names::AtTheLine
        && !line_names(figure).is_empty()
}

fn lines(figure: &Figure) -> impl Iterator<Item = &Line> {
    figure.layers.iter().filter_map(|layer| match layer {
        Layer::Line(line) if !line.label.is_empty() && end_of(line).is_some() => Some(line),
        Layer::Line(_) | Layer::Bars { .. } | Layer::Dots { .. } | Layer::Cells(_) => None,
    })
}

/// The last point of a line that can be seen.
fn end_of(line: &Line) -> Option<(f64, f64)> {
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
                signs.push((Sign::Line(line.ink), line.label.clone()));
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
        let length = sign_width(&sign, pen) + pen.width_of(&label, Cut::Regular);
        if at == 0 || at + length > width {
            rows.push(Vec::new());
            at = 0;
        }
        if let Some(row) = rows.last_mut() {
            row.push(Entry { sign, label, at });
        }
        at += length + pen.units(SPACE);
    }
    rows
}

fn sign_width<B: DrawingBackend>(sign: &Sign, pen: &Pen<'_, B>) -> i32 {
    match sign {
        Sign::Line(_) | Sign::Box(_) | Sign::Dot(_) => pen.units(SIGN),
        Sign::Ramp(low) => {
            pen.width_of(low, Cut::Regular) + pen.units(RAMP_STEP * Ink::HEATS as f64 + 12.0)
        }
    }
}

/// Draws the titles of chart and vertical axis, and the legend.
pub(super) fn draw<B: DrawingBackend>(
    figure: &Figure,
    layout: &Layout,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    if let Some(title) = &pen.canvas().title {
        let words = Words {
            cut: Cut::SemiBold,
            ..Words::at(HPos::Left, Ink::Text)
        };
        pen.words(title, (layout.margin, pen.units(20.0)), words)?;
    }
    let words = Words::at(HPos::Left, Ink::Muted);
    pen.words(&figure.y.title, (layout.margin, layout.y_title), words)?;
    for (middle, entries) in &layout.legend {
        for entry in entries {
            draw_entry(entry, layout.margin, *middle, pen)?;
        }
    }
    if layout.names_at_lines {
        draw_names(figure, layout, pen)
    } else {
        Ok(())
    }
}

fn draw_entry<B: DrawingBackend>(
    entry: &Entry,
    margin: i32,
    middle: i32,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    let left = margin + entry.at;
    let size = pen.units(5.0);
    let mut after = left + pen.units(SIGN);
    match &entry.sign {
        Sign::Line(ink) => {
            pen.line(
                &[(left, middle), (left + pen.units(13.0), middle)],
                2.5,
                *ink,
                1.0,
            )?;
        }
        Sign::Box(ink) => {
            pen.rectangle(
                (left + 1, middle - size),
                (left + 1 + 2 * size, middle + size),
                *ink,
                1.0,
            )?;
        }
        Sign::Dot(ink) => pen.dot((left + size, middle), 4.0, *ink)?,
        Sign::Ramp(low) => {
            let words = Words::at(HPos::Left, Ink::Text);
            pen.words(low, (left, middle), words)?;
            let mut from = left + pen.width_of(low, Cut::Regular) + pen.units(6.0);
            for step in 0..Ink::HEATS {
                let to = from + pen.units(RAMP_STEP);
                pen.rectangle(
                    (from, middle - size),
                    (to, middle + size),
                    Ink::Heat(step),
                    1.0,
                )?;
                from = to;
            }
            after = from + pen.units(6.0);
        }
    }
    pen.words(
        &entry.label,
        (after, middle),
        Words::at(HPos::Left, Ink::Text),
    )
}

/// Writes each line's name at its end, apart from each other.
fn draw_names<B: DrawingBackend>(figure: &Figure, layout: &Layout, pen: &Pen<'_, B>) -> Drawn<B> {
    let mut names: Vec<(i32, i32, &Line)> = lines(figure)
        .filter_map(|line| end_of(line).map(|(x, y)| (layout.x(x), layout.y(y), line)))
        .collect();
    names.sort_by_key(|(_, y, _)| *y);
    let apart = pen.units(16.0);
    let wanted: Vec<i32> = names.iter().map(|(_, y, _)| *y).collect();
    let places = spread(
        &wanted,
        apart,
        (layout.top + apart / 2, layout.bottom - apart / 2),
    );
    for ((_, _, line), place) in names.iter().zip(places) {
        let words = Words {
            cut: Cut::SemiBold,
            ..Words::at(HPos::Left, line.ink)
        };
        pen.words(&line.label, (layout.right + pen.units(8.0), place), words)?;
    }
    Ok(())
}

/// Moves ascending places so that neighbours are `apart`, staying near and within `bounds`.
fn spread(wanted: &[i32], apart: i32, (low, high): (i32, i32)) -> Vec<i32> {
    let mut places: Vec<i32> = Vec::with_capacity(wanted.len());
    for place in wanted {
        let free = places.last().map_or(low, |last| last + apart);
        places.push((*place).max(free));
    }
    // What was pushed beyond the end pushes the ones before it back.
    let mut limit = high.max(low + apart * (wanted.len() as i32 - 1));
    for place in places.iter_mut().rev() {
        *place = (*place).min(limit);
        limit = *place - apart;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names keep their distance and stay in view.
    #[test]
    fn names_do_not_overlap() {
        assert_eq!(spread(&[10, 50, 90], 16, (0, 100)), [10, 50, 90]);
        assert_eq!(spread(&[50, 50, 51], 16, (0, 100)), [50, 66, 82]);
        assert_eq!(spread(&[98, 99, 100], 16, (0, 100)), [68, 84, 100]);
        assert_eq!(spread(&[], 16, (0, 100)), [0; 0]);
    }
}
