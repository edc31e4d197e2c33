//! Checks of the tree itself: layering, circles, file length, names, statement ids.
//!
//! The rules are tests (`cargo test -p squall-tidy`); this crate only reads the tree for them.

pub mod imports;
pub mod statements;
pub mod tree;
