//! Where a value sits: its dotted key, and its place in the text.

use std::fmt;

use crate::text::document::{Entry, Node};
use crate::text::source::Span;
use crate::text::toml_text::quote_key;

/// A dotted key, as `--set` takes it: `group.sensors.publish[0].rate`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct KeyPath(String);

impl KeyPath {
    /// The path of `key` in the table at this path.
    pub(crate) fn key(&self, key: &str) -> Self {
        let key = quote_key(key);
        match self.0.is_empty() {
            true => Self(key),
            false => Self(format!("{}.{key}", self.0)),
        }
    }

    /// The path of item `index` of the array at this path: by its `name` if it has one.
    pub(crate) fn item(&self, index: usize, node: &Node) -> Self {
        match node.get("name").and_then(Node::as_str) {
            Some(name) if !name.is_empty() => self.key(name),
            _ => Self(format!("{}[{index}]", self.0)),
        }
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place in a document that has been checked against the schema: the value at a path, or where
/// it would be.
#[derive(Clone, Debug)]
pub(crate) struct At<'d> {
    node: Option<&'d Node>,
    path: KeyPath,
    /// Of the value, or of the nearest table around it.
    span: Span,
    /// Of the key, if there is one.
    key_span: Span,
}

impl<'d> At<'d> {
    /// The whole document.
    pub(crate) fn root(node: &'d Node) -> Self {
        Self {
            node: Some(node),
            path: KeyPath::default(),
            span: 0..0,
            key_span: 0..0,
        }
    }

    /// The value of `key` in this table.
    pub(crate) fn key(&self, key: &str) -> Self {
        let path = self.path.key(key);
        match self.node.and_then(|node| node.entry(key)) {
            Some(Entry { key_span, node, .. }) => Self {
                node: Some(node),
                path,
                span: node.span.clone(),
                key_span: key_span.clone(),
            },
            None => Self {
                node: None,
                path,
                span: self.span.clone(),
                key_span: self.key_span.clone(),
            },
        }
    }

    /// Item `index` of this array.
    pub(crate) fn item(&self, index: usize) -> Self {
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

    /// Whether the file says anything here.
    pub(crate) fn is_written(&self) -> bool {
        self.node.is_some()
    }

    /// Its dotted key.
    pub(crate) fn path(&self) -> &KeyPath {
        &self.path
    }

    /// Where the value is, or the nearest table around it.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Where its key is, or the nearest table around it.
    pub(crate) fn key_span(&self) -> Span {
        self.key_span.clone()
    }
}
