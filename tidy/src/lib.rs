//! Checks of the tree itself: layering, file length, statement ids.
