//! Writes the titles of chart and vertical axis, the legend, and the names at the ends of lines.

use plotters::backend::DrawingBackend;
use plotters::style::text_anchor::HPos;

use super::group::Group;
use super::layout::Layout;
use super::legend::{self, Entry, Sign};
use super::pen::{Drawn, Pen, TextLook, Weight};
use crate::chart::figure::{Figure, Line, Names};
use crate::chart::theme::Ink;

/// Length of the piece of a line before its name, in points.
const SIGN_LINE: f64 = 15.0;

/// Draws the titles of chart and vertical axis, and the legend.
pub(super) fn draw<B: DrawingBackend>(
    figure: &Figure,
    layout: &Layout,
    pen: &Pen<'_, B>,
) -> Drawn<B> {
    if let Some(heading) = &pen.canvas().heading {
        let look = TextLook {
            weight: Weight::SemiBold,
            ..TextLook::at(HPos::Left, Ink::Text)
        };
        pen.text(&heading.title, (layout.margin, pen.units(18.0)), look)?;
        let look = TextLook::at(HPos::Left, Ink::Muted);
        let room = pen.canvas().size().0 as i32 - 2 * layout.margin;
        let source = pen.shortened(&heading.source, room);
        pen.text(&source, (layout.margin, pen.units(39.0)), look)?;
    }
    let look = TextLook::at(HPos::Left, Ink::Muted);
    pen.text(&figure.y.title, (layout.margin, layout.y_title), look)?;
    for (middle, entries) in &layout.legend {
        for entry in entries {
            pen.open(&Group::of_name(&entry.label))?;
            draw_entry(entry, layout.margin, *middle, pen)?;
            pen.close()?;
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
    let mut after = left + pen.units(legend::SIGN);
    match &entry.sign {
        Sign::Line(look) => {
            let piece = [(left, middle), (left + pen.units(SIGN_LINE), middle)];
            match look.stroke.dashes() {
                Some(dashes) => {
                    pen.open(&Group::of_dashes(dashes, pen.canvas()))?;
                    pen.dashed(&piece, 2.5, look.ink, dashes)?;
                    pen.close()?;
                }
                None => pen.line(&piece, 2.5, look.ink, 1.0)?,
            }
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
            let look = TextLook::at(HPos::Left, Ink::Text);
            pen.text(low, (left, middle), look)?;
            let mut from = left + pen.width_of(low, Weight::Regular) + pen.units(6.0);
            for step in 0..Ink::HEATS {
                let to = from + pen.units(legend::RAMP_STEP);
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
    pen.text(
        &entry.shown,
        (after, middle),
        TextLook::at(HPos::Left, Ink::Text),
    )
}

/// Writes each line's name at its end, apart from each other.
fn draw_names<B: DrawingBackend>(figure: &Figure, layout: &Layout, pen: &Pen<'_, B>) -> Drawn<B> {
    let mut names: Vec<(i32, i32, &Line)> = legend::lines(figure)
        .filter_map(|line| legend::end_of(line).map(|(x, y)| (layout.x(x), layout.y(y), line)))
        .collect();
    let apart = pen.units(16.0);
    let wanted: Vec<i32> = match figure.names {
        Names::InOrder => downwards(names.iter().map(|(_, y, _)| *y)),
        Names::AtTheLine | Names::Above => {
            names.sort_by_key(|(_, y, _)| *y);
            names.iter().map(|(_, y, _)| *y).collect()
        }
    };
    let room = Room {
        top: layout.top + apart / 2,
        bottom: layout.bottom - apart / 2,
    };
    let places = spread(&wanted, apart, room);
    for ((x, y, line), place) in names.iter().zip(places) {
        let look = TextLook {
            weight: Weight::SemiBold,
            ..TextLook::at(HPos::Left, line.look.ink)
        };
        let label_at = layout.right + pen.units(8.0);
        pen.open(&Group::of_name(&line.label))?;
        // A name that stands away from its line is led to it.
        if label_at - x > pen.units(14.0) || (place - y).abs() > pen.units(3.0) {
            let lead = [
                (*x, *y),
                (layout.right, *y),
                (label_at - pen.units(2.0), place),
            ];
            pen.within(Group::of_whole(figure), || {
                pen.line(&lead, 0.5, line.look.ink, 0.6)
            })?;
        }
        pen.text(&line.label, (label_at, place), look)?;
        pen.close()?;
    }
    Ok(())
}

/// Places of which none is above the one before.
fn downwards(places: impl Iterator<Item = i32>) -> Vec<i32> {
    places
        .scan(i32::MIN, |lowest, place| {
            *lowest = place.max(*lowest);
            Some(*lowest)
        })
        .collect()
}

/// From where to where names may stand.
#[derive(Clone, Copy)]
struct Room {
    top: i32,
    bottom: i32,
}

/// Moves ascending places so that neighbours are `apart`, staying near and within `room`.
fn spread(wanted: &[i32], apart: i32, room: Room) -> Vec<i32> {
    let mut places: Vec<i32> = Vec::with_capacity(wanted.len());
    for place in wanted {
        let free = places.last().map_or(room.top, |last| last + apart);
        places.push((*place).max(free));
    }
    // What was pushed beyond the end pushes the ones before it back.
    let mut limit = room
        .bottom
        .max(room.top + apart * (wanted.len() as i32 - 1));
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
        let room = Room {
            top: 0,
            bottom: 100,
        };

        assert_eq!(spread(&[10, 50, 90], 16, room), [10, 50, 90]);
        assert_eq!(spread(&[50, 50, 51], 16, room), [50, 66, 82]);
        assert_eq!(spread(&[98, 99, 100], 16, room), [68, 84, 100]);
        assert_eq!(spread(&[], 16, room), [0; 0]);
    }
}
