//! Processes that are measured as one: a single one, or all that one started.

use super::process::{self, Usage};
use super::tree;

/// What is measured as one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Processes {
    /// The process of this number.
    One(u32),
    /// All that the process of this number started, itself left out.
    Below(u32),
}

impl Processes {
    /// The process numbers, the root's children first.
    pub fn all(self) -> Vec<u32> {
        match self {
            Self::One(pid) => vec![pid],
            Self::Below(root) => tree::descendants(root),
        }
    }

    /// Reads what they use together; `None` if none runs.
    pub fn usage(self) -> Option<Usage> {
        match self {
            Self::One(pid) => process::usage(pid),
            Self::Below(root) => tree::usage_below(root),
        }
    }

    /// The number of the process that was started first; `None` if none runs.
    pub fn first(self) -> Option<u32> {
        match self {
            Self::One(pid) => Some(pid),
            Self::Below(root) => tree::children(root).first().copied(),
        }
    }
}
