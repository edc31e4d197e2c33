//! The errors that end a command before there is a verdict, and their exit codes.

use squall_broker::ConfigErrors;
use squall_scenario::ScenarioErrors;

use crate::remark::remark;

/// Why a command failed before there was a verdict; each kind has its exit code.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file name or an argument is wrong: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The scenario is wrong: exit code 2.
    #[error("{0}")]
    Scenario(ScenarioErrors),
    /// The config file of `squall broker` is wrong: exit code 2.
    #[error("{0}")]
    Config(ConfigErrors),
    /// The broker under test cannot be started or reached: exit code 3.
    #[error("{0}")]
    Unreachable(String),
    /// The target lacks what the scenario is about, for these reasons: exit code 4.
    #[error("{scenario} is skipped: {}", because.join("; "))]
    Skipped {
        /// The scenario's name.
        scenario: String,
        /// A sentence each; at least one.
        because: Vec<String>,
    },
    /// What was done ended without anything to conclude about the target: exit code 4.
    #[error("{0}")]
    NothingFollows(String),
    /// A signal ended it: exit code 4.
    #[error("{0}")]
    Stopped(String),
    /// Anything else: exit code 1.
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}

impl Failure {
    /// The exit code of this kind.
    pub fn code(&self) -> u8 {
        match self {
            Self::Internal(_) => 1,
            Self::Usage(_) | Self::Scenario(_) | Self::Config(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Skipped { .. } | Self::NothingFollows(_) | Self::Stopped(_) => 4,
        }
    }

    /// Says on standard error what went wrong; an internal error with the causes behind it.
    pub fn report(&self) {
        match self {
            Self::Usage(text)
            | Self::Unreachable(text)
            | Self::NothingFollows(text)
            | Self::Stopped(text) => remark(&format!("error: {text}")),
            // Not a mistake of anyone's.
            Self::Skipped { .. } => remark(&self.to_string()),
            // A list of errors, each with its own head and its place.
            Self::Scenario(errors) => remark(&errors.to_string()),
            Self::Config(errors) => remark(&errors.to_string()),
            Self::Internal(error) => remark(&format!("error: {error:#}")),
        }
    }
}
