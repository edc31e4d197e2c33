//! The page's script, and the hash by which the page allows it and no other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

/// The script: a line through all charts over time, lines that can be hidden, tables that can be sorted.
///
/// It holds no `</script`, and nothing of a run is in it.
pub(super) const TEXT: &str = include_str!("script.js");

/// Whether a page has the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// It has.
    Inline,
    /// It has none, and allows none.
    None,
}

impl Script {
    /// What the page's content security policy says of scripts (CSP Level 3, section 2.3.1).
    pub(super) fn policy(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Inline => format!("; script-src '{}'", source_of(TEXT)),
        }
    }
}

/// The hash of a script, or of a stylesheet, as a content security policy names it.
pub fn source_of(script: &str) -> String {
    format!("sha256-{}", BASE64.encode(Sha256::digest(script)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of a script in the form of the specification's own example, of which the digest is known.
    #[test]
    fn the_hash_is_that_of_the_specification() {
        assert_eq!(
            source_of("alert('Hello, world.');"),
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
        );
    }
}
