//! Pieces of a template: literal text and placeholders with their arguments.

use std::num::NonZeroU64;

use super::push;

/// Widest zero-padded number.
const WIDTH_MAX: u8 = 20;

/// Most digits behind the point of `{rand.float}`.
const DECIMALS_MAX: u8 = 9;

/// A piece of a template. Texts in it are escaped already.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Segment {
    /// Text as it is.
    Literal(String),
    /// `{index}`
    Index(Shape),
    /// `{client_id}`
    ClientId,
    /// `{seq}`
    Seq(Shape),
    /// `{now_ms}`
    NowMs,
    /// `{rand.int:1..9}`, both ends included.
    RandInt { min: i64, max: i64 },
    /// `{rand.float:18..26:2}`, with this number of digits behind the point.
    RandFloat { min: f64, max: f64, decimals: u8 },
    /// `{rand.choice:a|b}`
    RandChoice(Vec<String>),
}

impl Segment {
    /// Whether it may differ from message to message.
    pub(super) fn is_of_message(&self) -> bool {
        match self {
            Self::Literal(_) | Self::Index(_) | Self::ClientId => false,
            Self::Seq(_)
            | Self::NowMs
            | Self::RandInt { .. }
            | Self::RandFloat { .. }
            | Self::RandChoice(_) => true,
        }
    }

    /// The texts that it may stand for; none for numbers and `{client_id}`.
    pub(super) fn pieces(&self) -> Vec<&str> {
        match self {
            Self::Literal(text) => vec![text],
            Self::RandChoice(choices) => choices.iter().map(String::as_str).collect(),
            Self::Index(_)
            | Self::ClientId
            | Self::Seq(_)
            | Self::NowMs
            | Self::RandInt { .. }
            | Self::RandFloat { .. } => Vec::new(),
        }
    }

    /// Bytes of the longest text that it may stand for.
    pub(super) fn length_max(&self, client_id_max: usize) -> usize {
        /// `u64::MAX` and `i64::MIN` have 20 characters.
        const NUMBER: usize = 20;
        match self {
            Self::Literal(_) | Self::RandChoice(_) => {
                self.pieces().into_iter().map(str::len).max().unwrap_or(0)
            }
            Self::ClientId => client_id_max,
            Self::Index(shape) | Self::Seq(shape) => NUMBER.max(shape.width.into()),
            Self::NowMs | Self::RandInt { .. } => NUMBER,
            Self::RandFloat { decimals, min, max } => {
                // The sign, the digits before the point, the point, and the digits behind it.
                let digits = min.abs().max(max.abs()).max(1.0).log10() as usize + 1;
                2 + digits + usize::from(*decimals)
            }
        }
    }

    /// Whether it is always a number.
    pub(super) fn is_number(&self) -> bool {
        match self {
            Self::Index(shape) | Self::Seq(shape) => shape.width == 0,
            Self::NowMs | Self::RandInt { .. } | Self::RandFloat { .. } => true,
            Self::Literal(_) | Self::ClientId | Self::RandChoice(_) => false,
        }
    }
}

/// How a counter is written: `{seq % 100:05}`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// The counter is written modulo this.
    pub(super) modulus: Option<NonZeroU64>,
    /// Padded with zeros to this width.
    width: u8,
}

impl Shape {
    pub(super) fn write(self, number: u64, out: &mut String) {
        let number = self.modulus.map_or(number, |modulus| number % modulus);
        push(
            out,
            format_args!("{number:0width$}", width = usize::from(self.width)),
        );
    }
}

/// Parses nothing, `% 100`, `:05` or `% 100:05`.
pub(super) fn parse_shape(argument: &str) -> Option<Shape> {
    let (modulus, width) = match argument.split_once(':') {
        Some((modulus, width)) => (modulus.trim(), Some(width.trim())),
        None => (argument.trim(), None),
    };
    let modulus = match modulus.strip_prefix('%') {
        Some(modulus) => Some(modulus.trim().parse::<NonZeroU64>().ok()?),
        None if modulus.is_empty() => None,
        None => return None,
    };
    let width = match width {
        Some(width) => width.strip_prefix('0')?.parse().ok()?,
        None => 0,
    };
    (width <= WIDTH_MAX).then_some(Shape { modulus, width })
}

/// Parses `:1..9`, both ends included.
pub(super) fn parse_rand_int(argument: &str) -> Option<Segment> {
    let (min, max) = argument.strip_prefix(':')?.split_once("..")?;
    let (min, max) = (min.trim().parse().ok()?, max.trim().parse().ok()?);
    (min <= max).then_some(Segment::RandInt { min, max })
}

/// Parses `:18..26:2`, two digits behind the point.
pub(super) fn parse_rand_float(argument: &str) -> Option<Segment> {
    let (range, decimals) = argument.strip_prefix(':')?.split_once(':')?;
    let (min, max) = range.split_once("..")?;
    let (min, max): (f64, f64) = (min.trim().parse().ok()?, max.trim().parse().ok()?);
    let decimals = decimals.trim().parse().ok()?;
    let is_range = min.is_finite() && max.is_finite() && min <= max && (max - min).is_finite();
    (is_range && decimals <= DECIMALS_MAX).then_some(Segment::RandFloat { min, max, decimals })
}
