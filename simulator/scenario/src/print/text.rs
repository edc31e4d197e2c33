//! A TOML file under construction: lines, pairs, inline tables.

use squall_toml::quantity::format_duration;
use squall_toml::quote::quote;
use std::fmt::{Display, Write as _};
use std::time::Duration;

/// A file under construction.
#[derive(Default)]
pub(super) struct Text {
    /// What has been written.
    pub(super) out: String,
}

impl Text {
    pub(super) fn line(&mut self, line: impl Display) {
        writeln!(self.out, "{line}").expect("a String takes any text");
    }

    pub(super) fn pair(&mut self, key: &str, value: impl Display) {
        self.line(pair(key, value));
    }

    pub(super) fn option(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.pair(key, value);
        }
    }

    pub(super) fn comment(&mut self, comment: &str) {
        self.line(format_args!("# {comment}"));
    }

    pub(super) fn header(&mut self, header: &str) {
        self.line(format_args!("\n{header}"));
    }
}

pub(super) fn pair(key: &str, value: impl Display) -> String {
    format!("{key} = {value}")
}

pub(super) fn duration(duration: Duration) -> String {
    quote(&format_duration(duration))
}

/// A number that TOML reads as a float or an integer, and back as the same number.
pub(super) fn float(number: f64) -> String {
    format!("{number:?}")
}

pub(super) fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// An inline table; `None` if it would be empty.
pub(super) fn table(pairs: impl Iterator<Item = String>) -> Option<String> {
    let pairs: Vec<String> = pairs.collect();
    (!pairs.is_empty()).then(|| format!("{{ {} }}", pairs.join(", ")))
}
