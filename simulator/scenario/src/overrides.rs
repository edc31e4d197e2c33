//! `--set KEY=VALUE`: values from the command line that replace those of the file.

use std::fmt;
use std::str::FromStr;

use super::document::{Entry, Node, Value};
use super::error::{Choice, Diagnostics};
use super::location::KeyPath;
use super::source::{Sources, Span};

/// Keys of which a block has one: setting one takes the others out.
const ALTERNATIVES: [&[&str]; 5] = [
    &["url", "spawn"],
    &["rate", "rate_per_device", "every"],
    &["at", "every"],
    &["fraction", "count", "match"],
    &["size", "text", "json"],
];

/// Blocks that a file may have many of.
const LISTS: [&str; 6] = [
    "network",
    "group",
    "fault",
    "expect",
    "publish",
    "subscribe",
];

/// One `--set KEY=VALUE`.
///
/// The key is dotted, and blocks of which there are many are named: `group.sensors.count`,
/// `group.sensors.publish[0].rate`. An index may be left out if there is one only. The value is
/// TOML, or text without quotes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Override {
    /// Dotted.
    pub key: String,
    /// TOML, or text without quotes.
    pub value: String,
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        // A quoted part of the key may hold one: `thresholds."e2e_latency{qos=1}"`.
        let mut is_quoted = false;
        let position = text.find(|c| {
            is_quoted ^= c == '"';
            c == '=' && !is_quoted
        });
        let (key, value) = match position {
            Some(position) => (text[..position].trim(), text[position + 1..].trim()),
            None => return Err(OverrideError::Malformed),
        };
        if key.is_empty() {
            return Err(OverrideError::Malformed);
        }
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// Why a value cannot be set.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OverrideError {
    /// No `=`, or nothing before it.
    #[error("write it like `group.sensors.count=200`")]
    Malformed,
    /// A key that cannot be read.
    #[error("{key:?} is no dotted key")]
    MalformedKey {
        /// As written.
        key: String,
    },
    /// A block that the file does not have.
    #[error("the scenario has no {list} {written:?}")]
    NoSuchBlock {
        /// `group`, `fault`, …
        list: String,
        /// Name or index as written.
        written: String,
        /// Names or indexes that exist.
        known: Vec<String>,
    },
    /// A block of which there are many, without a name or an index.
    #[error("the scenario has {count} of {list}: say which")]
    Ambiguous {
        /// `publish`, …
        list: String,
        /// How many.
        count: usize,
        /// Names or indexes that exist.
        known: Vec<String>,
    },
    /// A key below a value that is no table.
    #[error("`{key}` is no block")]
    NoBlock {
        /// As written.
        key: String,
    },
}

impl OverrideError {
    /// The word that is wrong, and those that would be right.
    pub(super) fn choice(&self) -> Option<Choice<'_>> {
        match self {
            Self::NoSuchBlock { written, known, .. } => Some(Choice::new(written, known)),
            Self::Ambiguous { list, known, .. } => Some(Choice::new(list, known)),
            Self::Malformed | Self::MalformedKey { .. } | Self::NoBlock { .. } => None,
        }
    }
}

/// Puts every override into `document`, in order.
pub(super) fn apply(
    document: &mut Node,
    overrides: &[Override],
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    for (index, entry) in overrides.iter().enumerate() {
        let base = sources.override_base(index);
        let key_span = base..base + entry.key.len();
        let outcome = split_key(&entry.key).and_then(|keys| {
            let value = parse_value(&entry.value, base + entry.key.len() + 1);
            set(document, &keys, value, &key_span)
        });
        if let Err(error) = outcome {
            let path = KeyPath::default();
            diagnostics.push(key_span, path, error);
        }
    }
}

/// `a.b[0]."c.d"` as `a`, `b`, `0`, `c.d`.
fn split_key(key: &str) -> Result<Vec<String>, OverrideError> {
    let malformed = || OverrideError::MalformedKey {
        key: key.to_owned(),
    };
    let mut keys = Vec::new();
    let mut rest = key.trim();
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (name, after) = quoted.split_once('"').ok_or_else(malformed)?;
            keys.push(name.to_owned());
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() {
                return Err(malformed());
            }
            keys.push(name.to_owned());
            rest = after;
        }
        while let Some(inside) = rest.strip_prefix('[') {
            let (index, after) = inside.split_once(']').ok_or_else(malformed)?;
            keys.push(index.to_owned());
            rest = after;
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => return Ok(keys),
            None => return Err(malformed()),
        }
    }
}

/// A TOML value, or else the text itself.
fn parse_value(text: &str, base: usize) -> Node {
    Node::parse_value(text, base).unwrap_or_else(|_| Node {
        span: base..base + text.len(),
        value: Value::String(text.to_owned()),
    })
}

/// Puts `value` where `keys` point to, in the table `node`.
fn set(
    node: &mut Node,
    keys: &[String],
    value: Node,
    key_span: &Span,
) -> Result<(), OverrideError> {
    let Some((key, rest)) = keys.split_first() else {
        *node = value;
        return Ok(());
    };
    if let Value::Array(items) = &mut node.value {
        return Err(OverrideError::NoBlock {
            key: format!("{key} of {} items", items.len()),
        });
    }
    let Value::Table(entries) = &mut node.value else {
        return Err(OverrideError::NoBlock { key: key.clone() });
    };
    if rest.is_empty() {
        for alternatives in ALTERNATIVES
            .iter()
            .filter(|keys| keys.contains(&key.as_str()))
        {
            entries
                .retain(|entry| entry.key == *key || !alternatives.contains(&entry.key.as_str()));
        }
    }
    let position = match entries.iter().position(|entry| entry.key == *key) {
        Some(position) => position,
        None => {
            let value = match LISTS.contains(&key.as_str()) && !rest.is_empty() {
                true => Value::Array(Vec::new()),
                false => Value::Table(Vec::new()),
            };
            entries.push(Entry {
                key: key.clone(),
                key_span: key_span.clone(),
                node: Node {
                    span: key_span.clone(),
                    value,
                },
            });
            entries.len() - 1
        }
    };
    let entry = &mut entries[position];
    if rest.is_empty() {
        entry.key_span = key_span.clone();
    }
    match &mut entry.node.value {
        Value::Array(items) if !rest.is_empty() => {
            let (item, rest) = choose(items, key, rest)?;
            set(item, rest, value, key_span)
        }
        _ => set(&mut entry.node, rest, value, key_span),
    }
}

/// The item of the list `key` that `rest` begins with: by name, by index, or the only one.
fn choose<'i, 'k>(
    items: &'i mut [Node],
    key: &str,
    rest: &'k [String],
) -> Result<(&'i mut Node, &'k [String]), OverrideError> {
    let written = &rest[0];
    let named = items
        .iter()
        .position(|item| item.get("name").and_then(Node::as_str) == Some(written));
    let indexed = written
        .parse()
        .ok()
        .filter(|&index: &usize| index < items.len());
    if let Some(position) = named.or(indexed) {
        return Ok((&mut items[position], &rest[1..]));
    }
    let known: Vec<String> = items
        .iter()
        .enumerate()
        .map(
            |(index, item)| match item.get("name").and_then(Node::as_str) {
                Some(name) => name.to_owned(),
                None => index.to_string(),
            },
        )
        .collect();
    let has_names = items.iter().any(|item| item.get("name").is_some());
    match items {
        [only] if !has_names && rest.len() == 1 => Ok((only, rest)),
        [_, _, ..] if !has_names && written.parse::<usize>().is_err() => {
            Err(OverrideError::Ambiguous {
                list: key.to_owned(),
                count: known.len(),
                known,
            })
        }
        _ => Err(OverrideError::NoSuchBlock {
            list: key.to_owned(),
            written: written.clone(),
            known,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
seed = 1
[target]
spawn = "mosquitto -p {port}"
[[group]]
name = "sensors"
count = 5
[[group.publish]]
every = "10s"
[[group]]
name = "backend"
[[group.publish]]
qos = 0
[[group.publish]]
qos = 1
"#;

    /// The document after `--set` with each of `arguments`.
    fn set_all(arguments: &[&str]) -> Result<Node, String> {
        let overrides: Vec<Override> = arguments
            .iter()
            .map(|argument| argument.parse().unwrap())
            .collect();
        let sources = Sources::new("a.toml", FILE, &overrides);
        let mut document = Node::parse_document(FILE, 0).unwrap();
        let mut diagnostics = Diagnostics::default();
        apply(&mut document, &overrides, &sources, &mut diagnostics);
        match diagnostics.finish(&sources) {
            Ok(()) => Ok(document),
            Err(errors) => Err(errors.to_string()),
        }
    }

    fn integer(node: Option<&Node>) -> Option<i64> {
        match node?.value {
            Value::Integer(value) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn a_block_of_many_is_set_by_name() {
        let document = set_all(&["group.sensors.count=200", "seed=7"]).unwrap();

        let sensors = &document.get("group").unwrap().items()[0];
        assert_eq!(integer(sensors.get("count")), Some(200));
        assert_eq!(integer(document.get("seed")), Some(7));
    }

    #[test]
    fn a_key_that_the_file_does_not_have_is_added() {
        let document = set_all(&["run.duration=2m"]).unwrap();

        let duration = document.get("run").unwrap().get("duration").unwrap();
        assert_eq!(duration.as_str(), Some("2m"));
    }

    /// `--set target.url=…` of a file that spawns its target asks for the url.
    #[test]
    fn setting_one_alternative_takes_the_others_out() {
        let document = set_all(&[
            "target.url=mqtt://localhost:1883",
            "group.sensors.publish.rate=5",
        ])
        .unwrap();

        let target = document.get("target").unwrap();
        assert!(target.get("spawn").is_none());
        assert!(target.get("url").is_some());
        let sensors = &document.get("group").unwrap().items()[0];
        let publish = &sensors.get("publish").unwrap().items()[0];
        assert!(publish.get("every").is_none());
        assert_eq!(integer(publish.get("rate")), Some(5));
    }

    #[test]
    fn a_quoted_key_may_hold_dots_and_equal_signs() {
        let document = set_all(&["thresholds.\"e2e_latency{qos=1}\"=[\"p99.9 < 2s\"]"]).unwrap();

        let thresholds = document.get("thresholds").unwrap();
        let conditions = thresholds.get("e2e_latency{qos=1}").unwrap();
        assert_eq!(conditions.items()[0].as_str(), Some("p99.9 < 2s"));
    }

    #[test]
    fn a_block_without_a_name_is_set_by_index() {
        let document = set_all(&["group.backend.publish[1].qos=2"]).unwrap();

        let backend = &document.get("group").unwrap().items()[1];
        let publish = &backend.get("publish").unwrap().items()[1];
        assert_eq!(integer(publish.get("qos")), Some(2));
    }

    #[test]
    fn a_block_that_does_not_exist_is_an_error_with_a_suggestion() {
        let report = set_all(&["group.sensor.count=200"]).unwrap_err();

        assert!(
            report.contains("the scenario has no group \"sensor\""),
            "{report}"
        );
        assert!(report.contains("--> --set:1:1"), "{report}");
        assert!(report.contains("did you mean `sensors`?"), "{report}");
    }

    #[test]
    fn one_of_many_has_to_be_chosen() {
        let report = set_all(&["group.backend.publish.qos=2"]).unwrap_err();

        assert!(
            report.contains("the scenario has 2 of publish: say which"),
            "{report}"
        );
    }

    #[test]
    fn a_malformed_override_is_an_error() {
        assert_eq!("seed".parse::<Override>(), Err(OverrideError::Malformed));
        assert_eq!("=7".parse::<Override>(), Err(OverrideError::Malformed));
        assert!(set_all(&["group..count=7"]).is_err());
        assert!(set_all(&["seed.x=7"]).is_err());
    }
}
