//! What a scenario takes from outside of its file: environment variables, and files beside it.

/// What lies around a scenario file. This crate reads nothing itself: the caller does.
pub trait Surroundings {
    /// The environment variable `name`; `None` if it is not set, or is not Unicode.
    fn variable(&self, name: &str) -> Option<String>;

    /// The bytes of the file that a scenario calls `path`: a path that is not absolute counts from the
    /// scenario's folder.
    ///
    /// # Errors
    /// Why it cannot be read, with the path at which it was looked for.
    fn file(&self, path: &str) -> Result<Vec<u8>, FileUnreadable>;

    /// The bytes of the description that `target.use` calls `name`: one that squall brings, or a file.
    ///
    /// # Errors
    /// Why there is none, and what there is.
    fn target(&self, name: &str) -> Result<Vec<u8>, FileUnreadable>;
}

/// A file beside a scenario cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{cause}")]
pub struct FileUnreadable {
    /// As the system says it, and of which path.
    pub cause: String,
}

/// Surroundings without any variable or file.
#[derive(Clone, Copy, Debug)]
pub struct NoSurroundings;

impl Surroundings for NoSurroundings {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, FileUnreadable> {
        let cause = format!("{path}: there are no files here");
        Err(FileUnreadable { cause })
    }

    fn target(&self, name: &str) -> Result<Vec<u8>, FileUnreadable> {
        let cause = format!("{name}: no target is known here");
        Err(FileUnreadable { cause })
    }
}
