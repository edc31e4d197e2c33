//! The texts that a document is made of, and places in them.
//!
//! The file and every setting of the command line (`--set`) stand one after another in one row of
//! bytes, so that a span says from which of them a value comes, and from where in it.

use std::ops::Range;

use crate::secret::masked;

/// Bytes of the row of texts, end excluded.
pub type Span = Range<usize>;

/// All texts of one document, in a row.
#[derive(Debug)]
pub struct Sources {
    /// Never empty: the file comes first.
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    /// A file name, or `--set`.
    name: String,
    text: String,
    /// Where it begins in the row.
    base: usize,
}

/// A span as a reader sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The name of the file, or `--set`.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// The whole line, with asterisks in place of secrets.
    pub line_text: String,
    /// Characters of the line that the span covers, at least 1.
    pub width: usize,
}

/// Characters of a line that an error shows.
const LINE_SHOWN_MAX: usize = 160;
/// Of those, what is shown before the place.
const BEFORE_SHOWN_MAX: usize = 60;

impl Place {
    /// The line, or what is around the place in a long one, and the caret under the place.
    pub fn excerpt(&self) -> (String, String) {
        let before = self.column - 1;
        let length = self.line_text.chars().count();
        let skipped = match length > LINE_SHOWN_MAX {
            true => before.saturating_sub(BEFORE_SHOWN_MAX),
            false => 0,
        };
        let shown = self.line_text.chars().skip(skipped).take(LINE_SHOWN_MAX);
        let head = if skipped > 0 { "…" } else { "" };
        let tail = if length > skipped + LINE_SHOWN_MAX {
            "…"
        } else {
            ""
        };
        let text = format!("{head}{}{tail}", shown.collect::<String>());
        let indent = before - skipped + head.chars().count();
        let width = self
            .width
            .min(LINE_SHOWN_MAX - (before - skipped).min(LINE_SHOWN_MAX - 1));
        (text, format!("{}{}", " ".repeat(indent), "^".repeat(width)))
    }
}

impl Sources {
    /// The row of the file `file_name` with `text`, and of what each `--set` says.
    pub fn new(file_name: &str, text: &str, overrides: &[String]) -> Self {
        let file = Source {
            name: file_name.to_owned(),
            text: text.to_owned(),
            base: 0,
        };
        let mut sources = vec![file];
        let mut base = text.len() + 1;
        for text in overrides {
            let text = text.clone();
            let length = text.len();
            sources.push(Source {
                name: "--set".to_owned(),
                text,
                base,
            });
            base += length + 1;
        }
        Self { sources }
    }

    /// The name of the file.
    pub fn file_name(&self) -> &str {
        &self.sources[0].name
    }

    /// Puts another file with `text` at the end of the row; where it begins there.
    pub fn push(&mut self, file_name: &str, text: &str) -> usize {
        let last = self.sources.last();
        let base = last.map_or(0, |last| last.base + last.text.len() + 1);
        self.sources.push(Source {
            name: file_name.to_owned(),
            text: text.to_owned(),
            base,
        });
        base
    }

    /// The text of the file.
    pub(crate) fn file_text(&self) -> &str {
        &self.sources[0].text
    }

    /// Where the text of override `index` begins in the row.
    pub fn override_base(&self, index: usize) -> usize {
        self.sources[index + 1].base
    }

    /// What `span` covers, first line only.
    pub fn place(&self, span: &Span) -> Place {
        let source = self
            .sources
            .iter()
            .rev()
            .find(|source| source.base <= span.start)
            .unwrap_or(&self.sources[0]);
        let text = source.text.as_str();
        // A byte order mark is not part of the first line.
        let text_start = text.len() - text.trim_start_matches('\u{FEFF}').len();
        let start = floor_char_boundary(text, span.start - source.base).max(text_start);
        let line_start = text[..start]
            .rfind('\n')
            .map_or(text_start, |newline| newline + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |newline| start + newline);
        let end = floor_char_boundary(text, span.end.saturating_sub(source.base));
        let end = end.clamp(start, line_end);
        Place {
            file: source.name.clone(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            line_text: printable(masked(text)[line_start..line_end].trim_end()),
            width: text[start..end].trim_end().chars().count().max(1),
        }
    }
}

/// The text of a file's bytes.
///
/// # Errors
/// The text before the first byte that is not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, &str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        std::str::from_utf8(valid).expect("the text up to the error is UTF-8")
    })
}

/// `text` with one character of width one for each control character: a terminal must not obey what
/// a file says, and the caret below a line must stand under its place.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

/// The character boundary at or before `index`, at most the end of `text`.
fn floor_char_boundary(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index)
        .rev()
        .find(|&index| text.is_char_boundary(index))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let sources = Sources::new("a.toml", "x = 1\nname = \"ä\" # c\n", &[]);
        let start = "x = 1\nname = ".len();

        let place = sources.place(&(start..start + 4));

        assert_eq!(
            place,
            Place {
                file: "a.toml".to_owned(),
                line: 2,
                column: 8,
                line_text: "name = \"ä\" # c".to_owned(),
                width: 3,
            }
        );
    }

    #[test]
    fn a_place_of_an_override_is_named_after_its_flag() {
        let sources = Sources::new("a.toml", "x = 1\n", &["seed=x".to_owned()]);
        let base = sources.override_base(0);

        let place = sources.place(&(base + 5..base + 6));

        assert_eq!(
            (place.file.as_str(), place.line, place.column),
            ("--set", 1, 6)
        );
        assert_eq!(place.line_text, "seed=x");
    }

    #[test]
    fn a_span_of_many_lines_is_cut_at_the_end_of_its_first() {
        let sources = Sources::new("a.toml", "[a]\nb = 1\n", &[]);

        let place = sources.place(&(0..9));

        assert_eq!((place.line, place.column, place.width), (1, 1, 3));
    }

    /// An error is shown on a terminal and in logs, which are no place for a password.
    #[test]
    fn a_line_is_shown_without_secrets() {
        let overrides = ["target.password=two words".to_owned()];
        let sources = Sources::new("a.toml", "password = \"s3cret\" x\n", &overrides);
        let base = sources.override_base(0);

        assert_eq!(sources.place(&(20..21)).line_text, "password = ******** x");
        assert_eq!(
            sources.place(&(base..base + 1)).line_text,
            "target.password=*********"
        );
    }

    /// A formatter takes no width above 65,535, and no screen does.
    #[test]
    fn of_a_long_line_what_is_around_the_place_is_shown() {
        let text = format!("topic = \"{}\" x", "a".repeat(70_000));
        let sources = Sources::new("a.toml", &text, &[]);

        let at_the_end = sources.place(&(text.len() - 1..text.len())).excerpt();
        let whole_value = sources.place(&(8..text.len() - 2)).excerpt();

        assert_eq!(at_the_end.0.chars().count(), 62);
        assert!(at_the_end.0.starts_with("…aaa") && at_the_end.0.ends_with("a\" x"));
        assert_eq!(at_the_end.1, format!("{}^", " ".repeat(61)));
        assert_eq!(whole_value.0.chars().count(), LINE_SHOWN_MAX + 1);
        assert_eq!(whole_value.1.len(), LINE_SHOWN_MAX);
    }

    /// Windows ends lines with CR and LF, and some of its editors begin files with a mark.
    #[test]
    fn a_file_from_windows_has_the_same_places() {
        let text = "\u{FEFF}x = 1\r\nyy = 2\r\n";
        let sources = Sources::new("a.toml", text, &[]);

        let first = sources.place(&(3..4));
        let second = sources.place(&(10..12));

        assert_eq!((first.line, first.column), (1, 1));
        assert_eq!(first.line_text, "x = 1");
        assert_eq!((second.line, second.column, second.width), (2, 1, 2));
        assert_eq!(second.line_text, "yy = 2");
    }

    #[test]
    fn a_line_is_shown_without_control_characters() {
        let sources = Sources::new("a.toml", "\tx = '\u{1B}[31m'", &[]);

        let place = sources.place(&(1..2));

        assert_eq!(place.line_text, " x = '\u{FFFD}[31m'");
        assert_eq!(place.column, 2);
    }

    #[test]
    fn bytes_are_text_up_to_the_first_that_is_not_utf_8() {
        assert_eq!(decode("ä = 1".as_bytes()), Ok("ä = 1"));
        assert_eq!(decode(b"x = \xFF 1"), Err("x = "));
    }

    #[test]
    fn a_span_behind_the_end_is_at_the_end() {
        let sources = Sources::new("a.toml", "", &[]);

        let place = sources.place(&(5..9));

        assert_eq!((place.line, place.column, place.width), (1, 1, 1));
    }
}
