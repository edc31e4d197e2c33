//! Text in lines of a terminal's width, broken between words.

/// Where the lines of a text begin and end, in columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    /// Where the first line begins.
    pub first: usize,
    /// Where the others begin.
    pub next: usize,
    /// How wide a line may be; `None` if it is not broken.
    pub columns: Option<usize>,
}

/// `text` in lines, each with its end. A word that is wider than a line is not cut: it has a line of its own,
/// which the terminal breaks.
pub fn wrapped(text: &str, margins: Margins) -> String {
    let mut lines = String::new();
    let mut line = " ".repeat(margins.first);
    let mut width = margins.first;
    let mut is_empty = true;
    // Two spaces in a row are kept: they set columns apart.
    for word in text.split(' ') {
        let letters = word.chars().count();
        let gap = usize::from(!is_empty);
        if !is_empty
            && margins
                .columns
                .is_some_and(|columns| width + gap + letters > columns)
        {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = " ".repeat(margins.next);
            width = margins.next;
        } else if gap == 1 {
            line.push(' ');
            width += 1;
        }
        line.push_str(word);
        width += letters;
        is_empty = false;
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines end between words, and what follows the first is indented.
    #[test]
    fn lines_are_broken_between_words() {
        let margins = Margins {
            first: 2,
            next: 4,
            columns: Some(14),
        };

        assert_eq!(
            wrapped("one two three four", margins),
            "  one two\n    three four\n"
        );
    }

    /// A word that fits no line stays whole, and a pipe has no width.
    #[test]
    fn words_are_not_cut() {
        let narrow = Margins {
            first: 0,
            next: 2,
            columns: Some(5),
        };
        let pipe = Margins {
            columns: None,
            ..narrow
        };

        assert_eq!(
            wrapped("a target.spawn b", narrow),
            "a\n  target.spawn\n  b\n"
        );
        assert_eq!(wrapped("a target.spawn b", pipe), "a target.spawn b\n");
    }
}
