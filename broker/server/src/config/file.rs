//! Reads a config file by the grammar of `keys`; tells everything that is wrong with it at once.
//!
//! A file says only what differs from [`Config::default`].

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use squall_toml::document::Document;

use super::error::Diagnostics;
use super::{Config, ConfigError, ConfigErrors, keys};

/// Bytes that a config file may have; the documented one has fewer than 10,000.
const BYTES_MAX: u64 = 1 << 20;

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// Any [`ConfigError`].
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
            .map_err(|error| ConfigError::Unreadable {
                path: path.to_owned(),
                cause: error.to_string(),
            })?;
        if bytes.len() as u64 > BYTES_MAX {
            return Err(ConfigError::TooLong {
                path: path.to_owned(),
                bytes_max: BYTES_MAX,
            });
        }
        Ok(Self::from_bytes(&bytes, &path.to_string_lossy())?)
    }

    /// Reads and checks the bytes of a file that errors call `name`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, ConfigErrors> {
        let document = Document::read(name, bytes, &[])?;
        let root = document.root();
        let mut config = Self::default();
        let mut diagnostics = Diagnostics::default();
        keys::read(&root, &mut config, &mut diagnostics);
        diagnostics.finish(&document.sources)?;
        // Only values that are right by themselves can contradict each other.
        let mut diagnostics = Diagnostics::default();
        if let Err(conflict) = config.check() {
            let (section, key) = conflict.key();
            diagnostics.value(&root.key(section).key(key), conflict);
        }
        diagnostics.finish(&document.sources)?;
        Ok(config)
    }
}
