//! What a message says, and how it is known again without being kept: by fingerprints.
//!
//! Beside the payload a broker passes on Content Type [MQTT-3.3.2-20] and User Properties [MQTT-3.3.2-17], in their
//! order [MQTT-3.3.2-18]. No statement keeps it from adding User Properties of its own before or behind them. The stamp
//! that squall may put among them is accounted for apart.

use std::hash::{DefaultHasher, Hasher};

use squall_fleet::payload::STAMP_PROPERTY;
use squall_protocol::packet::PublishProperties;

/// What a message says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content<'a> {
    /// The whole payload.
    pub(crate) payload: &'a [u8],
    /// Its properties; `None` to a recipient of MQTT 3.1.1, which sees none.
    pub(crate) properties: Option<&'a PublishProperties<'a>>,
}

/// The fingerprint of what a message says, the same on every machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ContentPrint {
    /// Of its payload.
    pub(crate) payload: u64,
    /// Of its properties.
    pub(crate) said: Said,
}

/// The fingerprint of the Content Type and the User Properties of a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Said {
    hash: u32,
    /// How many User Properties.
    user: u16,
    has_content_type: bool,
}

/// What a message says otherwise than it was published.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Changed {
    /// Its payload.
    Payload,
    /// Its Content Type or its User Properties.
    Properties,
}

impl Content<'_> {
    /// The fingerprint of what is published.
    pub(crate) fn print(&self) -> ContentPrint {
        ContentPrint {
            payload: fingerprint(self.payload),
            said: self.properties.map_or(Said::default(), Said::of),
        }
    }
}

impl ContentPrint {
    /// Of a message that nothing is known of.
    pub(crate) const NOTHING: Self = Self {
        payload: 0,
        said: Said {
            hash: 0,
            user: 0,
            has_content_type: false,
        },
    };

    /// What a message that came says otherwise than the one of this fingerprint.
    pub(crate) fn changed_in(&self, came: &Content<'_>) -> Option<Changed> {
        if self.payload != fingerprint(came.payload) {
            return Some(Changed::Payload);
        }
        let is_whole = came
            .properties
            .is_none_or(|properties| self.said.is_in(properties));
        (!is_whole).then_some(Changed::Properties)
    }
}

impl Said {
    fn of(properties: &PublishProperties<'_>) -> Self {
        let content_type = properties.content_type;
        let user = user(properties);
        if content_type.is_none() && user.is_empty() {
            return Self::default();
        }
        Self {
            hash: hash(content_type, &user),
            user: u16::try_from(user.len()).unwrap_or(u16::MAX),
            has_content_type: content_type.is_some(),
        }
    }

    /// Whether a message with `properties` still says it.
    fn is_in(self, properties: &PublishProperties<'_>) -> bool {
        if self == Self::default() {
            return true;
        }
        let content_type = properties.content_type.filter(|_| self.has_content_type);
        let user = user(properties);
        let added = user.len().checked_sub(usize::from(self.user));
        added.is_some_and(|added| {
            let first = &user[..user.len() - added];
            hash(content_type, first) == self.hash
                || hash(content_type, &user[added..]) == self.hash
        })
    }
}

/// The User Properties that are the scenario's.
fn user<'a>(properties: &PublishProperties<'a>) -> Vec<(&'a str, &'a str)> {
    let user = properties.user_properties.iter().copied();
    user.filter(|(name, _)| *name != STAMP_PROPERTY).collect()
}

fn hash(content_type: Option<&str>, user: &[(&str, &str)]) -> u32 {
    let mut hasher = DefaultHasher::new();
    let mut write = |text: &str| {
        hasher.write_u64(text.len() as u64);
        hasher.write(text.as_bytes());
    };
    content_type.into_iter().for_each(&mut write);
    for (name, value) in user {
        write(name);
        write(value);
    }
    (hasher.finish() >> 32) as u32
}

/// A fingerprint of a payload: the same on every machine.
pub(crate) fn fingerprint(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(payload);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(sent: &PublishProperties<'_>, came: &PublishProperties<'_>) -> Option<Changed> {
        let of = |properties| Content {
            payload: b"21.5",
            properties,
        };
        of(Some(sent)).print().changed_in(&of(Some(came)))
    }

    fn properties<'a>(
        content_type: Option<&'a str>,
        user: &[(&'a str, &'a str)],
    ) -> PublishProperties<'a> {
        PublishProperties {
            content_type,
            user_properties: user.to_vec(),
            ..PublishProperties::default()
        }
    }

    /// Each of the two is passed on unaltered, User Properties in their order [MQTT-3.3.2-17] [MQTT-3.3.2-18]
    /// [MQTT-3.3.2-20].
    #[test]
    fn what_is_left_out_altered_or_in_another_order_is_changed() {
        let sent = properties(Some("a/b"), &[("x", "1"), ("y", "2")]);

        for came in [
            properties(None, &[("x", "1"), ("y", "2")]),
            properties(Some("a/c"), &[("x", "1"), ("y", "2")]),
            properties(Some("a/b"), &[("x", "1")]),
            properties(Some("a/b"), &[("x", "1"), ("y", "3")]),
            properties(Some("a/b"), &[("y", "2"), ("x", "1")]),
            properties(Some("a/b"), &[("x1", ""), ("y", "2")]),
            properties(Some("a/b"), &[]),
        ] {
            assert_eq!(changed(&sent, &came), Some(Changed::Properties), "{came:?}");
        }
        assert_eq!(changed(&sent, &sent), None);
    }

    /// Nothing forbids what a broker adds at an end, and the stamp is squall's own.
    #[test]
    fn what_is_added_at_an_end_and_the_stamp_change_nothing() {
        let sent = properties(None, &[("x", "1"), (STAMP_PROPERTY, "s")]);

        for came in [
            properties(None, &[("x", "1"), ("node", "7")]),
            properties(None, &[("node", "7"), ("x", "1")]),
            properties(Some("a/b"), &[("x", "1")]),
        ] {
            assert_eq!(changed(&sent, &came), None, "{came:?}");
        }
    }

    /// MQTT 3.1.1 has no properties, and what was sent without any says nothing.
    #[test]
    fn where_there_are_none_nothing_is_compared() {
        let sent = Content {
            payload: b"21.5",
            properties: Some(&properties(None, &[("x", "1")])),
        };
        let came = Content {
            payload: b"21.5",
            properties: None,
        };

        assert_eq!(sent.print().changed_in(&came), None);
        assert_eq!(
            changed(&properties(None, &[]), &properties(None, &[("x", "1")])),
            None
        );
    }
}
