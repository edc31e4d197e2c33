//! One file, read: its tree, or every reason why it is not TOML.

use crate::at::{At, KeyPath};
use crate::mistake::Mistake;
use crate::node::{Node, SyntaxError};
use crate::report::{Diagnostics, Errors};
use crate::source::{Sources, decode};

/// A file that is TOML.
#[derive(Debug)]
pub struct Document {
    /// Its tree.
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
        match Node::parse_document(text, 0) {
            Ok(node) => Ok(Self { node, sources }),
            Err(errors) => {
                let mut diagnostics = Diagnostics::default();
                for SyntaxError { message, span } in errors {
                    diagnostics.push(span, KeyPath::default(), Mistake::Syntax { message });
                }
                Err(diagnostics.into_errors(&sources))
            }
        }
    }

    /// The place of the whole document.
    pub fn root(&self) -> At<'_> {
        At::root(&self.node)
    }
}
