//! One value of one kind, within its range.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::mistake::Mistake;
use crate::node::{Node, Value};
use crate::quantity::{
    Quantity, UnitError, format_duration, format_size, parse_duration, parse_size,
};

/// A whole number within `range`, as the type that the setting has.
///
/// # Errors
/// [`Mistake::WrongType`] or [`Mistake::OutOfRange`].
pub fn integer<T: TryFrom<u64>>(node: &Node, range: RangeInclusive<u64>) -> Result<T, Mistake> {
    let Value::Integer(number) = node.value else {
        return Err(node.wrong_type("an integer"));
    };
    u64::try_from(number)
        .ok()
        .filter(|number| range.contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| Mistake::OutOfRange {
            value: number.to_string(),
            range: format!("from {} to {}", range.start(), range.end()),
        })
}

/// `true` or `false`.
///
/// # Errors
/// [`Mistake::WrongType`].
pub fn boolean(node: &Node) -> Result<bool, Mistake> {
    match node.value {
        Value::Bool(value) => Ok(value),
        Value::Integer(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Datetime
        | Value::Array(_)
        | Value::Table(_) => Err(node.wrong_type("true or false")),
    }
}

/// A text of any content.
///
/// # Errors
/// [`Mistake::WrongType`], with `expected` for what belongs there.
pub fn text<'n>(node: &'n Node, expected: &str) -> Result<&'n str, Mistake> {
    node.as_str().ok_or_else(|| node.wrong_type(expected))
}

/// One of `words`: the value beside the word that was written.
///
/// # Errors
/// [`Mistake::WrongType`], or [`Mistake::UnknownValue`] of `key`.
pub fn word<T: Copy>(node: &Node, key: &str, words: &[(&str, T)]) -> Result<T, Mistake> {
    let written = text(node, "a string")?;
    words
        .iter()
        .find(|(word, _)| *word == written)
        .map(|&(_, value)| value)
        .ok_or_else(|| Mistake::UnknownValue {
            key: key.to_owned(),
            value: written.to_owned(),
            known: words.iter().map(|(word, _)| (*word).to_owned()).collect(),
        })
}

/// A duration within `range`.
///
/// # Errors
/// [`Mistake::WrongType`], [`Mistake::BadQuantity`] or [`Mistake::OutOfRange`].
pub fn duration(node: &Node, range: RangeInclusive<Duration>) -> Result<Duration, Mistake> {
    let duration = quantity(node, Quantity::Duration, parse_duration)?;
    in_range(duration, range, format_duration)
}

/// A size within `range` bytes, as the type that the setting has.
///
/// # Errors
/// [`Mistake::WrongType`], [`Mistake::BadQuantity`] or [`Mistake::OutOfRange`].
pub fn size<T: TryFrom<u64>>(node: &Node, range: RangeInclusive<u64>) -> Result<T, Mistake> {
    let bytes = quantity(node, Quantity::Size, parse_size)?;
    let bytes = in_range(bytes, range.clone(), format_size)?;
    T::try_from(bytes).map_err(|_| out_of_range(bytes, range, format_size))
}

/// `value`, if it is within `range`; `print` says how to write it.
///
/// # Errors
/// [`Mistake::OutOfRange`].
pub fn in_range<T: Copy + PartialOrd>(
    value: T,
    range: RangeInclusive<T>,
    print: fn(T) -> String,
) -> Result<T, Mistake> {
    match range.contains(&value) {
        true => Ok(value),
        false => Err(out_of_range(value, range, print)),
    }
}

fn out_of_range<T: Copy>(value: T, range: RangeInclusive<T>, print: fn(T) -> String) -> Mistake {
    Mistake::OutOfRange {
        value: print(value),
        range: format!("from {} to {}", print(*range.start()), print(*range.end())),
    }
}

fn quantity<T>(
    node: &Node,
    quantity: Quantity,
    parse: fn(&str) -> Result<T, UnitError>,
) -> Result<T, Mistake> {
    let text = text(node, quantity.expected())?;
    parse(text).map_err(|error| Mistake::BadQuantity {
        quantity,
        value: text.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> Node {
        Node::parse_value(text, 0).unwrap()
    }

    /// Both ends of a range are in it; a value outside names the range.
    #[test]
    fn integers_are_held_to_their_range() {
        let port = |text: &str| integer::<u16>(&node(text), 1..=9);

        assert_eq!(port("1"), Ok(1));
        assert_eq!(port("0x9"), Ok(9));
        for wrong in ["0", "10", "-1"] {
            let error = port(wrong).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("{wrong} is out of range, it must be from 1 to 9")
            );
        }
        for (wrong, found) in [("1.5", "a float"), ("'1'", "a string")] {
            let error = port(wrong).unwrap_err().to_string();
            assert_eq!(error, format!("expected an integer, found {found}"));
        }
    }

    /// A range beyond the type of the setting is cut to what fits.
    #[test]
    fn a_value_that_its_type_cannot_hold_is_out_of_range() {
        let number = integer::<u8>(&node("256"), 0..=u64::MAX);
        let bytes = size::<u8>(&node("'1KiB'"), 0..=u64::MAX);

        assert!(matches!(number, Err(Mistake::OutOfRange { .. })));
        assert!(matches!(bytes, Err(Mistake::OutOfRange { .. })));
    }

    #[test]
    fn a_quantity_has_a_range_and_a_unit() {
        let seconds = |text: &str| {
            let range = Duration::from_secs(1)..=Duration::from_secs(90);
            duration(&node(text), range).map_err(|error| error.to_string())
        };

        assert_eq!(seconds("'1m30s'"), Ok(Duration::from_secs(90)));
        assert_eq!(
            seconds("'1.5h'").unwrap_err(),
            "1h30m is out of range, it must be from 1s to 1m30s"
        );
        assert_eq!(
            size::<u64>(&node("'1KB'"), 0..=999)
                .unwrap_err()
                .to_string(),
            "1KB is out of range, it must be from 0B to 999B"
        );
        assert!(seconds("'90'").unwrap_err().contains("the unit is missing"));
        assert!(seconds("90").unwrap_err().contains("found an integer"));
    }

    #[test]
    fn a_word_is_one_of_those_known() {
        let words = [("on", 1), ("off", 0)];

        assert_eq!(word(&node("'off'"), "switch", &words), Ok(0));
        assert_eq!(
            word(&node("'of'"), "switch", &words),
            Err(Mistake::UnknownValue {
                key: "switch".to_owned(),
                value: "of".to_owned(),
                known: vec!["on".to_owned(), "off".to_owned()],
            })
        );
    }
}
