//! `partition` of a `[[network]]`: faults of the groups whose devices have links of that profile.
//!
//! Such a time is exactly what the fault `partition` does to all devices of a group, so it becomes one before the types
//! are read: checks, plans, runs and reports know one kind of partition.

use squall_toml::at::KeyPath;
use squall_toml::node::{Entry, Node, Value};
use squall_toml::source::Span;

use crate::error::{Diagnostics, Problem};

/// The key, the action, and the end of the names of the faults.
const PARTITION: &str = "partition";

/// Puts a fault in place of each partition of a profile, for each group on it. One of a profile that no group names is
/// noted.
pub(super) fn apply(document: &mut Node, diagnostics: &mut Diagnostics) {
    let groups: Vec<(String, String)> = document
        .get("group")
        .map_or(&[][..], Node::items)
        .iter()
        .filter_map(|group| Some((text(group, "name")?, text(group, "network")?)))
        .collect();
    let mut faults = Vec::new();
    let networks = document.get_mut("network").map(Node::items_mut);
    for (index, network) in networks.into_iter().flatten().enumerate() {
        let (Some(name), Some(partition)) = (text(network, "name"), network.remove(PARTITION))
        else {
            continue;
        };
        let on_it: Vec<&str> = groups
            .iter()
            .filter(|(_, network)| *network == name)
            .map(|(group, _)| group.as_str())
            .collect();
        if on_it.is_empty() {
            let problem = Problem::Contradiction {
                what: format!("no group has links of `{name}`, so nothing is partitioned"),
                remedy: format!(
                    "`network = {name:?}` in a `[[group]]`, or a fault `partition` of one"
                ),
            };
            let path = KeyPath::default().key("network").item(index, network);
            diagnostics.push(partition.key_span, path.key(PARTITION), problem);
            continue;
        }
        let times = match &partition.node.value {
            Value::Array(items) => items.as_slice(),
            Value::Table(_)
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::Datetime => std::slice::from_ref(&partition.node),
        };
        for (number, time) in times.iter().enumerate() {
            for group in &on_it {
                let mut words = vec![name.as_str(), PARTITION];
                let number = (number + 1).to_string();
                words.extend((times.len() > 1).then_some(number.as_str()));
                words.extend((on_it.len() > 1).then_some(*group));
                faults.push(fault(time, &words.join("-"), group));
            }
        }
    }
    append(document, faults);
}

fn text(node: &Node, key: &str) -> Option<String> {
    Some(node.get(key)?.as_str()?.to_owned())
}

/// The partition that `time` is of all devices of `group`: what is wrong with it is shown where that stands.
fn fault(time: &Node, name: &str, group: &str) -> Node {
    let span = &time.span;
    let mut entries = time.entries().to_vec();
    for (key, value) in [("name", name), ("group", group), ("action", PARTITION)] {
        entries.push(entry(key, Value::String(value.to_owned()), span));
    }
    Node {
        span: span.clone(),
        value: Value::Table(entries),
    }
}

fn entry(key: &str, value: Value, span: &Span) -> Entry {
    Entry {
        key: key.to_owned(),
        key_span: span.clone(),
        node: Node {
            span: span.clone(),
            value,
        },
    }
}

/// Adds `faults` behind those that the file writes.
fn append(document: &mut Node, faults: Vec<Node>) {
    let Some(first) = faults.first() else {
        return;
    };
    let span = first.span.clone();
    match document.get_mut("fault").map(|known| &mut known.value) {
        Some(Value::Array(known)) => known.extend(faults),
        Some(_) => {}
        None => {
            if let Value::Table(entries) = &mut document.value {
                entries.push(entry("fault", Value::Array(faults), &span));
            }
        }
    }
}
