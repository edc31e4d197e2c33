//! The normative statements of both MQTT specifications, and where the tree cites them.
//!
//! An id such as `[MQTT-4.3.3-10]` is one of MQTT 5.0 (appendix B); 3.1.1 has ids of its own, which
//! the tree writes as `[3.1.1: MQTT-2.3.1-1]`. The tables list, for each section, the first and the
//! last number.

use std::collections::HashSet;

use crate::tree::SourceFile;

/// Where the statements that no test cites are listed, relative to the root.
pub const WITHOUT_A_TEST: &str = "tidy/statements-without-a-test.txt";

/// A section's statements: the section, the first number, the last number.
type Row = (&'static str, u16, u16);

const V5: &[Row] = &[
    ("1.5.4", 1, 3),
    ("1.5.5", 1, 1),
    ("1.5.7", 1, 1),
    ("2.1.3", 1, 1),
    ("2.2.1", 2, 6),
    ("2.2.2", 1, 1),
    ("3.1.0", 1, 2),
    ("3.1.2", 1, 30),
    ("3.1.3", 1, 13),
    ("3.1.4", 1, 6),
    ("3.2.0", 1, 2),
    ("3.2.2", 1, 22),
    ("3.3.1", 1, 13),
    ("3.3.2", 1, 20),
    ("3.3.4", 1, 10),
    ("3.4.2", 1, 3),
    ("3.5.2", 1, 3),
    ("3.6.1", 1, 1),
    ("3.6.2", 1, 3),
    ("3.7.2", 1, 3),
    ("3.8.1", 1, 1),
    ("3.8.3", 1, 5),
    ("3.8.4", 1, 8),
    ("3.9.2", 1, 2),
    ("3.9.3", 1, 2),
    ("3.10.1", 1, 1),
    ("3.10.3", 1, 2),
    ("3.10.4", 1, 6),
    ("3.11.2", 1, 2),
    ("3.11.3", 1, 2),
    ("3.12.4", 1, 1),
    ("3.14.0", 1, 1),
    ("3.14.1", 1, 1),
    ("3.14.2", 1, 4),
    ("3.14.4", 1, 3),
    ("3.15.1", 1, 1),
    ("3.15.2", 1, 3),
    ("4.1.0", 1, 2),
    ("4.2.0", 1, 1),
    ("4.3.1", 1, 1),
    ("4.3.2", 1, 5),
    ("4.3.3", 1, 13),
    ("4.4.0", 1, 2),
    ("4.5.0", 1, 2),
    ("4.6.0", 1, 6),
    ("4.7.0", 1, 1),
    ("4.7.1", 1, 2),
    ("4.7.2", 1, 1),
    ("4.7.3", 1, 4),
    ("4.8.2", 1, 6),
    ("4.9.0", 1, 3),
    ("4.12.0", 1, 7),
    ("4.12.1", 1, 2),
    ("4.13.1", 1, 1),
    ("4.13.2", 1, 1),
    ("6.0.0", 1, 4),
];

const V3_1_1: &[Row] = &[
    ("1.5.3", 1, 3),
    ("2.2.2", 1, 2),
    ("2.3.1", 1, 7),
    ("3.1.0", 1, 2),
    ("3.1.2", 1, 24),
    ("3.1.3", 1, 11),
    ("3.1.4", 1, 5),
    ("3.2.0", 1, 1),
    ("3.2.2", 1, 6),
    ("3.3.1", 1, 12),
    ("3.3.2", 1, 4),
    ("3.3.4", 1, 1),
    ("3.3.5", 1, 2),
    ("3.6.1", 1, 1),
    ("3.8.1", 1, 1),
    ("3.8.3", 1, 4),
    ("3.8.4", 1, 6),
    ("3.9.3", 1, 2),
    ("3.10.1", 1, 1),
    ("3.10.3", 1, 2),
    ("3.10.4", 1, 6),
    ("3.12.4", 1, 1),
    ("3.14.1", 1, 1),
    ("3.14.4", 1, 3),
    ("4.1.0", 1, 2),
    ("4.3.1", 1, 1),
    ("4.3.2", 1, 2),
    ("4.3.3", 1, 2),
    ("4.4.0", 1, 1),
    ("4.5.0", 1, 2),
    ("4.6.0", 1, 6),
    ("4.7.1", 1, 3),
    ("4.7.2", 1, 1),
    ("4.7.3", 1, 4),
    ("4.8.0", 1, 2),
    ("6.0.0", 1, 4),
    ("7.0.0", 1, 2),
    ("7.1.1", 1, 1),
    ("7.1.2", 1, 1),
];

/// A statement id as the tree writes it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Citation {
    /// The id, `MQTT-4.3.3-10`, with `3.1.1: ` before it if it is one of MQTT 3.1.1.
    pub id: String,
    /// Where it stands: file and line.
    pub place: String,
    /// Whether it stands in a test.
    pub is_in_test: bool,
}

impl Citation {
    /// Whether the specification has a statement of this id.
    pub fn exists(&self) -> bool {
        match self.id.strip_prefix("3.1.1: ") {
            Some(id) => is_in(V3_1_1, id),
            None => is_in(V5, &self.id),
        }
    }
}

/// Every statement id of MQTT 5.0 and of MQTT 3.1.1, as the tree writes them.
pub fn all() -> impl Iterator<Item = String> {
    let ids = |rows: &'static [Row], prefix: &'static str| {
        rows.iter().flat_map(move |&(section, first, last)| {
            (first..=last).map(move |number| format!("{prefix}MQTT-{section}-{number}"))
        })
    };
    ids(V5, "").chain(ids(V3_1_1, "3.1.1: "))
}

/// The ids that no test of `files` cites, in the order of [`all`]. This crate's own files do not count.
pub fn without_a_test(files: &[SourceFile]) -> Vec<String> {
    let ours = |file: &&SourceFile| !file.path.starts_with("tidy/");
    let cited: HashSet<String> = files
        .iter()
        .filter(ours)
        .flat_map(citations)
        .filter(|citation| citation.is_in_test)
        .map(|citation| citation.id)
        .collect();
    all().filter(|id| !cited.contains(id)).collect()
}

/// Every statement id in square brackets in `file`.
pub fn citations(file: &SourceFile) -> Vec<Citation> {
    let is_test_file = file.path.contains("/tests/");
    let mut in_test_module = false;
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        in_test_module |= line.trim_start().starts_with("#[cfg(test)]");
        for id in bracketed(line).filter(|id| looks_like_an_id(id)) {
            found.push(Citation {
                id: id.to_owned(),
                place: format!("{}:{}", file.path, index + 1),
                is_in_test: is_test_file || in_test_module,
            });
        }
    }
    found
}

fn bracketed(line: &str) -> impl Iterator<Item = &str> {
    line.split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(']'))
        .map(|(inside, _)| inside)
}

/// Whether it is meant as an id: a range or an ellipsis in a comment is not.
fn looks_like_an_id(text: &str) -> bool {
    let id = text.strip_prefix("3.1.1: ").unwrap_or(text);
    let digits = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    id.strip_prefix("MQTT-")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(digits))
}

fn is_in(rows: &[Row], id: &str) -> bool {
    let Some((section, number)) = id.strip_prefix("MQTT-").and_then(|id| id.rsplit_once('-'))
    else {
        return false;
    };
    let Ok(number) = number.parse::<u16>() else {
        return false;
    };
    rows.iter()
        .any(|row| row.0 == section && (row.1..=row.2).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "a/src/b.rs".to_owned(),
            text: text.to_owned(),
        }
    }

    /// The ids of both specifications are told apart by the prefix.
    #[test]
    fn an_id_exists_in_its_own_version_only() {
        let found = citations(&file(
            "// [MQTT-1.5.4-1] [MQTT-1.5.3-1] [3.1.1: MQTT-1.5.3-1]",
        ));

        let exists: Vec<bool> = found.iter().map(Citation::exists).collect();

        assert_eq!(exists, [true, false, true]);
    }

    /// A number beyond the section's last is not one.
    #[test]
    fn a_number_beyond_the_last_does_not_exist() {
        let found = citations(&file("/// [MQTT-4.3.3-13] and [MQTT-4.3.3-14]"));

        assert!(found[0].exists());
        assert!(!found[1].exists());
    }

    /// What follows `#[cfg(test)]` counts as a test.
    #[test]
    fn an_id_below_cfg_test_is_in_a_test() {
        let found = citations(&file("// [MQTT-2.2.1-3]\n#[cfg(test)]\n// [MQTT-2.2.1-4]"));

        assert_eq!(
            found.iter().map(|c| c.is_in_test).collect::<Vec<_>>(),
            [false, true]
        );
        assert_eq!(found[1].place, "a/src/b.rs:3");
    }
}
