//! Parts of the scenario format that are named in its documentation and not carried out yet.
//!
//! They are refused, never ignored: a file that asks for them would otherwise seem to have been
//! obeyed. Each entry leaves this list when the engine honours it.

/// Values by key.
const VALUES: [(&str, &[&str]); 1] = [("retransmit", &["same_connection"])];

/// Whether `value` of the key `key` is such a part.
pub(crate) fn is_value(key: &str, value: &str) -> bool {
    VALUES
        .iter()
        .any(|(listed, words)| *listed == key && words.contains(&value))
}
