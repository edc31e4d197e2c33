//! Looks into blocks of a document that has the right shape, and changes them.

use squall_toml::node::{Entry, Node, Value};

/// The text of `key`, empty if there is none.
pub(super) fn text_of(block: &Node, key: &str) -> String {
    let text = block.get(key).and_then(Node::as_str);
    text.unwrap_or_default().to_owned()
}

/// The whole number of `key`, if it has one.
pub(super) fn integer_of(block: &Node, key: &str) -> Option<i64> {
    match block.get(key)?.value {
        Value::Integer(number) => Some(number),
        Value::Bool(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Datetime
        | Value::Array(_)
        | Value::Table(_) => None,
    }
}

/// The blocks of the list `key`, none if there is no such list.
pub(super) fn items_of<'n>(block: &'n Node, key: &str) -> &'n [Node] {
    block.get(key).map_or(&[], Node::items)
}

/// The blocks of the list `key`, to change.
pub(super) fn items_of_mut<'n>(block: &'n mut Node, key: &str) -> &'n mut [Node] {
    block.get_mut(key).map(Node::items_mut).unwrap_or_default()
}

/// Sets `key` of the table `block`, at the place of the old value or of the table.
pub(super) fn put(block: &mut Node, key: &str, value: Value) {
    if let Some(old) = block.get_mut(key) {
        old.value = value;
        return;
    }
    let span = block.span.clone();
    if let Value::Table(entries) = &mut block.value {
        entries.push(Entry {
            key: key.to_owned(),
            key_span: span.clone(),
            node: Node { span, value },
        });
    }
}

/// The texts of `key`, which may be one or a list, to change.
pub(super) fn texts_of_mut<'n>(block: &'n mut Node, key: &str) -> Vec<&'n mut String> {
    let Some(node) = block.get_mut(key) else {
        return Vec::new();
    };
    match &mut node.value {
        Value::String(text) => vec![text],
        Value::Array(items) => items
            .iter_mut()
            .filter_map(|item| match &mut item.value {
                Value::String(text) => Some(text),
                Value::Bool(_)
                | Value::Integer(_)
                | Value::Float(_)
                | Value::Datetime
                | Value::Array(_)
                | Value::Table(_) => None,
            })
            .collect(),
        Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Datetime
        | Value::Table(_) => Vec::new(),
    }
}

/// The texts of `key`, which may be one or a list.
pub(super) fn texts_of<'n>(block: &'n Node, key: &str) -> Vec<&'n str> {
    match block.get(key) {
        None => Vec::new(),
        Some(node) => match node.as_str() {
            Some(text) => vec![text],
            None => node.items().iter().filter_map(Node::as_str).collect(),
        },
    }
}
