//! The sheet a chart is drawn on: its size, and the sizes of what is on it.

/// A point of the picture: right and down.
pub(super) type Point = (i32, i32);

/// A sheet to draw on.
///
/// Sizes are given in points; a point is [`Canvas::DENSITY`] units of the picture, so that lines of
/// whole units are still fine ones.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Canvas {
    /// Width in points.
    width: u32,
    /// Height in points, without the title.
    height: u32,
    /// Height of words in points.
    text: u32,
    /// Whether there is room beside the plot.
    pub(super) beside: Beside,
    /// What it is drawn on.
    pub(super) surface: Surface,
    /// Units a point.
    density: u32,
    /// Above the chart.
    pub(super) heading: Option<Heading>,
}

/// What a chart that stands alone says above itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heading {
    /// What it shows.
    pub(crate) title: String,
    /// Which run it is of.
    pub(crate) source: String,
}

/// Whether there is room beside the plot for names of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// There is.
    Room,
    /// There is none: they go above.
    NoRoom,
}

/// What a chart is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// SVG: a line is one path, whose corners are joined for us.
    Vector,
    /// Pixels, white from the start: a line is drawn in pieces with round ends, since plotters'
    /// own corners leave the line where it turns back.
    Pixels,
}

impl Canvas {
    const DENSITY: u32 = 2;

    /// For a desktop page, for print, and for files.
    pub(crate) fn wide(surface: Surface) -> Self {
        Self {
            width: 920,
            height: 360,
            text: 15,
            beside: Beside::Room,
            surface,
            density: Self::DENSITY,
            heading: None,
        }
    }

    /// For one of several charts below each other that share an axis.
    pub(crate) fn column() -> Self {
        Self {
            height: 250,
            ..Self::wide(Surface::Vector)
        }
    }

    /// For a file: a chart that is shown on a slide or in a chat, without a page around it.
    pub(crate) fn sheet(surface: Surface, heading: Heading) -> Self {
        Self {
            width: 760,
            height: 400 + Self::HEADING_HEIGHT,
            heading: Some(heading),
            ..Self::wide(surface)
        }
    }

    /// For a page on a phone.
    pub(crate) fn narrow() -> Self {
        Self {
            width: 380,
            height: 320,
            text: 15,
            beside: Beside::NoRoom,
            surface: Surface::Vector,
            density: Self::DENSITY,
            heading: None,
        }
    }

    /// For one of several charts side by side, and for a phone.
    pub(crate) fn small() -> Self {
        Self {
            width: 430,
            height: 250,
            ..Self::narrow()
        }
    }

    /// The same with everything `factor` times as large.
    pub(crate) fn enlarged(mut self, factor: u32) -> Self {
        self.density *= factor;
        self
    }

    /// Room to the left and to the right of the plot of every chart over time, in points.
    pub(super) fn sides_over_time(&self) -> (f64, f64) {
        match self.beside {
            Beside::Room => (84.0, 96.0),
            Beside::NoRoom => (72.0, 18.0),
        }
    }

    /// Width and height of the picture.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width * self.density, self.height * self.density)
    }

    /// `points` in units of the picture.
    pub(super) fn units(&self, points: f64) -> i32 {
        (points * f64::from(self.density)).round() as i32
    }

    /// Height of words in units of the picture.
    pub(super) fn text_units(&self) -> f64 {
        f64::from(self.text * self.density)
    }

    /// How far below its "centre" plotters has to set words for their digits to be centred: SVG
    /// centres the small letters, and pixels the box that also holds what hangs below the line.
    pub(super) fn lowering(&self) -> i32 {
        let share = match self.surface {
            Surface::Vector => 0.08,
            Surface::Pixels => 0.2,
        };
        (self.text_units() * share).round() as i32
    }

    /// Room for a heading, in points.
    pub(super) const HEADING_HEIGHT: u32 = 54;
}
