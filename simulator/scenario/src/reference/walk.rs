//! Walks the schema of the format and makes a section of each block that it finds.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::references::{reference, shared_definitions};
use super::value;
use super::{Default, Key, Section, Variant, Word, default};
use crate::file::examples;
use crate::read::shape::schema::{common_tag, referred, required_keys, tag_word};
use squall_toml::at::KeyPath;

/// The blocks of a file in the order in which one is written; others follow.
const ORDER: [&str; 8] = [
    "target",
    "run",
    "vars",
    "network",
    "group",
    "fault",
    "expect",
    "thresholds",
];

/// Where the schema says with which values of another key a key may stand: `{ "action": ["drop"] }`.
pub(super) const GOES_WITH: &str = "x-squall-with";

/// Every block of the schema `root`, then every value that several keys share.
pub(super) fn sections(root: &Json) -> Vec<Section> {
    let mut walk = Walk {
        root,
        shared: shared_definitions(root),
        met: Vec::new(),
        sections: Vec::new(),
    };
    let whole = Tables {
        alone: vec![root],
        ..Tables::default()
    };
    let file = Place {
        stands_at: vec![String::new()],
        ..Place::default()
    };
    walk.add(&file, &meaning_of(root), whole);
    // A shared value may name another one, which is then met on the way.
    let mut done = 0;
    while let Some((name, places)) = walk.met.get(done).cloned() {
        walk.add_shared(name, places);
        done += 1;
    }
    walk.sections
}

/// The description of `schema` in one line.
fn meaning_of(schema: &Json) -> String {
    let text = schema.get("description").and_then(Json::as_str);
    let words: Vec<&str> = text.unwrap_or_default().split_whitespace().collect();
    words.join(" ")
}

/// `LoginText` as `login_text`.
fn in_words(definition: &str) -> String {
    let mut words = String::new();
    for (n, letter) in definition.char_indices() {
        if letter.is_uppercase() && n > 0 {
            words.push('_');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// Where a block stands.
#[derive(Clone, Debug, std::default::Default)]
struct Place {
    path: String,
    /// Where it may stand in a file: at one place, or at several if it is shared.
    stands_at: Vec<String>,
    is_shared: bool,
    /// The word that tells its variant from the others, if it is one.
    word: String,
}

impl Place {
    /// The first place where it may stand: examples are looked up under it.
    fn first(&self) -> &str {
        self.stands_at.first().map_or("", String::as_str)
    }
}

/// The tables that a value may be, and what else.
#[derive(Debug, std::default::Default)]
struct Tables<'s> {
    /// Those without a tag: keys of all of them are listed together.
    alone: Vec<&'s Json>,
    /// Those that a word tells apart.
    variants: Vec<&'s Json>,
    /// What it may be in place of one.
    forms: Vec<Word>,
}

impl Tables<'_> {
    fn is_any(&self) -> bool {
        !self.alone.is_empty() || !self.variants.is_empty()
    }
}

/// What a value may be.
#[derive(Debug, std::default::Default)]
struct Found<'s> {
    kinds: Vec<String>,
    words: Vec<Word>,
    /// Those that the items of a list may be.
    item_words: Vec<Word>,
    tables: Tables<'s>,
}

struct Walk<'s> {
    root: &'s Json,
    shared: BTreeSet<&'s str>,
    /// Those of them that were met, each with the places where that was.
    met: Vec<(&'s str, Vec<String>)>,
    sections: Vec<Section>,
}

impl<'s> Walk<'s> {
    fn add_shared(&mut self, name: &'s str, places: Vec<String>) {
        let schema = &self.root["$defs"][name];
        let mut found = Found::default();
        self.look_into(schema, &places[0], &mut found);
        let place = Place {
            path: in_words(name),
            stands_at: places,
            is_shared: true,
            word: String::new(),
        };
        if found.tables.is_any() {
            self.add(&place, &meaning_of(schema), found.tables);
        }
    }

    /// Adds the section of the block at `place`, and those of the blocks within it.
    fn add(&mut self, place: &Place, meaning: &str, tables: Tables<'s>) {
        let mut inner = Vec::new();
        let tag = common_tag(&tables.variants).unwrap_or_default();
        let keys = self.keys_of(place, &tables.alone, &mut inner);
        let mut block = section(place, None, meaning.to_owned(), keys);
        block.forms = tables.forms;
        self.sections.push(block);
        for variant in tables.variants {
            let word = tag_word(variant, tag).unwrap_or_default();
            let of_variant = Place {
                word: word.clone(),
                ..place.clone()
            };
            let keys = self.keys_of(&of_variant, &[variant], &mut inner);
            let keys = keys.into_iter().filter(|key| key.name != tag).collect();
            let told_by = Variant {
                tag: tag.to_owned(),
                word,
            };
            self.sections
                .push(section(place, Some(told_by), meaning_of(variant), keys));
        }
        for (place, meaning, tables) in inner {
            self.add(&place, &meaning, tables);
        }
    }

    fn keys_of(
        &mut self,
        place: &Place,
        tables: &[&'s Json],
        inner: &mut Vec<(Place, String, Tables<'s>)>,
    ) -> Vec<Key> {
        let mut keys = Vec::new();
        let outer = place.path.rsplit('.').next().unwrap_or_default();
        for table in tables {
            let properties = table.get("properties").and_then(Json::as_object);
            let is_only = properties.is_some_and(|properties| properties.len() == 1);
            for (name, property) in properties.into_iter().flatten() {
                let place = Place {
                    path: joined(&place.path, name),
                    stands_at: place.stands_at.iter().map(|at| joined(at, name)).collect(),
                    is_shared: place.is_shared,
                    word: place.word.clone(),
                };
                let mut found = Found::default();
                self.look_into(property, place.first(), &mut found);
                let mut meaning = meaning_of(property);
                // A variant of one key is described as a whole.
                if is_only && tables.len() > 1 {
                    meaning = meaning_of(table);
                } else if meaning.is_empty() {
                    meaning = meaning_of(referred(self.root, property));
                }
                let is_required = tables.len() == 1 && required_keys(table).contains(name);
                let mut key = key(name, &meaning, property, &found, &place);
                if is_required {
                    key.default = Default::Required;
                } else if tables.len() > 1 {
                    key.default = Default::Words(format!(
                        "`{outer}` has another of its forms, without `{name}`"
                    ));
                }
                keys.push(key);
                if found.tables.is_any() {
                    let place = Place {
                        word: String::new(),
                        ..place
                    };
                    inner.push((place, meaning, found.tables));
                }
            }
        }
        keys.sort_by_key(|key| (key.default != Default::Required, rank(place, &key.name)));
        inner.sort_by_key(|(place, _, _)| rank(&Place::default(), &place.path));
        keys
    }

    /// Finds out what a value of `schema` at `path` may be.
    fn look_into(&mut self, schema: &'s Json, path: &str, found: &mut Found<'s>) {
        if let Some(name) = reference(schema)
            && self.shared.contains(name)
        {
            match self.met.iter_mut().find(|(met, _)| *met == name) {
                Some((_, places)) => places.push(path.to_owned()),
                None => self.met.push((name, vec![path.to_owned()])),
            }
            found
                .kinds
                .push(format!("a {}", in_words(name).replace('_', " ")));
            return;
        }
        let schema = referred(self.root, schema);
        let choices = schema
            .get("oneOf")
            .or(schema.get("anyOf"))
            .and_then(Json::as_array);
        if let Some(choices) = choices {
            return self.look_into_choices(choices, path, found);
        }
        if let Some(word) = schema.get("const").and_then(Json::as_str) {
            found.words.push(Word {
                word: word.to_owned(),
                meaning: meaning_of(schema),
            });
            return;
        }
        if let Some(words) = schema.get("enum").and_then(Json::as_array) {
            let words = words.iter().filter_map(Json::as_str);
            found.words.extend(words.map(|word| Word {
                word: word.to_owned(),
                meaning: String::new(),
            }));
            return;
        }
        if schema.get("properties").is_some() {
            found.tables.alone.push(schema);
            found.kinds.push("a table".to_owned());
            return;
        }
        let item = schema.get("items").or(schema.get("additionalProperties"));
        let Some(item) = item.filter(|item| item.is_object()) else {
            found.kinds.push(value::kind(schema, None));
            return;
        };
        let mut inside = Found::default();
        self.look_into(item, path, &mut inside);
        found.kinds.push(match inside.tables.is_any() {
            true => "blocks".to_owned(),
            false => value::kind(schema, Some(&value::list(&kinds(&inside)))),
        });
        found.item_words = inside.words;
        found.tables.alone.extend(inside.tables.alone);
        found.tables.variants.extend(inside.tables.variants);
    }

    fn look_into_choices(&mut self, choices: &'s [Json], path: &str, found: &mut Found<'s>) {
        let all: Vec<&Json> = choices
            .iter()
            .map(|choice| referred(self.root, choice))
            .collect();
        if common_tag(&all).is_some() {
            found.tables.variants.extend(all);
            found.kinds.push("a table".to_owned());
            return;
        }
        for choice in choices {
            let mut one = Found::default();
            self.look_into(choice, path, &mut one);
            // Of a value that may be one word or several of them.
            if !one.item_words.is_empty() && one.item_words == found.words {
                one.kinds = vec!["a list of them".to_owned()];
            }
            let meaning = meaning_of(choice);
            if one.words.is_empty() && !one.tables.is_any() && !meaning.is_empty() {
                let word = value::list(&one.kinds);
                found.tables.forms.push(Word { word, meaning });
            }
            found.kinds.extend(one.kinds);
            found.words.extend(one.words);
            found.item_words.extend(one.item_words);
            found.tables.alone.extend(one.tables.alone);
            found.tables.variants.extend(one.tables.variants);
            found.tables.forms.extend(one.tables.forms);
        }
        found.kinds.dedup();
    }
}

fn section(place: &Place, variant: Option<Variant>, meaning: String, keys: Vec<Key>) -> Section {
    let example = match &variant {
        Some(Variant { tag, word }) => examples::of_variant(&key_path(place.first()), tag, word),
        None => examples::of(&key_path(place.first())),
    };
    Section {
        path: place.path.clone(),
        variant,
        meaning,
        example: example.unwrap_or_default(),
        forms: Vec::new(),
        keys,
        is_shared: place.is_shared,
        places: place.stands_at.clone(),
    }
}

fn key(name: &str, meaning: &str, property: &Json, found: &Found<'_>, place: &Place) -> Key {
    let words: Vec<String> = found.words.iter().map(|word| word.word.clone()).collect();
    let mut default = default::of(meaning, &words);
    if default == Default::Unsaid {
        default = of_tables(&found.tables);
    }
    let nothing = property.get("default");
    if default == Default::Unsaid
        && nothing.is_some_and(|value| *value == json!({}) || *value == json!([]))
    {
        default = Default::Words("none".to_owned());
    }
    Key {
        name: name.to_owned(),
        meaning: meaning.to_owned(),
        value: value::list(&kinds(found)),
        words: match found.words.is_empty() {
            true => found.item_words.clone(),
            false => found.words.clone(),
        },
        default,
        example: examples::of_key_in(&place.word, &key_path(place.first())),
        goes_with: goes_with(property),
        is_block: found.tables.is_any(),
    }
}

/// What a value may be, its words first.
fn kinds(found: &Found<'_>) -> Vec<String> {
    let mut kinds = found.kinds.clone();
    if !found.words.is_empty() {
        let quoted = found
            .words
            .iter()
            .map(|word| format!("`\"{}\"`", word.word));
        kinds.insert(0, value::list(&quoted.collect::<Vec<_>>()));
    }
    kinds
}

/// What holds without a block: where each of its keys may be absent, what holds without those.
fn of_tables(tables: &Tables<'_>) -> Default {
    if !tables.is_any() {
        return Default::Unsaid;
    }
    let Tables {
        alone, variants, ..
    } = tables;
    let is_optional = |table: &&Json| required_keys(table).is_empty();
    let has_defaults = variants.is_empty() && alone.len() == 1 && alone.iter().all(is_optional);
    Default::Words(match has_defaults {
        true => "the defaults of its keys".to_owned(),
        false => "none".to_owned(),
    })
}

fn goes_with(property: &Json) -> Vec<String> {
    let conditions = property.get(GOES_WITH).and_then(Json::as_object);
    let words = |(key, words): (&String, &Json)| -> Vec<String> {
        let words = words
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str);
        words.map(|word| format!("{key} = \"{word}\"")).collect()
    };
    conditions.into_iter().flatten().flat_map(words).collect()
}

/// The place of a key in its block: in the order of [`ORDER`] in the file, else by name.
fn rank(place: &Place, name: &str) -> (usize, String) {
    let known = ORDER.iter().position(|known| *known == name);
    let position = match place.path.is_empty() {
        true => known.map_or(if name.contains('.') { ORDER.len() } else { 0 }, |at| {
            at + 1
        }),
        false => 0,
    };
    (position, name.to_owned())
}

fn joined(path: &str, key: &str) -> String {
    match path.is_empty() {
        true => key.to_owned(),
        false => format!("{path}.{key}"),
    }
}

fn key_path(dotted: &str) -> KeyPath {
    let keys = dotted.split('.').filter(|key| !key.is_empty());
    keys.fold(KeyPath::default(), |path, key| path.key(key))
}
