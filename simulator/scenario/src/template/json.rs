//! JSON payloads: an object whose texts are templates.
//!
//! A text that is nothing but one placeholder of a number or a truth value becomes that: `seq = "{seq}"` gives
//! `"seq":7`. A number padded with zeros stays text, as JSON has no such number.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use squall_toml::quote::{quote, quote_key};

use super::error::{Slip, Step};
use super::parse::Segments;
use super::segment::Segment;
use super::{Escaping, Fixed, Template, Use};

/// A JSON value as TOML writes it; members in file order.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(untagged)]
pub(crate) enum JsonValue {
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text, which is a template.
    Text(String),
    /// An array of values.
    Array(Vec<JsonValue>),
    /// An object of named values.
    Object(IndexMap<String, JsonValue>),
}

impl JsonValue {
    /// The same as TOML in one line, with its templates as they are.
    fn to_source(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => format!("{value:?}"),
            Self::Text(text) => quote(text),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(Self::to_source).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Object(members) => {
                let member = |(key, value): (&String, &Self)| {
                    format!("{} = {}", quote_key(key), value.to_source())
                };
                let members: Vec<String> = members.iter().map(member).collect();
                format!("{{ {} }}", members.join(", "))
            }
        }
    }
}

impl Template {
    /// Parses every text in `value`, which stands in `place`.
    pub(super) fn parse_json(
        value: &JsonValue,
        place: Use,
        fixed: &Fixed<'_>,
    ) -> Result<Self, Vec<Slip>> {
        let mut segments = Segments::new(Escaping::Json);
        push_value(&mut segments, value, place, fixed);
        if !segments.slips.is_empty() {
            return Err(segments.slips);
        }
        Ok(Self {
            source: value.to_source(),
            segments: segments.list,
            escaping: Escaping::Json,
        })
    }
}

fn push_value(segments: &mut Segments, value: &JsonValue, place: Use, fixed: &Fixed<'_>) {
    match value {
        JsonValue::Bool(value) => segments.push_raw(&value.to_string()),
        JsonValue::Integer(value) => segments.push_raw(&value.to_string()),
        JsonValue::Float(value) => segments.push_raw(&serde_json::Value::from(*value).to_string()),
        JsonValue::Text(text) => push_text(segments, text, place, fixed),
        JsonValue::Array(items) => {
            segments.push_raw("[");
            for (n, item) in items.iter().enumerate() {
                segments.push_raw(if n > 0 { "," } else { "" });
                let known = segments.slips.len();
                push_value(segments, item, place, fixed);
                step_into(segments, known, &Step::Item(n));
            }
            segments.push_raw("]");
        }
        JsonValue::Object(members) => {
            segments.push_raw("{");
            for (n, (key, member)) in members.iter().enumerate() {
                segments.push_raw(if n > 0 { "," } else { "" });
                segments.push_raw(&serde_json::Value::from(key.as_str()).to_string());
                segments.push_raw(":");
                let known = segments.slips.len();
                push_value(segments, member, place, fixed);
                step_into(segments, known, &Step::Key(key.clone()));
            }
            segments.push_raw("}");
        }
    }
}

/// The slips from `known` on are in the value that `step` leads to.
fn step_into(segments: &mut Segments, known: usize, step: &Step) {
    for slip in &mut segments.slips[known..] {
        slip.path.insert(0, step.clone());
    }
}

fn push_text(segments: &mut Segments, text: &str, place: Use, fixed: &Fixed<'_>) {
    let mut inner = Segments::new(Escaping::Json);
    inner.parse(text, place, fixed);
    segments.slips.append(&mut inner.slips);
    let is_bare = matches!(inner.list.as_slice(), [only] if only.is_bare());
    let quote = if is_bare { "" } else { "\"" };
    segments.push_raw(quote);
    for segment in inner.list {
        if let Segment::Literal(text) = segment {
            segments.push_raw(&text);
        } else {
            segments.list.push(segment);
        }
    }
    segments.push_raw(quote);
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    use super::*;
    use crate::template::{MessageTemplate, TemplateValues};

    fn render(toml: &str, client_id: &str) -> String {
        let value: JsonValue = toml::from_str(toml).unwrap();
        let vars = IndexMap::from([("quote".to_owned(), "\"".to_owned())]);
        let fixed = Fixed {
            group: "g",
            vars: &vars,
            feed: None,
            seed: 1,
        };
        let template = MessageTemplate::parse_json(&value, &fixed).unwrap();
        let values = TemplateValues {
            index: 7,
            client_id,
            seq: 3,
            now_ms: 0,
        };
        let mut out = String::new();
        template.render(&values, &mut Pcg64Mcg::seed_from_u64(1), &mut out);
        out
    }

    #[test]
    fn one_numeric_placeholder_alone_gives_a_number() {
        let json = render(
            "a = \"{seq}\"\nb = \"n{seq}\"\nc = \"{index:05}\"\nd = 1.5\ne = [true, \"{index}\"]",
            "x",
        );

        assert_eq!(json, r#"{"a":3,"b":"n3","c":"00007","d":1.5,"e":[true,7]}"#);
    }

    /// Whatever a client id or a variable holds, the payload stays JSON.
    #[test]
    fn texts_are_escaped() {
        let json = render("id = \"{client_id}\"\nv = \"{vars.quote}\\n\"", "a\"b\\");

        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["id"], "a\"b\\");
        assert_eq!(value["v"], "\"\n");
    }
}
