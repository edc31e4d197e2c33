//! Checks a document against the schema of its format, and says everything that does not fit.
//!
//! The schema comes from the types that parse the file, so the two cannot disagree. This knows the
//! part of JSON Schema that those types use: objects with known or with free keys, arrays,
//! numbers with limits, words, quantities, and choices between them.

pub(crate) mod schema;
#[cfg(test)]
mod tests;

use serde_json::Value as Json;
use squall_toml::at::At;
use squall_toml::mistake::Mistake;
use squall_toml::nearest::nearest;
use squall_toml::node::{Entry, Node, Value};

use super::fill_vars::variable;
use crate::error::{Diagnostics, Problem};
use crate::file::quantity_of;
use schema::{
    BesideTagged, beside_tagged, choices, common_tag, describe_type, fits_type, known_keys,
    referred, required_keys, tag_word, with_unit, words,
};

/// Checks `document` against the schema `root`.
pub(crate) fn check(document: &Node, root: &Json, diagnostics: &mut Diagnostics) {
    Checker { root, diagnostics }.check(&At::root(document), root);
}

/// What MQTT 3.1.1 is called by its protocol level, or in short.
const OLD_VERSIONS: [&str; 6] = ["3", "3.1", "3.11", "4", "4.0", "v4"];

/// Whether `written` may be a slip of `key`.
fn is_near(written: &str, key: &str) -> bool {
    nearest(written, &[key]).is_some()
}

/// How a message calls the table at `at`.
fn place_of(at: &At<'_>) -> String {
    match at.path().last_key() {
        "" => "the file".to_owned(),
        block => format!("`{block}`"),
    }
}

/// Keys of different forms of one value. A day of 24 h cannot come again after another period.
fn exclusive(keys: Vec<String>) -> Problem {
    let has = |key: &str| keys.iter().any(|written| written == key);
    if !(has("day") && has("repeat")) {
        return Problem::Exclusive { keys };
    }
    Problem::Contradiction {
        what: "`day` and `repeat` exclude each other: a `day` is 24 h of real time".to_owned(),
        remedy: "`points` and `repeat` for a day that passes faster, or `day` alone".to_owned(),
    }
}

struct Checker<'a> {
    root: &'a Json,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Checker<'a> {
    /// Checks the value at `at`, if there is one.
    fn check(&mut self, at: &At<'_>, schema: &'a Json) {
        let Some(node) = at.node() else { return };
        let schema = referred(self.root, schema);
        if schema == &Json::Bool(true) {
            // Any value will do.
            return;
        }
        if let Some(choices) = choices(self.root, schema) {
            return self.check_choice(at, node, &choices);
        }
        if !fits_type(node, schema) {
            return self.wrong_type(at, node, &[schema]);
        }
        match &node.value {
            Value::Table(entries) => self.check_table(at, entries, schema),
            Value::Array(items) => self.check_array(at, items, schema),
            Value::String(text) => self.check_text(at, text, schema),
            Value::Integer(number) => self.check_number(at, *number as f64, schema),
            Value::Float(number) => self.check_number(at, *number, schema),
            Value::Bool(_) | Value::Datetime => {}
        }
    }

    fn check_choice(&mut self, at: &At<'_>, node: &Node, choices: &[&'a Json]) {
        let fitting: Vec<&Json> = choices
            .iter()
            .copied()
            .filter(|choice| fits_type(node, choice))
            .collect();
        match (fitting.as_slice(), &node.value) {
            ([], _) => self.wrong_type(at, node, choices),
            ([only], _) => self.check(at, only),
            (many, Value::Table(entries)) => self.check_variant(at, entries, many),
            (many, Value::String(text)) => {
                let words: Vec<String> = many.iter().copied().flat_map(words).collect();
                self.check_word(at, text, words);
            }
            // Several kinds of number: any of them will do, if it is one.
            (_, Value::Float(number)) => self.check_number(at, *number, &Json::Null),
            (_, _) => {}
        }
    }

    /// Checks a table that is one of several: told by a word, such as `action`, or by its key.
    fn check_variant(&mut self, at: &At<'_>, entries: &[Entry], variants: &[&'a Json]) {
        if let Some(other) = beside_tagged(variants) {
            return self.check_beside_tagged(at, entries, other);
        }
        if let Some(tag) = common_tag(variants) {
            let known: Vec<String> = variants.iter().filter_map(|v| tag_word(v, tag)).collect();
            let Some(entry) = entries.iter().find(|entry| entry.key == tag) else {
                return self.missing_tag(at, entries, tag, variants);
            };
            let at_tag = at.entry(entry);
            let Value::String(word) = &entry.node.value else {
                return self
                    .diagnostics
                    .value(&at_tag, entry.node.wrong_type("a string"));
            };
            let chosen = variants
                .iter()
                .find(|variant| tag_word(variant, tag).as_ref() == Some(word));
            return match chosen {
                Some(variant) => self.check_table_of(at, entries, variant, variants),
                None => self.check_word(&at_tag, word, known),
            };
        }
        let keys: Vec<String> = variants.iter().copied().flat_map(known_keys).collect();
        let present: Vec<&Entry> = entries
            .iter()
            .filter(|entry| keys.contains(&entry.key))
            .collect();
        let of_all = variants.iter().find(|variant| {
            let known = known_keys(variant);
            present.iter().all(|entry| known.contains(&entry.key))
        });
        match (present.as_slice(), of_all) {
            ([], _) => {
                let before = entries.len();
                entries
                    .iter()
                    .for_each(|entry| self.unknown_key(at, entry, &keys));
                if before == 0 {
                    self.missing(at, keys);
                }
            }
            (_, Some(variant)) => self.check_table_of(at, entries, variant, variants),
            ([_, second, ..], None) => {
                let keys = present.iter().map(|entry| entry.key.clone()).collect();
                let at = at.entry(second);
                self.diagnostics.key(&at, exclusive(keys));
            }
            ([_], None) => unreachable!("a key that is known is a variant's"),
        }
    }

    /// Checks a table that is either one of several told by a word, or another with keys of its own.
    fn check_beside_tagged(&mut self, at: &At<'_>, entries: &[Entry], of: BesideTagged<'a>) {
        let other = known_keys(of.other);
        let is_tagged = entries.iter().any(|entry| entry.key == of.tag);
        if is_tagged {
            return self.check_variant(at, entries, &of.tagged);
        }
        let is_other = |entry: &Entry| {
            other
                .iter()
                .any(|key| *key == entry.key || is_near(&entry.key, key))
        };
        if entries.iter().any(is_other) {
            return self.check_table(at, entries, of.other);
        }
        let mut told_by = vec![of.tag.to_owned()];
        told_by.extend(required_keys(of.other));
        match entries.is_empty() {
            true => self.missing(at, told_by),
            false => self.missing_tag(at, entries, of.tag, &of.tagged),
        }
    }

    fn check_table(&mut self, at: &At<'_>, entries: &[Entry], schema: &'a Json) {
        self.check_table_of(at, entries, schema, &[]);
    }

    /// Checks a table against `schema`, which may be one of `variants`.
    fn check_table_of(
        &mut self,
        at: &At<'_>,
        entries: &[Entry],
        schema: &'a Json,
        variants: &[&'a Json],
    ) {
        let mut unknown: Vec<&Entry> = Vec::new();
        for entry in entries {
            let inner = at.entry(entry);
            if let Some(property) = schema.get("properties").and_then(|p| p.get(&entry.key)) {
                self.check(&inner, property);
            } else if let Some(free @ Json::Object(_)) = schema.get("additionalProperties") {
                self.check(&inner, free);
            } else if variants.iter().any(|v| known_keys(v).contains(&entry.key)) {
                let problem = self.misplaced(&entry.key, variants);
                self.diagnostics.key(&inner, problem);
            } else {
                unknown.push(entry);
                self.unknown_key(at, entry, &known_keys(schema));
            }
        }
        for key in required_keys(schema) {
            // A key that is missing because it is misspelt is told once.
            let is_misspelt = || unknown.iter().any(|entry| is_near(&entry.key, &key));
            if !at.key(&key).is_written() && !is_misspelt() {
                self.missing(at, vec![key]);
            }
        }
    }

    fn check_array(&mut self, at: &At<'_>, items: &[Node], schema: &'a Json) {
        let limit = |name| schema.get(name).and_then(Json::as_u64);
        let least = limit("minItems").unwrap_or(0);
        let most = limit("maxItems").unwrap_or(u64::MAX);
        let length = items.len() as u64;
        if length < least || length > most {
            let range = match length < least {
                true => format!("at least {least} long"),
                false => format!("at most {most} long"),
            };
            let value = format!("an array of {length}");
            self.diagnostics
                .value(at, Mistake::OutOfRange { value, range });
            return;
        }
        if let Some(schema) = schema.get("items") {
            for index in 0..items.len() {
                self.check(&at.item(index), schema);
            }
        }
    }

    fn check_text(&mut self, at: &At<'_>, text: &str, schema: &Json) {
        let words = words(schema);
        if !words.is_empty() {
            return self.check_word(at, text, words);
        }
        let format = schema.get("format").and_then(Json::as_str);
        if let Some(quantity) = format.and_then(quantity_of)
            && let Err(error) = quantity.check(text)
        {
            let problem = Mistake::BadQuantity {
                quantity,
                value: text.to_owned(),
                error,
            };
            self.diagnostics.value(at, problem);
        }
    }

    fn check_word(&mut self, at: &At<'_>, word: &str, known: Vec<String>) {
        if known.iter().any(|known| known == word) {
            return;
        }
        let key = at.path().last_key();
        let problem = match key {
            "protocol" if OLD_VERSIONS.contains(&word) => Problem::Contradiction {
                what: format!("unknown value {word:?} of `protocol`"),
                remedy: "`protocol = \"3.1.1\"`, the version whose protocol level is 4".to_owned(),
            },
            _ => Problem::Mistake(Mistake::UnknownValue {
                key: key.to_owned(),
                value: word.to_owned(),
                known,
            }),
        };
        self.diagnostics.value(at, problem);
    }

    fn check_number(&mut self, at: &At<'_>, number: f64, schema: &Json) {
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
        let problem = Mistake::OutOfRange {
            value: number.to_string(),
            range: match (min, max) {
                (Some(min), Some(max)) if min == max => max.to_string(),
                _ if range.is_empty() => "a finite number".to_owned(),
                _ => range.join(" and "),
            },
        };
        self.diagnostics.value(at, problem);
    }

    fn unknown_key(&mut self, at: &At<'_>, entry: &Entry, known: &[String]) {
        let problem = Mistake::UnknownKey {
            key: entry.key.clone(),
            place: place_of(at),
            known: known.to_vec(),
        };
        self.diagnostics
            .push(entry.key_span.clone(), at.path().key(&entry.key), problem);
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

    /// The key that tells the variants apart is not there, or is misspelt.
    fn missing_tag(&mut self, at: &At<'_>, entries: &[Entry], tag: &str, variants: &[&Json]) {
        let known: Vec<String> = variants.iter().copied().flat_map(known_keys).collect();
        let misspelt = entries
            .iter()
            .find(|entry| !known.contains(&entry.key) && is_near(&entry.key, tag));
        match misspelt {
            Some(entry) => self.unknown_key(at, entry, &[tag.to_owned()]),
            None => self.missing(at, vec![tag.to_owned()]),
        }
    }

    fn missing(&mut self, at: &At<'_>, keys: Vec<String>) {
        let problem = Problem::MissingKey {
            place: place_of(at),
            keys,
        };
        self.diagnostics.key(at, problem);
    }

    /// What kind of value `schema` takes at `at`.
    fn describe(&self, at: &At<'_>, schema: &Json) -> String {
        let Some(items) = schema.get("items") else {
            return describe_type(schema);
        };
        let items = referred(self.root, items);
        let kinds = choices(self.root, items).unwrap_or_else(|| vec![items]);
        let are_all = |kind| {
            let kind_of = |item: &Json| item.get("type").and_then(Json::as_str) == Some(kind);
            kinds.iter().all(|item| kind_of(item))
        };
        match (are_all("object"), are_all("string")) {
            (true, _) => format!("blocks `[[{}]]`", at.path().keys()),
            (_, true) if items.get("format").is_some() => {
                format!("an array, each value {}", describe_type(items))
            }
            (_, true) => "an array of strings".to_owned(),
            (false, false) => describe_type(schema),
        }
    }

    fn wrong_type(&mut self, at: &At<'_>, node: &Node, schemas: &[&Json]) {
        // That there is no such variable is noted already.
        if node.as_str().and_then(variable).is_some() {
            return;
        }
        let mut expected: Vec<String> = Vec::new();
        for schema in schemas {
            let text = self.describe(at, schema);
            if !expected.contains(&text) {
                expected.push(text);
            }
        }
        let expected = expected.join(" or ");
        let problem = match with_unit(at.path().last_key(), node, schemas) {
            Some(proposal) => Problem::WithoutUnit { expected, proposal },
            None => Problem::Mistake(node.wrong_type(&expected)),
        };
        self.diagnostics.value(at, problem);
    }
}
