//! Pieces of a template: literal text and placeholders with their arguments.

use std::num::NonZeroU64;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::push;
use super::random::Draw;

/// Widest zero-padded number.
const WIDTH_MAX: u8 = 20;

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
    /// `{now_iso}`
    NowIso,
    /// `{pick:a|b}` or `{csv.x}`: the device's, by its index; when all are taken the first follows.
    Pick(Vec<String>),
    /// Drawn for each message.
    Drawn(Draw),
    /// Drawn for each device, which keeps it.
    Own { draw: Draw, key: u64 },
}

impl Segment {
    /// Whether it may differ from message to message.
    pub(super) fn is_of_message(&self) -> bool {
        match self {
            Self::Literal(_)
            | Self::Index(_)
            | Self::ClientId
            | Self::Pick(_)
            | Self::Own { .. } => false,
            Self::Seq(_) | Self::NowMs | Self::NowIso | Self::Drawn(_) => true,
        }
    }

    /// The texts that it may stand for; none for what squall makes up and `{client_id}`.
    pub(super) fn pieces(&self) -> Vec<&str> {
        match self {
            Self::Literal(text) => vec![text],
            Self::Pick(texts) => texts.iter().map(String::as_str).collect(),
            Self::Drawn(draw) | Self::Own { draw, .. } => {
                draw.pieces().iter().map(String::as_str).collect()
            }
            Self::Index(_) | Self::ClientId | Self::Seq(_) | Self::NowMs | Self::NowIso => {
                Vec::new()
            }
        }
    }

    /// Bytes of the longest text that it may stand for.
    pub(super) fn length_max(&self, client_id_max: usize) -> usize {
        /// `u64::MAX` has 20 characters.
        const NUMBER: usize = 20;
        match self {
            Self::Literal(_) | Self::Pick(_) => {
                self.pieces().into_iter().map(str::len).max().unwrap_or(0)
            }
            Self::ClientId => client_id_max,
            Self::Index(shape) | Self::Seq(shape) => NUMBER.max(shape.width.into()),
            Self::NowMs => NUMBER,
            // The year may have more than four digits.
            Self::NowIso => NUMBER + 20,
            Self::Drawn(draw) | Self::Own { draw, .. } => draw.length_max(),
        }
    }

    /// Bytes of the shortest text that it may stand for; none of `{client_id}`.
    pub(super) fn length_min(&self) -> usize {
        match self {
            Self::Literal(_) | Self::Pick(_) => {
                self.pieces().into_iter().map(str::len).min().unwrap_or(0)
            }
            Self::ClientId => 0,
            Self::Index(shape) | Self::Seq(shape) => usize::from(shape.width).max(1),
            // From 2001 to 2286 it has as many digits.
            Self::NowMs => 13,
            Self::NowIso => "2026-01-01T00:00:00.000Z".len(),
            Self::Drawn(draw) | Self::Own { draw, .. } => draw.length_min(),
        }
    }

    /// Whether JSON has it without quotes, as a number or a truth value.
    pub(super) fn is_bare(&self) -> bool {
        match self {
            Self::Index(shape) | Self::Seq(shape) => shape.width == 0,
            Self::NowMs => true,
            Self::Drawn(draw) | Self::Own { draw, .. } => draw.is_bare(),
            Self::Literal(_) | Self::ClientId | Self::NowIso | Self::Pick(_) => false,
        }
    }

    /// Appends what it stands for with the device of this index; nothing where that changes from message to message.
    pub(super) fn write_of_device(&self, index: u32, out: &mut String) {
        match self {
            Self::Literal(text) => out.push_str(text),
            Self::Index(shape) => shape.write(index.into(), out),
            Self::Pick(texts) => out.push_str(&texts[index as usize % texts.len()]),
            Self::Own { draw, key } => {
                let mut rng = Pcg64Mcg::seed_from_u64(key ^ (u64::from(index) << 32));
                draw.write(&mut rng, out);
            }
            Self::ClientId | Self::Seq(_) | Self::NowMs | Self::NowIso | Self::Drawn(_) => {}
        }
    }
}

/// Whether `segments` may stand for `text`, which has no digits, with the device of `client_id` and this index.
pub(super) fn may_be(segments: &[Segment], text: &str, index: u32, client_id: &str) -> bool {
    let Some((first, rest)) = segments.split_first() else {
        return text.is_empty();
    };
    let rest_may_be = |rest_of_text: &str| may_be(rest, rest_of_text, index, client_id);
    let begins_with = |piece: &str| text.strip_prefix(piece).is_some_and(rest_may_be);
    match first {
        Segment::Literal(_) | Segment::Index(_) | Segment::Pick(_) | Segment::Own { .. } => {
            let mut piece = String::new();
            first.write_of_device(index, &mut piece);
            begins_with(&piece)
        }
        Segment::ClientId => begins_with(client_id),
        // Numbers have digits, and so has a time.
        Segment::Seq(_) | Segment::NowMs | Segment::NowIso => false,
        Segment::Drawn(draw) => draw.beginnings(text).into_iter().any(begins_with),
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
