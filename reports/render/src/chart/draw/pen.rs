//! Strokes, shapes and words in units of the picture.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontFamily, FontStyle, IntoFont, RGBAColor, RGBColor, ShapeStyle, TextStyle,
};

use super::canvas::{Canvas, Point, Surface};
use super::group::{self, Group};
use crate::chart::font;
use crate::chart::theme::{Ink, Theme};

/// The result of drawing.
pub(crate) type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Draws on an area in a theme's colours.
pub(super) struct Pen<'a, B: DrawingBackend> {
    area: &'a DrawingArea<B, Shift>,
    canvas: &'a Canvas,
    theme: Theme,
}

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct TextLook {
    /// Which point of the text is given: left, centre or right.
    pub(super) anchor: HPos,
    /// Its colour.
    pub(super) ink: Ink,
    /// Its weight.
    pub(super) weight: Weight,
}

/// The weight of the font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// For most words.
    Regular,
    /// For titles and the names of lines.
    SemiBold,
}

impl TextLook {
    /// A text of regular weight.
    pub(super) fn at(anchor: HPos, ink: Ink) -> Self {
        Self {
            anchor,
            ink,
            weight: Weight::Regular,
        }
    }
}

impl<'a, B: DrawingBackend> Pen<'a, B> {
    /// A pen for `area`.
    pub(super) fn new(area: &'a DrawingArea<B, Shift>, canvas: &'a Canvas, theme: Theme) -> Self {
        Self {
            area,
            canvas,
            theme,
        }
    }

    /// The sheet.
    pub(super) fn canvas(&self) -> &Canvas {
        self.canvas
    }

    /// `points` in units of the picture.
    pub(super) fn units(&self, points: f64) -> i32 {
        self.canvas.units(points)
    }

    /// A filled rectangle, at least one unit in each direction.
    pub(super) fn rectangle(&self, from: Point, to: Point, ink: Ink, opacity: f64) -> Drawn<B> {
        let left = from.0.min(to.0);
        let top = from.1.min(to.1);
        let right = from.0.max(to.0).max(left + 1);
        let bottom = from.1.max(to.1).max(top + 1);
        let style = ShapeStyle {
            color: self.color(ink, opacity),
            filled: true,
            stroke_width: 0,
        };
        self.area
            .draw(&Rectangle::new([(left, top), (right, bottom)], style))
    }

    /// A line through points, `width` points wide.
    pub(super) fn line(&self, points: &[Point], width: f64, ink: Ink, opacity: f64) -> Drawn<B> {
        let mut points = points.to_vec();
        points.dedup();
        if points.len() < 2 {
            return Ok(());
        }
        let stroke_width = self.units(width).max(1) as u32;
        let style = ShapeStyle {
            color: self.color(ink, opacity),
            filled: false,
            stroke_width,
        };
        let is_straight = points.len() == 2;
        if self.canvas.surface == Surface::Vector
            || is_straight
            || stroke_width == 1
            || opacity < 1.0
        {
            return self.area.draw(&PathElement::new(points, style));
        }
        let filled = ShapeStyle {
            filled: true,
            stroke_width: 0,
            ..style
        };
        for pair in points.windows(2) {
            self.area.draw(&PathElement::new(pair.to_vec(), style))?;
            self.area
                .draw(&Circle::new(pair[1], (stroke_width / 2) as i32, filled))?;
        }
        Ok(())
    }

    /// A line in dashes of the first length with gaps of the second, in points.
    ///
    /// In SVG the group around it says so, and one path is enough.
    pub(super) fn dashed(
        &self,
        points: &[Point],
        width: f64,
        ink: Ink,
        dashes: (f64, f64),
    ) -> Drawn<B> {
        if self.canvas.surface == Surface::Vector {
            return self.line(points, width, ink, 1.0);
        }
        let (on, off) = dashes;
        for piece in group::pieces(points, self.units(on).into(), self.units(off).into()) {
            self.line(&piece, width, ink, 1.0)?;
        }
        Ok(())
    }

    /// Begins a group of what is drawn next; pixels have none.
    pub(super) fn open(&self, group: &Group) -> Drawn<B> {
        self.note(&group.note())
    }

    /// Ends the group that was begun last.
    pub(super) fn close(&self) -> Drawn<B> {
        self.note(group::CLOSE)
    }

    /// Draws within a group, if there is one.
    pub(super) fn within(&self, group: Option<Group>, draw: impl FnOnce() -> Drawn<B>) -> Drawn<B> {
        let Some(group) = group else {
            return draw();
        };
        self.open(&group)?;
        draw()?;
        self.close()
    }

    /// A text that [`group::grouped`] takes out again: plotters has no groups.
    fn note(&self, note: &str) -> Drawn<B> {
        match self.canvas.surface {
            Surface::Vector => self.text(note, (0, 0), TextLook::at(HPos::Left, Ink::Text)),
            Surface::Pixels => Ok(()),
        }
    }

    /// A filled circle of `radius` points.
    pub(super) fn dot(&self, at: Point, radius: f64, ink: Ink) -> Drawn<B> {
        let style = ShapeStyle {
            color: self.color(ink, 1.0),
            filled: true,
            stroke_width: 0,
        };
        self.area.draw(&Circle::new(at, self.units(radius), style))
    }

    /// TextLook, whose digits and capitals are centred on the height of `at`.
    pub(super) fn text(&self, text: &str, at: Point, look: TextLook) -> Drawn<B> {
        let (red, green, blue) = self.theme.rgb(look.ink);
        let color = RGBColor(red, green, blue);
        let style = self.font(look.weight).color(&color);
        let style = style.pos(Pos::new(look.anchor, VPos::Center));
        let at = (at.0, at.1 + self.canvas.lowering());
        self.area.draw(&Text::new(text.to_owned(), at, style))
    }

    /// How wide a text is, in units of the picture.
    pub(super) fn width_of(&self, text: &str, weight: Weight) -> i32 {
        // The embedded font is always there; without a measure a guess is better than a panic.
        let guess = (text.chars().count() as f64 * self.canvas.text_units() * 0.5) as i32;
        self.font(weight)
            .font
            .box_size(text)
            .map_or(guess, |(width, _)| width as i32)
    }

    /// `text`, cut so that it fits into `room`.
    pub(super) fn shortened(&self, text: &str, room: i32) -> String {
        if self.width_of(text, Weight::Regular) <= room {
            return text.to_owned();
        }
        let mut kept: Vec<char> = text.chars().collect();
        while kept.len() > 1 {
            kept.pop();
            let text: String = kept.iter().chain(['…'].iter()).collect();
            if self.width_of(&text, Weight::Regular) <= room {
                return text;
            }
        }
        kept.into_iter().collect()
    }

    fn font(&self, weight: Weight) -> TextStyle<'static> {
        let style = match weight {
            Weight::Regular => FontStyle::Normal,
            Weight::SemiBold => FontStyle::Bold,
        };
        let size = self.canvas.text_units();
        TextStyle::from((FontFamily::Name(font::FAMILY), size, style).into_font())
    }

    fn color(&self, ink: Ink, opacity: f64) -> RGBAColor {
        let (red, green, blue) = self.theme.rgb(ink);
        RGBColor(red, green, blue).mix(opacity)
    }
}
