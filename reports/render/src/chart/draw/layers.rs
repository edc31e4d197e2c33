//! Draws the layers of a figure within the plot.

use plotters::backend::DrawingBackend;
use plotters::style::text_anchor::HPos;

use super::canvas::Point;
use super::group::Group;
use super::layout::Layout;
use super::pen::{Drawn, Pen, TextLook, Weight};
use crate::chart::figure::{Dot, Figure, Layer, Line, Rectangle, Stroke};
use crate::chart::theme::Ink;

/// Draws one layer.
pub(super) fn draw<B: DrawingBackend>(
    layer: &Layer,
    figure: &Figure,
    layout: &Layout,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    match layer {
        Layer::Line(line) => {
            pen.open(&Group::of_line(line, pen.canvas()))?;
            draw_line(line, layout, pen)?;
            pen.close()
        }
        Layer::Bars {
            rectangles, ink, ..
        } => {
            for rectangle in rectangles {
                pen.open(&Group::of_bar(figure, rectangle))?;
                draw_rectangle(rectangle, *ink, layout, pen)?;
                pen.close()?;
            }
            Ok(())
        }
        Layer::Dots { dots, ink, .. } => {
            for dot in dots {
                pen.open(&Group::of_dot(figure, dot))?;
                draw_dot(dot, *ink, figure, layout, pen)?;
                pen.close()?;
            }
            Ok(())
        }
        Layer::Cells(cells) => {
            // By colour, so that they can be joined. They do not lie over each other.
            let mut inks: Vec<Ink> = Vec::new();
            for (_, ink) in cells {
                if !inks.contains(ink) {
                    inks.push(*ink);
                }
            }
            let of_ink = |ink: Ink| cells.iter().filter(move |(_, other)| *other == ink);
            let mut by_ink = inks.into_iter().flat_map(of_ink);
            by_ink.try_for_each(|(rectangle, ink)| draw_rectangle(rectangle, *ink, layout, pen))
        }
    }
}

fn draw_line<B: DrawingBackend>(line: &Line, layout: &Layout, pen: &Pen<'_, B>) -> Drawn<B> {
    let width = breadth(line.look.stroke);
    let is_seen = |point: &&(f64, f64)| point.0.is_finite() && point.1.is_finite();
    for piece in line.points.split(|point| !is_seen(&point)) {
        let places: Vec<Point> = piece
            .iter()
            .map(|(x, y)| (layout.x(*x), layout.y(*y)))
            .collect();
        match places.as_slice() {
            [] => {}
            // A point without neighbours would not be seen as a line.
            [alone] => pen.dot(*alone, 2.0, line.look.ink)?,
            _ => match line.look.stroke.dashes() {
                Some(dashes) => pen.dashed(&places, width, line.look.ink, dashes)?,
                None => pen.line(&places, width, line.look.ink, opacity(line.look.stroke))?,
            },
        }
    }
    Ok(())
}

/// How broad a line is, in points.
fn breadth(stroke: Stroke) -> f64 {
    match stroke {
        Stroke::Solid | Stroke::Dashed => 2.0,
        Stroke::Dotted => 1.75,
        Stroke::Thin => 1.25,
        Stroke::Broad => 6.0,
    }
}

fn opacity(stroke: Stroke) -> f64 {
    match stroke {
        Stroke::Solid | Stroke::Dashed | Stroke::Dotted | Stroke::Thin => 1.0,
        Stroke::Broad => 0.35,
    }
}

fn draw_rectangle<B: DrawingBackend>(
    rectangle: &Rectangle,
    ink: Ink,
    layout: &Layout,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    let from = (layout.x(rectangle.x.low), layout.y(rectangle.y.high));
    let to = (layout.x(rectangle.x.high), layout.y(rectangle.y.low));
    pen.rectangle(from, to, ink, 1.0)
}

fn draw_dot<B: DrawingBackend>(
    dot: &Dot,
    ink: Ink,
    figure: &Figure,
    layout: &Layout,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    let (x, y) = (layout.x(dot.at.0), layout.y(dot.at.1));
    pen.dot((x, y), 4.0, ink)?;
    if dot.text.is_empty() {
        return Ok(());
    }
    // In named rows words go to the right, where room is kept; else above and to the left.
    if Layout::has_named_rows(figure) {
        let at = (x + pen.units(8.0), y);
        return pen.text(&dot.text, at, TextLook::at(HPos::Left, Ink::Text));
    }
    let is_low = y - layout.top < pen.units(20.0);
    let down = y + pen.units(if is_low { 14.0 } else { -12.0 });
    let half = pen.width_of(&dot.text, Weight::Regular) / 2;
    let middle = x.min(layout.right - half).max(layout.left + half);
    pen.text(
        &dot.text,
        (middle, down),
        TextLook::at(HPos::Center, Ink::Text),
    )
}
