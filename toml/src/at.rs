//! Where a value is: its dotted key, and its place in the text.

use std::fmt;

use crate::node::{Entry, Node};
use crate::quote::quote_key;
use crate::source::Span;

/// A dotted key, as `--set` takes it: `group.sensors.publish[0].rate`.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct KeyPath {
    text: String,
    keys: String,
}

impl KeyPath {
    /// The path of `key` in the table at this path.
    pub fn key(&self, key: &str) -> Self {
        Self {
            text: joined(&self.text, &quote_key(key)),
            keys: joined(&self.keys, key),
        }
    }

    /// The path of `key` in the table that holds the last key of this path.
    pub fn beside(&self, key: &str) -> Self {
        let parent = |path: &str| {
            path.rsplit_once('.')
                .map_or("", |(parent, _)| parent)
                .to_owned()
        };
        let table = Self {
            text: parent(&self.text),
            keys: parent(&self.keys),
        };
        table.key(key)
    }

    /// The path of item `index` of the array at this path: by its `name` if it has one.
    pub fn item(&self, index: usize, node: &Node) -> Self {
        let text = match node.get("name").and_then(Node::as_str) {
            Some(name) if !name.is_empty() => joined(&self.text, &quote_key(name)),
            Some(_) | None => format!("{}[{index}]", self.text),
        };
        let keys = self.keys.clone();
        Self { text, keys }
    }

    /// The keys alone, without names and indexes of items: `group.publish.rate`.
    pub fn keys(&self) -> &str {
        &self.keys
    }

    /// The last of [`Self::keys`]; empty for the file as a whole.
    pub fn last_key(&self) -> &str {
        self.keys.rsplit('.').next().unwrap_or_default()
    }

    /// Whether this is the file as a whole.
    pub fn is_root(&self) -> bool {
        self.text.is_empty()
    }
}

fn joined(path: &str, key: &str) -> String {
    match path.is_empty() {
        true => key.to_owned(),
        false => format!("{path}.{key}"),
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The value at a path of a document, or the place where it would be.
#[derive(Clone, Debug)]
pub struct At<'d> {
    node: Option<&'d Node>,
    path: KeyPath,
    /// The value's, or that of the nearest table around it.
    span: Span,
    /// The key's, if there is one.
    key_span: Span,
}

impl<'d> At<'d> {
    /// The whole document.
    pub fn root(node: &'d Node) -> Self {
        Self {
            node: Some(node),
            path: KeyPath::default(),
            // What the file as a whole lacks is shown at its beginning.
            span: 0..0,
            key_span: 0..0,
        }
    }

    /// The value of `key` in this table.
    pub fn key(&self, key: &str) -> Self {
        match self.node.and_then(|node| node.entry(key)) {
            Some(entry) => self.entry(entry),
            None => Self {
                node: None,
                path: self.path.key(key),
                span: self.span.clone(),
                key_span: self.key_span.clone(),
            },
        }
    }

    /// The value of `entry`, which is in this table.
    pub fn entry(&self, entry: &'d Entry) -> Self {
        Self {
            node: Some(&entry.node),
            path: self.path.key(&entry.key),
            span: entry.node.span.clone(),
            key_span: entry.key_span.clone(),
        }
    }

    /// Item `index` of this array.
    pub fn item(&self, index: usize) -> Self {
        match self.node.and_then(|node| node.items().get(index)) {
            Some(node) => Self {
                node: Some(node),
                path: self.path.item(index, node),
                span: node.span.clone(),
                key_span: node.span.clone(),
            },
            None => Self {
                node: None,
                ..self.clone()
            },
        }
    }

    /// The value, if the file has one here.
    pub fn node(&self) -> Option<&'d Node> {
        self.node
    }

    /// Whether the file says anything here.
    pub fn is_written(&self) -> bool {
        self.node.is_some()
    }

    /// Its dotted key.
    pub fn path(&self) -> &KeyPath {
        &self.path
    }

    /// The bytes of the value, or of the nearest table around it.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// The bytes of its key, or of the nearest table around it.
    pub fn key_span(&self) -> Span {
        self.key_span.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_items_and_knows_its_keys() {
        let text = "[[group]]\nname = \"a b\"\n[[group.publish]]\nqos = 1\n";
        let document = Node::parse_document(text, 0).unwrap();

        let publish = At::root(&document).key("group").item(0).key("publish");
        let qos = publish.item(0).key("qos");

        assert_eq!(qos.path().to_string(), "group.\"a b\".publish[0].qos");
        assert_eq!(qos.path().keys(), "group.publish.qos");
        assert_eq!(qos.path().last_key(), "qos");
        assert_eq!(&text[qos.span()], "1");
        assert!(At::root(&document).path().is_root());
    }

    /// What is missing is shown where the table around it is.
    #[test]
    fn a_missing_value_is_where_its_table_is() {
        let text = "[a]\nb = 1\n";
        let document = Node::parse_document(text, 0).unwrap();

        let missing = At::root(&document).key("a").key("c");

        assert!(!missing.is_written());
        assert_eq!(missing.path().to_string(), "a.c");
        assert_eq!(&text[missing.key_span()], "a");
    }
}
