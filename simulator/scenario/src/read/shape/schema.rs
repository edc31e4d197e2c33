//! Questions to one piece of a JSON Schema: its kind, its words, its keys, its tag.

use serde_json::Value as Json;
use squall_toml::node::{Node, Value};
use squall_toml::quantity::Quantity;

use crate::file::quantity_of;

/// The schema itself, where `schema` only refers to one in `root`.
pub(crate) fn referred<'s>(root: &'s Json, schema: &'s Json) -> &'s Json {
    let reference = schema.get("$ref").and_then(Json::as_str);
    match reference.and_then(|reference| reference.strip_prefix("#")) {
        Some(pointer) => root.pointer(pointer).unwrap_or(schema),
        None => schema,
    }
}

/// What it chooses from, if it is a choice; choices within it count as its own.
pub(crate) fn choices<'s>(root: &'s Json, schema: &'s Json) -> Option<Vec<&'s Json>> {
    let list = schema.get("oneOf").or(schema.get("anyOf"))?.as_array()?;
    let mut flat = Vec::new();
    for choice in list {
        let choice = referred(root, choice);
        match choices(root, choice) {
            Some(inner) => flat.extend(inner),
            None => flat.push(choice),
        }
    }
    Some(flat)
}

/// Whether the kind of `node` is one that `schema` takes.
pub(super) fn fits_type(node: &Node, schema: &Json) -> bool {
    let fits = |kind: &str| match &node.value {
        Value::Bool(_) => kind == "boolean",
        Value::Integer(_) => kind == "integer" || kind == "number",
        Value::Float(_) => kind == "number",
        Value::String(_) => kind == "string",
        Value::Datetime => false,
        Value::Array(_) => kind == "array",
        Value::Table(_) => kind == "object",
    };
    match schema.get("type") {
        Some(Json::String(kind)) => fits(kind),
        // A word without a type is a text.
        _ => !words(schema).is_empty() && fits("string"),
    }
}

pub(super) fn describe_type(schema: &Json) -> String {
    let format = schema.get("format").and_then(Json::as_str);
    if let Some(quantity) = format.and_then(quantity_of) {
        return quantity.expected().to_owned();
    }
    match schema.get("type").and_then(Json::as_str) {
        Some("boolean") => "true or false",
        Some("integer") => "an integer",
        Some("number") => "a number",
        Some("array") => "an array",
        Some("object") => "a table",
        _ => "a string",
    }
    .to_owned()
}

/// The words that a schema takes; none if it takes any text.
pub(crate) fn words(schema: &Json) -> Vec<String> {
    if let Some(word) = schema.get("const").and_then(Json::as_str) {
        return vec![word.to_owned()];
    }
    let words = schema.get("enum").and_then(Json::as_array);
    words
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect()
}

pub(crate) fn known_keys(schema: &Json) -> Vec<String> {
    let properties = schema.get("properties").and_then(Json::as_object);
    properties
        .into_iter()
        .flat_map(|properties| properties.keys().cloned())
        .collect()
}

pub(crate) fn required_keys(schema: &Json) -> Vec<String> {
    let required = schema.get("required").and_then(Json::as_array);
    required
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect()
}

/// The key whose word tells the variants apart, if there is one.
pub(crate) fn common_tag<'s>(variants: &[&'s Json]) -> Option<&'s str> {
    let properties = variants.first()?.get("properties")?.as_object()?;
    properties.keys().map(String::as_str).find(|key| {
        variants
            .iter()
            .all(|variant| tag_word(variant, key).is_some())
    })
}

/// The word that `tag` has in `variant`.
pub(crate) fn tag_word(variant: &Json, tag: &str) -> Option<String> {
    let word = variant
        .get("properties")?
        .get(tag)?
        .get("const")?
        .as_str()?;
    Some(word.to_owned())
}

/// Variants that a word tells apart, and one more that has keys of its own instead.
pub(super) struct BesideTagged<'s> {
    /// The key whose word tells them apart.
    pub(super) tag: &'s str,
    /// Those that the word tells apart.
    pub(super) tagged: Vec<&'s Json>,
    /// The one without that key.
    pub(super) other: &'s Json,
}

/// Takes `variants` apart, if all but the last have a tag in common.
pub(super) fn beside_tagged<'s>(variants: &[&'s Json]) -> Option<BesideTagged<'s>> {
    let (&other, tagged) = variants.split_last()?;
    let tag = common_tag(tagged)?;
    tag_word(other, tag).is_none().then(|| BesideTagged {
        tag,
        tagged: tagged.to_vec(),
        other,
    })
}

/// A whole number where a quantity belongs, written as one: in seconds, or in bytes.
pub(super) fn with_unit(key: &str, node: &Node, schemas: &[&Json]) -> Option<String> {
    let Value::Integer(number) = node.value else {
        return None;
    };
    let formats = schemas.iter().filter_map(|schema| schema.get("format"));
    let quantity = formats.filter_map(Json::as_str).find_map(quantity_of)?;
    let unit = match quantity {
        Quantity::Duration => "s",
        Quantity::Size => "B",
        Quantity::BitRate => "bit/s",
    };
    (number >= 0).then(|| format!("{key} = \"{number}{unit}\""))
}
