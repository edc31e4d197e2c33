//! Why a run did not pass, and which reason is the gravest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One reason why a run did not pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", content = "text")]
pub enum Reason {
    /// No device could connect: the target cannot be reached by this scenario.
    Unreachable(String),
    /// Another client took part as one of the run's devices: most of what is broken may be its doing.
    Disturbed(String),
    /// The run cannot be trusted.
    Invalid(String),
    /// An invariant is broken.
    Invariant(String),
    /// A threshold is broken.
    Threshold(String),
    /// A claim or a threshold could not be judged.
    Unjudged(String),
}

impl Reason {
    /// Something is broken that the generator may have broken itself, by what `explained` says.
    pub fn of_the_generator(text: &str, explained: &str) -> Self {
        Self::Invalid(format!(
            "{text}; the generator may be the cause: {explained}"
        ))
    }

    /// Something is broken that another client, which acted as one of the run's devices, may have broken.
    pub fn of_another_client(text: &str) -> Self {
        Self::Invalid(format!("{text}; the other client may be the cause"))
    }

    /// What it says about the broker while another client acts as one of the run's devices: that may have
    /// broken every invariant.
    pub fn beside_another_client(self) -> Self {
        match self {
            Self::Invariant(text) => Self::of_another_client(&text),
            other @ (Self::Unreachable(_)
            | Self::Disturbed(_)
            | Self::Invalid(_)
            | Self::Threshold(_)
            | Self::Unjudged(_)) => other,
        }
    }

    /// The sentence that says what is wrong, without its kind.
    pub fn text(&self) -> &str {
        match self {
            Self::Unreachable(text)
            | Self::Disturbed(text)
            | Self::Invalid(text)
            | Self::Invariant(text)
            | Self::Threshold(text)
            | Self::Unjudged(text) => text,
        }
    }

    pub(super) const fn is_invariant(&self) -> bool {
        match self {
            Self::Invariant(_) => true,
            Self::Unreachable(_)
            | Self::Disturbed(_)
            | Self::Invalid(_)
            | Self::Threshold(_)
            | Self::Unjudged(_) => false,
        }
    }

    pub(super) const fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Disturbed(_)
            | Self::Invalid(_)
            | Self::Invariant(_)
            | Self::Threshold(_)
            | Self::Unjudged(_) => false,
        }
    }

    pub(super) const fn is_unjudged(&self) -> bool {
        match self {
            Self::Unjudged(_) => true,
            Self::Unreachable(_)
            | Self::Disturbed(_)
            | Self::Invalid(_)
            | Self::Invariant(_)
            | Self::Threshold(_) => false,
        }
    }

    pub(super) const fn exit_code(&self) -> u8 {
        match self {
            Self::Unreachable(_) => 3,
            Self::Disturbed(_) | Self::Invalid(_) | Self::Unjudged(_) => 4,
            Self::Invariant(_) => 98,
            Self::Threshold(_) => 99,
        }
    }

    /// The gravest is first. A broken invariant stands, whatever else happened: one that the generator or
    /// another client may have broken is [`Self::Invalid`] from the start. In a run that cannot be trusted a number
    /// proves nothing; a number that can be trusted and is wrong stands, though another could not be judged.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Unreachable(_) => 0,
            Self::Invariant(_) => 1,
            Self::Disturbed(_) => 2,
            Self::Invalid(_) => 3,
            Self::Threshold(_) => 4,
            Self::Unjudged(_) => 5,
        }
    }
}
