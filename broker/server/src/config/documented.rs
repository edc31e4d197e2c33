//! `squall-broker.toml`: every key with its meaning and its default.

use squall_toml::at::KeyPath;

/// The documented file.
pub(super) const TEXT: &str = include_str!("../../squall-broker.toml");

/// The line that sets the key at `at`, as `port = 1883`; for a section its header. `None` if there is
/// no such key.
pub(super) fn line_of(at: &KeyPath) -> Option<String> {
    let (section, key) = at.keys().split_once('.').unwrap_or((at.keys(), ""));
    let header = format!("[{section}]");
    let mut lines = TEXT.lines().skip_while(|line| *line != header);
    let found = match key {
        "" => lines.next(),
        key => lines
            .skip(1)
            .take_while(|line| !line.starts_with('['))
            .find(|line| line.split(" = ").next() == Some(key)),
    };
    found.map(str::to_owned)
}
