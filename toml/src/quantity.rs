//! Quantities with units: `"250ms"`, `"64KiB"`, `"256kbit/s"`.
//!
//! A bare number is never a quantity: a reader must not have to guess its unit. What is printed is
//! what is parsed: [`format_duration`] and its siblings give a text that reads back as the same
//! value.

use std::time::Duration;

/// Nanoseconds per unit of time, longest first: the order to print in.
const TIME_UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Nanoseconds per second.
const SECOND: u64 = 1_000_000_000;

/// Bytes per unit of size, largest first.
const SIZE_UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// Bits per second per unit of rate, largest first.
const BIT_RATE_UNITS: [(&str, u64); 4] = [
    ("gbit/s", 1_000_000_000),
    ("mbit/s", 1_000_000),
    ("kbit/s", 1_000),
    ("bit/s", 1),
];

/// The longest time that a file may name: a year.
const DURATION_MAX: Duration = Duration::from_secs(366 * 86_400);

/// Why a text is not a quantity.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnitError {
    /// No number where one should begin.
    #[error("a number is missing")]
    NoNumber,
    /// A number without a unit.
    #[error("the unit is missing")]
    NoUnit,
    /// What follows the number is not a unit of this quantity.
    #[error("unknown unit")]
    UnknownUnit,
    /// A comma between the digits.
    #[error("the decimal point is a `.`")]
    DecimalComma,
    /// Beyond 64 bits of the smallest unit, or a time of more than a year.
    #[error("too large")]
    TooLarge,
    /// Finer than the smallest unit.
    #[error("finer than the smallest unit")]
    TooFine,
}

/// What kind of quantity a text should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Quantity {
    /// A span of time.
    Duration,
    /// A number of bytes.
    Size,
    /// Bits per second.
    BitRate,
}

impl Quantity {
    /// What a correct text looks like, for error messages.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Duration => {
                "a duration such as \"250ms\", \"10s\" or \"1m30s\" (ns, us, ms, s, m, h, d)"
            }
            Self::Size => "a size such as \"16B\" or \"64KiB\" (B, KB, KiB, MB, MiB, GB, GiB)",
            Self::BitRate => "a bit rate such as \"256kbit/s\" (bit/s, kbit/s, mbit/s, gbit/s)",
        }
    }

    /// Whether `text` is such a quantity.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(self, text: &str) -> Result<(), UnitError> {
        match self {
            Self::Duration => parse_duration(text).map(drop),
            Self::Size => parse_size(text).map(drop),
            Self::BitRate => parse_bit_rate(text).map(drop),
        }
    }
}

/// A time: one or more numbers with units, added up. At most a year, no finer than a nanosecond.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let mut rest = text.trim();
    let mut nanos = 0_u64;
    loop {
        let (number, after) = split_number(rest)?;
        let unit_length = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_length);
        let unit = match unit.trim() {
            "µs" => "us",
            unit => unit,
        };
        let part = scale(number, factor(unit, &TIME_UNITS)?)?;
        nanos = nanos.checked_add(part).ok_or(UnitError::TooLarge)?;
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let duration = Duration::from_nanos(nanos);
    if duration > DURATION_MAX {
        return Err(UnitError::TooLarge);
    }
    Ok(duration)
}

/// A number of bytes.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split_number(text.trim())?;
    scale(number, factor(unit.trim(), &SIZE_UNITS)?)
}

/// Bits per second. Capitals are as good as small letters.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_bit_rate(text: &str) -> Result<u64, UnitError> {
    let (number, unit) = split_number(text.trim())?;
    let unit = unit.trim().to_ascii_lowercase();
    scale(number, factor(&unit, &BIT_RATE_UNITS)?)
}

/// A text that [`parse_duration`] reads as `duration`: `1m30s`, `1.5s`, `250ms`.
pub fn format_duration(duration: Duration) -> String {
    let mut nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    if nanos == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, per_unit) in TIME_UNITS {
        let count = nanos / per_unit;
        if count == 0 {
            continue;
        }
        let rest = nanos % per_unit;
        if per_unit <= SECOND {
            // Below a second a fraction reads better than one more unit.
            let digits = per_unit.ilog10() as usize;
            let fraction = match digits {
                0 => String::new(),
                digits => format!(".{rest:0digits$}"),
            };
            let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
            text.push_str(&format!("{count}{fraction}{unit}"));
            break;
        }
        text.push_str(&format!("{count}{unit}"));
        nanos = rest;
    }
    text
}

/// The text with the largest unit that [`parse_size`] reads as `bytes`, in whole numbers.
pub fn format_size(bytes: u64) -> String {
    format_whole(bytes, &SIZE_UNITS)
}

/// The text with the largest unit that [`parse_bit_rate`] reads as `bits_per_second`, in whole
/// numbers.
pub fn format_bit_rate(bits_per_second: u64) -> String {
    format_whole(bits_per_second, &BIT_RATE_UNITS)
}

fn format_whole(number: u64, units: &[(&str, u64)]) -> String {
    let (unit, per_unit) = units
        .iter()
        .find(|(_, per_unit)| number >= *per_unit && number.is_multiple_of(*per_unit))
        .or(units.last())
        .expect("every table of units has an entry");
    format!("{}{unit}", number / per_unit)
}

/// A decimal number as it was written.
#[derive(Clone, Copy)]
struct Decimal<'t> {
    /// The digits before the point, at least one.
    whole: &'t str,
    /// The digits behind it.
    fraction: &'t str,
}

/// The decimal number at the beginning of `text`, and what follows it.
fn split_number(text: &str) -> Result<(Decimal<'_>, &str), UnitError> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let has_point = number.contains('.');
    if whole.is_empty() || fraction.contains('.') || (has_point && fraction.is_empty()) {
        return Err(UnitError::NoNumber);
    }
    Ok((Decimal { whole, fraction }, rest))
}

fn factor(unit: &str, units: &[(&str, u64)]) -> Result<u64, UnitError> {
    if unit.is_empty() {
        return Err(UnitError::NoUnit);
    }
    if unit.starts_with(',') {
        return Err(UnitError::DecimalComma);
    }
    units
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|&(_, factor)| factor)
        .ok_or(UnitError::UnknownUnit)
}

/// `number` times `factor`, exactly.
fn scale(number: Decimal<'_>, factor: u64) -> Result<u64, UnitError> {
    let Decimal { whole, fraction } = number;
    let fraction = fraction.trim_end_matches('0');
    let whole: u128 = whole.parse().map_err(|_| UnitError::TooLarge)?;
    let power = u32::try_from(fraction.len()).map_err(|_| UnitError::TooFine)?;
    let divisor = 10_u128.checked_pow(power).ok_or(UnitError::TooFine)?;
    let digits: u128 = match fraction {
        "" => 0,
        digits => digits.parse().map_err(|_| UnitError::TooFine)?,
    };
    let parts = digits
        .checked_mul(factor.into())
        .ok_or(UnitError::TooFine)?;
    if parts % divisor != 0 {
        return Err(UnitError::TooFine);
    }
    whole
        .checked_mul(factor.into())
        .and_then(|product| product.checked_add(parts / divisor))
        .and_then(|product| u64::try_from(product).ok())
        .ok_or(UnitError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, nanos) in [
            ("0s", 0),
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("1m30s", 90_000_000_000),
            ("20us", 20_000),
            ("20µs", 20_000),
            ("2h", 7_200_000_000_000),
            (" 1 m 30s ", 90_000_000_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_nanos(nanos)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_that_is_not_a_duration_says_why() {
        for (text, error) in [
            ("", UnitError::NoNumber),
            ("fast", UnitError::NoNumber),
            ("-1s", UnitError::NoNumber),
            ("1.s", UnitError::NoNumber),
            ("250", UnitError::NoUnit),
            ("1m30", UnitError::NoUnit),
            ("5 parsecs", UnitError::UnknownUnit),
            ("1,5s", UnitError::DecimalComma),
            ("5KiB", UnitError::UnknownUnit),
            ("0.5ns", UnitError::TooFine),
            ("400d", UnitError::TooLarge),
            (
                "99999999999999999999999999999999999999999d",
                UnitError::TooLarge,
            ),
        ] {
            assert_eq!(parse_duration(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_duration_is_printed_as_a_person_would_write_it() {
        for (nanos, text) in [
            (0, "0s"),
            (90_000_000_000, "1m30s"),
            (1_500_000_000, "1.5s"),
            (60_500_000_000, "1m500ms"),
            (250_000_000, "250ms"),
            (1_250_000, "1.25ms"),
            (7, "7ns"),
        ] {
            assert_eq!(format_duration(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn sizes_tell_powers_of_two_from_powers_of_ten() {
        assert_eq!(parse_size("16B"), Ok(16));
        assert_eq!(parse_size("64KiB"), Ok(65_536));
        assert_eq!(parse_size("64KB"), Ok(64_000));
        assert_eq!(parse_size("1.5 MiB"), Ok(1_572_864));
        assert_eq!(parse_size("16"), Err(UnitError::NoUnit));
        assert_eq!(parse_size("16b"), Err(UnitError::UnknownUnit));
    }

    #[test]
    fn bit_rates_are_bits_per_second() {
        assert_eq!(parse_bit_rate("256kbit/s"), Ok(256_000));
        assert_eq!(parse_bit_rate("1mbit/s"), Ok(1_000_000));
        assert_eq!(parse_bit_rate("1.5Mbit/s"), Ok(1_500_000));
        assert_eq!(parse_bit_rate("1MB/s"), Err(UnitError::UnknownUnit));
    }

    proptest::proptest! {
        /// What is printed reads back as the same value.
        #[test]
        fn printed_quantities_read_back(nanos in 0_u64..30_000_000_000_000_000, n: u64) {
            let duration = Duration::from_nanos(nanos);
            proptest::prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
            proptest::prop_assert_eq!(parse_size(&format_size(n)), Ok(n));
            proptest::prop_assert_eq!(parse_bit_rate(&format_bit_rate(n)), Ok(n));
        }

        /// No text makes a parser panic.
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC{0,20}") {
            let _ = parse_duration(&text);
            let _ = parse_size(&text);
            let _ = parse_bit_rate(&text);
        }
    }
}
