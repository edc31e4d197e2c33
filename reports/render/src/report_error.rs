//! Why a report could not be written, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::chart::ChartError;

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder holds other things.
    #[error("{} is not empty and holds no report: name another folder with --out", folder.display())]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no room.
    #[error("no room left on the disk for {}: free some, or name a folder on another disk with --out", path.display())]
    NoRoom {
        /// What could not be written.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It is not allowed.
    #[error("{} may not be written: allow it, or name another folder with --out", path.display())]
    NotAllowed {
        /// What could not be written.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The folder's path leads through a file.
    #[error("{} is not a folder: name another one with --out", path.display())]
    NotAFolder {
        /// What could not be made.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Anything else.
    #[error("{} cannot be written", path.display())]
    Io {
        /// What could not be written.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A chart cannot be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A table cannot be written as CSV.
    #[error("table `{table}` cannot be written as CSV")]
    Table {
        /// Its name.
        table: String,
        /// What the library says.
        #[source]
        source: csv::Error,
    },
}

impl ReportError {
    /// What the system said about `path`, as one of the cases.
    pub(crate) fn at(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        let kind = source.kind();
        let has_no_room = matches!(
            kind,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        );
        let is_not_allowed = matches!(
            kind,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
        );
        let is_no_folder = matches!(
            kind,
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists
        );
        if has_no_room {
            Self::NoRoom { path, source }
        } else if is_not_allowed {
            Self::NotAllowed { path, source }
        } else if is_no_folder {
            Self::NotAFolder { path, source }
        } else {
            Self::Io { path, source }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full disk, a read-only folder and others are told apart, each with its remedy.
    #[test]
    fn causes_are_told_apart() {
        let text = |kind: io::ErrorKind| ReportError::at(Path::new("out"), kind.into()).to_string();

        assert!(text(io::ErrorKind::StorageFull).starts_with("no room left on the disk for out"));
        assert!(text(io::ErrorKind::PermissionDenied).starts_with("out may not be written"));
        assert!(text(io::ErrorKind::ReadOnlyFilesystem).contains("--out"));
        assert_eq!(text(io::ErrorKind::Other), "out cannot be written");
    }
}
