//! What is wrong with a config, where, and what to do about it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// A place in a config file, both numbers from 1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Line, counted from 1.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// The config cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the config file {}: {cause}", path.display())]
    Unreadable {
        /// The file, as it was named.
        path: PathBuf,
        /// What the system says about it.
        cause: String,
    },
    /// The file is not TOML.
    #[error("{place}: {message}")]
    Syntax {
        /// Where the parser gave up.
        place: Place,
        /// What it says.
        message: String,
    },
    /// A section or key that no broker knows: nothing is ignored silently.
    #[error("{place}: unknown key `{key}`{}", did_you_mean(suggestion.as_deref()))]
    UnknownKey {
        /// Where the key is.
        place: Place,
        /// Its dotted name.
        key: String,
        /// The known dotted name that looks most like it, if one does.
        suggestion: Option<String>,
    },
    /// A key whose value cannot be taken.
    #[error("{place}: `{key}` is {found}, expected {expected}")]
    BadValue {
        /// Where the value is.
        place: Place,
        /// The key's dotted name.
        key: String,
        /// The value as the file spells it.
        found: String,
        /// What the key takes, with its range and an example.
        expected: String,
    },
    /// Other machines would get in without authentication.
    #[error(
        "listening on {address} lets other machines connect without authentication; bind a \
         loopback address such as 127.0.0.1, or set listen.allow_anonymous = true in the config \
         file if the network is trusted"
    )]
    AnonymousBeyondLoopback {
        /// The address that was asked for.
        address: IpAddr,
    },
    /// More threads than this version can use.
    #[error("server.shards is {shards}, but this version runs one shard only; set it to 1")]
    ShardsUnsupported {
        /// What was asked for.
        shards: u16,
    },
    /// The outbox limits leave no room between them.
    #[error(
        "outbox.soft ({soft_bytes} bytes) must be below outbox.hard ({hard_bytes} bytes): a \
         connection between them is slowed before it is closed"
    )]
    OutboxLimits {
        /// The soft limit.
        soft_bytes: usize,
        /// The hard limit.
        hard_bytes: usize,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |known| format!(", did you mean `{known}`?"))
}
