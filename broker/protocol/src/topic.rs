//! Topic Names and Topic Filters (§4.7), shared subscriptions included (§4.8.2).
//!
//! A value of either type has been checked. Each is generic over where its text lives: borrowed
//! from a packet (`&str`), owned (`Box<str>`), or shared (`Rc<str>`). Text is only ever cut at
//! `/`, never at a byte position, so a level that begins with a multi-byte character is safe.
//!
//! `$share/group/filter` is a shared subscription in both versions. The specification has them
//! since 5.0, but brokers serve them to 3.1.1 clients as well, and no other meaning of such a
//! filter would be of use. A filter that begins with `$share/` and is malformed is an error in 5.0
//! only: 3.1.1 has no shared subscriptions, so there it is an ordinary filter. How many levels a
//! topic may have is the broker's policy.

use crate::Version;
use crate::text::{self, Disallowed};

/// What every shared subscription's filter begins with [MQTT-4.8.2-1].
const SHARE_PREFIX: &str = "$share/";
/// Longest UTF-8 string of the protocol, in bytes (§1.5.4).
const STRING_BYTES_MAX: usize = 65_535;

/// Why a text is not a Topic Name or Topic Filter (§4.7).
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
    /// A control character or a non-character, which should not be sent (§1.5.4).
    #[error("topic with the code point U+{:04X}", u32::from(*.character))]
    DisallowedCodePoint {
        /// The first one.
        character: char,
    },
    /// `+` or `#` in a Topic Name [MQTT-3.3.2-2].
    #[error("topic name with a wildcard")]
    WildcardInName,
    /// `#` that is not the last level on its own, `+` that does not fill its level (§4.7.1).
    #[error("topic filter with a misplaced wildcard")]
    MisplacedWildcard,
    /// `$share/` without a group name or filter, with a wildcard in the group, or within
    /// another `$share/` (§4.8.2).
    #[error("malformed shared subscription")]
    MalformedShare,
}

impl TopicError {
    /// Whether only the topic is wrong, and not the text that carries it: the text is a UTF-8
    /// string as every packet may have it (§1.5.4), so the packet around it can be parsed.
    pub const fn is_of_topic_only(self) -> bool {
        match self {
            Self::Empty | Self::WildcardInName | Self::MisplacedWildcard | Self::MalformedShare => {
                true
            }
            Self::TooLong { .. } | Self::NullCharacter | Self::DisallowedCodePoint { .. } => false,
        }
    }
}

/// A Topic Name: where a message is published (§4.7). It has no wildcards.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TopicName<S>(S);

impl TopicName<&'static str> {
    /// What PUBLISH carries where a Topic Alias stands for the name: nothing (§3.3.2.3.4).
    ///
    /// It is the only empty Topic Name; nothing else makes one.
    pub const ALIASED: Self = Self("");
}

impl<'a> TopicName<&'a str> {
    /// The text, which may outlive this value.
    pub const fn text(self) -> &'a str {
        self.0
    }
}

impl<S: AsRef<str>> TopicName<S> {
    /// Checks `text` (§4.7.3).
    #[inline]
    pub fn new(text: S) -> Result<Self, TopicError> {
        check_name(text.as_ref())?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// The levels between the slashes, at least one; a level may be empty (§4.7.1.1).
    pub fn levels(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.as_str().split('/')
    }

    /// Whether this is [`TopicName::ALIASED`]: empty, a Topic Alias stands for it.
    pub fn is_aliased(&self) -> bool {
        self.as_str().is_empty()
    }

    /// The same name, borrowed.
    pub fn borrowed(&self) -> TopicName<&str> {
        TopicName(self.as_str())
    }

    /// A copy whose text lives in a `T`: `Box<str>`, `Rc<str>`, `String`.
    pub fn to_stored<'a, T: AsRef<str> + From<&'a str>>(&'a self) -> TopicName<T> {
        TopicName(T::from(self.as_str()))
    }

    /// What the text lives in.
    pub fn into_inner(self) -> S {
        self.0
    }
}

/// A Topic Filter: what a subscription asks for (§4.7).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TopicFilter<S>(S);

/// The parts of a shared subscription's filter, `$share/group/filter` (§4.8.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Share<'a> {
    /// ShareName: at least one character, no `/`, `+` or `#` [MQTT-4.8.2-2].
    pub group: &'a str,
    /// What messages are matched against; never shared itself.
    pub filter: TopicFilter<&'a str>,
}

impl<'a> TopicFilter<&'a str> {
    /// The text, which may outlive this value.
    pub const fn text(self) -> &'a str {
        self.0
    }
}

impl<S: AsRef<str>> TopicFilter<S> {
    /// Checks `text` (§4.7.1, §4.7.3, §4.8.2): what it gives is a filter in both versions.
    pub fn new(text: S) -> Result<Self, TopicError> {
        Self::for_version(text, Version::V5)
    }

    /// Checks `text` by the rules of `version`. In 3.1.1 a malformed `$share/…` is an ordinary
    /// filter, as there are no shared subscriptions.
    pub fn for_version(text: S, version: Version) -> Result<Self, TopicError> {
        check_filter(text.as_ref(), version)?;
        Ok(Self(text))
    }

    /// The text, with `$share` and its group if it has one.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// The group and the filter proper of a shared subscription; `None` if it is not shared.
    pub fn share(&self) -> Option<Share<'_>> {
        let (group, filter) = split_share(self.as_str())?;
        Some(Share {
            group,
            filter: TopicFilter(filter),
        })
    }

    /// The filter that messages are matched against: without `$share` and its group.
    pub fn unshared(&self) -> TopicFilter<&str> {
        match self.share() {
            Some(share) => share.filter,
            None => TopicFilter(self.as_str()),
        }
    }

    /// The levels of the filter proper, at least one: `+` and `#` are levels of their own.
    /// `$share` and the group are not among them.
    pub fn levels(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.unshared().0.split('/')
    }

    /// Whether the filter proper has a `+` or `#`; without, it matches one Topic Name.
    pub fn has_wildcards(&self) -> bool {
        has_wildcard(self.unshared().0)
    }

    /// Whether a message published to `topic` is for this subscription (§4.7).
    ///
    /// A filter that begins with a wildcard matches no name that begins with `$`
    /// [MQTT-4.7.2-1].
    pub fn matches<T: AsRef<str>>(&self, topic: &TopicName<T>) -> bool {
        let filter = self.unshared().0;
        let topic = topic.as_str();
        if topic.starts_with('$') && filter.starts_with(['+', '#']) {
            return false;
        }
        let mut topic_levels = topic.split('/');
        for level in filter.split('/') {
            if level == "#" {
                return true;
            }
            match topic_levels.next() {
                Some(name) if level == "+" || level == name => {}
                Some(_) | None => return false,
            }
        }
        topic_levels.next().is_none()
    }

    /// The same filter, borrowed.
    pub fn borrowed(&self) -> TopicFilter<&str> {
        TopicFilter(self.as_str())
    }

    /// A copy whose text lives in a `T`: `Box<str>`, `Rc<str>`, `String`.
    pub fn to_stored<'a, T: AsRef<str> + From<&'a str>>(&'a self) -> TopicFilter<T> {
        TopicFilter(T::from(self.as_str()))
    }

    /// What the text lives in.
    pub fn into_inner(self) -> S {
        self.0
    }
}

#[inline]
fn check_name(text: &str) -> Result<(), TopicError> {
    let mut is_plain = !text.is_empty() && text.len() <= STRING_BYTES_MAX;
    // One pass without an early exit, done in vectors, is all that nearly every name needs.
    for &byte in text.as_bytes() {
        is_plain &= matches!(byte, b' '..=b'~') && byte != b'+' && byte != b'#';
    }
    if is_plain {
        return Ok(());
    }
    check_text(text)?;
    if has_wildcard(text) {
        return Err(TopicError::WildcardInName);
    }
    Ok(())
}

fn check_filter(text: &str, version: Version) -> Result<(), TopicError> {
    check_text(text)?;
    match split_share(text) {
        Some((_, filter)) => check_wildcards(filter),
        None if version == Version::V5 && text.starts_with(SHARE_PREFIX) => {
            Err(TopicError::MalformedShare)
        }
        None => check_wildcards(text),
    }
}

fn check_text(text: &str) -> Result<(), TopicError> {
    match text.len() {
        0 => return Err(TopicError::Empty),
        1..=STRING_BYTES_MAX => {}
        bytes => return Err(TopicError::TooLong { bytes }),
    }
    match text::check(text) {
        Ok(()) => Ok(()),
        Err(Disallowed::Null) => Err(TopicError::NullCharacter),
        Err(Disallowed::CodePoint(character)) => Err(TopicError::DisallowedCodePoint { character }),
    }
}

fn has_wildcard(text: &str) -> bool {
    let mut has_wildcard = false;
    // No early exit: this way the loop is done in vectors.
    for &byte in text.as_bytes() {
        has_wildcard |= byte == b'+' || byte == b'#';
    }
    has_wildcard
}

/// `#` is the last level [MQTT-4.7.1-1], and each wildcard fills its level [MQTT-4.7.1-2].
fn check_wildcards(filter: &str) -> Result<(), TopicError> {
    let mut levels = filter.split('/');
    while let Some(level) = levels.next() {
        let is_misplaced = match level {
            "+" => false,
            "#" => levels.next().is_some(),
            other => has_wildcard(other),
        };
        if is_misplaced {
            return Err(TopicError::MisplacedWildcard);
        }
    }
    Ok(())
}

/// The group and the filter of a shared subscription, the filter's wildcards unchecked; `None` if
/// `text` is not one [MQTT-4.8.2-1], [MQTT-4.8.2-2].
fn split_share(text: &str) -> Option<(&str, &str)> {
    let (group, filter) = text.strip_prefix(SHARE_PREFIX)?.split_once('/')?;
    let is_well_formed = !group.is_empty()
        && !has_wildcard(group)
        && !filter.is_empty()
        && !filter.starts_with(SHARE_PREFIX);
    is_well_formed.then_some((group, filter))
}
