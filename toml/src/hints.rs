//! What lies behind a syntax error whose own message does not tell: a header of the wrong kind, and characters
//! that cannot be seen.

use std::ops::Range;

use crate::mistake::Mistake;
use crate::node::SyntaxError;

/// The mistake that a syntax error of `text` comes from, and where that is; the parser's own without a better one.
pub(crate) fn explained(text: &str, error: SyntaxError) -> (Range<usize>, Mistake) {
    let SyntaxError { message, span } = error;
    let line = line_at(text, span.start.min(text.len()));
    unseen(text, &line)
        .or_else(|| (message == DUPLICATE).then(|| begun_otherwise(text, &line))?)
        .or_else(|| (message == DUPLICATE).then(|| there_twice(text, &line))?)
        .unwrap_or((span, Mistake::Syntax { message }))
}

/// The parser's message about a table that is there already.
const DUPLICATE: &str = "duplicate key";

/// Characters that look like a space or like nothing, and that TOML does not allow between values.
const UNSEEN: [(char, &str); 8] = [
    ('\u{a0}', "no-break space"),
    ('\u{2007}', "figure space"),
    ('\u{202f}', "narrow no-break space"),
    ('\u{200b}', "zero-width space"),
    ('\u{200c}', "zero-width non-joiner"),
    ('\u{200d}', "zero-width joiner"),
    ('\u{feff}', "byte order mark"),
    ('\u{1a}', "Ctrl-Z, the end of a DOS file"),
];

/// The first of [`UNSEEN`] on a line, outside of quotes.
fn unseen(text: &str, line: &Range<usize>) -> Option<(Range<usize>, Mistake)> {
    let mut quote = None;
    for (at, letter) in text[line.clone()].char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '"' | '\'') => quote = Some(letter),
            None => {
                if let Some(&(_, name)) = UNSEEN.iter().find(|&&(unseen, _)| unseen == letter) {
                    let at = line.start + at;
                    let code = u32::from(letter);
                    let mistake = Mistake::Unseen { code, name };
                    return Some((at..at + letter.len_utf8(), mistake));
                }
            }
        }
    }
    None
}

/// Of a `[[name]]` whose name is taken: the header before it that took it otherwise.
fn begun_otherwise(text: &str, line: &Range<usize>) -> Option<(Range<usize>, Mistake)> {
    let name = text[line.clone()].trim().strip_prefix("[[")?;
    let name = name.split("]]").next()?.trim();
    let mut start = 0;
    for before in text[..line.start].split_inclusive('\n') {
        let header = before.trim();
        let span = start..start + before.trim_end().len();
        start += before.len();
        let Some(inner) = header.strip_prefix('[') else {
            continue;
        };
        let is_block = inner.starts_with('[');
        let path = inner.trim_start_matches('[');
        let path = path.split(']').next().unwrap_or_default().trim();
        if path == name {
            // Where the name was begun with `[[`, something else is wrong.
            let name = name.to_owned();
            return (!is_block).then_some((span, Mistake::OneTable { name }));
        }
        if path
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
        {
            let (part, name) = (path.to_owned(), name.to_owned());
            return Some((span, Mistake::WithoutBlock { part, name }));
        }
    }
    None
}

/// Of a `[name]` that is there before, or of a key below it: the second header. Every key of the first that comes again
/// is an error of its own to the parser.
fn there_twice(text: &str, line: &Range<usize>) -> Option<(Range<usize>, Mistake)> {
    let mut start = 0;
    let headers = text[..line.end].split_inclusive('\n').filter_map(|before| {
        let span = start..start + before.trim_end().len();
        start += before.len();
        before.starts_with('[').then_some((span, before.trim()))
    });
    let headers: Vec<(Range<usize>, &str)> = headers.collect();
    let ((span, header), before) = headers.split_last()?;
    let name = header.strip_prefix('[')?.split(']').next()?.trim();
    let is_again = !name.starts_with('[') && before.iter().any(|(_, other)| other == header);
    let name = name.to_owned();
    is_again.then(|| (span.clone(), Mistake::TableAgain { name }))
}

/// The line that a byte lies on, without its end.
fn line_at(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let start = bytes[..at].iter().rposition(|&byte| byte == b'\n');
    let end = bytes[at..].iter().position(|&byte| byte == b'\n');
    start.map_or(0, |start| start + 1)..end.map_or(text.len(), |end| at + end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Node;

    /// What is told of the first error of a text, and the text that it points at.
    fn first_of(text: &str) -> (String, &str) {
        let errors = Node::parse_document(text, 0).expect_err("it is not TOML");
        let (span, mistake) = explained(text, errors.into_iter().next().expect("one is there"));
        (mistake.to_string(), &text[span])
    }

    /// A block whose name is misspelt leaves its parts without one: they are pointed at, not the next block.
    #[test]
    fn a_part_before_its_block_is_pointed_at() {
        let text = "[[gropu]]\nname = 'a'\n[[group.publish]]\ntopic = 't'\n[[group]]\nname = 'b'\n";

        let (message, place) = first_of(text);

        assert_eq!(place, "[[group.publish]]");
        assert_eq!(
            message,
            "`group.publish` belongs to a `[[group]]`, and there is none before it: is the header above it misspelt?"
        );
    }

    /// `[expect]` and `[[expect]]` do not go together: the first is the one to change.
    #[test]
    fn a_block_that_was_begun_as_one_table_is_pointed_at() {
        let (message, place) = first_of("[expect]\ncheck = 'a'\n[[expect]]\ncheck = 'b'\n");

        assert_eq!(place, "[expect]");
        assert_eq!(
            message,
            "`expect` may be there several times: write `[[expect]]` each time"
        );
    }

    /// Two `[fault]` are one mistake, however many keys they share.
    #[test]
    fn a_table_that_is_there_twice_is_told_once() {
        let text = "[run]\nduration = 1\n[fault]\nname = 'a'\nat = 1\n[fault]\nname = 'b'\nat = 2\n[c]\nd = 1\n";

        let errors = Node::parse_document(text, 0).expect_err("it is not TOML");
        let told = errors.into_iter().map(|error| explained(text, error));

        let again = Mistake::TableAgain {
            name: "fault".to_owned(),
        };
        for (span, mistake) in told {
            assert_eq!((span.start, &mistake), (45, &again));
        }
        assert_eq!(
            again.to_string(),
            "`[fault]` is there twice: write `[[fault]]` each time if it may be there several times, else join the two"
        );
    }

    /// A key that is there twice is what the parser says it is.
    #[test]
    fn a_key_that_is_there_twice_stays_one() {
        let (message, place) = first_of("a = 1\na = 2\n");

        assert_eq!((message.as_str(), place), ("duplicate key", "a"));
    }

    /// A character that cannot be seen is named; within quotes it is text.
    #[test]
    fn a_character_that_cannot_be_seen_is_named() {
        let (message, place) = first_of("count =\u{a0}5\n");
        let (end, _) = first_of("count = 5\n\u{1a}");
        let (other, _) = first_of("count = '\u{a0}' 5\n");

        assert_eq!(place, "\u{a0}");
        assert_eq!(
            message,
            "a character that cannot be seen, U+00A0 (no-break space): put a plain space there, or nothing"
        );
        assert!(
            end.contains("U+001A (Ctrl-Z, the end of a DOS file)"),
            "{end}"
        );
        assert!(!other.contains("U+00A0"), "{other}");
    }
}
