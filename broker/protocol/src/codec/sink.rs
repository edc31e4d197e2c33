//! Writes the fields of a packet (§1.5).
//!
//! Every packet's layout is written once, for any [`Sink`]: run into [`Length`] it gives the
//! exact length, run into a buffer it gives the bytes, and the two cannot disagree.

use super::header::variable_byte_integer_len;
use crate::PropertyId;
use crate::packet::UserProperties;

/// Takes the fields of a packet in the order of the wire.
pub(super) trait Sink {
    /// Appends bytes as they are.
    fn bytes(&mut self, bytes: &[u8]);

    #[inline]
    fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    #[inline]
    fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    #[inline]
    fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// A variable byte integer in the fewest bytes (§1.5.5).
    ///
    /// # Panics
    ///
    /// If `value` is above 268,435,455.
    #[inline]
    fn variable_byte_integer(&mut self, mut value: usize) {
        for _ in 1..variable_byte_integer_len(value) {
            self.u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8);
    }

    /// Binary Data (§1.5.6).
    ///
    /// # Panics
    ///
    /// If there are more than 65,535 bytes.
    #[inline]
    fn binary(&mut self, bytes: &[u8]) {
        let length = u16::try_from(bytes.len()).expect("a field has at most 65,535 bytes");
        self.u16(length);
        self.bytes(bytes);
    }

    /// A UTF-8 string (§1.5.4), with the limit of [`Self::binary`].
    #[inline]
    fn string(&mut self, text: &str) {
        self.binary(text.as_bytes());
    }

    fn flag_property(&mut self, property: PropertyId, value: Option<bool>) {
        if let Some(value) = value {
            self.u8(property as u8);
            self.u8(u8::from(value));
        }
    }

    fn u16_property(&mut self, property: PropertyId, value: Option<u16>) {
        if let Some(value) = value {
            self.u8(property as u8);
            self.u16(value);
        }
    }

    fn u32_property(&mut self, property: PropertyId, value: Option<u32>) {
        if let Some(value) = value {
            self.u8(property as u8);
            self.u32(value);
        }
    }

    fn string_property(&mut self, property: PropertyId, value: Option<&str>) {
        if let Some(value) = value {
            self.u8(property as u8);
            self.string(value);
        }
    }

    fn binary_property(&mut self, property: PropertyId, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.u8(property as u8);
            self.binary(value);
        }
    }

    fn user_property(&mut self, name: &str, value: &str) {
        self.u8(PropertyId::UserProperty as u8);
        self.string(name);
        self.string(value);
    }

    fn user_properties(&mut self, properties: &UserProperties) {
        for (name, value) in properties {
            self.user_property(name, value);
        }
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts bytes and keeps none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Length(pub(super) usize);

impl Sink for Length {
    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}
