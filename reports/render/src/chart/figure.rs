//! What a chart shows, before it is drawn: axes, layers, bands and marks, in units of the data.
//!
//! A figure holds no pixels and no colours, only roles ([`Ink`]): it is drawn wide or narrow,
//! light or dark, as SVG or as PNG, from the same description.

use crate::chart::scale::{Scale, Span};
use crate::chart::theme::Ink;
use crate::chart::unit::Unit;

/// A chart's content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    /// The horizontal axis.
    pub(crate) x: Axis,
    /// The vertical axis.
    pub(crate) y: Axis,
    /// Shaded stretches of the horizontal axis, behind everything else.
    pub(crate) bands: Vec<Band>,
    /// Reference lines.
    pub(crate) marks: Vec<Mark>,
    /// What is drawn, first to last.
    pub(crate) layers: Vec<Layer>,
    /// A colour scale to explain, if cells are drawn.
    pub(crate) ramp: Option<Ramp>,
    /// Where lines are named.
    pub(crate) names: Names,
    /// Whether its plot stands above or below others of one axis.
    pub(crate) frame: Frame,
}

/// Where the sides of a plot are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// As its own words need it.
    Own,
    /// Where those of all charts over time are, so that a moment has one place in all of them.
    OverTime,
}

/// Where lines are named, if the sheet leaves the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// At the end of each line.
    AtTheLine,
    /// At the end of each line, in the order of the layers, whatever their last values are.
    InOrder,
    /// Above the plot: for lines that all end at one place.
    Above,
}

/// One axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    /// What it shows, with its unit if the tick labels have none.
    pub(crate) title: String,
    /// How values become places.
    pub(crate) scale: Scale,
    /// How tick labels are written.
    pub(crate) unit: Unit,
}

/// A shaded stretch of the horizontal axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Band {
    /// The stretch.
    pub(crate) span: Span,
    /// A word above it, left out where there is no room.
    pub(crate) label: String,
    /// Its colour.
    pub(crate) ink: Ink,
}

/// A reference line across the plot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    /// Its direction and its place.
    pub(crate) line: MarkLine,
    /// A word at its end, left out where there is no room.
    pub(crate) label: String,
    /// Its colour.
    pub(crate) ink: Ink,
}

/// Direction and place of a reference line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MarkLine {
    /// Upright, at a value of the horizontal axis.
    Vertical(f64),
    /// Upright, at a value of the horizontal axis, between two values of the vertical one.
    VerticalPart {
        /// The value of the horizontal axis.
        at: f64,
        /// The values of the vertical one.
        rows: Span,
    },
    /// A tick at the upper edge only, at a value of the horizontal axis.
    Tick(f64),
    /// A flag above the plot with a faint line below it, at a value of the horizontal axis.
    Flag(f64),
    /// From side to side, at a value of the vertical axis.
    Level(f64),
}

/// Something that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Layer {
    /// A line through points.
    Line(Line),
    /// Rectangles of one colour.
    Bars {
        /// What they are; empty for no entry in the legend.
        label: String,
        /// The rectangles.
        rectangles: Vec<Rectangle>,
        /// Their colour.
        ink: Ink,
    },
    /// Points with a text beside each.
    Dots {
        /// What they are; empty for no entry in the legend.
        label: String,
        /// The points.
        dots: Vec<Dot>,
        /// Their colour.
        ink: Ink,
    },
    /// Rectangles whose colours tell amounts.
    Cells(Vec<(Rectangle, Ink)>),
}

/// A line through points.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// Its name, for the legend.
    pub(crate) label: String,
    /// The points, ascending; a `y` that is not finite is a gap.
    pub(crate) points: Vec<(f64, f64)>,
    /// Its colour and its breadth.
    pub(crate) look: Look,
}

/// The colour and the breadth of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Its colour.
    pub(crate) ink: Ink,
    /// Its breadth.
    pub(crate) stroke: Stroke,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stroke {
    /// Of the usual breadth.
    Solid,
    /// Thin, for what is background to the others.
    Thin,
    /// Broad and pale: what another line is to lie on.
    Broad,
    /// In dashes, told from a solid line without its colour.
    Dashed,
    /// In dots, likewise.
    Dotted,
}

/// A rectangle in units of the data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rectangle {
    /// Left and right.
    pub(crate) x: Span,
    /// Bottom and top.
    pub(crate) y: Span,
}

/// A point with a text beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dot {
    /// Its place, in units of the data.
    pub(crate) at: (f64, f64),
    /// The text; may be empty.
    pub(crate) text: String,
}

/// A colour scale, explained above the plot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ramp {
    /// What the palest colour stands for.
    pub(crate) low: String,
    /// What the strongest colour stands for.
    pub(crate) high: String,
}

impl Stroke {
    /// Lengths of its pieces and of the gaps between them, in points; none for a line without gaps.
    pub(crate) fn dashes(self) -> Option<(f64, f64)> {
        match self {
            Self::Solid | Self::Thin | Self::Broad => None,
            Self::Dashed => Some((7.0, 4.0)),
            Self::Dotted => Some((1.75, 2.75)),
        }
    }
}

impl Figure {
    /// A figure with axes and nothing in it.
    pub(crate) fn new(x: Axis, y: Axis) -> Self {
        Self {
            x,
            y,
            bands: Vec::new(),
            marks: Vec::new(),
            layers: Vec::new(),
            ramp: None,
            names: Names::AtTheLine,
            frame: Frame::Own,
        }
    }

    /// The highest value of its lines; 0 without any.
    pub(crate) fn highest(&self) -> f64 {
        let lines = self.layers.iter().filter_map(|layer| match layer {
            Layer::Line(line) => Some(line),
            Layer::Bars { .. } | Layer::Dots { .. } | Layer::Cells(_) => None,
        });
        let points = lines.flat_map(|line| &line.points);
        points.map(|(_, y)| *y).fold(0.0, f64::max)
    }

    /// Whether there is nothing to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.layers.iter().all(|layer| match layer {
            Layer::Line(line) => !line
                .points
                .iter()
                .any(|(x, y)| x.is_finite() && y.is_finite()),
            Layer::Bars { rectangles, .. } => rectangles.is_empty(),
            Layer::Dots { dots, .. } => dots.is_empty(),
            Layer::Cells(cells) => cells.is_empty(),
        })
    }
}

impl Axis {
    /// An axis.
    pub(crate) fn new(title: &str, scale: Scale, unit: Unit) -> Self {
        Self {
            title: title.to_owned(),
            scale,
            unit,
        }
    }
}
