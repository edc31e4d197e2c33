//! What a file may be called and how long it may get.

use squall_tidy::tree;

/// Longer files hide a second noun.
const LINES_MAX: usize = 800;

/// Names that say nothing about what is inside.
const VAGUE_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "types", "misc",
];

/// A file has one noun and fits in a reader's head.
#[test]
fn no_file_is_longer_than_800_lines() {
    let long: Vec<String> = tree::source_files()
        .iter()
        .map(|file| (file.text.lines().count(), &file.path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();

    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// A newcomer finds a thing by its file's name.
#[test]
fn no_file_has_a_vague_name() {
    let vague: Vec<String> = tree::source_files()
        .into_iter()
        .map(|file| file.path)
        .filter(|path| {
            path.split('/')
                .any(|part| VAGUE_NAMES.contains(&part.trim_end_matches(".rs")))
        })
        .collect();

    assert!(vague.is_empty(), "{}", vague.join("\n"));
}

/// Every file of a crate says what it owns before its first line of code.
#[test]
fn every_file_begins_with_a_module_header() {
    let bare: Vec<String> = tree::source_files()
        .into_iter()
        .filter(|file| !file.text.trim_start().starts_with("//!"))
        .map(|file| file.path)
        .collect();

    assert!(
        bare.is_empty(),
        "without a `//!` header:\n{}",
        bare.join("\n")
    );
}

/// A test that sleeps, is ignored or is unfinished proves nothing.
#[test]
fn no_test_sleeps_or_is_ignored() {
    // In two parts, so that this file does not name them itself.
    let banned = [
        ["thread::", "sleep"],
        ["time::", "sleep("],
        ["#[", "ignore"],
        ["todo", "!("],
    ]
    .map(|parts| parts.concat());
    let mut found = Vec::new();
    for file in tree::source_files() {
        let test_start = match file.path.contains("/tests/") {
            true => Some(0),
            false => file.text.find("#[cfg(test)]"),
        };
        let Some(start) = test_start else { continue };
        for word in banned
            .iter()
            .filter(|word| file.text[start..].contains(word.as_str()))
        {
            found.push(format!("{}: {word}", file.path));
        }
    }

    assert!(found.is_empty(), "{}", found.join("\n"));
}
