//! Secrets in a text: values that no error, run file or report may show.
//!
//! They are found by the name of their key, in text that need not be TOML: an error is shown of a file that
//! cannot be parsed, too. What is found too much is hidden too much, and no more.

use std::ops::Range;

use crate::nearest::nearest;

/// What stands for a secret.
pub const HIDDEN: &str = "***";

/// Ends of the names of keys whose values are secret, in lower case.
const SECRET: [&str; 5] = ["password", "passwd", "passphrase", "secret", "token"];

/// Times that a text is looked through again, after something in it was hidden.
const ROUNDS_MAX: usize = 16;

/// `text` with [`HIDDEN`] in the place of every secret: TOML stays TOML.
pub fn without_secrets(text: &str) -> String {
    let hide = |text: &str| {
        replaced(text, |found| match found {
            Found::Value(_) => format!("\"{HIDDEN}\""),
            Found::InUrl(_) => HIDDEN.to_owned(),
        })
    };
    // A secret that overlapped with another one is seen once that is hidden.
    let mut hidden = hide(text);
    for _ in 0..ROUNDS_MAX {
        let again = hide(&hidden);
        if again == hidden {
            break;
        }
        hidden = again;
    }
    hidden
}

/// `text` with an asterisk for each byte of a secret: every place in it stays where it is.
pub(crate) fn masked(text: &str) -> String {
    replaced(text, |found| {
        let characters = text[found.range()].chars();
        let hidden = characters.map(|c| match c {
            '\n' => "\n".to_owned(),
            c => "*".repeat(c.len_utf8()),
        });
        hidden.collect()
    })
}

/// Whether the value of a key with this name is secret; also a slip of the name is.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    SECRET.iter().any(|end| key.ends_with(end)) || nearest(&key, &["password"]).is_some()
}

/// A secret, and what it is.
enum Found {
    /// A value as it is written, with its quotes.
    Value(Range<usize>),
    /// The password within a URL.
    InUrl(Range<usize>),
}

impl Found {
    fn range(&self) -> Range<usize> {
        match self {
            Self::Value(range) | Self::InUrl(range) => range.clone(),
        }
    }
}

fn replaced(text: &str, by: impl Fn(&Found) -> String) -> String {
    let mut found = values(text, 0);
    let in_urls = in_urls(text).into_iter();
    let is_outside = |url: &Range<usize>, found: &[Found]| {
        let mut ranges = found.iter().map(Found::range);
        ranges.all(|range| url.end <= range.start || range.end <= url.start)
    };
    let in_urls: Vec<_> = in_urls.filter(|url| is_outside(url, &found)).collect();
    found.extend(in_urls.into_iter().map(Found::InUrl));
    found.sort_by_key(|found| found.range().start);
    let mut out = String::new();
    let mut from = 0;
    for found in found {
        let range = found.range();
        out.push_str(&text[from..range.start]);
        out.push_str(&by(&found));
        from = range.end;
    }
    out.push_str(&text[from..]);
    out
}

/// Values of secret keys, in the order of the text, which begins at `base`.
fn values(text: &str, base: usize) -> Vec<Found> {
    let mut found = Vec::new();
    let mut key = "";
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let mut end = at + c.len_utf8();
        match c {
            '#' => {
                // A setting that is commented out is as secret as it was.
                found.extend(values(&text[end..line_end(text, at)], base + end));
                end = line_end(text, at);
            }
            '"' | '\'' => {
                end = string_end(text, at);
                key = text[at..end].trim_matches(c);
            }
            '=' => {
                let value = end + blanks(&text[end..]);
                if is_secret(key) && !is_reference(&text[value..]) {
                    end = value_end(text, value);
                    if end > value {
                        found.push(Found::Value(base + value..base + end));
                    }
                }
                key = "";
            }
            '\n' => key = "",
            c if is_of_key(c) => {
                end = at + rest.find(|c| !is_of_key(c)).unwrap_or(rest.len());
                key = &text[at..end];
            }
            _ => {}
        }
        at = end;
    }
    found
}

/// Whether a value says where the secret is, and not what it is: `{ env = "NAME" }`.
fn is_reference(value: &str) -> bool {
    let inside = value.strip_prefix('{').map(str::trim_start);
    let behind = inside.and_then(|inside| inside.strip_prefix("env"));
    behind.is_some_and(|behind| behind.trim_start().starts_with('='))
}

/// Where the value that begins at `at` ends. One without quotes goes on to the end of the line, as that of
/// `--set` does.
fn value_end(text: &str, at: usize) -> usize {
    let closed_by = |close: char| {
        let rest = &text[at..];
        at + rest.find(close).map_or(rest.len(), |end| end + 1)
    };
    match text[at..].chars().next() {
        Some('"' | '\'') => string_end(text, at),
        Some('{') => closed_by('}'),
        Some('[') => closed_by(']'),
        Some(_) | None => at + text[at..line_end(text, at)].trim_end().len(),
    }
}

/// Where the string that begins at `at` with a quote ends; a string that is not closed ends with its line, one
/// of many lines with the text.
fn string_end(text: &str, at: usize) -> usize {
    let quote = &text[at..=at];
    let many = quote.repeat(3);
    if text[at..].starts_with(&many) {
        let inside = &text[at + 3..];
        let close = inside.find(&many).map(|close| {
            // Up to two quotes may stand before the three that close.
            let run = &inside[close..];
            close + run.len() - run.trim_start_matches(quote).len()
        });
        return close.map_or(text.len(), |close| at + 3 + close);
    }
    let line = &text[at + 1..line_end(text, at)];
    let mut is_escaped = false;
    let close = line.find(|c: char| {
        let closes = !is_escaped && quote.starts_with(c);
        is_escaped = !is_escaped && quote == "\"" && c == '\\';
        closes
    });
    at + 1 + close.map_or(line.len(), |close| close + 1)
}

/// The passwords of URLs: `mqtt://user:password@host`.
fn in_urls(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, scheme) in text.match_indices("://") {
        if found.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let start = at + scheme.len();
        let url = &text[start..];
        let url = &url[..url.find(['"', '\'', ' ', '\t', '\n']).unwrap_or(url.len())];
        if let (Some(colon), Some(host)) = (url.find(':'), url.rfind('@'))
            && colon + 1 < host
        {
            found.push(start + colon + 1..start + host);
        }
    }
    found
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end)
}

/// Bytes of spaces and tabs that a text begins with.
fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

fn is_of_key(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever a password is written, and however it is quoted, it is hidden, and the rest stays.
    #[test]
    fn the_value_of_a_secret_key_is_hidden() {
        for (text, hidden) in [
            (
                "password = \"s3cret\"\nqos = 1",
                "password = \"***\"\nqos = 1",
            ),
            ("target.password='a\"b' # x", "target.password=\"***\" # x"),
            (
                "\"password\" = \"a\\\"b\", c = 1",
                "\"password\" = \"***\", c = 1",
            ),
            (
                "password = \"\"\"\ns\n\"t\"\"\"\"\nx = 1",
                "password = \"***\"\nx = 1",
            ),
            (
                "{ url = \"u\", DB_PASSWORD = \"s\" }",
                "{ url = \"u\", DB_PASSWORD = \"***\" }",
            ),
            ("# password = \"old\"\n", "# password = \"***\"\n"),
            ("target.password=two words", "target.password=\"***\""),
            ("pasword = \"s\"", "pasword = \"***\""),
            ("password = { text = \"s\" }", "password = \"***\""),
            ("password = 12345", "password = \"***\""),
        ] {
            assert_eq!(without_secrets(text), hidden);
        }
    }

    /// What says where a secret is, and what only looks like one, stays.
    #[test]
    fn what_is_not_secret_stays() {
        for text in [
            "password = { env = \"PASS\" }",
            "password_file = \"users\"",
            "text = \"password = x\"",
            "username = \"password\"\nqos = 1",
            "url = \"mqtt://host:1883\"",
            "password =",
            "",
        ] {
            assert_eq!(without_secrets(text), text);
        }
    }

    /// The password of a URL is hidden, the user name is not.
    #[test]
    fn the_password_of_a_url_is_hidden() {
        assert_eq!(
            without_secrets("url = \"mqtt://user:s3c@ret@host:1883\""),
            "url = \"mqtt://user:***@host:1883\""
        );
    }

    /// A password of a URL in which a secret value lies too.
    #[test]
    fn secrets_that_overlap_are_both_hidden() {
        let text = "://://@password=password=@";

        let hidden = without_secrets(text);

        assert_eq!(hidden, "://:***@password=\"***\"");
        assert_eq!(without_secrets(&hidden), hidden);
    }

    /// A text that is no TOML, as errors show it, hides as much; every place stays where it is.
    #[test]
    fn a_mask_moves_nothing() {
        let text = "password = \"not closed, ä\nqos = =\n";

        let masked = masked(text);

        assert_eq!(masked.lines().last(), Some("qos = ="));
        assert!(masked.starts_with("password = *"), "{masked}");
        assert!(!masked.contains("closed"), "{masked}");
        assert_eq!(masked.len(), text.len());
    }

    proptest::proptest! {
        /// No text makes it panic, and hiding twice is hiding once.
        #[test]
        fn hidden_stays_hidden(text in "([pasword=\"'#{}\\[\\]:/@\\\\ä\n ]|password=|://){0,40}") {
            let once = without_secrets(&text);

            proptest::prop_assert_eq!(&without_secrets(&once), &once);
            proptest::prop_assert_eq!(masked(&text).len(), text.len());
        }
    }
}
