//! Checks a document against the schema of its format, and says everything that does not fit.
//!
//! The schema comes from the types that parse the file, so the two cannot disagree. This knows the
//! part of JSON Schema that those types use: objects with known or with free keys, arrays,
//! numbers with limits, words, quantities, and choices between them.

use serde_json::Value as Json;

use crate::error::{Diagnostics, Problem};
use crate::file::unsupported;
use crate::text::choice::nearest;
use crate::text::document::{Entry, Node, Value};
use crate::text::location::KeyPath;
use crate::text::source::Span;
use crate::text::units::Quantity;

/// Checks `document` against the schema `root`.
pub(crate) fn check(document: &Node, root: &Json, diagnostics: &mut Diagnostics) {
    let spot = Spot {
        node: document,
        path: KeyPath::default(),
        // A key that the file as a whole lacks is shown at its beginning.
        key_span: 0..0,
        block: String::new(),
    };
    Checker { root, diagnostics }.check(&spot, root);
}

/// A value under check.
#[derive(Clone)]
struct Spot<'d> {
    node: &'d Node,
    path: KeyPath,
    key_span: Span,
    /// The key it was reached by, through arrays: `group` for each `[[group]]`.
    block: String,
}

impl<'d> Spot<'d> {
    fn entry(&self, entry: &'d Entry) -> Self {
        Self {
            node: &entry.node,
            path: self.path.key(&entry.key),
            key_span: entry.key_span.clone(),
            block: entry.key.clone(),
        }
    }

    fn item(&self, index: usize, node: &'d Node) -> Self {
        Self {
            node,
            path: self.path.item(index, node),
            key_span: node.span.clone(),
            block: self.block.clone(),
        }
    }

    /// How a message calls the table.
    fn place(&self) -> String {
        match self.block.as_str() {
            "" => "the file".to_owned(),
            block => format!("`{block}`"),
        }
    }
}

struct Checker<'a> {
    root: &'a Json,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Checker<'a> {
    fn check(&mut self, spot: &Spot<'_>, schema: &'a Json) {
        let schema = self.resolve(schema);
        if let Some(choices) = self.choices(schema) {
            return self.check_choice(spot, &choices);
        }
        if !fits_type(spot.node, schema) {
            return self.wrong_type(spot, &[schema]);
        }
        match &spot.node.value {
            Value::Table(entries) => self.check_table(spot, entries, schema),
            Value::Array(items) => self.check_array(spot, items, schema),
            Value::String(text) => self.check_text(spot, text, schema),
            Value::Integer(number) => self.check_number(spot, *number as f64, schema),
            Value::Float(number) => self.check_number(spot, *number, schema),
            Value::Bool(_) | Value::Datetime => {}
        }
    }

    /// The schema itself, if this one only refers to it.
    fn resolve(&self, schema: &'a Json) -> &'a Json {
        let reference = schema.get("$ref").and_then(Json::as_str);
        match reference.and_then(|reference| reference.strip_prefix("#")) {
            Some(pointer) => self.root.pointer(pointer).unwrap_or(schema),
            None => schema,
        }
    }

    /// What it chooses from, if it is a choice; choices within it count as its own.
    fn choices(&self, schema: &'a Json) -> Option<Vec<&'a Json>> {
        let choices = schema.get("oneOf").or(schema.get("anyOf"))?.as_array()?;
        let mut flat = Vec::new();
        for choice in choices {
            let choice = self.resolve(choice);
            match self.choices(choice) {
                Some(inner) => flat.extend(inner),
                None => flat.push(choice),
            }
        }
        Some(flat)
    }

    fn check_choice(&mut self, spot: &Spot<'_>, choices: &[&'a Json]) {
        let fitting: Vec<&Json> = choices
            .iter()
            .copied()
            .filter(|choice| fits_type(spot.node, choice))
            .collect();
        match (fitting.as_slice(), &spot.node.value) {
            ([], _) => self.wrong_type(spot, choices),
            ([only], _) => self.check(spot, only),
            (many, Value::Table(entries)) => self.check_variant(spot, entries, many),
            (many, Value::String(text)) => {
                let words: Vec<String> = many.iter().copied().flat_map(words).collect();
                self.check_word(spot, text, words);
            }
            // Several kinds of number: any of them will do, if it is one.
            (_, Value::Float(number)) => self.check_number(spot, *number, &Json::Null),
            (_, _) => {}
        }
    }

    /// Checks a table that is one of several: told by a word, such as `action`, or by its key.
    fn check_variant(&mut self, spot: &Spot<'_>, entries: &[Entry], variants: &[&'a Json]) {
        if let Some(tag) = common_tag(variants) {
            let known: Vec<String> = variants.iter().filter_map(|v| tag_word(v, tag)).collect();
            let Some(entry) = spot.node.entry(tag) else {
                return self.missing(spot, vec![tag.to_owned()]);
            };
            let tag_spot = spot.entry(entry);
            let Value::String(word) = &entry.node.value else {
                let problem = Problem::WrongType {
                    expected: "a string".to_owned(),
                    found: entry.node.kind(),
                };
                return self.at_value(&tag_spot, problem);
            };
            let chosen = variants
                .iter()
                .find(|variant| tag_word(variant, tag).as_ref() == Some(word));
            return match chosen {
                Some(variant) => self.check_table_of(spot, entries, variant, variants),
                None => self.check_word(&tag_spot, word, known),
            };
        }
        let keys: Vec<String> = variants.iter().copied().flat_map(known_keys).collect();
        let present: Vec<&Entry> = entries
            .iter()
            .filter(|entry| keys.contains(&entry.key))
            .collect();
        match present.as_slice() {
            [] => {
                let before = entries.len();
                entries
                    .iter()
                    .for_each(|entry| self.unknown_key(spot, entry, &keys));
                if before == 0 {
                    self.missing(spot, keys);
                }
            }
            [only] => {
                let variant = variants
                    .iter()
                    .find(|variant| known_keys(variant).contains(&only.key));
                if let Some(variant) = variant {
                    self.check_table_of(spot, entries, variant, variants);
                }
            }
            [_, second, ..] => {
                let keys = present.iter().map(|entry| entry.key.clone()).collect();
                let spot = spot.entry(second);
                self.at_key(&spot, Problem::Exclusive { keys });
            }
        }
    }

    fn check_table(&mut self, spot: &Spot<'_>, entries: &[Entry], schema: &'a Json) {
        self.check_table_of(spot, entries, schema, &[]);
    }

    /// Checks a table against `schema`, which may be one of `variants`.
    fn check_table_of(
        &mut self,
        spot: &Spot<'_>,
        entries: &[Entry],
        schema: &'a Json,
        variants: &[&'a Json],
    ) {
        // A key that is missing because it is misspelt is told once.
        let mut misspelt: Vec<String> = Vec::new();
        for entry in entries {
            let inner = spot.entry(entry);
            if let Some(property) = schema.get("properties").and_then(|p| p.get(&entry.key)) {
                self.check(&inner, property);
            } else if let Some(free @ Json::Object(_)) = schema.get("additionalProperties") {
                self.check(&inner, free);
            } else if variants.iter().any(|v| known_keys(v).contains(&entry.key)) {
                let problem = self.misplaced(&entry.key, variants);
                self.at_key(&inner, problem);
            } else {
                let known = known_keys(schema);
                misspelt.extend(nearest(&entry.key, &known));
                self.unknown_key(spot, entry, &known);
            }
        }
        let missing: Vec<String> = required_keys(schema)
            .into_iter()
            .filter(|key| spot.node.entry(key).is_none() && !misspelt.contains(key))
            .collect();
        for key in missing {
            self.missing(spot, vec![key]);
        }
    }

    fn check_array(&mut self, spot: &Spot<'_>, items: &[Node], schema: &'a Json) {
        let least = schema.get("minItems").and_then(Json::as_u64).unwrap_or(0);
        if (items.len() as u64) < least {
            let problem = Problem::OutOfRange {
                value: format!("an array of {}", items.len()),
                range: format!("at least {least} long"),
            };
            self.at_value(spot, problem);
        }
        if let Some(schema) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.check(&spot.item(index, item), schema);
            }
        }
    }

    fn check_text(&mut self, spot: &Spot<'_>, text: &str, schema: &Json) {
        let words = words(schema);
        if !words.is_empty() {
            return self.check_word(spot, text, words);
        }
        let format = schema.get("format").and_then(Json::as_str);
        if let Some(quantity) = format.and_then(Quantity::from_format)
            && let Err(error) = quantity.check(text)
        {
            let problem = Problem::BadQuantity {
                quantity,
                value: text.to_owned(),
                error,
            };
            self.at_value(spot, problem);
        }
    }

    fn check_word(&mut self, spot: &Spot<'_>, word: &str, known: Vec<String>) {
        if known.iter().any(|known| known == word) {
            return;
        }
        let problem = match unsupported::is_value(&spot.block, word) {
            true => Problem::NotSupportedYet {
                what: format!("`{} = {word:?}`", spot.block),
            },
            false => Problem::UnknownValue {
                key: spot.block.clone(),
                value: word.to_owned(),
                known,
            },
        };
        self.at_value(spot, problem);
    }

    fn check_number(&mut self, spot: &Spot<'_>, number: f64, schema: &Json) {
        let limit = |name| schema.get(name).and_then(Json::as_f64);
        let format = schema.get("format").and_then(Json::as_str);
        let format_max = match format {
            Some("uint8") => Some(u8::MAX.into()),
            Some("uint16") => Some(u16::MAX.into()),
            Some("uint32") => Some(u32::MAX.into()),
            _ => None,
        };
        let (min, above) = (limit("minimum"), limit("exclusiveMinimum"));
        let (max, below) = (limit("maximum").or(format_max), limit("exclusiveMaximum"));
        let fits = number.is_finite()
            && min.is_none_or(|min| number >= min)
            && above.is_none_or(|above| number > above)
            && max.is_none_or(|max| number <= max)
            && below.is_none_or(|below| number < below);
        if fits {
            return;
        }
        let lower = min
            .map(|min| format!("at least {min}"))
            .or(above.map(|above| format!("above {above}")));
        let upper = max
            .map(|max| format!("at most {max}"))
            .or(below.map(|below| format!("below {below}")));
        let range: Vec<String> = lower.into_iter().chain(upper).collect();
        let problem = Problem::OutOfRange {
            value: number.to_string(),
            range: match (min, max) {
                (Some(min), Some(max)) if min == max => max.to_string(),
                _ if range.is_empty() => "a finite number".to_owned(),
                _ => range.join(" and "),
            },
        };
        self.at_value(spot, problem);
    }

    fn unknown_key(&mut self, spot: &Spot<'_>, entry: &Entry, known: &[String]) {
        let problem = match unsupported::is_key(&spot.block, &entry.key) {
            true => Problem::NotSupportedYet {
                what: format!("`{}`", entry.key),
            },
            false => Problem::UnknownKey {
                key: entry.key.clone(),
                place: spot.place(),
                known: known.to_vec(),
            },
        };
        self.diagnostics
            .push(entry.key_span.clone(), spot.path.key(&entry.key), problem);
    }

    /// A key of another variant: says of which.
    fn misplaced(&self, key: &str, variants: &[&Json]) -> Problem {
        let tag = common_tag(variants).unwrap_or_default();
        let words: Vec<String> = variants
            .iter()
            .filter(|variant| known_keys(variant).iter().any(|known| known == key))
            .filter_map(|variant| tag_word(variant, tag))
            .map(|word| format!("`{tag} = {word:?}`"))
            .collect();
        Problem::Misplaced {
            key: key.to_owned(),
            condition: words.join(" or "),
        }
    }

    fn missing(&mut self, spot: &Spot<'_>, keys: Vec<String>) {
        let problem = Problem::MissingKey {
            place: spot.place(),
            keys,
        };
        self.at_key(spot, problem);
    }

    fn wrong_type(&mut self, spot: &Spot<'_>, schemas: &[&Json]) {
        let mut expected: Vec<String> = Vec::new();
        for schema in schemas {
            let text = describe_type(schema);
            if !expected.contains(&text) {
                expected.push(text);
            }
        }
        let problem = Problem::WrongType {
            expected: expected.join(" or "),
            found: spot.node.kind(),
        };
        self.at_value(spot, problem);
    }

    fn at_value(&mut self, spot: &Spot<'_>, problem: Problem) {
        self.diagnostics
            .push(spot.node.span.clone(), spot.path.clone(), problem);
    }

    fn at_key(&mut self, spot: &Spot<'_>, problem: Problem) {
        self.diagnostics
            .push(spot.key_span.clone(), spot.path.clone(), problem);
    }
}

/// Whether the kind of `node` is one that `schema` takes.
fn fits_type(node: &Node, schema: &Json) -> bool {
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

fn describe_type(schema: &Json) -> String {
    let format = schema.get("format").and_then(Json::as_str);
    if let Some(quantity) = format.and_then(Quantity::from_format) {
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
fn words(schema: &Json) -> Vec<String> {
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

fn known_keys(schema: &Json) -> Vec<String> {
    let properties = schema.get("properties").and_then(Json::as_object);
    properties
        .into_iter()
        .flat_map(|properties| properties.keys().cloned())
        .collect()
}

fn required_keys(schema: &Json) -> Vec<String> {
    let required = schema.get("required").and_then(Json::as_array);
    required
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .map(str::to_owned)
        .collect()
}

/// The key whose word tells the variants apart, if there is one.
fn common_tag<'s>(variants: &[&'s Json]) -> Option<&'s str> {
    let properties = variants.first()?.get("properties")?.as_object()?;
    properties.keys().map(String::as_str).find(|key| {
        variants
            .iter()
            .all(|variant| tag_word(variant, key).is_some())
    })
}

/// The word that `tag` has in `variant`.
fn tag_word(variant: &Json, tag: &str) -> Option<String> {
    let word = variant
        .get("properties")?
        .get(tag)?
        .get("const")?
        .as_str()?;
    Some(word.to_owned())
}
