//! Topic Aliases: numbers that stand for Topic Names on one Network Connection (§3.3.2.3.4).
//!
//! A mapping ends with its connection [MQTT-3.3.2-7]; the two directions have nothing in common.
//! Neither side owns heap memory before the first alias.

use std::collections::BTreeMap;

use crate::ProtocolError;
use crate::packet::Publish;
use crate::topic::TopicName;

/// What the peer's aliases stand for.
#[derive(Clone, Debug, Default)]
pub struct InboundAliases {
    /// Boxed because most connections use none.
    table: Option<Box<Table>>,
    maximum: u16,
}

/// Names by alias - 1.
#[derive(Clone, Debug, Default)]
struct Table {
    names: Vec<Option<TopicName<Box<str>>>>,
}

impl InboundAliases {
    /// No aliases yet, and at most `maximum`: our Topic Alias Maximum. 0 forbids them.
    pub fn new(maximum: u16) -> Self {
        Self {
            table: None,
            maximum,
        }
    }

    /// Fills in the Topic Name of a PUBLISH that has only an alias, or remembers the name if it
    /// has both. The result has its name and no alias.
    ///
    /// Errors if the alias is above our maximum [MQTT-3.3.2-9] or stands for nothing yet
    /// [MQTT-3.3.2-12].
    pub fn resolve<'a>(&'a mut self, publish: &mut Publish<'a>) -> Result<(), ProtocolError> {
        let Some(alias) = publish.properties.topic_alias.take() else {
            return Ok(());
        };
        if alias == 0 || alias > self.maximum {
            return Err(ProtocolError::TopicAliasInvalid {
                alias,
                maximum: self.maximum,
            });
        }
        let index = usize::from(alias) - 1;
        if !publish.topic.as_str().is_empty() {
            let names = &mut self.table.get_or_insert_default().names;
            if names.len() <= index {
                names.resize(index + 1, None);
            }
            names[index] = Some(publish.topic.to_stored());
            return Ok(());
        }
        match self.table.as_ref().and_then(|table| table.names.get(index)) {
            Some(Some(name)) => {
                publish.topic = name.borrowed();
                Ok(())
            }
            Some(None) | None => Err(ProtocolError::UnknownTopicAlias { alias }),
        }
    }
}

/// Which aliases we have given out.
///
/// The first names get an alias, up to the peer's maximum, and keep it: a sender with few names has
/// one for each, and a sender with many does not send name after name only to replace aliases.
#[derive(Clone, Debug, Default)]
pub struct OutboundAliases {
    by_name: BTreeMap<Box<str>, u16>,
    maximum: u16,
}

/// How to send a Topic Name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Alias {
    /// Without an alias.
    Unused,
    /// The name together with this alias: the peer does not know it yet.
    Introduced(u16),
    /// This alias alone.
    Known(u16),
}

impl OutboundAliases {
    /// No aliases yet, and at most `maximum`: the peer's Topic Alias Maximum [MQTT-3.3.2-9].
    pub fn new(maximum: u16) -> Self {
        Self {
            by_name: BTreeMap::new(),
            maximum,
        }
    }

    /// The peer's Topic Alias Maximum.
    pub fn maximum(&self) -> u16 {
        self.maximum
    }

    /// How to send `name`. The caller must then send that PUBLISH: the next one relies on its alias.
    pub fn assign(&mut self, name: &str) -> Alias {
        if self.maximum == 0 {
            return Alias::Unused;
        }
        if let Some(&alias) = self.by_name.get(name) {
            return Alias::Known(alias);
        }
        match u16::try_from(self.by_name.len() + 1) {
            Ok(alias) if alias <= self.maximum => {
                self.by_name.insert(name.into(), alias);
                Alias::Introduced(alias)
            }
            Ok(_) | Err(_) => Alias::Unused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QoS;
    use crate::packet::PublishProperties;

    fn publish(topic: &str, topic_alias: Option<u16>) -> Publish<'_> {
        Publish {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: false,
            topic: if topic.is_empty() {
                TopicName::ALIASED
            } else {
                TopicName::new(topic).unwrap()
            },
            packet_id: None,
            properties: PublishProperties {
                topic_alias,
                ..PublishProperties::default()
            },
            payload: b"",
        }
    }

    fn resolved(
        aliases: &mut InboundAliases,
        topic: &str,
        alias: Option<u16>,
    ) -> Result<String, ProtocolError> {
        let mut publish = publish(topic, alias);
        aliases.resolve(&mut publish)?;
        assert_eq!(publish.properties.topic_alias, None);
        Ok(publish.topic.as_str().to_owned())
    }

    /// A name that comes with an alias is what the alias stands for from then on (§3.3.2.3.4).
    #[test]
    fn an_alias_stands_for_the_last_name_it_came_with() {
        let mut aliases = InboundAliases::new(2);
        assert_eq!(resolved(&mut aliases, "a", Some(2)), Ok("a".to_owned()));
        assert_eq!(resolved(&mut aliases, "", Some(2)), Ok("a".to_owned()));

        assert_eq!(resolved(&mut aliases, "b", Some(2)), Ok("b".to_owned()));

        assert_eq!(resolved(&mut aliases, "", Some(2)), Ok("b".to_owned()));
        assert_eq!(resolved(&mut aliases, "c", None), Ok("c".to_owned()));
    }

    /// Every alias from 1 to the maximum is accepted, by clients [MQTT-3.3.2-10] and servers
    /// [MQTT-3.3.2-12].
    #[test]
    fn every_alias_up_to_the_maximum_is_accepted() {
        let mut aliases = InboundAliases::new(300);

        for alias in (1..=300).rev() {
            let name = format!("topic {alias}");
            resolved(&mut aliases, &name, Some(alias)).unwrap();
        }

        for alias in 1..=300 {
            let name = resolved(&mut aliases, "", Some(alias));
            assert_eq!(name, Ok(format!("topic {alias}")));
        }
    }

    /// An alias above the maximum is refused with 0x94 [MQTT-3.3.2-9].
    #[test]
    fn an_alias_above_the_maximum_is_refused() {
        let mut aliases = InboundAliases::new(2);

        let error = resolved(&mut aliases, "a", Some(3));

        let expected = ProtocolError::TopicAliasInvalid {
            alias: 3,
            maximum: 2,
        };
        assert_eq!(error, Err(expected));
        assert_eq!(expected.reason(), crate::ReasonCode::TopicAliasInvalid);
    }

    /// A mapping ends with its connection [MQTT-3.3.2-7].
    #[test]
    fn an_alias_of_an_earlier_connection_stands_for_nothing() {
        let mut first_connection = InboundAliases::new(2);
        resolved(&mut first_connection, "a", Some(1)).unwrap();
        let mut second_connection = InboundAliases::new(2);

        let error = resolved(&mut second_connection, "", Some(1));

        assert_eq!(error, Err(ProtocolError::UnknownTopicAlias { alias: 1 }));
    }

    /// A sender gives no alias above the receiver's maximum, the client [MQTT-3.3.2-9] and the
    /// server [MQTT-3.3.2-11].
    #[test]
    fn aliases_go_to_the_first_names_only() {
        let mut aliases = OutboundAliases::new(2);

        let assigned = ["a", "b", "a", "c", "b"].map(|name| aliases.assign(name));

        let expected = [
            Alias::Introduced(1),
            Alias::Introduced(2),
            Alias::Known(1),
            Alias::Unused,
            Alias::Known(2),
        ];
        assert_eq!(assigned, expected);
    }

    /// Without a Topic Alias Maximum there are no aliases (§3.2.2.3.8).
    #[test]
    fn a_maximum_of_0_allows_no_alias() {
        let mut aliases = OutboundAliases::new(0);

        assert_eq!(aliases.assign("a"), Alias::Unused);
        assert!(aliases.by_name.is_empty());
    }
}
