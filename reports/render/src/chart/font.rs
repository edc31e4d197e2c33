//! The font that charts are drawn with, embedded so that no system font is needed.

use std::sync::Once;

use plotters::style::{FontStyle, register_font};

/// Inter, as `fonts/README.md` says, in OpenType.
pub(crate) const REGULAR: &[u8] = include_bytes!("../../fonts/Inter-Regular.subset.otf");
/// Its semi-bold cut.
pub(crate) const SEMI_BOLD: &[u8] = include_bytes!("../../fonts/Inter-SemiBold.subset.otf");

/// The family as SVG names it: the embedded font where it is, else what the reader's system has.
pub(crate) const FAMILY: &str = "Inter, system-ui, sans-serif";

/// Makes the font known to plotters. Cheap when repeated.
pub(crate) fn register() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        for (style, bytes) in [(FontStyle::Normal, REGULAR), (FontStyle::Bold, SEMI_BOLD)] {
            let known = register_font(FAMILY, style, bytes);
            assert!(known.is_ok(), "the embedded font is whole");
        }
    });
}
