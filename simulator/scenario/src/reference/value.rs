//! What a value may be, in words: its kind, its unit and its range.

use serde_json::Value as Json;
use squall_toml::quantity::Quantity;

use crate::file::quantity_of;

/// What kind of value a scalar, a list or a free table is: `a whole number from 1 to 65535`.
pub(super) fn kind(schema: &Json, item: Option<&str>) -> String {
    let format = schema.get("format").and_then(Json::as_str);
    if let Some(quantity) = format.and_then(quantity_of) {
        return match quantity {
            Quantity::Duration => "a duration",
            Quantity::Size => "a size",
            Quantity::BitRate => "a bit rate",
        }
        .to_owned();
    }
    match schema.get("type").and_then(Json::as_str) {
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("integer") => ranged("a whole number", schema),
        Some("number") => ranged("a number", schema),
        Some("array") => format!("a list, each {}", item.unwrap_or("a value")),
        Some("object") => format!("names, each with {}", item.unwrap_or("a value")),
        _ => "a text".to_owned(),
    }
}

fn ranged(kind: &str, schema: &Json) -> String {
    let limit = |name| schema.get(name).and_then(Json::as_f64);
    let highest = match schema.get("format").and_then(Json::as_str) {
        Some("uint8") => Some(f64::from(u8::MAX)),
        Some("uint16") => Some(f64::from(u16::MAX)),
        Some("uint32") => Some(f64::from(u32::MAX)),
        _ => None,
    };
    let least = limit("minimum").map(|least| format!("at least {least}"));
    let least = least.or(limit("exclusiveMinimum").map(|least| format!("above {least}")));
    let most = limit("maximum")
        .or(highest)
        .map(|most| format!("at most {most}"));
    let most = most.or(limit("exclusiveMaximum").map(|most| format!("below {most}")));
    let range: Vec<String> = least.into_iter().chain(most).collect();
    match (limit("minimum"), limit("maximum")) {
        (Some(least), Some(most)) if least == most => format!("`{least}`"),
        _ if range.is_empty() => kind.to_owned(),
        _ => format!("{kind}, {}", range.join(" and ")),
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
