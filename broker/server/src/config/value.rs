//! One TOML value into one setting.
//!
//! Durations and sizes are strings with a unit (`"1500ms"`, `"256KiB"`), as in scenario files;
//! counts are plain integers.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use squall_core::QueuePolicy;
use toml::de::DeValue;

/// What a key takes, as an error message says it.
pub(super) type Expected = String;

/// Units of a duration, each in nanoseconds.
const DURATION_UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
];

/// Units of a size, each in bytes.
const SIZE_UNITS: [(&str, u64); 4] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// An integer within `range`, as the type the setting has.
pub(super) fn integer<T: TryFrom<u64>>(
    value: &DeValue<'_>,
    range: RangeInclusive<u64>,
) -> Result<T, Expected> {
    let expected = || format!("an integer from {} to {}", range.start(), range.end());
    let digits = value.as_integer().ok_or_else(expected)?;
    let number = u64::from_str_radix(digits.as_str(), digits.radix()).map_err(|_| expected())?;
    if !range.contains(&number) {
        return Err(expected());
    }
    T::try_from(number).map_err(|_| expected())
}

/// True or false.
pub(super) fn boolean(value: &DeValue<'_>) -> Result<bool, Expected> {
    value
        .as_bool()
        .ok_or_else(|| Expected::from("true or false"))
}

/// A numeric IPv4 or IPv6 address.
pub(super) fn address(value: &DeValue<'_>) -> Result<IpAddr, Expected> {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Expected::from("a numeric address such as \"127.0.0.1\" or \"::1\""))
}

/// A duration with a unit, within `range`.
pub(super) fn duration(
    value: &DeValue<'_>,
    range: RangeInclusive<Duration>,
) -> Result<Duration, Expected> {
    let expected = || {
        format!(
            "a duration with a unit, such as \"1500ms\" or \"10s\", from {:?} to {:?}",
            range.start(),
            range.end()
        )
    };
    let nanos = quantity(value, &DURATION_UNITS).ok_or_else(expected)?;
    let duration = Duration::from_nanos(nanos);
    if range.contains(&duration) {
        Ok(duration)
    } else {
        Err(expected())
    }
}

/// A duration as in [`duration`], or a word that stands for its absence.
pub(super) fn duration_or(
    value: &DeValue<'_>,
    word: &str,
    range: RangeInclusive<Duration>,
) -> Result<Option<Duration>, Expected> {
    if value.as_str() == Some(word) {
        return Ok(None);
    }
    duration(value, range)
        .map(Some)
        .map_err(|expected| format!("\"{word}\" or {expected}"))
}

/// A size with a unit, within `range` bytes, as the type the setting has.
pub(super) fn size<T: TryFrom<u64>>(
    value: &DeValue<'_>,
    range: RangeInclusive<u64>,
) -> Result<T, Expected> {
    let expected = || {
        format!(
            "a size with a unit, such as \"64KiB\" or \"16MiB\", from {} to {} bytes",
            range.start(),
            range.end()
        )
    };
    let bytes = quantity(value, &SIZE_UNITS).ok_or_else(expected)?;
    if !range.contains(&bytes) {
        return Err(expected());
    }
    T::try_from(bytes).map_err(|_| expected())
}

/// What a full queue does.
pub(super) fn queue_policy(value: &DeValue<'_>) -> Result<QueuePolicy, Expected> {
    match value.as_str() {
        Some("drop_oldest") => Ok(QueuePolicy::DropOldest),
        Some("drop_newest") => Ok(QueuePolicy::DropNewest),
        Some("reject") => Ok(QueuePolicy::Reject),
        _ => Err(Expected::from(
            "\"drop_oldest\", \"drop_newest\" or \"reject\"",
        )),
    }
}

/// A whole number followed by one of `units`, in the smallest of them.
fn quantity(value: &DeValue<'_>, units: &[(&str, u64)]) -> Option<u64> {
    let text = value.as_str()?;
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().ok()?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_value<T>(text: &str, read: impl FnOnce(&DeValue<'_>) -> T) -> T {
        let value = DeValue::parse(text).unwrap();
        read(value.get_ref())
    }

    fn any_duration(text: &str) -> Option<Duration> {
        with_value(text, |value| {
            duration(value, Duration::ZERO..=Duration::MAX).ok()
        })
    }

    fn any_size(text: &str) -> Option<u64> {
        with_value(text, |value| size(value, 0..=u64::MAX).ok())
    }

    /// Durations are strings with a unit, never bare numbers.
    #[test]
    fn durations_need_a_known_unit() {
        assert_eq!(any_duration("'1500ms'"), Some(Duration::from_millis(1500)));
        assert_eq!(any_duration("'2 h'"), Some(Duration::from_secs(7200)));
        for wrong in ["10", "'10'", "'10 parsecs'", "'-1s'", "'s'", "''", "true"] {
            assert_eq!(any_duration(wrong), None, "{wrong}");
        }
    }

    /// A product that does not fit is refused, not wrapped.
    #[test]
    fn sizes_need_a_known_unit_and_must_fit() {
        assert_eq!(any_size("'64KiB'"), Some(65_536));
        assert_eq!(any_size("'0B'"), Some(0));
        for wrong in ["64", "'64'", "'64KB'", "'18446744073709551615GiB'"] {
            assert_eq!(any_size(wrong), None, "{wrong}");
        }
    }

    /// Both ends of a range are in it; what is outside names the range.
    #[test]
    fn integers_are_held_to_their_range() {
        let port = |text: &str| with_value(text, |value| integer::<u16>(value, 1..=9));

        assert_eq!(port("1"), Ok(1));
        assert_eq!(port("0x9"), Ok(9));
        for wrong in ["0", "10", "-1", "1.5", "'1'"] {
            let expected = Err(Expected::from("an integer from 1 to 9"));
            assert_eq!(port(wrong), expected, "{wrong}");
        }
    }
}
