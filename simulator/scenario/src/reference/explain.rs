//! Finds what a reader asks for, and says everything about it.

use squall_toml::at::KeyPath;
use squall_toml::nearest::nearest;

use super::lists::{Item, ItemKind};
use super::{Default, Key, Reference, Section, Variant};
use crate::file::examples;

/// Nothing in the format is called that.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the format has no {written:?}{}", suggestion(nearest.as_deref()))]
pub struct UnknownTopic {
    /// What was asked for.
    pub written: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!(": did you mean `{nearest}`?"),
        None => ": `squall explain` lists what it has".to_owned(),
    }
}

/// Keys whose words are listed, each with the title of the list.
const LISTED: [(&str, &str); 2] = [("check", "Checks"), ("action", "Actions of faults")];

impl Reference {
    /// Everything that is called `topic`: `group.publish.rate`, `rate`, `e2e_latency`, `{rand.int}`, `check will`.
    ///
    /// Paragraphs are single lines, so that the caller may wrap them; what begins with four spaces is to paste.
    ///
    /// # Errors
    /// There is nothing of that name.
    pub fn explain(&self, topic: &str) -> Result<String, UnknownTopic> {
        let wanted = normalised(topic);
        let mut texts = self.matches(&wanted);
        texts.extend(self.list_called(&wanted));
        // `group.publish.payload.size` is described once, where payloads are.
        if texts.is_empty()
            && let Some((block, key)) = wanted.rsplit_once('.')
            && !self.matches(block).is_empty()
        {
            texts = self.matches(key);
        }
        if !texts.is_empty() {
            return Ok(texts.join("\n"));
        }
        let topics: Vec<String> = self.topics();
        Err(UnknownTopic {
            written: topic.to_owned(),
            nearest: nearest(&wanted, &topics),
        })
    }

    /// A block, or a value, in which the key `key` has the word `word`, such as `drop` of `action`.
    pub fn example_of(&self, key: &str, word: &str) -> Option<String> {
        examples::of_variant(&KeyPath::default(), key, word)
    }

    /// What there is to ask for.
    pub fn overview(&self) -> String {
        let mut text = "Blocks and their keys:\n".to_owned();
        for section in self
            .sections
            .iter()
            .filter(|section| section.variant.is_none())
        {
            let keys: Vec<&str> = section.keys.iter().map(|key| key.name.as_str()).collect();
            let keys = match keys.is_empty() {
                true => self.variants_of(section).join(", "),
                false => keys.join(", "),
            };
            text.push_str(&format!("    {:<24} {keys}\n", section.title()));
        }
        for (tag, title) in LISTED {
            let words = self.words_of(tag);
            text.push_str(&format!(
                "{title} (`squall explain {tag} WORD`):\n    {}\n",
                words.join(", ")
            ));
        }
        for kind in ItemKind::ALL {
            let of_kind = self.items.iter().filter(|item| item.kind == kind);
            let names: Vec<String> = of_kind.map(Item::topic).collect();
            text.push_str(&format!(
                "{}s:\n    {}\n",
                capital(kind.name()),
                names.join(", ")
            ));
        }
        text.push_str(
            "A list can be asked for as well: `squall explain units`. `squall explain --markdown` prints all on one page.\n",
        );
        text
    }

    /// The list that is called `wanted`, in the plural or not, each with what it means: `units`, `checks`.
    fn list_called(&self, wanted: &str) -> Option<String> {
        let name = wanted.strip_suffix('s').unwrap_or(wanted);
        let is_kind = |kind: &&ItemKind| kind.name() == name;
        if let Some(&kind) = ItemKind::ALL.iter().find(is_kind) {
            let of_kind = self.items.iter().filter(|item| item.kind == kind);
            let lines = of_kind.map(|item| (item.topic(), item_line(item)));
            return Some(list_text(&format!("{}s", capital(name)), lines));
        }
        let (_, title) = LISTED.iter().find(|(tag, _)| *tag == name)?;
        let variants = self.sections.iter().filter_map(|section| {
            let variant = section
                .variant
                .as_ref()
                .filter(|variant| variant.tag == name)?;
            Some((
                variant.word.clone(),
                first_sentence(&section.meaning).to_owned(),
            ))
        });
        let keys = self.sections.iter().flat_map(|section| &section.keys);
        let words = keys
            .filter(|key| key.name == name)
            .flat_map(|key| &key.words)
            .map(|word| (word.word.clone(), word.meaning.clone()));
        Some(list_text(title, variants.chain(words)))
    }

    fn variants_of(&self, section: &Section) -> Vec<String> {
        let same = self
            .sections
            .iter()
            .filter(|other| other.path == section.path);
        same.filter(|other| other.variant.is_some())
            .map(Section::title)
            .collect()
    }

    /// The words of a key that tells variants apart.
    fn words_of(&self, tag: &str) -> Vec<String> {
        let variants = self
            .sections
            .iter()
            .filter_map(|section| section.variant.as_ref());
        let mut words: Vec<String> = variants
            .filter(|variant| variant.tag == tag)
            .map(|variant| variant.word.clone())
            .collect();
        let keys = self.sections.iter().flat_map(|section| &section.keys);
        let keys = keys.filter(|key| key.name == tag);
        words.extend(
            keys.flat_map(|key| &key.words)
                .map(|word| word.word.clone()),
        );
        words
    }

    /// The texts of everything that is called `wanted`.
    fn matches(&self, wanted: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for section in &self.sections {
            if section_topics(section).iter().any(|topic| topic == wanted) {
                texts.push(self.section_text(section));
            }
            for key in &section.keys {
                let of_path = key_topics(section, key);
                let of_variant = topics_in_variant(section, key);
                // A block has a section of its own, which says more.
                let is_wanted = (!key.is_block && of_path.iter().any(|topic| topic == wanted))
                    || of_variant.iter().any(|topic| topic == wanted);
                if is_wanted {
                    texts.push(key_text(section, key));
                }
                let words = key.words.iter();
                let asked = words.filter(|word| {
                    wanted == word.word || wanted == format!("{} {}", key.name, word.word)
                });
                texts.extend(asked.map(|word| self.word_text(section, key, &word.word)));
            }
        }
        let items = self
            .items
            .iter()
            .filter(|item| normalised(&item.topic()) == wanted);
        texts.extend(items.map(item_text));
        texts
    }

    fn topics(&self) -> Vec<String> {
        let mut topics: Vec<String> = self.items.iter().map(Item::topic).collect();
        topics.extend(ItemKind::ALL.map(|kind| format!("{}s", kind.name())));
        topics.extend(LISTED.map(|(tag, _)| format!("{tag}s")));
        for section in &self.sections {
            topics.extend(section_topics(section));
            for key in &section.keys {
                topics.extend(key_topics(section, key));
                topics.extend(
                    key.words
                        .iter()
                        .map(|word| format!("{} {}", key.name, word.word)),
                );
            }
        }
        topics
    }

    fn section_text(&self, section: &Section) -> String {
        let mut text = format!("{}\n{}\n", section.title(), section.meaning);
        push_example(&mut text, &section.example);
        for form in &section.forms {
            text.push_str(&format!(
                "In place of a table: {}. {}\n",
                form.word, form.meaning
            ));
        }
        let variants = self.variants_of(section);
        if section.variant.is_none() && !variants.is_empty() {
            text.push_str(&format!("It is one of:\n    {}\n", variants.join(", ")));
        }
        if !section.keys.is_empty() {
            text.push_str("Keys:\n");
        }
        for key in &section.keys {
            text.push_str(&format!(
                "  {:<16} {} Value: {}. {}\n",
                key.name,
                first_sentence(&key.meaning),
                key.value,
                default_text(&key.default)
            ));
        }
        text
    }

    /// A word of a key, with the keys that belong to it.
    fn word_text(&self, section: &Section, key: &Key, word: &str) -> String {
        let meaning = key.words.iter().find(|known| known.word == word);
        let meaning = meaning.map_or("", |known| known.meaning.as_str());
        let condition = format!("{} = \"{word}\"", key.name);
        let mut text = format!("{}, {condition}\n{meaning}\n", section.title());
        push_example(
            &mut text,
            &self.example_of(&key.name, word).unwrap_or_default(),
        );
        let with = section
            .keys
            .iter()
            .filter(|other| other.goes_with.contains(&condition));
        let with: Vec<String> = with.map(|other| format!("`{}`", other.name)).collect();
        if !with.is_empty() {
            text.push_str(&format!("Keys that go with it: {}.\n", with.join(", ")));
        }
        text
    }
}

impl Item {
    /// What a reader asks for: a placeholder in its braces.
    pub fn topic(&self) -> String {
        match self.kind {
            ItemKind::Placeholder => format!("{{{}}}", self.name),
            ItemKind::Metric | ItemKind::Aggregate | ItemKind::Unit => self.name.clone(),
        }
    }
}

/// `topic` without what surrounds a name: brackets, quotes, `=`, arguments of a placeholder.
fn normalised(topic: &str) -> String {
    let topic = topic.trim();
    if let Some(inside) = topic.strip_prefix('{') {
        let end = inside.find([':', '%', '}']).unwrap_or(inside.len());
        let name = inside[..end].trim();
        return if name.starts_with("vars.") {
            "vars".to_owned()
        } else {
            name.to_owned()
        };
    }
    let selector = topic.split('{').next().unwrap_or_default();
    let bare = selector.replace(['[', ']', '"', '`'], "").replace('=', " ");
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `a.b.c`, `b.c` and `c`.
fn suffixes(path: &str) -> Vec<String> {
    let starts = path.match_indices('.').map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(starts)
        .map(|at| path[at..].to_owned())
        .collect()
}

fn section_topics(section: &Section) -> Vec<String> {
    match &section.variant {
        Some(Variant { tag, word }) => vec![format!("{tag} {word}"), word.clone()],
        // The key of the same name says it.
        None if section.path.is_empty() => vec!["file".to_owned()],
        None if section.is_shared => {
            let mut topics = suffixes(&section.path);
            topics.push(section.title());
            topics
        }
        None => suffixes(&section.path),
    }
}

fn key_topics(section: &Section, key: &Key) -> Vec<String> {
    suffixes(&section.path_of(key))
}

/// `check response within` and `expect.response.within`, of a key that only one variant of a block has.
fn topics_in_variant(section: &Section, key: &Key) -> Vec<String> {
    let Some(Variant { tag, word }) = &section.variant else {
        return Vec::new();
    };
    let path = &section.path;
    let name = &key.name;
    vec![
        format!("{tag} {word} {name}"),
        format!("{tag}.{word}.{name}"),
        format!("{path}.{word}.{name}"),
        format!("{word}.{name}"),
        format!("{word} {name}"),
    ]
}

fn key_text(section: &Section, key: &Key) -> String {
    let mut text = format!("{}\n", section.path_of(key));
    if section.variant.is_some() {
        text = format!("{}, with {}\n", section.path_of(key), section.title());
    }
    text.push_str(&format!("{}\n", key.meaning));
    text.push_str(&format!("Value: {}.\n", key.value));
    for word in &key.words {
        text.push_str(&format!("  {:<16} {}\n", word.word, word.meaning));
    }
    text.push_str(&format!("{}\n", default_text(&key.default)));
    if !key.goes_with.is_empty() {
        text.push_str(&format!("It goes with {}.\n", key.goes_with.join(" or ")));
    }
    if let Some(example) = &key.example {
        push_example(&mut text, &in_block(section, example));
    }
    text
}

/// `example` below the header of its block, where that is a line of its own.
fn in_block(section: &Section, example: &str) -> String {
    let header = section.example.lines().next().unwrap_or_default();
    if !header.starts_with('[') || example.starts_with('[') {
        return example.to_owned();
    }
    match &section.variant {
        Some(_) => format!("{header}\n{}\n{example}", section.title()),
        None => format!("{header}\n{example}"),
    }
}

fn default_text(default: &Default) -> String {
    match default {
        Default::Required => "It must be there.".to_owned(),
        Default::Value(value) => format!("Default: {value}."),
        Default::Words(words) => format!("By default {words}."),
        Default::Unsaid => String::new(),
    }
}

fn item_text(item: &Item) -> String {
    let mut text = format!("{}: {}\n{}\n", item.kind.name(), item.topic(), item.meaning);
    for (name, fact) in &item.facts {
        text.push_str(&format!("{}: {fact}.\n", capital(name)));
    }
    let example = match item.kind {
        ItemKind::Metric | ItemKind::Aggregate => format!("[thresholds]\n{}", item.example),
        ItemKind::Placeholder | ItemKind::Unit => item.example.clone(),
    };
    push_example(&mut text, &example);
    text
}

/// A title, and a line for each name with what it means.
fn list_text(title: &str, lines: impl Iterator<Item = (String, String)>) -> String {
    let mut text = format!("{title}:\n");
    for (name, meaning) in lines {
        text.push_str(&format!("  {name:<16} {meaning}\n"));
    }
    text
}

/// What an item means in a list of its kind: of a unit with how it is written.
fn item_line(item: &Item) -> String {
    let Item {
        kind,
        meaning,
        facts,
        ..
    } = item;
    match kind {
        ItemKind::Unit => {
            let written: Vec<&str> = facts.iter().map(|(_, fact)| fact.as_str()).collect();
            format!("{meaning} Units: {}.", written.join(", "))
        }
        ItemKind::Metric | ItemKind::Aggregate | ItemKind::Placeholder => meaning.clone(),
    }
}

fn push_example(text: &mut String, example: &str) {
    if example.is_empty() {
        return;
    }
    text.push_str("Example:\n");
    for line in example.lines() {
        text.push_str(&format!("    {line}\n"));
    }
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}
