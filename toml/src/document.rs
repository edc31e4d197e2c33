//! One file, read: its tree, or every reason why it is not TOML.

use std::ops::Range;

use crate::at::{At, KeyPath};
use crate::hints;
use crate::mistake::Mistake;
use crate::node::Node;
use crate::report::{Diagnostics, Errors};
use crate::source::{Sources, decode};

/// A file that is TOML.
#[derive(Debug)]
pub struct Document {
    /// The tree of its values.
    pub node: Node,
    /// Its text, and the settings of the command line behind it.
    pub sources: Sources,
}

impl Document {
    /// Reads the bytes of the file `name`; `settings` are what the command line sets besides.
    ///
    /// # Errors
    /// [`Mistake::NotUtf8`], or every [`Mistake::Syntax`]: a syntax error hides all other mistakes.
    pub fn read<P: From<Mistake>>(
        name: &str,
        bytes: &[u8],
        settings: &[String],
    ) -> Result<Self, Errors<P>> {
        let text = decode(bytes).map_err(|before| {
            let mut diagnostics = Diagnostics::default();
            let end = before.len()..before.len();
            diagnostics.push(end, KeyPath::default(), Mistake::NotUtf8);
            diagnostics.into_errors(&Sources::new(name, before, &[]))
        })?;
        let sources = Sources::new(name, text, settings);
        if let Some(at) = carriage_return_alone(text) {
            let mut diagnostics = Diagnostics::default();
            diagnostics.push(at..at + 1, KeyPath::default(), Mistake::BareCarriageReturn);
            return Err(diagnostics.into_errors(&sources));
        }
        match Node::parse_document(text, 0) {
            Ok(node) => Ok(Self { node, sources }),
            Err(errors) => {
                let mut diagnostics = Diagnostics::default();
                let mut told: Vec<(Range<usize>, Mistake)> = Vec::new();
                for error in errors {
                    let explained = hints::explained(text, error);
                    if !told.contains(&explained) {
                        told.push(explained);
                    }
                }
                for (span, mistake) in told {
                    diagnostics.push(span, KeyPath::default(), mistake);
                }
                Err(diagnostics.into_errors(&sources))
            }
        }
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        self.sources.file_text()
    }

    /// The place of the whole document.
    pub fn root(&self) -> At<'_> {
        At::root(&self.node)
    }
}

/// Where a line ends with CR alone, as in files of old Macs. TOML does not allow it, and every line
/// behind it would be one more error.
fn carriage_return_alone(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|&at| bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nearest::Choice;
    use crate::report::Problem;

    fn mistakes(bytes: &[u8]) -> Vec<Mistake> {
        let errors = Document::read::<Mistake>("a.toml", bytes, &[]).unwrap_err();
        errors.iter().map(|error| error.problem.clone()).collect()
    }

    /// One mistake of the file as a whole is told once.
    #[test]
    fn an_encoding_or_line_ends_that_toml_does_not_have_are_one_mistake() {
        assert_eq!(
            mistakes(b"x = 1\ry = 2\rz = 3\r"),
            [Mistake::BareCarriageReturn]
        );
        assert_eq!(mistakes(b"x = '\xE4'\n"), [Mistake::NotUtf8]);
    }

    #[test]
    fn each_syntax_error_is_told() {
        let mistakes = mistakes(b"x = \ny = 1\nz = [1,,2]\n");

        assert!(mistakes.len() >= 2, "{mistakes:?}");
    }

    impl Problem for Mistake {
        fn choice(&self) -> Option<Choice<'_>> {
            self.choice("the documentation")
        }

        fn remedy(&self) -> Option<String> {
            None
        }

        fn example(&self, _at: &KeyPath) -> Option<String> {
            None
        }
    }

    proptest::proptest! {
        /// No bytes make the parser panic, and the report of any is short.
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            if let Err(errors) = Document::read::<Mistake>("a.toml", &bytes, &[]) {
                proptest::prop_assert!(errors.to_string().len() < 30_000);
            }
        }

        /// The same for text that looks like TOML.
        #[test]
        fn any_text_is_read_or_refused(text in "[\\[\\]{}=.,\"'#\\\\a1\n\r\t ]{0,80}") {
            if let Err(errors) = Document::read::<Mistake>("a.toml", text.as_bytes(), &[]) {
                proptest::prop_assert!(errors.to_string().len() < 30_000);
            }
        }
    }
}
