//! Checks of the tree itself: layering, file length, names, statement ids.
//!
//! The rules are tests (`cargo test -p squall-tidy`); this crate only reads the tree for them.

pub mod statements;
pub mod tree;
