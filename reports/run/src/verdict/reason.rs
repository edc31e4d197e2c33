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
    /// The broker ended by itself, or stopped answering: much else that is broken may follow from it.
    BrokerEnded(String),
    /// An invariant is broken.
    Invariant(String),
    /// The broker left something without an answer: broken, unless its own end explains it.
    Unanswered(String),
    /// Broken or missing, and the end of the broker may be why.
    Consequence(String),
    /// The run cannot be trusted.
    Invalid(String),
    /// More than 1 % of what the scenario asked for did not happen, and nothing in it explains that.
    Incomplete(String),
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
            Self::Invariant(text) | Self::Unanswered(text) => Self::of_another_client(&text),
            other @ (Self::Unreachable(_)
            | Self::Disturbed(_)
            | Self::BrokerEnded(_)
            | Self::Consequence(_)
            | Self::Invalid(_)
            | Self::Incomplete(_)
            | Self::Threshold(_)
            | Self::Unjudged(_)) => other,
        }
    }

    /// The sentence that says what is wrong, without its kind.
    pub fn text(&self) -> &str {
        match self {
            Self::Unreachable(text)
            | Self::Disturbed(text)
            | Self::BrokerEnded(text)
            | Self::Invariant(text)
            | Self::Unanswered(text)
            | Self::Consequence(text)
            | Self::Invalid(text)
            | Self::Incomplete(text)
            | Self::Threshold(text)
            | Self::Unjudged(text) => text,
        }
    }

    /// What every output calls it, before its sentence.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "target unreachable",
            Self::Disturbed(_) => "another client",
            Self::BrokerEnded(_) => "cause",
            Self::Invariant(_) => "invariant",
            Self::Unanswered(_) => "no answer",
            Self::Consequence(_) => "may follow",
            Self::Invalid(_) => "cannot be trusted",
            Self::Incomplete(_) => "not as asked",
            Self::Threshold(_) => "threshold",
            Self::Unjudged(_) => "not judged",
        }
    }

    pub(crate) const fn is_broker_ended(&self) -> bool {
        matches!(self, Self::BrokerEnded(_))
    }

    pub(super) const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }

    pub(super) const fn is_unjudged(&self) -> bool {
        matches!(self, Self::Unjudged(_))
    }

    pub(super) const fn exit_code(&self) -> u8 {
        match self {
            Self::Unreachable(_) => 3,
            Self::Disturbed(_) | Self::Invalid(_) | Self::Incomplete(_) | Self::Unjudged(_) => 4,
            // A consequence stands beside the broker's end, which is 98.
            Self::BrokerEnded(_)
            | Self::Invariant(_)
            | Self::Unanswered(_)
            | Self::Consequence(_) => 98,
            Self::Threshold(_) => 99,
        }
    }

    /// The gravest is first. A broken invariant stands, whatever else happened: one that the generator or
    /// another client may have broken is [`Self::Invalid`] from the start. In a run that cannot be trusted a number
    /// proves nothing; a number that can be trusted and is wrong stands, though another could not be judged.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Unreachable(_) => 0,
            Self::BrokerEnded(_) => 1,
            Self::Invariant(_) | Self::Unanswered(_) => 2,
            Self::Consequence(_) => 3,
            Self::Disturbed(_) => 4,
            Self::Invalid(_) | Self::Incomplete(_) => 5,
            Self::Threshold(_) => 6,
            Self::Unjudged(_) => 7,
        }
    }
}
