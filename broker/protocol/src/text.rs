//! What a UTF-8 string may contain (§1.5.4).
//!
//! The null character must not be there [MQTT-1.5.4-2]. Control characters and non-characters
//! should not be sent and may be refused; they are refused, so that none is ever forwarded. The
//! byte order mark is a character like any other [MQTT-1.5.4-3].

/// A character that a string of the protocol must not or should not have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Disallowed {
    /// U+0000.
    Null,
    /// U+0001 to U+001F, U+007F to U+009F, or a non-character such as U+FFFF.
    CodePoint(char),
}

/// Errors with the first character of `text` that is not allowed.
#[inline]
pub(crate) fn check(text: &str) -> Result<(), Disallowed> {
    let mut is_plain = true;
    // No early exit: this way the loop is done in vectors.
    for &byte in text.as_bytes() {
        is_plain &= matches!(byte, b' '..=b'~');
    }
    if is_plain {
        return Ok(());
    }
    check_characters(text)
}

fn check_characters(text: &str) -> Result<(), Disallowed> {
    for character in text.chars() {
        if character == '\0' {
            return Err(Disallowed::Null);
        }
        if character.is_control() || is_non_character(character) {
            return Err(Disallowed::CodePoint(character));
        }
    }
    Ok(())
}

/// The 66 non-characters of Unicode: U+FDD0 to U+FDEF and the last two of every plane.
fn is_non_character(character: char) -> bool {
    let code_point = u32::from(character);
    matches!(code_point, 0xFDD0..=0xFDEF) || code_point & 0xFFFE == 0xFFFE
}
