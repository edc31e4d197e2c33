//! Reads the fields of one packet in order (§1.5) and the properties of a section (§2.2.2).

use super::header::read_variable_byte_integer;
use crate::packet::{InvalidFilter, PacketType, RequestedFilter, UserProperties};
use crate::text::{self, Disallowed};
use crate::topic::{TopicFilter, TopicName};
use crate::{PacketId, PropertyId, ProtocolError, ReasonCode, Version};

/// What is still unread of one packet, or of one property section of it.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    packet: PacketType,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(packet: PacketType, rest: &'a [u8]) -> Self {
        Self { packet, rest }
    }

    /// Type of the packet that the fields belong to.
    pub(super) fn packet(&self) -> PacketType {
        self.packet
    }

    /// How many bytes are unread.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    /// All bytes that were not read yet.
    #[inline]
    pub(super) fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// Errors if something is unread.
    pub(super) fn finish(&self) -> Result<(), ProtocolError> {
        match self.rest.len() {
            0 => Ok(()),
            bytes => Err(ProtocolError::TrailingBytes {
                packet: self.packet,
                bytes,
            }),
        }
    }

    fn truncated(&self) -> ProtocolError {
        ProtocolError::Truncated {
            packet: self.packet,
        }
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.truncated());
        };
        self.rest = rest;
        Ok(*bytes)
    }

    #[inline]
    fn take_bytes(&mut self, count: usize) -> Result<&'a [u8], ProtocolError> {
        let Some((bytes, rest)) = self.rest.split_at_checked(count) else {
            return Err(self.truncated());
        };
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, ProtocolError> {
        self.take().map(|[byte]| byte)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Result<u16, ProtocolError> {
        self.take().map(u16::from_be_bytes)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Result<u32, ProtocolError> {
        self.take().map(u32::from_be_bytes)
    }

    #[inline]
    pub(super) fn variable_byte_integer(&mut self) -> Result<u32, ProtocolError> {
        let Some((value, length)) = read_variable_byte_integer(self.rest)? else {
            return Err(self.truncated());
        };
        self.rest = &self.rest[length..];
        Ok(value)
    }

    /// A Reason Code out of those that the packet may carry.
    pub(super) fn reason_code(
        &mut self,
        is_allowed: fn(ReasonCode) -> bool,
    ) -> Result<ReasonCode, ProtocolError> {
        let code = self.u8()?;
        match ReasonCode::from_byte(code) {
            Some(reason) if is_allowed(reason) => Ok(reason),
            Some(_) | None => Err(ProtocolError::ReasonCodeNotAllowed {
                packet: self.packet,
                code,
            }),
        }
    }

    /// Binary Data (§1.5.6).
    #[inline]
    pub(super) fn binary(&mut self) -> Result<&'a [u8], ProtocolError> {
        let length = self.u16()?;
        self.take_bytes(usize::from(length))
    }

    /// A UTF-8 string whose characters [`crate::topic`] checks.
    #[inline]
    fn utf8(&mut self) -> Result<&'a str, ProtocolError> {
        let bytes = self.binary()?;
        std::str::from_utf8(bytes).map_err(|_| ProtocolError::NotUtf8 {
            packet: self.packet,
        })
    }

    /// A UTF-8 string (§1.5.4). A byte order mark is kept [MQTT-1.5.4-3].
    #[inline]
    pub(super) fn string(&mut self) -> Result<&'a str, ProtocolError> {
        let text = self.utf8()?;
        let packet = self.packet;
        match text::check(text) {
            Ok(()) => Ok(text),
            Err(Disallowed::Null) => Err(ProtocolError::NullCharacter { packet }),
            Err(Disallowed::CodePoint(character)) => {
                Err(ProtocolError::DisallowedCodePoint { packet, character })
            }
        }
    }

    /// A Topic Name that is not empty (§4.7).
    #[inline]
    pub(super) fn topic_name(&mut self) -> Result<TopicName<&'a str>, ProtocolError> {
        let packet = self.packet;
        TopicName::new(self.utf8()?).map_err(|source| ProtocolError::TopicName { packet, source })
    }

    /// The Topic Name of a PUBLISH; empty, a Topic Alias must stand for it (§3.3.2.1).
    #[inline]
    pub(super) fn topic_name_or_none(&mut self) -> Result<TopicName<&'a str>, ProtocolError> {
        let text = self.utf8()?;
        if text.is_empty() {
            return Ok(TopicName::ALIASED);
        }
        let packet = self.packet;
        TopicName::new(text).map_err(|source| ProtocolError::TopicName { packet, source })
    }

    /// A Topic Filter (§4.7), or what stands in its place if the packet can be parsed all the
    /// same: see [`InvalidFilter`] for which that is.
    pub(super) fn requested_filter(
        &mut self,
        version: Version,
    ) -> Result<RequestedFilter, ProtocolError> {
        let packet = self.packet;
        let text = self.utf8()?;
        match TopicFilter::for_version(text, version) {
            Ok(filter) => Ok(Ok(filter.to_stored())),
            Err(error) if version == Version::V5 && error.is_of_topic_only() => {
                let text = text.into();
                Ok(Err(InvalidFilter { text, error }))
            }
            Err(source) => Err(ProtocolError::TopicFilter { packet, source }),
        }
    }

    /// A UTF-8 string pair (§1.5.7).
    pub(super) fn string_pair(&mut self) -> Result<(&'a str, &'a str), ProtocolError> {
        Ok((self.string()?, self.string()?))
    }

    /// A Packet Identifier [MQTT-2.2.1-3].
    #[inline]
    pub(super) fn packet_id(&mut self) -> Result<PacketId, ProtocolError> {
        PacketId::new(self.u16()?).ok_or(ProtocolError::PacketIdZero {
            packet: self.packet,
        })
    }

    /// The property section that comes next, with its length before it (§2.2.2.1).
    #[inline]
    pub(super) fn properties(&mut self) -> Result<Properties<'a>, ProtocolError> {
        let length = self.variable_byte_integer()?;
        let section = self.take_bytes(length as usize)?;
        Ok(Properties {
            fields: Fields::new(self.packet, section),
            seen: 0,
        })
    }
}

/// What is still unread of a property section.
#[derive(Debug)]
pub(super) struct Properties<'a> {
    fields: Fields<'a>,
    /// Bit `n` is set if property `n` was there; the highest identifier is 0x2A.
    seen: u64,
}

impl<'a> Properties<'a> {
    /// Whether there is no property left.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.fields.rest.is_empty()
    }

    /// The next property, whose value must be read next; `None` at the end of the section.
    ///
    /// Errors if it has no meaning, or is there twice without being a list.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<PropertyId>, ProtocolError> {
        if self.is_empty() {
            return Ok(None);
        }
        let packet = self.fields.packet;
        let identifier = self.fields.variable_byte_integer()?;
        let Some(property) = PropertyId::from_identifier(identifier) else {
            return Err(ProtocolError::UnknownProperty { packet, identifier });
        };
        let bit = 1 << property as u8;
        if self.seen & bit != 0 && !is_list(property, packet) {
            return Err(ProtocolError::DuplicateProperty { packet, property });
        }
        self.seen |= bit;
        Ok(Some(property))
    }

    /// The error for a property that this packet does not have.
    pub(super) fn not_allowed(&self, property: PropertyId) -> ProtocolError {
        ProtocolError::PropertyNotAllowed {
            packet: self.fields.packet,
            property,
        }
    }

    /// The error for a value that `property` must not have.
    pub(super) fn wrong_value(&self, property: PropertyId, value: u32) -> ProtocolError {
        ProtocolError::PropertyValue {
            packet: self.fields.packet,
            property,
            value,
        }
    }

    /// A byte that is 0 or 1.
    pub(super) fn flag(&mut self, property: PropertyId) -> Result<bool, ProtocolError> {
        match self.fields.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(self.wrong_value(property, u32::from(value))),
        }
    }

    pub(super) fn u16(&mut self) -> Result<u16, ProtocolError> {
        self.fields.u16()
    }

    /// Two bytes that are not 0.
    pub(super) fn u16_above_0(&mut self, property: PropertyId) -> Result<u16, ProtocolError> {
        match self.fields.u16()? {
            0 => Err(self.wrong_value(property, 0)),
            value => Ok(value),
        }
    }

    pub(super) fn u32(&mut self) -> Result<u32, ProtocolError> {
        self.fields.u32()
    }

    /// Four bytes that are not 0.
    pub(super) fn u32_above_0(&mut self, property: PropertyId) -> Result<u32, ProtocolError> {
        match self.fields.u32()? {
            0 => Err(self.wrong_value(property, 0)),
            value => Ok(value),
        }
    }

    pub(super) fn variable_byte_integer(&mut self) -> Result<u32, ProtocolError> {
        self.fields.variable_byte_integer()
    }

    pub(super) fn string(&mut self) -> Result<&'a str, ProtocolError> {
        self.fields.string()
    }

    /// A string, copied: it outlives the packet's bytes.
    pub(super) fn owned_string(&mut self) -> Result<String, ProtocolError> {
        self.fields.string().map(str::to_owned)
    }

    /// A Response Topic: a Topic Name (§3.3.2.3.5).
    pub(super) fn response_topic(&mut self) -> Result<&'a str, ProtocolError> {
        let packet = self.fields.packet;
        let text = self.fields.utf8()?;
        match TopicName::new(text) {
            Ok(_) => Ok(text),
            Err(source) => Err(ProtocolError::ResponseTopic { packet, source }),
        }
    }

    pub(super) fn binary(&mut self) -> Result<&'a [u8], ProtocolError> {
        self.fields.binary()
    }

    /// Binary Data, copied: it outlives the packet's bytes.
    pub(super) fn owned_binary(&mut self) -> Result<Vec<u8>, ProtocolError> {
        self.fields.binary().map(<[u8]>::to_vec)
    }

    pub(super) fn string_pair(&mut self) -> Result<(&'a str, &'a str), ProtocolError> {
        self.fields.string_pair()
    }

    /// Appends a User Property to those before it.
    pub(super) fn user_property(&mut self, into: &mut UserProperties) -> Result<(), ProtocolError> {
        let (name, value) = self.fields.string_pair()?;
        into.push((name.to_owned(), value.to_owned()));
        Ok(())
    }
}

/// Whether a property may be there more than once. A PUBLISH from a server has one Subscription
/// Identifier for each subscription that matched (§3.3.2.3.8).
fn is_list(property: PropertyId, packet: PacketType) -> bool {
    property == PropertyId::UserProperty
        || (property == PropertyId::SubscriptionIdentifier && packet == PacketType::Publish)
}
