//! Templates: texts with placeholders, parsed once and rendered per device or per message.
//!
//! `{vars.x}` and `{group}` are the same for a whole group and are put in when the template is
//! parsed. A [`DeviceTemplate`] is the same text whenever one device renders it; a
//! [`MessageTemplate`] may differ from message to message. Two braces, `{{` or `}}`, stand for one.

mod json;
mod parse;

use std::fmt::Write as _;
use std::num::NonZeroU64;

use rand::{Rng, RngExt};

pub(crate) use json::JsonValue;
pub use parse::TemplateError;
pub(crate) use parse::{Fixed, Use};

/// What placeholders stand for in one message.
#[derive(Clone, Copy, Debug)]
pub struct TemplateValues<'a> {
    /// `{index}`: place of the device in its group, from 0.
    pub index: u32,
    /// `{client_id}`
    pub client_id: &'a str,
    /// `{seq}`: counts the messages of this device from this `[[group.publish]]`, from 0.
    pub seq: u64,
    /// `{now_ms}`: the due time of the message as Unix time, in milliseconds. In virtual time a run starts
    /// at 2026-01-01T00:00:00Z.
    pub now_ms: u64,
}

/// A text that is always the same for one device: `{index}` and `{client_id}` only.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceTemplate(Template);

impl DeviceTemplate {
    /// The text of the device with this `{index}` and `{client_id}`.
    pub fn render(&self, index: u32, client_id: &str) -> String {
        let mut out = String::new();
        for segment in &self.0.segments {
            match segment {
                Segment::Literal(text) => out.push_str(text),
                Segment::Index(shape) => shape.write(index.into(), &mut out),
                Segment::ClientId => self.0.escaping.write(client_id, &mut out),
                Segment::Seq(_)
                | Segment::NowMs
                | Segment::RandInt { .. }
                | Segment::RandFloat { .. }
                | Segment::RandChoice(_) => {
                    unreachable!("a device template has no placeholder of a message")
                }
            }
        }
        out
    }

    /// Parses `text`; `fixed` goes in now, the placeholders that `allowed` has stay.
    pub(crate) fn parse(
        text: &str,
        allowed: Use,
        fixed: &Fixed<'_>,
    ) -> Result<Self, TemplateError> {
        assert!(
            allowed.is_per_device(),
            "placeholders of a message are not for a device"
        );
        Template::parse(text, allowed, fixed).map(Self)
    }

    /// Parses every text in a JSON object.
    pub(crate) fn parse_json(value: &JsonValue, fixed: &Fixed<'_>) -> Result<Self, TemplateError> {
        Template::parse_json(value, Use::DeviceText, fixed).map(Self)
    }

    /// A text without placeholders.
    pub(crate) fn literal(text: &str) -> Self {
        Self(Template::literal(text))
    }

    /// Whether it is the same text for every device.
    pub(crate) fn is_literal(&self) -> bool {
        self.0
            .segments
            .iter()
            .all(|segment| matches!(segment, Segment::Literal(_)))
    }

    /// As the file writes it.
    pub fn source(&self) -> &str {
        &self.0.source
    }
}

/// A text that may be another one for each message.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageTemplate(Template);

impl MessageTemplate {
    /// Appends the text of one message to `out`.
    pub fn render(&self, values: &TemplateValues<'_>, rng: &mut impl Rng, out: &mut String) {
        for segment in &self.0.segments {
            match segment {
                Segment::Literal(text) => out.push_str(text),
                Segment::Index(shape) => shape.write(values.index.into(), out),
                Segment::ClientId => self.0.escaping.write(values.client_id, out),
                Segment::Seq(shape) => shape.write(values.seq, out),
                Segment::NowMs => push(out, format_args!("{}", values.now_ms)),
                Segment::RandInt { min, max } => {
                    push(out, format_args!("{}", rng.random_range(*min..=*max)));
                }
                Segment::RandFloat { min, max, decimals } => {
                    let number = min + (max - min) * rng.random::<f64>();
                    push(out, format_args!("{number:.*}", usize::from(*decimals)));
                }
                Segment::RandChoice(choices) => {
                    out.push_str(&choices[rng.random_range(0..choices.len())]);
                }
            }
        }
    }

    /// Parses `text`; `fixed` goes in now, the placeholders that `allowed` has stay.
    pub(crate) fn parse(
        text: &str,
        allowed: Use,
        fixed: &Fixed<'_>,
    ) -> Result<Self, TemplateError> {
        Template::parse(text, allowed, fixed).map(Self)
    }

    /// Parses every text in a JSON object.
    pub(crate) fn parse_json(value: &JsonValue, fixed: &Fixed<'_>) -> Result<Self, TemplateError> {
        Template::parse_json(value, Use::Payload, fixed).map(Self)
    }

    /// A text without placeholders.
    pub(crate) fn literal(text: &str) -> Self {
        Self(Template::literal(text))
    }

    /// Whether `{client_id}` is in it.
    pub(crate) fn has_client_id(&self) -> bool {
        self.0.segments.contains(&Segment::ClientId)
    }

    /// The texts that its renderings are put together from, numbers and `{client_id}` aside.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.0.segments.iter().flat_map(Segment::pieces)
    }

    /// Bytes that are in every rendering.
    pub(crate) fn literal_bytes(&self) -> usize {
        let segments = self.0.segments.iter();
        segments
            .map(|segment| match segment {
                Segment::Literal(text) => text.len(),
                Segment::RandChoice(_)
                | Segment::Index(_)
                | Segment::ClientId
                | Segment::Seq(_)
                | Segment::NowMs
                | Segment::RandInt { .. }
                | Segment::RandFloat { .. } => 0,
            })
            .sum()
    }

    /// Bytes of its longest rendering, if `{client_id}` has at most `client_id_max`.
    pub(crate) fn length_max(&self, client_id_max: usize) -> usize {
        self.0
            .segments
            .iter()
            .map(|segment| segment.length_max(client_id_max))
            .sum()
    }

    /// Whether every message of one device has the same text.
    pub fn is_fixed_per_device(&self) -> bool {
        self.0
            .segments
            .iter()
            .all(|segment| !segment.is_of_message())
    }

    /// As the file writes it.
    pub fn source(&self) -> &str {
        &self.0.source
    }
}

/// A parsed text.
#[derive(Clone, Debug, PartialEq)]
struct Template {
    source: String,
    segments: Vec<Segment>,
    escaping: Escaping,
}

/// A piece of a template. Texts in it are escaped already.
#[derive(Clone, Debug, PartialEq)]
enum Segment {
    Literal(String),
    Index(Shape),
    ClientId,
    Seq(Shape),
    NowMs,
    RandInt { min: i64, max: i64 },
    RandFloat { min: f64, max: f64, decimals: u8 },
    RandChoice(Vec<String>),
}

impl Segment {
    /// Whether it may differ from message to message.
    fn is_of_message(&self) -> bool {
        match self {
            Self::Literal(_) | Self::Index(_) | Self::ClientId => false,
            Self::Seq(_)
            | Self::NowMs
            | Self::RandInt { .. }
            | Self::RandFloat { .. }
            | Self::RandChoice(_) => true,
        }
    }
}

impl Segment {
    /// The texts that it may stand for; none for numbers and `{client_id}`.
    fn pieces(&self) -> Vec<&str> {
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
    fn length_max(&self, client_id_max: usize) -> usize {
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

    /// Whether it always is a number.
    fn is_number(&self) -> bool {
        match self {
            Self::Index(shape) | Self::Seq(shape) => shape.width == 0,
            Self::NowMs | Self::RandInt { .. } | Self::RandFloat { .. } => true,
            Self::Literal(_) | Self::ClientId | Self::RandChoice(_) => false,
        }
    }
}

/// How a counter is written: `{seq % 100:05}`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Shape {
    modulus: Option<NonZeroU64>,
    /// Padded with zeros to this width.
    width: u8,
}

impl Shape {
    fn write(self, number: u64, out: &mut String) {
        let number = self.modulus.map_or(number, |modulus| number % modulus);
        push(
            out,
            format_args!("{number:0width$}", width = usize::from(self.width)),
        );
    }
}

/// How texts get into what surrounds them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Escaping {
    /// As they are.
    Plain,
    /// Within a JSON string.
    Json,
}

impl Escaping {
    fn write(self, text: &str, out: &mut String) {
        match self {
            Self::Plain => out.push_str(text),
            Self::Json => {
                let quoted = serde_json::Value::from(text).to_string();
                out.push_str(&quoted[1..quoted.len() - 1]);
            }
        }
    }
}

fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments).expect("a String takes any text");
}
