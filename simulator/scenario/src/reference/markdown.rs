//! The reference as one page of Markdown: `scenarios/README.md`.

use super::explain::capital;
use super::lists::{Item, ItemKind};
use super::{Default, Key, Reference, Section};
use crate::file::examples;

const BEGINNING: &str = "\
# The format of scenario files

A scenario is one TOML file: who connects, over what network, what goes wrong and when, and what must hold. This
page is written by `squall explain --markdown` from the types that read the file. `squall explain KEY` prints the
part about one key, metric or placeholder.

A scenario that runs:

```toml
";

const RULES: &str = "\
```

- Times, sizes and bit rates are texts with a unit: `\"250ms\"`, `\"64KiB\"`, `\"256kbit/s\"`.
- Times of faults and streams count from the beginning of the measured part; the warm-up is before it.
- An unknown key, name or unit is an error with its line, what was expected and an example. Nothing is ignored.
- `squall validate FILE` checks a file, `squall validate --resolved FILE` prints it with every default, and
  `--set group.sensors.count=200` sets a value on the command line.
- `squall new NAME` writes a scenario and beside it the schema with which an editor completes keys.
";

impl Reference {
    /// The whole reference in Markdown.
    pub fn markdown(&self) -> String {
        let example = format!("{}\n\n{}\n\n{}", FILE_KEYS, group_example(), THRESHOLDS);
        let mut page = format!("{BEGINNING}{example}\n{RULES}\n## Contents\n\n");
        let headings = self
            .sections
            .iter()
            .filter(|section| section.variant.is_none());
        for section in headings {
            let title = heading(section);
            page.push_str(&format!("- [{title}](#{})\n", anchor(&title)));
        }
        for kind in ItemKind::ALL {
            let title = format!("{}s", capital(kind.name()));
            page.push_str(&format!("- [{title}](#{})\n", anchor(&title)));
        }
        for section in &self.sections {
            push_section(&mut page, section);
        }
        for kind in ItemKind::ALL {
            page.push_str(&format!("\n## {}s\n\n", capital(kind.name())));
            for item in self.items.iter().filter(|item| item.kind == kind) {
                push_item(&mut page, item);
            }
        }
        page
    }
}

const FILE_KEYS: &str = "version = 1\nname = \"my-fleet\"";
const THRESHOLDS: &str = "[thresholds]\n\"ack_latency\" = [\"p99 < 250ms\"]";

fn group_example() -> String {
    let group = squall_toml::at::KeyPath::default().key("group");
    examples::of(&group).unwrap_or_default()
}

/// The heading of a block: its header; of a value that several keys share, its name.
fn heading(section: &Section) -> String {
    let is_named = section.is_shared || section.path.is_empty();
    match is_named && section.variant.is_none() {
        true => capital(&section.title()),
        false => format!("`{}`", section.title()),
    }
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let kept = lower
        .chars()
        .filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    kept.collect::<String>().replace(' ', "-")
}

fn push_section(page: &mut String, section: &Section) {
    let level = if section.variant.is_some() {
        "###"
    } else {
        "##"
    };
    page.push_str(&format!(
        "\n{level} {}\n\n{}\n",
        heading(section),
        section.meaning
    ));
    if !section.example.is_empty() {
        page.push_str(&format!("\n```toml\n{}\n```\n", section.example));
    }
    for (n, form) in section.forms.iter().enumerate() {
        let gap = if n == 0 {
            "\nIn place of a table:\n\n"
        } else {
            ""
        };
        page.push_str(&format!("{gap}- {}: {}\n", form.word, form.meaning));
    }
    if section.keys.is_empty() {
        return;
    }
    page.push_str("\n| key | value | without it | meaning |\n| --- | --- | --- | --- |\n");
    for key in &section.keys {
        page.push_str(&row(key));
    }
    for key in section.keys.iter().filter(|key| key.words.len() > 1) {
        page.push_str(&format!("\nWords of `{}`:\n\n", key.name));
        for word in &key.words {
            page.push_str(&format!("- `\"{}\"`: {}\n", word.word, word.meaning));
        }
    }
}

fn row(key: &Key) -> String {
    let default = match &key.default {
        Default::Required => "**it must be there**".to_owned(),
        Default::Value(value) => format!("`{value}`"),
        Default::Words(words) => words.clone(),
        Default::Unsaid => String::new(),
    };
    let mut meaning = without_default(&key.meaning, &key.default);
    if !key.goes_with.is_empty() {
        let with: Vec<String> = key
            .goes_with
            .iter()
            .map(|with| format!("`{with}`"))
            .collect();
        meaning.push_str(&format!(" It goes with {}.", with.join(" or ")));
    }
    let example = key.example.as_deref().unwrap_or_default();
    if !example.contains('\n') && !example.is_empty() {
        meaning.push_str(&format!(" Example: `{example}`"));
    }
    let cells = [
        format!("`{}`", key.name),
        key.value.clone(),
        default,
        meaning,
    ];
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// `meaning` without the sentence about the default, which has a column of its own.
fn without_default(meaning: &str, default: &Default) -> String {
    match default {
        Default::Value(_) | Default::Words(_) => {
            let sentences = meaning.split_inclusive(". ");
            let kept = sentences.filter(|sentence| !is_default(sentence));
            kept.collect::<String>().trim().to_owned()
        }
        Default::Required | Default::Unsaid => meaning.to_owned(),
    }
}

fn is_default(sentence: &str) -> bool {
    let sentence = sentence.trim_end().trim_end_matches('.');
    sentence.starts_with("Default")
        || sentence.starts_with("By default")
        || sentence.ends_with("by default")
}

fn push_item(page: &mut String, item: &Item) {
    page.push_str(&format!("- `{}`: {}", item.topic(), item.meaning));
    for (name, fact) in &item.facts {
        page.push_str(&format!(" {}: {fact}.", capital(name)));
    }
    page.push_str(&format!(" Example: `{}`\n", item.example));
}
