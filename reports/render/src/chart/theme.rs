//! Colours by role, light and dark.
//!
//! Series colours are told apart with the common kinds of colour blindness (after Okabe and
//! Ito, "Color Universal Design", 2008) and differ in lightness too.
//!
//! Invariant: in the light theme each role has a colour of its own, so that a stylesheet can give
//! the dark one to whatever is drawn in the light one.

/// What something is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Behind everything.
    Background,
    /// Words and figures.
    Text,
    /// Words that matter less.
    Muted,
    /// Lines at ticks.
    Grid,
    /// Fainter lines at minor ticks.
    MinorGrid,
    /// The axes themselves.
    Axis,
    /// A series, counted from 0; there are [`Ink::SERIES`].
    Series(usize),
    /// Something that is broken on purpose.
    Fault,
    /// A phase that is not measured.
    Phase,
    /// A limit.
    Limit,
    /// An amount, from 0 to [`Ink::HEATS`] - 1.
    Heat(usize),
}

/// A colour: red, green, blue.
pub(crate) type Rgb = (u8, u8, u8);

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Dark on light: for files, print and by default.
    Light,
    /// Light on dark.
    Dark,
}

const SERIES_LIGHT: [Rgb; Ink::SERIES] = [
    (0, 98, 168),
    (206, 84, 0),
    (0, 132, 98),
    (176, 84, 142),
    (168, 118, 0),
    (58, 150, 206),
];
const SERIES_DARK: [Rgb; Ink::SERIES] = [
    (92, 176, 242),
    (255, 148, 76),
    (62, 206, 160),
    (230, 150, 202),
    (236, 190, 72),
    (150, 212, 246),
];
const HEAT_LIGHT: [Rgb; Ink::HEATS] = [
    (222, 235, 248),
    (190, 216, 240),
    (150, 192, 229),
    (104, 164, 214),
    (62, 133, 195),
    (28, 102, 170),
    (10, 72, 134),
    (6, 42, 88),
];
const HEAT_DARK: [Rgb; Ink::HEATS] = [
    (26, 42, 62),
    (28, 58, 92),
    (30, 78, 124),
    (36, 102, 158),
    (56, 132, 190),
    (96, 164, 216),
    (150, 198, 236),
    (216, 236, 252),
];

impl Ink {
    /// How many series have a colour of their own; further ones begin again.
    pub(crate) const SERIES: usize = 6;
    /// How many steps amounts have.
    pub(crate) const HEATS: usize = 8;

    /// Every role once.
    pub(crate) fn all() -> Vec<Self> {
        let mut inks = vec![
            Self::Background,
            Self::Text,
            Self::Muted,
            Self::Grid,
            Self::MinorGrid,
            Self::Axis,
            Self::Fault,
            Self::Phase,
            Self::Limit,
        ];
        inks.extend((0..Self::SERIES).map(Self::Series));
        inks.extend((0..Self::HEATS).map(Self::Heat));
        inks
    }
}

impl Theme {
    /// The colour of a role.
    pub(crate) fn rgb(self, ink: Ink) -> Rgb {
        match self {
            Self::Light => light(ink),
            Self::Dark => dark(ink),
        }
    }
}

fn light(ink: Ink) -> Rgb {
    match ink {
        Ink::Background => (255, 255, 255),
        Ink::Text => (28, 33, 40),
        Ink::Muted => (94, 103, 115),
        Ink::Grid => (222, 226, 232),
        Ink::MinorGrid => (240, 242, 245),
        Ink::Axis => (130, 138, 148),
        Ink::Fault => (204, 34, 51),
        Ink::Phase => (124, 132, 143),
        Ink::Limit => (196, 30, 70),
        Ink::Series(index) => SERIES_LIGHT[index % Ink::SERIES],
        Ink::Heat(step) => HEAT_LIGHT[step.min(Ink::HEATS - 1)],
    }
}

fn dark(ink: Ink) -> Rgb {
    match ink {
        Ink::Background => (22, 27, 34),
        Ink::Text => (230, 236, 243),
        Ink::Muted => (152, 163, 176),
        Ink::Grid => (48, 56, 66),
        Ink::MinorGrid => (34, 40, 48),
        Ink::Axis => (110, 120, 132),
        Ink::Fault => (255, 104, 112),
        Ink::Phase => (140, 150, 162),
        Ink::Limit => (255, 116, 140),
        Ink::Series(index) => SERIES_DARK[index % Ink::SERIES],
        Ink::Heat(step) => HEAT_DARK[step.min(Ink::HEATS - 1)],
    }
}

/// `#1C2128`: as it is written in SVG and CSS.
pub(crate) fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// Style rules that give whatever is drawn in light colours the dark ones, below `selector`.
pub(crate) fn dark_rules(selector: &str) -> String {
    let mut rules = String::new();
    for ink in Ink::all() {
        let (from, to) = (hex(Theme::Light.rgb(ink)), hex(Theme::Dark.rgb(ink)));
        rules.push_str(&format!(
            "{selector} [fill=\"{from}\"]{{fill:{to}}}{selector} [stroke=\"{from}\"]{{stroke:{to}}}"
        ));
    }
    rules
}

/// The colours that a page draws charts of its own with, as custom properties.
pub(crate) fn variables(theme: Theme) -> String {
    let named = [
        ("grid", Ink::Grid),
        ("axis", Ink::Axis),
        ("fault", Ink::Fault),
        ("phase", Ink::Phase),
    ];
    let named = named.map(|(name, ink)| (name.to_owned(), ink));
    let series = (0..Ink::SERIES).map(|number| (format!("series-{number}"), Ink::Series(number)));
    let all = named.into_iter().chain(series);
    all.map(|(name, ink)| format!("--{name}:{};", hex(theme.rgb(ink))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No two roles share a light colour: the dark rules could not tell them apart.
    #[test]
    fn light_colours_are_distinct() {
        let mut colours: Vec<Rgb> = Ink::all().into_iter().map(light).collect();
        let count = colours.len();

        colours.sort_unstable();
        colours.dedup();

        assert_eq!(colours.len(), count);
    }

    /// Words have at least the contrast that WCAG 2.2 asks of body text (4.5), series and axes
    /// that of graphics (3), on either background.
    #[test]
    fn contrast_is_sufficient() {
        for theme in [Theme::Light, Theme::Dark] {
            let against_background = |ink| contrast(theme.rgb(ink), theme.rgb(Ink::Background));

            for ink in [Ink::Text, Ink::Muted, Ink::Fault, Ink::Limit] {
                assert!(against_background(ink) >= 4.5, "{theme:?} {ink:?}");
            }
            for ink in (0..Ink::SERIES).map(Ink::Series).chain([Ink::Axis]) {
                assert!(against_background(ink) >= 3.0, "{theme:?} {ink:?}");
            }
        }
    }

    fn contrast(a: Rgb, b: Rgb) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance((red, green, blue): Rgb) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.040_45 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }
}
