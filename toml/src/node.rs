//! The document: a TOML tree in which every key and value knows where it was written.
//!
//! Entries are in file order. The tree is a serde deserializer, so that the types of a file format
//! can be read from it, and its spans are the places in error messages.

use serde::de::value::{Error as ValueError, MapDeserializer, SeqDeserializer};
use serde::de::{self, IntoDeserializer, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::mistake::Mistake;
use crate::source::Span;

/// A value and where it is.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its bytes in the row of [`Sources`](crate::source::Sources).
    pub span: Span,
    /// The value itself.
    pub value: Value,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub enum Value {
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number, infinite and NaN included.
    Float(f64),
    /// A text, without its quotes.
    String(String),
    /// A date or time; its value is dropped, because no key takes one.
    Datetime,
    /// `[…]` or `[[…]]`
    Array(Vec<Node>),
    /// `{…}` or `[…]`
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key, without quotes.
    pub key: String,
    /// The bytes of the key.
    pub key_span: Span,
    /// The value of the key.
    pub node: Node,
}

/// A place where the text is not TOML.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyntaxError {
    /// The parser's message.
    pub message: String,
    /// The bytes in question.
    pub span: Span,
}

impl Node {
    /// A table without entries, at the beginning of the row.
    pub const fn empty_table() -> Self {
        Self {
            span: 0..0,
            value: Value::Table(Vec::new()),
        }
    }

    /// Moves the places of everything in it by `offset` bytes to the end of the row.
    pub fn shift(&mut self, offset: usize) {
        let shifted = |span: &Span| span.start + offset..span.end + offset;
        self.span = shifted(&self.span);
        match &mut self.value {
            Value::Table(entries) => {
                for entry in entries {
                    entry.key_span = shifted(&entry.key_span);
                    entry.node.shift(offset);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| item.shift(offset)),
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::Datetime => {}
        }
    }

    /// Parses a whole document that begins at `base` of the row.
    ///
    /// # Errors
    /// Every place where the text is not TOML.
    pub fn parse_document(text: &str, base: usize) -> Result<Self, Vec<SyntaxError>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let span = shift(table.span(), base);
            return convert_table(table.into_inner(), span, base).map_err(|error| vec![error]);
        }
        Err(errors
            .iter()
            .map(|error| SyntaxError::from_toml(error, base))
            .collect())
    }

    /// Parses one value that begins at `base` of the row.
    ///
    /// # Errors
    /// The first place where the text is not a TOML value.
    pub fn parse_value(text: &str, base: usize) -> Result<Self, SyntaxError> {
        let value = DeValue::parse(text).map_err(|error| SyntaxError::from_toml(&error, base))?;
        convert(value, base)
    }

    /// The entry `key`, if this is a table that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of `key`, if this is a table that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The value of `key` to change, if this is a table that has it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Value::Table(entries) = &mut self.value else {
            return None;
        };
        let entry = entries.iter_mut().find(|entry| entry.key == key);
        entry.map(|entry| &mut entry.node)
    }

    /// Takes `key` out, if this is a table that has it.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let Value::Table(entries) = &mut self.value else {
            return None;
        };
        let position = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(position))
    }

    /// Its items to change, none if this is not an array.
    pub fn items_mut(&mut self) -> &mut [Self] {
        if let Value::Array(items) = &mut self.value {
            items
        } else {
            &mut []
        }
    }

    /// Whether it is a table.
    pub fn is_table(&self) -> bool {
        matches!(self.value, Value::Table(_))
    }

    /// Its entries, none if this is not a table.
    pub fn entries(&self) -> &[Entry] {
        if let Value::Table(entries) = &self.value {
            entries
        } else {
            &[]
        }
    }

    /// Its items, none if this is not an array.
    pub fn items(&self) -> &[Self] {
        if let Value::Array(items) = &self.value {
            items
        } else {
            &[]
        }
    }

    /// Its text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = &self.value {
            Some(text)
        } else {
            None
        }
    }

    /// What kind of value it is, with its article.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Bool(_) => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::String(_) => "a string",
            Value::Datetime => "a date or time",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }

    /// The mistake of writing this value where `expected` belongs.
    pub fn wrong_type(&self, expected: &str) -> Mistake {
        Mistake::WrongType {
            expected: expected.to_owned(),
            found: self.kind(),
        }
    }
}

impl SyntaxError {
    fn from_toml(error: &toml::de::Error, base: usize) -> Self {
        Self {
            message: error.message().to_owned(),
            span: shift(error.span().unwrap_or(0..0), base),
        }
    }
}

fn shift(span: Span, base: usize) -> Span {
    span.start + base..span.end + base
}

fn convert(value: Spanned<DeValue<'_>>, base: usize) -> Result<Node, SyntaxError> {
    let span = shift(value.span(), base);
    let value = match value.into_inner() {
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Integer(value) => match i64::from_str_radix(value.as_str(), value.radix()) {
            Ok(value) => Value::Integer(value),
            Err(_) => {
                let message = "integer beyond 64 bits".to_owned();
                return Err(SyntaxError { message, span });
            }
        },
        DeValue::Float(value) => match value.as_str().parse() {
            Ok(value) => Value::Float(value),
            Err(_) => {
                let message = "malformed number".to_owned();
                return Err(SyntaxError { message, span });
            }
        },
        DeValue::String(value) => Value::String(value.into_owned()),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| convert(item, base))
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => return convert_table(table, span, base),
    };
    Ok(Node { span, value })
}

fn convert_table(table: DeTable<'_>, span: Span, base: usize) -> Result<Node, SyntaxError> {
    let mut entries = table
        .into_iter()
        .map(|(key, value)| {
            Ok(Entry {
                key_span: shift(key.span(), base),
                key: key.into_inner().into_owned(),
                node: convert(value, base)?,
            })
        })
        .collect::<Result<Vec<_>, SyntaxError>>()?;
    entries.sort_by_key(|entry| entry.key_span.start);
    Ok(Node {
        span,
        value: Value::Table(entries),
    })
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match &self.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Integer(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(value) => visitor.visit_borrowed_str(value),
            Value::Datetime => Err(de::Error::custom("dates and times are not used")),
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter())),
            Value::Table(entries) => visitor.visit_map(MapDeserializer::new(
                entries
                    .iter()
                    .map(|entry| (entry.key.as_str(), &entry.node)),
            )),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match &self.value {
            Value::String(value) => {
                let deserializer: de::value::StrDeserializer<'_, ValueError> =
                    value.as_str().into_deserializer();
                deserializer.deserialize_enum(name, variants, visitor)
            }
            Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Datetime
            | Value::Array(_)
            | Value::Table(_) => {
                visitor.visit_enum(de::value::MapAccessDeserializer::new(MapDeserializer::new(
                    self.entries()
                        .iter()
                        .map(|entry| (entry.key.as_str(), &entry.node)),
                )))
            }
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, ValueError> for &'de Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_the_order_and_the_places_of_the_file() {
        let text = "zebra = 1\nape = { b = [2, 3], a = \"x\" }\n";

        let document = Node::parse_document(text, 100).unwrap();

        let keys: Vec<_> = document.entries().iter().map(|e| e.key.as_str()).collect();
        assert_eq!(keys, ["zebra", "ape"]);
        let ape = document.get("ape").unwrap();
        assert_eq!(ape.entries()[0].key, "b");
        assert_eq!(ape.get("a").unwrap().as_str(), Some("x"));
        let three = ape.get("b").unwrap().items()[1].span.clone();
        assert_eq!(&text[three.start - 100..three.end - 100], "3");
    }

    #[test]
    fn every_syntax_error_is_reported() {
        let errors = Node::parse_document("a = \nb = 1\nc = [1,,2]\n", 0).unwrap_err();

        assert!(errors.len() >= 2, "{errors:?}");
    }

    #[test]
    fn a_number_beyond_64_bits_is_an_error() {
        let error = Node::parse_value("99999999999999999999", 7).unwrap_err();

        assert_eq!(error.span, 7..27);
    }

    #[test]
    fn the_tree_deserializes_externally_tagged_enums() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Select {
            Fraction(f64),
            All,
        }
        let table = Node::parse_value("{ fraction = 1 }", 0).unwrap();
        let text = Node::parse_value("\"all\"", 0).unwrap();

        use serde::Deserialize as _;
        assert_eq!(Select::deserialize(&table), Ok(Select::Fraction(1.0)));
        assert_eq!(Select::deserialize(&text), Ok(Select::All));
    }
}
