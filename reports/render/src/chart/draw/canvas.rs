//! The sheet a chart is drawn on: its size, and the sizes of what is on it.

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
    /// How lines are joined.
    pub(super) joins: Joins,
    /// Units a point.
    density: u32,
    /// Above the chart.
    pub(super) title: Option<String>,
}

/// Whether there is room beside the plot for names of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// There is.
    Room,
    /// There is none: they go above.
    NoRoom,
}

/// How the corners of a line are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joins {
    /// As one path, whose corners SVG rounds.
    Path,
    /// As pieces with round ends: pixels have no other way that stays within the line.
    Segments,
}

impl Canvas {
    const DENSITY: u32 = 2;

    /// For a desktop page, for print, and for files.
    pub(crate) fn wide(joins: Joins) -> Self {
        Self {
            width: 920,
            height: 360,
            text: 15,
            beside: Beside::Room,
            joins,
            density: Self::DENSITY,
            title: None,
        }
    }

    /// For a page on a phone.
    pub(crate) fn narrow() -> Self {
        Self {
            width: 380,
            height: 320,
            text: 15,
            beside: Beside::NoRoom,
            joins: Joins::Path,
            density: Self::DENSITY,
            title: None,
        }
    }

    /// The same with a title above the chart.
    pub(crate) fn with_title(mut self, title: &str) -> Self {
        self.height += Self::TITLE_HEIGHT;
        self.title = Some(title.to_owned());
        self
    }

    /// The same with everything `factor` times as large.
    pub(crate) fn enlarged(mut self, factor: u32) -> Self {
        self.density *= factor;
        self
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

    /// Room for a title, in points.
    pub(super) const TITLE_HEIGHT: u32 = 34;
}
