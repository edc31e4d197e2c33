//! Puts the values of `--set` into the document of the file.

use squall_toml::at::KeyPath;
use squall_toml::node::{Entry, Node, Value};
use squall_toml::source::{Sources, Span};

use crate::error::Diagnostics;
use crate::overrides::{Override, OverrideError};

/// Keys of which a block has one: setting one takes the others out.
const ALTERNATIVES: [&[&str]; 5] = [
    &["url", "spawn"],
    &["rate", "rate_per_device", "every"],
    &["at", "every"],
    &["fraction", "count", "match"],
    &["size", "text", "json"],
];

/// Keys that say where the target is.
const PLACES: [&str; 2] = ["url", "spawn"];

/// Blocks that a file may have many of.
const LISTS: [&str; 7] = [
    "network",
    "group",
    "fault",
    "expect",
    "publish",
    "subscribe",
    "respond",
];

/// Puts every override into `document`, in order.
pub(crate) fn apply(
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
        if key == "use" {
            // A described broker takes the place of the one that the file names.
            entries.retain(|entry| !PLACES.contains(&entry.key.as_str()));
        }
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
    if let Value::Array(items) = &mut entry.node.value
        && !rest.is_empty()
    {
        let (item, rest) = choose(items, key, rest)?;
        return set(item, rest, value, key_span);
    }
    set(&mut entry.node, rest, value, key_span)
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
        let settings: Vec<String> = overrides.iter().map(Override::to_string).collect();
        let sources = Sources::new("a.toml", FILE, &settings);
        let mut document = Node::parse_document(FILE, 0).unwrap();
        let mut diagnostics = Diagnostics::default();
        apply(&mut document, &overrides, &sources, &mut diagnostics);
        match diagnostics.finish(&sources) {
            Ok(()) => Ok(document),
            Err(errors) => Err(errors.to_string()),
        }
    }

    fn integer(node: Option<&Node>) -> Option<i64> {
        let Value::Integer(value) = node?.value else {
            return None;
        };
        Some(value)
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
