//! What holds where a key is absent, as its description says it: `Default 5s.`, or `By default all of them.`

use serde_json::Value as Json;

use super::Default;

/// The default that `description` says. `words` are those that the key takes, if it takes words.
///
/// A value stands alone: `Default 5s.` What follows more words, as in `Default 5s, or longer if …`, is not one
/// value.
pub(super) fn of(description: &str, words: &[String]) -> Default {
    for sentence in sentences(description) {
        if let Some(said) = sentence.strip_prefix("Default ") {
            return match as_toml(said, words) {
                Some(value) => Default::Value(value),
                None => Default::Words(said.to_owned()),
            };
        }
        if let Some(said) = sentence.strip_prefix("Default: ") {
            return Default::Words(said.to_owned());
        }
        if let Some(said) = sentence.strip_prefix("By default ") {
            return Default::Words(said.to_owned());
        }
        if let Some(said) = sentence.strip_suffix(" by default") {
            return Default::Words(said.to_lowercase());
        }
    }
    Default::Unsaid
}

/// The same as JSON, for the schema; `None` unless it is one value.
pub(super) fn as_json(default: &Default) -> Option<Json> {
    let Default::Value(text) = default else {
        return None;
    };
    let table: toml::Table = format!("value = {text}").parse().ok()?;
    serde_json::to_value(table.get("value")?).ok()
}

/// The sentences of a description, without their full stops.
fn sentences(description: &str) -> impl Iterator<Item = String> {
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.').to_owned();
    let sentences: Vec<String> = line.split(". ").map(str::to_owned).collect();
    sentences.into_iter()
}

/// `said` as the value that a file would have, if it is one.
fn as_toml(said: &str, words: &[String]) -> Option<String> {
    let bare = said
        .strip_prefix('`')
        .and_then(|said| said.strip_suffix('`'));
    let bare = bare.unwrap_or(said);
    let unquoted = bare.trim_matches('"');
    if words.iter().any(|word| word == unquoted) {
        return Some(format!("\"{unquoted}\""));
    }
    let is_value = |text: &str| format!("value = {text}").parse::<toml::Table>().is_ok();
    if is_value(bare) {
        return Some(bare.to_owned());
    }
    let is_one_word =
        !bare.contains(' ') && bare.starts_with(|c: char| c.is_ascii_digit() || c == '{');
    is_one_word.then(|| format!("\"{bare}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One value is a value, in the words of the file; all else is told.
    #[test]
    fn a_default_is_read_from_the_description() {
        let value = |text: &str| Default::Value(text.to_owned());
        let told = |text: &str| Default::Words(text.to_owned());
        let words = ["even".to_owned(), "5.0".to_owned()];

        for (description, expected) in [
            ("QoS. Default 0.", value("0")),
            ("When. Default 0.5.", value("0.5")),
            ("Time. Default 10s.", value("\"10s\"")),
            ("How. Default even.", value("\"even\"")),
            ("Version. Default 5.0.", value("\"5.0\"")),
            (
                "Id. Default `{group}-{index}`.",
                value("\"{group}-{index}\""),
            ),
            (
                "What. Default `{ size = \"16B\" }`.",
                value("{ size = \"16B\" }"),
            ),
            ("Long. Default 30s, or\nlonger.", told("30s, or longer")),
            ("Rates. Unlimited by default.", told("unlimited")),
            ("Which. By default all.", told("all")),
            ("Nothing is said.", Default::Unsaid),
        ] {
            assert_eq!(of(description, &words), expected, "{description}");
        }
        assert_eq!(as_json(&value("\"10s\"")), Some(Json::from("10s")));
        assert_eq!(as_json(&told("all")), None);
    }
}
