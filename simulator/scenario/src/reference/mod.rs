//! The reference of the format: every block, key, metric, aggregate, placeholder and unit, with an example.
//!
//! All of it comes from the types that parse the file: the blocks and keys from the JSON Schema that they
//! have, the lists from the code that reads them. `squall explain` prints one topic of it, and
//! `scenarios/README.md` is the whole.

mod default;
mod editor;
mod explain;
mod lists;
mod markdown;
mod references;
mod value;
mod walk;

use crate::file::schema::shape_schema;

pub use editor::json_schema;
pub use explain::UnknownTopic;
pub use lists::{Item, ItemKind};

/// The reference of the format.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The blocks of a file, then the values that several keys share.
    pub sections: Vec<Section>,
    /// Metrics, aggregates, placeholders and units.
    pub items: Vec<Item>,
}

/// A block of the format, or one of its variants, such as a check.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its dotted key without the names of items, such as `group.publish`; empty for the file as a whole. A value that
    /// several keys share has a name of its own in place of that, such as `distribution`.
    pub path: String,
    /// The key and the word that tell it from the other variants of its block, such as `check` and `will`.
    pub variant: Option<Variant>,
    /// What it is.
    pub meaning: String,
    /// Lines to paste; empty for the file as a whole and for what is written in one line within a block.
    pub example: String,
    /// What it may be in place of a table with these keys, each with what that means.
    pub forms: Vec<Word>,
    /// What may stand in it; those that must are first.
    pub keys: Vec<Key>,
    /// Whether several keys take it, and it is described once for all.
    pub is_shared: bool,
    /// The dotted keys of the places where it may stand: of a value that several keys share, several.
    pub places: Vec<String>,
}

/// What tells a variant of a block from the others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Variant {
    /// The key: `check`, `action`, `dist` or `model`.
    pub tag: String,
    /// Its word.
    pub word: String,
}

/// A key of a block.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key alone.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// What kind of value it takes, with its unit and its range.
    pub value: String,
    /// The words that it takes, where it takes words.
    pub words: Vec<Word>,
    /// What holds without it.
    pub default: Default,
    /// A line to paste, `key = value`, or a block; `None` if there is none yet.
    pub example: Option<String>,
    /// The values of other keys with which it may stand, such as `action = "drop"`; empty if with all.
    pub goes_with: Vec<String>,
    /// Whether its value is a block that has a section of its own, which says more.
    pub is_block: bool,
}

/// A word that a key takes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Word {
    /// As the file writes it.
    pub word: String,
    /// What it means.
    pub meaning: String,
}

/// What holds where a key is absent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Default {
    /// It must be there.
    Required,
    /// This value, as the file would write it.
    Value(String),
    /// What these words say.
    Words(String),
    /// The description does not say it.
    Unsaid,
}

impl Reference {
    /// The reference of the format that this version reads.
    pub fn of_format() -> Self {
        Self {
            sections: walk::sections(shape_schema()),
            items: lists::items(),
        }
    }
}

impl Section {
    /// How a reader calls it: `[[group.publish]]`, or `check = "will"`.
    pub fn title(&self) -> String {
        match &self.variant {
            Some(Variant { tag, word }) => format!("{tag} = \"{word}\""),
            None if self.path.is_empty() => "the file".to_owned(),
            None if self.is_shared => self.path.replace('_', " "),
            None => match self.example.lines().next() {
                Some(header) if header.starts_with('[') => header.to_owned(),
                Some(_) | None => self.path.clone(),
            },
        }
    }

    /// The dotted key of `key`, which is one of its own.
    pub fn path_of(&self, key: &Key) -> String {
        match self.path.is_empty() {
            true => key.name.clone(),
            false => format!("{}.{}", self.path, key.name),
        }
    }
}
