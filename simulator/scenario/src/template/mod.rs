//! Templates: texts with placeholders, parsed once and rendered per device or per message.
//!
//! `{vars.x}` and `{group}` are the same for a whole group and are put in when the template is
//! parsed. A [`DeviceTemplate`] is the same text whenever one device renders it; a
//! [`MessageTemplate`] may differ from message to message. Two braces, `{{` or `}}`, stand for one.

mod catalogue;
mod error;
mod json;
mod parse;
mod place;
mod random;
mod segment;
mod time;

use std::fmt::Write as _;

use rand::Rng;

pub(crate) use catalogue::{PLACEHOLDERS, Placeholder};
pub use error::TemplateError;
pub(crate) use error::{Slip, Step};
pub(crate) use json::JsonValue;
pub(crate) use parse::Fixed;
pub(crate) use place::Use;
use segment::Segment;

/// What placeholders stand for in one message.
#[derive(Clone, Copy, Debug)]
pub struct TemplateValues<'a> {
    /// `{index}`: the device's place in its group, counted from 0.
    pub index: u32,
    /// `{client_id}`: the device's Client Identifier.
    pub client_id: &'a str,
    /// `{seq}`: counts the messages of this device from this `[[group.publish]]`, from 0.
    pub seq: u64,
    /// `{now_ms}`: the due time of the message as Unix time, in milliseconds. In virtual time a run starts
    /// at 2026-01-01T00:00:00Z.
    pub now_ms: u64,
}

/// A text that is always the same for one device.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceTemplate(Template);

impl DeviceTemplate {
    /// The text of the device with this `{index}` and `{client_id}`.
    pub fn render(&self, index: u32, client_id: &str) -> String {
        let mut out = String::new();
        for segment in &self.0.segments {
            match segment {
                Segment::ClientId => self.0.escaping.write(client_id, &mut out),
                Segment::Literal(_)
                | Segment::Index(_)
                | Segment::Pick(_)
                | Segment::Own { .. } => segment.write_of_device(index, &mut out),
                Segment::Seq(_) | Segment::NowMs | Segment::NowIso | Segment::Drawn(_) => {
                    unreachable!("a device template has no placeholder of a message")
                }
            }
        }
        out
    }

    /// Parses `text`; `fixed` goes in now, the placeholders that `allowed` has stay.
    pub(crate) fn parse(text: &str, allowed: Use, fixed: &Fixed<'_>) -> Result<Self, Vec<Slip>> {
        assert!(
            allowed.is_per_device(),
            "placeholders of a message are not for a device"
        );
        Template::parse(text, allowed, fixed).map(Self)
    }

    /// Parses every text in a JSON object.
    pub(crate) fn parse_json(value: &JsonValue, fixed: &Fixed<'_>) -> Result<Self, Vec<Slip>> {
        Template::parse_json(value, Use::DeviceText, fixed).map(Self)
    }

    /// A text without placeholders.
    pub(crate) fn literal(text: &str) -> Self {
        Self(Template::literal(text))
    }

    /// Whether it is the same text for every device.
    pub(crate) fn is_literal(&self) -> bool {
        self.0.is_literal()
    }

    /// The text in the file.
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
                Segment::Literal(_)
                | Segment::Index(_)
                | Segment::Pick(_)
                | Segment::Own { .. } => segment.write_of_device(values.index, out),
                Segment::ClientId => self.0.escaping.write(values.client_id, out),
                Segment::Seq(shape) => shape.write(values.seq, out),
                Segment::NowMs => push(out, format_args!("{}", values.now_ms)),
                Segment::NowIso => time::write_iso(values.now_ms, out),
                Segment::Drawn(draw) => draw.write(rng, out),
            }
        }
    }

    /// Parses `text`; `fixed` goes in now, the placeholders that `allowed` has stay.
    pub(crate) fn parse(text: &str, allowed: Use, fixed: &Fixed<'_>) -> Result<Self, Vec<Slip>> {
        Template::parse(text, allowed, fixed).map(Self)
    }

    /// Parses every text in a JSON object.
    pub(crate) fn parse_json(value: &JsonValue, fixed: &Fixed<'_>) -> Result<Self, Vec<Slip>> {
        Template::parse_json(value, Use::Payload, fixed).map(Self)
    }

    /// A text without placeholders.
    pub(crate) fn literal(text: &str) -> Self {
        Self(Template::literal(text))
    }

    /// Whether it is the same text for every message of every device.
    pub(crate) fn is_literal(&self) -> bool {
        self.0.is_literal()
    }

    /// Whether `{client_id}` is in it.
    pub(crate) fn has_client_id(&self) -> bool {
        self.0.segments.contains(&Segment::ClientId)
    }

    /// The texts that its renderings are put together from, what squall makes up and `{client_id}` aside.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.0.segments.iter().flat_map(Segment::pieces)
    }

    /// Bytes that every rendering has at least; the length of a Client Identifier is not known here.
    pub(crate) fn known_bytes(&self) -> usize {
        self.0.segments.iter().map(Segment::length_min).sum()
    }

    /// Whether a rendering may be `text`, which has no digits: with the device of `client_id`, of this `{index}`.
    pub(crate) fn may_be(&self, text: &str, index: u32, client_id: &str) -> bool {
        segment::may_be(&self.0.segments, text, index, client_id)
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

    /// The text in the file.
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

impl Template {
    fn is_literal(&self) -> bool {
        let mut segments = self.segments.iter();
        segments.all(|segment| matches!(segment, Segment::Literal(_)))
    }
}

/// How a text is escaped for what surrounds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Escaping {
    /// Not at all.
    Plain,
    /// As within a JSON string.
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
