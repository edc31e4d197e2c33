//! Puts a value where a dotted key points to, in the document of a file.

use squall_toml::node::{Entry, Node, Value};
use squall_toml::source::Span;

use crate::overrides::OverrideError;

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

/// A value of the command line, and where it goes.
#[derive(Debug)]
pub(super) struct Change {
    /// The key, as it was written.
    pub(super) key: String,
    /// The same in its parts.
    pub(super) keys: Vec<String>,
    /// The value.
    pub(super) value: Node,
    /// Where the key stands.
    pub(super) key_span: Span,
}

/// Whether the key `keys` is `other`, or excludes it.
pub(super) fn is_in_place_of(keys: &[String], other: &[String]) -> bool {
    let (Some((key, above)), Some((other, above_other))) = (keys.split_last(), other.split_last())
    else {
        return false;
    };
    let excludes = |alternatives: &[&str]| {
        alternatives.contains(&key.as_str()) && alternatives.contains(&other.as_str())
    };
    let of_target = ["use", "url", "spawn"];
    let mut alternatives = ALTERNATIVES.iter().copied();
    above == above_other && (key == other || alternatives.any(excludes) || excludes(&of_target))
}

/// Whether a value at `place` takes the place of that at `other`, or of what that is in.
pub(super) fn replaces(place: &[String], other: &[String]) -> bool {
    is_in_place_of(place, other) || other.starts_with(place)
}

/// `a.b[0]."c.d"` as `a`, `b`, `0`, `c.d`.
pub(super) fn split_key(key: &str) -> Result<Vec<String>, OverrideError> {
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

/// Puts `value` where `keys` point to, in the table `node`.
pub(super) fn set(
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
        let (position, rest) = choose(items, key, rest)?;
        return set(&mut items[position], rest, value, key_span);
    }
    set(&mut entry.node, rest, value, key_span)
}

/// The place that `keys` point to in `document`, whatever it is called there: blocks of which there are many by their
/// numbers. What the document does not have is as it is written.
pub(super) fn place_of(document: &Node, keys: &[String]) -> Vec<String> {
    let mut place = Vec::new();
    let (mut node, mut rest) = (Some(document), keys);
    while let Some((key, below)) = rest.split_first() {
        place.push(key.clone());
        rest = below;
        node = node.and_then(|node| node.get(key));
        let items = node.map_or(&[][..], Node::items);
        if !rest.is_empty()
            && let Ok((position, below)) = choose(items, key, rest)
        {
            place.push(position.to_string());
            node = items.get(position);
            rest = below;
        }
    }
    place
}

/// Which item of the list `key` is meant by the beginning of `rest`, and what follows: by name, by index, or the only
/// one.
fn choose<'k>(
    items: &[Node],
    key: &str,
    rest: &'k [String],
) -> Result<(usize, &'k [String]), OverrideError> {
    let written = &rest[0];
    let named = items
        .iter()
        .position(|item| item.get("name").and_then(Node::as_str) == Some(written));
    let indexed = written
        .parse()
        .ok()
        .filter(|&index: &usize| index < items.len());
    if let Some(position) = named.or(indexed) {
        return Ok((position, &rest[1..]));
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
        [_] if !has_names && rest.len() == 1 => Ok((0, rest)),
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
