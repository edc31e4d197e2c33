//! Templates: texts with placeholders, parsed once and rendered per device or per message.
//!
//! `{vars.x}` and `{group}` are the same for a whole group and are put in when the template is
//! parsed. A [`DeviceTemplate`] is the same text whenever one device renders it; a
//! [`MessageTemplate`] may differ from message to message. Two braces, `{{` or `}}`, stand for one.

use std::fmt::Write as _;
use std::num::NonZeroU64;

use rand::{Rng, RngExt};

/// What placeholders stand for in one message.
#[derive(Clone, Copy, Debug)]
pub struct TemplateValues<'a> {
    /// `{index}`: place of the device in its group, from 0.
    pub index: u32,
    /// `{client_id}`
    pub client_id: &'a str,
    /// `{seq}`: counts the messages of this device from this `[[group.publish]]`, from 0.
    pub seq: u64,
    /// `{now_ms}`: the due time of the message, in milliseconds since the start of the run.
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
