//! Payloads that carry a [`Stamp`], and the way back from a payload to its stamp.
//!
//! Three forms, which cannot be mistaken for each other:
//! - binary: the 16 bytes of the stamp, then filler up to the wanted size;
//! - text: the text, ` #squall:`, 32 hexadecimal digits;
//! - JSON: the object with a last member `"_squall"`, whose value is 32 hexadecimal digits.
//!
//! Any other payload, such as the bytes of a file, has the second form. A stamp may also be in a User Property,
//! [`STAMP_PROPERTY`], as 32 hexadecimal digits: the payload is then as the scenario says.
//!
//! The 16 bytes are one number, big-endian: tag of the run (24 bits), device (20 bits), sequence
//! (32 bits), scheduled time in nanoseconds (52 bits, 52 days). A foreign payload can look like the
//! binary form: compare a parsed stamp with the run's tag and with what was published.

use squall_protocol::Instant;
use squall_protocol::packet::{Publish, PublishProperties};

use crate::stamp::{RunTag, Stamp};
use squall_scenario::DeviceId;

/// Bytes of a binary stamp, the smallest payload that can be accounted for.
pub const STAMP_BYTES: usize = 16;
/// A scenario has at most a million devices.
const DEVICE_BITS: u32 = 20;
/// Messages of one device to one topic.
const SEQUENCE_BITS: u32 = 32;
/// What is left: 2^52 ns are 52 days.
const TIME_BITS: u32 = 128 - RunTag::BITS - DEVICE_BITS - SEQUENCE_BITS;
/// Hexadecimal digits of a stamp in text.
const STAMP_DIGITS: usize = 2 * STAMP_BYTES;
/// Fills a binary payload: never a part of the two markers below.
pub(crate) const FILLER: u8 = b'.';
/// Comes before the digits in text.
const TEXT_MARKER: &[u8] = b" #squall:";
/// Comes before the digits in a JSON object.
const JSON_MARKER: &[u8] = b"\"_squall\":\"";
/// Comes after the digits in a JSON object.
const JSON_END: &[u8] = b"\"}";

/// Appends a binary payload of `size` bytes, or of [`STAMP_BYTES`] if that is more.
pub fn append_binary(out: &mut Vec<u8>, stamp: Stamp, size: usize) {
    out.extend_from_slice(&to_bytes(stamp));
    out.resize(out.len() + size.saturating_sub(STAMP_BYTES), FILLER);
}

/// The name of the User Property that a stamp may be in.
pub const STAMP_PROPERTY: &str = "squall";

/// Appends `text`, or any other bytes, and the stamp.
pub fn append_text(out: &mut Vec<u8>, stamp: Stamp, text: &[u8]) {
    out.extend_from_slice(text);
    out.extend_from_slice(TEXT_MARKER);
    append_digits(out, stamp);
}

/// Appends the JSON object `object` with the stamp as its last member.
///
/// `object` is the text of one object. A closing brace is added if it has none.
pub fn append_json(out: &mut Vec<u8>, stamp: Stamp, object: &str) {
    out.extend_from_slice(open_object(object).as_bytes());
    out.extend_from_slice(JSON_MARKER);
    append_digits(out, stamp);
    out.extend_from_slice(JSON_END);
}

/// The stamp that `payload` carries in any of the three forms; `None` if it is too short for them.
///
/// Any 16 bytes are a binary stamp, so this says nothing about where the payload comes from.
pub fn parse(payload: &[u8]) -> Option<Stamp> {
    let in_json = payload.strip_suffix(JSON_END);
    let stamp = in_json
        .and_then(|rest| parse_digits(rest, JSON_MARKER))
        .or_else(|| parse_digits(payload, TEXT_MARKER));
    stamp.or_else(|| payload.first_chunk().map(from_bytes))
}

/// The stamp as the value of [`STAMP_PROPERTY`].
pub fn property_value(stamp: Stamp) -> String {
    let mut digits = Vec::new();
    append_digits(&mut digits, stamp);
    String::from_utf8(digits).expect("digits are ASCII")
}

/// The stamp of a message: that in a User Property, or else that in its payload, as [`parse`] has it.
pub fn stamp_of(publish: &Publish<'_>) -> Option<Stamp> {
    in_property(&publish.properties).or_else(|| parse(publish.payload))
}

/// The stamp in a User Property, if there is one.
pub fn in_property(properties: &PublishProperties<'_>) -> Option<Stamp> {
    let mut user = properties.user_properties.iter();
    user.find_map(|(name, value)| {
        let is_stamp = *name == STAMP_PROPERTY && value.len() == STAMP_DIGITS;
        is_stamp.then(|| parse_digits(value.as_bytes(), b""))?
    })
}

/// Whether `payload` looks as only those of squall do: it has a marker, or a stamp and filler after it.
/// A binary payload that is no longer than its stamp looks like any other.
pub fn has_form_of_squall(payload: &[u8]) -> bool {
    let in_json = payload.strip_suffix(JSON_END);
    let in_text = || parse_digits(payload, TEXT_MARKER);
    in_json
        .and_then(|rest| parse_digits(rest, JSON_MARKER))
        .or_else(in_text)
        .is_some()
        || payload
            .get(STAMP_BYTES..)
            .is_some_and(|rest| !rest.is_empty() && rest.iter().all(|&byte| byte == FILLER))
}

/// What comes before the stamp of a payload in one of the two readable forms: the text, or the JSON object as
/// [`open_object`] has it; `None` if it is not in one of them.
pub fn before_stamp(payload: &[u8]) -> Option<&[u8]> {
    let before = |payload: &'_ [u8], marker: &[u8]| {
        parse_digits(payload, marker)?;
        Some(payload.len() - STAMP_DIGITS - marker.len())
    };
    let in_json = payload.strip_suffix(JSON_END);
    let length = in_json
        .and_then(|rest| before(rest, JSON_MARKER))
        .or_else(|| before(payload, TEXT_MARKER))?;
    Some(&payload[..length])
}

/// The JSON object `object` without its closing brace, ready for one more member.
pub fn open_object(object: &str) -> String {
    let open = object.trim_end();
    let open = open.strip_suffix('}').unwrap_or(open).trim_end();
    let comma = if open.ends_with('{') { "" } else { "," };
    format!("{open}{comma}")
}

/// The stamp in the digits at the end of `text`, if `marker` comes before them.
fn parse_digits(text: &[u8], marker: &[u8]) -> Option<Stamp> {
    let (rest, digits) = text.split_last_chunk::<STAMP_DIGITS>()?;
    if !rest.ends_with(marker) {
        return None;
    }
    let mut bytes = [0; STAMP_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = 16 * digit_value(pair[0])? + digit_value(pair[1])?;
    }
    Some(from_bytes(&bytes))
}

fn append_digits(out: &mut Vec<u8>, stamp: Stamp) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in to_bytes(stamp) {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 0x0f)]);
    }
}

/// The value of a lower-case hexadecimal digit.
fn digit_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn to_bytes(stamp: Stamp) -> [u8; STAMP_BYTES] {
    let Stamp {
        run,
        device: DeviceId(device),
        sequence,
        scheduled,
    } = stamp;
    let fields = [
        (u64::from(run.bits()), RunTag::BITS),
        (u64::from(device), DEVICE_BITS),
        (u64::from(sequence), SEQUENCE_BITS),
        (scheduled.as_nanos(), TIME_BITS),
    ];
    let all = fields.iter().fold(0_u128, |all, &(value, bits)| {
        (all << bits) | (u128::from(value) & ((1 << bits) - 1))
    });
    all.to_be_bytes()
}

fn from_bytes(bytes: &[u8; STAMP_BYTES]) -> Stamp {
    let mut all = u128::from_be_bytes(*bytes);
    let mut take = |bits: u32| {
        let field = all & ((1 << bits) - 1);
        all >>= bits;
        u64::try_from(field).expect("no field has more than 64 bits")
    };
    let scheduled = Instant::from_nanos(take(TIME_BITS));
    let mut take_short = |bits| u32::try_from(take(bits)).expect("it has at most 32 bits");
    let sequence = take_short(SEQUENCE_BITS);
    let device = DeviceId(take_short(DEVICE_BITS));
    Stamp {
        run: RunTag::from_bits(take_short(RunTag::BITS)),
        device,
        sequence,
        scheduled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp {
            run: RunTag::from_bits(0x01_0203),
            device: DeviceId(0x0_4050),
            sequence: 0x6070_8090,
            scheduled: Instant::from_nanos(0xa_0b0c_0d0e_0f10),
        }
    }

    fn written(append: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        append(&mut out);
        out
    }

    /// The layout is fixed: other tools may read it.
    #[test]
    fn a_binary_stamp_is_run_device_sequence_and_time_in_big_endian() {
        let payload = written(|out| append_binary(out, stamp(), 18));

        let stamp_bytes = [
            0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
            0x0f, 0x10,
        ];
        let expected: Vec<u8> = stamp_bytes.into_iter().chain([FILLER, FILLER]).collect();
        assert_eq!(payload, expected);
        assert_eq!(parse(&payload), Some(stamp()));
    }

    /// A payload smaller than a stamp could not be accounted for.
    #[test]
    fn a_binary_payload_is_never_smaller_than_its_stamp() {
        let payload = written(|out| append_binary(out, stamp(), 1));

        assert_eq!(payload.len(), STAMP_BYTES);
        assert_eq!(parse(&payload), Some(stamp()));
    }

    /// Text stays readable and carries the stamp behind it.
    #[test]
    fn text_comes_first_and_its_stamp_is_found() {
        let payload = written(|out| append_text(out, stamp(), b"on"));

        assert_eq!(payload, b"on #squall:0102030405060708090a0b0c0d0e0f10");
        assert_eq!(parse(&payload), Some(stamp()));
    }

    /// What carries the stamp is still one JSON object with all its members.
    #[test]
    fn json_stays_json_and_its_stamp_is_found() {
        for (object, members) in [
            ("{}", 1),
            ("{ \"t\": 20.5 }", 2),
            ("{\"a\":{\"b\":1}}\n", 2),
        ] {
            let payload = written(|out| append_json(out, stamp(), object));

            let value: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            assert_eq!(value.as_object().unwrap().len(), members, "{object}");
            assert_eq!(parse(&payload), Some(stamp()), "{object}");
        }
    }

    /// A stamp in a property is found whatever the payload looks like, and what is no stamp is not one.
    #[test]
    fn a_stamp_in_a_property_is_found() {
        let value = property_value(stamp());
        let with = |name, value| PublishProperties {
            user_properties: vec![("kind", "cmd"), (name, value)],
            ..PublishProperties::default()
        };

        assert_eq!(value, "0102030405060708090a0b0c0d0e0f10");
        assert_eq!(in_property(&with(STAMP_PROPERTY, &value)), Some(stamp()));
        assert_eq!(in_property(&with("other", &value)), None);
        assert_eq!(in_property(&with(STAMP_PROPERTY, &value[1..])), None);
    }

    /// No stamp is made up for what cannot hold one.
    #[test]
    fn a_short_foreign_payload_has_no_stamp() {
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"offline"), None);
    }

    /// Characters that are not digits make the text form invalid; its first 16 bytes are then binary.
    #[test]
    fn broken_digits_are_not_read_as_text() {
        let mut payload = written(|out| append_text(out, stamp(), b"on"));
        *payload.last_mut().unwrap() = b'x';

        assert_ne!(parse(&payload), Some(stamp()));
    }

    /// What a device was to send is found before the stamp that squall has added, in both readable forms.
    #[test]
    fn what_comes_before_the_stamp_is_what_the_scenario_says() {
        let text = written(|out| append_text(out, stamp(), b"online"));
        let object = "{ \"state\": \"online\" }";
        let json = written(|out| append_json(out, stamp(), object));
        let binary = written(|out| append_binary(out, stamp(), 32));

        assert_eq!(before_stamp(&text), Some(&b"online"[..]));
        assert_eq!(before_stamp(&json), Some(open_object(object).as_bytes()));
        assert_eq!(before_stamp(&binary), None);
        assert_eq!(before_stamp(b"online"), None);
    }
}
