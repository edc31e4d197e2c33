//! What is wrong with a config, where, and what to do about it.

use std::net::IpAddr;
use std::path::PathBuf;

use squall_toml::at::KeyPath;
use squall_toml::mistake::Mistake;
use squall_toml::nearest::Choice;
use squall_toml::report;

use super::documented;

/// A config file cannot be used.
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
    /// The file is longer than any config.
    #[error("{} is not a config file: it has more than {bytes_max} bytes", path.display())]
    TooLong {
        /// The file, as it was named.
        path: PathBuf,
        /// Bytes that a config file may have.
        bytes_max: u64,
    },
    /// Something in the file is wrong. The text is a report of all that is, each with its place.
    #[error(transparent)]
    Wrong(#[from] ConfigErrors),
}

/// Everything that is wrong with a config file, in the order of its text.
pub type ConfigErrors = report::Errors<ConfigProblem>;

/// Collects what is wrong with a config file.
pub(super) type Diagnostics = report::Diagnostics<ConfigProblem>;

/// One thing that is wrong with a config file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConfigProblem {
    /// A mistake of a kind that every file can have.
    #[error(transparent)]
    Mistake(#[from] Mistake),
    /// A value that is right by itself and wrong with another one.
    #[error(transparent)]
    Conflict(#[from] ConfigConflict),
}

/// Settings that contradict each other, or that wait for a later part of the broker.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConfigConflict {
    /// Clients on other machines could connect without authentication.
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
        /// The number that was asked for.
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

impl ConfigConflict {
    /// The section and the key to change.
    pub(super) const fn key(&self) -> (&'static str, &'static str) {
        match self {
            Self::AnonymousBeyondLoopback { .. } => ("listen", "address"),
            Self::ShardsUnsupported { .. } => ("server", "shards"),
            Self::OutboxLimits { .. } => ("outbox", "soft"),
        }
    }
}

impl report::Problem for ConfigProblem {
    fn choice(&self) -> Option<Choice<'_>> {
        match self {
            Self::Mistake(mistake) => mistake.choice("squall-broker.toml"),
            Self::Conflict(_) => None,
        }
    }

    fn remedy(&self) -> Option<String> {
        None
    }

    /// The line of the documented file: a correct value, which is the default.
    fn example(&self, at: &KeyPath) -> Option<String> {
        match self {
            Self::Mistake(
                Mistake::WrongType { .. }
                | Mistake::BadQuantity { .. }
                | Mistake::Malformed { .. }
                | Mistake::OutOfRange { .. },
            ) => documented::line_of(at),
            Self::Mistake(
                Mistake::Syntax { .. }
                | Mistake::NotUtf8
                | Mistake::BareCarriageReturn
                | Mistake::Unseen { .. }
                | Mistake::OneTable { .. }
                | Mistake::TableAgain { .. }
                | Mistake::WithoutBlock { .. }
                | Mistake::UnknownKey { .. }
                | Mistake::UnknownValue { .. },
            )
            | Self::Conflict(_) => None,
        }
    }
}
