//! Tells that some book has noted something, so that not every book is asked after every packet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rung by books, heard by who takes what they noted. One for all books of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bell(Arc<AtomicBool>);

impl Bell {
    /// Something was noted.
    pub(crate) fn ring(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was rung since this was asked last.
    pub(crate) fn was_rung(&self) -> bool {
        // All of it is on one thread: reading first spares the write.
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
    }
}
