//! Grid, ticks, bands, marks and the axes' words.

use plotters::backend::DrawingBackend;
use plotters::style::text_anchor::HPos;

use super::group::Group;
use super::layout::Layout;
use super::pen::{Drawn, Pen, TextLook, Weight};
use crate::chart::figure::{Figure, Mark, MarkLine};
use crate::chart::theme::Ink;

/// Shades stretches of the horizontal axis.
pub(super) fn draw_bands<B: DrawingBackend>(
    figure: &Figure,
    layout: &Layout,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    for band in &figure.bands {
        let (from, to) = (layout.x(band.span.low), layout.x(band.span.high));
        pen.rectangle((from, layout.top), (to, layout.bottom), band.ink, 0.13)?;
    }
    Ok(())
}

fn grid_ink(label: &str) -> Ink {
    if label.is_empty() {
        Ink::MinorGrid
    } else {
        Ink::Grid
    }
}

/// Draws lines at the ticks of the horizontal axis.
pub(super) fn draw_upright_grid<B: DrawingBackend>(layout: &Layout, pen: &Pen<'_, B>) -> Drawn<B> {
    for tick in &layout.x_ticks {
        let x = layout.x_at(tick.place);
        pen.line(
            &[(x, layout.top), (x, layout.bottom)],
            0.5,
            grid_ink(&tick.label),
            1.0,
        )?;
    }
    Ok(())
}

/// Draws lines at the ticks of the upright axis.
pub(super) fn draw_level_grid<B: DrawingBackend>(layout: &Layout, pen: &Pen<'_, B>) -> Drawn<B> {
    for tick in &layout.y_ticks {
        let y = layout.y_at(tick.place);
        pen.line(
            &[(layout.left, y), (layout.right, y)],
            0.5,
            grid_ink(&tick.label),
            1.0,
        )?;
    }
    Ok(())
}

/// Draws reference lines, and the words of bands and marks where they fit.
pub(super) fn draw_marks<B: DrawingBackend>(
    figure: &Figure,
    layout: &Layout,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    let is_level = |mark: &&Mark| matches!(mark.line, MarkLine::Level(_));
    for mark in figure.marks.iter().filter(is_level) {
        draw_mark(mark, layout, pen)?;
    }
    pen.within(Group::of_time(figure), || {
        let mut marks = figure.marks.iter().filter(|mark| !is_level(mark));
        marks.try_for_each(|mark| draw_mark(mark, layout, pen))?;
        draw_words_above(figure, layout, pen)
    })
}

fn draw_mark<B: DrawingBackend>(mark: &Mark, layout: &Layout, pen: &Pen<'_, B>) -> Drawn<B> {
    match mark.line {
        MarkLine::Vertical(at) => {
            let x = layout.x(at);
            pen.line(&[(x, layout.top), (x, layout.bottom)], 1.0, mark.ink, 0.75)
        }
        MarkLine::VerticalPart { at, rows } => {
            let x = layout.x(at);
            let (low, high) = (layout.y(rows.low), layout.y(rows.high));
            pen.line(&[(x, low), (x, high)], 2.0, mark.ink, 1.0)?;
            let at = (x + pen.units(5.0), high + pen.units(8.0));
            pen.text(&mark.label, at, TextLook::at(HPos::Left, mark.ink))
        }
        MarkLine::Flag(at) => draw_flag(at, mark.ink, layout, pen),
        MarkLine::Level(at) => draw_level(at, mark, layout, pen),
        MarkLine::Tick(at) => {
            let x = layout.x(at);
            let foot = layout.top + pen.units(7.0);
            pen.line(&[(x, layout.top), (x, foot)], 1.0, mark.ink, 1.0)
        }
    }
}

/// A flag on the upper edge, and a faint line through the plot, which no series is drawn like.
fn draw_flag<B: DrawingBackend>(at: f64, ink: Ink, layout: &Layout, pen: &Pen<'_, B>) -> Drawn<B> {
    let x = layout.x(at);
    let top = layout.top - pen.units(9.0);
    pen.line(&[(x, layout.top), (x, layout.bottom)], 0.75, ink, 0.4)?;
    pen.line(&[(x, top), (x, layout.top)], 1.5, ink, 1.0)?;
    pen.rectangle(
        (x, top),
        (x + pen.units(8.0), top + pen.units(5.0)),
        ink,
        1.0,
    )
}

/// A limit from side to side, its words above its left end.
fn draw_level<B: DrawingBackend>(
    at: f64,
    mark: &Mark,
    layout: &Layout,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    let y = layout.y(at);
    let dashes = (4.0, 3.0);
    pen.open(&Group::of_dashes(dashes, pen.canvas()))?;
    pen.dashed(
        &[(layout.left, y), (layout.right, y)],
        1.25,
        mark.ink,
        dashes,
    )?;
    pen.close()?;
    let is_low = y - layout.top < pen.units(16.0);
    let row = y + pen.units(if is_low { 10.0 } else { -9.0 });
    let place = (layout.left + pen.units(6.0), row);
    pen.text(&mark.label, place, TextLook::at(HPos::Left, mark.ink))
}

/// Writes the words of marks, then of bands, above the plot; those that would overlap are left out.
fn draw_words_above<B: DrawingBackend>(
    figure: &Figure,
    layout: &Layout,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    let marks = figure.marks.iter().filter_map(|mark| match mark.line {
        MarkLine::Vertical(at) | MarkLine::Tick(at) | MarkLine::Flag(at) => {
            Some((layout.x(at), mark.label.as_str(), mark.ink))
        }
        MarkLine::VerticalPart { .. } | MarkLine::Level(_) => None,
    });
    let bands = figure.bands.iter().map(|band| {
        let middle = (layout.x(band.span.low) + layout.x(band.span.high)) / 2;
        // The grey of a phase is too faint for words.
        (middle, band.label.as_str(), Ink::Muted)
    });
    let mut taken: Vec<(i32, i32)> = Vec::new();
    for (middle, label, ink) in marks.chain(bands) {
        if label.is_empty() {
            continue;
        }
        let half = pen.width_of(label, Weight::Regular) / 2;
        let room = (layout.margin + half, layout.right - half);
        let middle = middle.max(room.0).min(room.1.max(room.0));
        let (from, to) = (
            middle - half - pen.units(4.0),
            middle + half + pen.units(4.0),
        );
        if taken.iter().any(|(start, end)| from < *end && *start < to) {
            continue;
        }
        taken.push((from, to));
        pen.text(
            label,
            (middle, layout.words),
            TextLook::at(HPos::Center, ink),
        )?;
    }
    Ok(())
}

/// The ticks of the horizontal axis, with as many words as there is room for.
fn draw_ticks<B: DrawingBackend>(row: i32, layout: &Layout, pen: &Pen<'_, B>) -> Drawn<B> {
    let mut free_from = i32::MIN;
    for tick in layout.x_ticks.iter().filter(|tick| !tick.label.is_empty()) {
        let x = layout.x_at(tick.place);
        let half = pen.width_of(&tick.label, Weight::Regular) / 2;
        if x - half < free_from {
            continue;
        }
        free_from = x + half + pen.units(8.0);
        pen.line(
            &[(x, layout.bottom), (x, layout.bottom + pen.units(4.0))],
            1.0,
            Ink::Axis,
            1.0,
        )?;
        pen.text(&tick.label, (x, row), TextLook::at(HPos::Center, Ink::Text))?;
    }
    Ok(())
}

/// Draws the axes and their labels.
pub(super) fn draw_axes<B: DrawingBackend>(
    figure: &Figure,
    layout: &Layout,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    let baseline = [(layout.left, layout.bottom), (layout.right, layout.bottom)];
    pen.line(&baseline, 1.0, Ink::Axis, 1.0)?;
    let row = layout.bottom + pen.units(14.0);
    pen.within(Group::of_whole(figure), || draw_ticks(row, layout, pen))?;
    let half = pen.width_of(&figure.x.title, Weight::Regular) / 2;
    let rightmost = pen.canvas().size().0 as i32 - layout.margin - half;
    let middle = ((layout.left + layout.right) / 2).min(rightmost);
    let look = TextLook::at(HPos::Center, Ink::Muted);
    pen.text(&figure.x.title, (middle, row + pen.units(19.0)), look)?;
    let room = layout.left - layout.margin;
    for tick in layout.y_ticks.iter().filter(|tick| !tick.label.is_empty()) {
        let at = (layout.left - pen.units(6.0), layout.y_at(tick.place));
        let label = pen.shortened(&tick.label, room);
        pen.text(&label, at, TextLook::at(HPos::Right, Ink::Text))?;
    }
    if Layout::has_named_rows(figure) {
        let upright = [(layout.left, layout.top), (layout.left, layout.bottom)];
        pen.line(&upright, 1.0, Ink::Axis, 1.0)?;
    }
    Ok(())
}
