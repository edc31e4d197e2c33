//! Draws a [`Figure`] with plotters' primitives.
//!
//! plotters carries the drawing to SVG and to pixels; where things go is decided here. Its own charts
//! do not serve: their axes have no scale of nines and no phases or faults above the plot, they lay
//! labels over each other on a narrow sheet, and they name lines in a box over the data.
//! Order: background, bands, grid, layers, marks, axes, legend.

mod axes;
mod canvas;
mod group;
mod joined;
mod layers;
mod layout;
mod legend;
mod names;
mod pen;

pub(crate) use canvas::{Canvas, Heading, Surface};
pub(crate) use group::grouped;
pub(crate) use joined::joined;

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;

use crate::chart::figure::Figure;
use crate::chart::theme::{Ink, Theme};
use group::Group;
use layout::Layout;
use pen::{Drawn, Pen};

/// Draws `figure` on all of `area`.
pub(crate) fn figure<B: DrawingBackend>(
    figure: &Figure,
    canvas: &Canvas,
    theme: Theme,
    area: &DrawingArea<B, Shift>,
) -> Drawn<B> {
    let pen = Pen::new(area, canvas, theme);
    let layout = Layout::of(figure, canvas, &pen);
    if canvas.surface == Surface::Vector {
        // Pixels are white from the start.
        let (width, height) = canvas.size();
        pen.rectangle((0, 0), (width as i32, height as i32), Ink::Background, 1.0)?;
    }
    pen.within(Group::of_time(figure), || {
        axes::draw_bands(figure, &layout, &pen)?;
        axes::draw_upright_grid(&layout, &pen)
    })?;
    axes::draw_level_grid(&layout, &pen)?;
    pen.within(Group::of_time(figure), || {
        let mut layers = figure.layers.iter();
        layers.try_for_each(|layer| layers::draw(layer, figure, &layout, &pen))
    })?;
    axes::draw_marks(figure, &layout, &pen)?;
    axes::draw_axes(figure, &layout, &pen)?;
    names::draw(figure, &layout, &pen)?;
    if let Some(group) = Group::of_plot(figure, layout.sides()) {
        pen.open(&group)?;
        pen.close()?;
    }
    Ok(())
}
