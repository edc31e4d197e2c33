//! Parts of the scenario format that are named in its documentation and not carried out yet.
//!
//! They are refused, never ignored: a file that asks for them would otherwise seem to have been
//! obeyed. Each entry leaves this list when the engine honours it.

/// Keys by the schema's name of their block; the file itself is the empty name.
const KEYS: [(&str, &[&str]); 2] = [("target", &["kill"]), ("network", &["partition"])];

/// Values by key.
const VALUES: [(&str, &[&str]); 1] = [("retransmit", &["same_connection"])];

/// Whether `key` of the block `block` is such a part.
pub(crate) fn is_key(block: &str, key: &str) -> bool {
    contains(&KEYS, block, key)
}

/// Whether `value` of the key `key` is such a part.
pub(crate) fn is_value(key: &str, value: &str) -> bool {
    contains(&VALUES, key, value)
}

fn contains(list: &[(&str, &[&str])], name: &str, word: &str) -> bool {
    list.iter()
        .any(|(listed, words)| *listed == name && words.contains(&word))
}
