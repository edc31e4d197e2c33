//! The statement ids of the specification that the tree cites.

use std::collections::BTreeSet;
use std::fs;

use squall_tidy::{statements, tree};

fn citations() -> Vec<statements::Citation> {
    let files = tree::source_files();
    files
        .iter()
        .filter(|file| !file.path.starts_with("tidy/"))
        .flat_map(statements::citations)
        .collect()
}

/// An id that the specification does not have leads the reader nowhere.
#[test]
fn every_cited_statement_exists() {
    let wrong: Vec<String> = citations()
        .iter()
        .filter(|citation| !citation.exists())
        .map(|citation| format!("{}: [{}]", citation.place, citation.id))
        .collect();

    assert!(wrong.is_empty(), "no such statement:\n{}", wrong.join("\n"));
}

/// What no test shows is written down, so that it is not taken for shown.
#[test]
fn the_list_of_statements_without_a_test_is_true() {
    let untested: BTreeSet<String> = statements::without_a_test(&tree::source_files())
        .into_iter()
        .collect();

    let path = tree::root().join(statements::WITHOUT_A_TEST);
    let listed = fs::read_to_string(&path).expect("the list exists");

    let listed: BTreeSet<String> = listed
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let tested_now: Vec<_> = listed.difference(&untested).collect();
    let missing: Vec<_> = untested.difference(&listed).collect();
    assert!(
        tested_now.is_empty() && missing.is_empty(),
        "{0} is not true: run `cargo run -p squall-tidy > {0}`\ntested now: {tested_now:?}\n\
         no longer tested: {missing:?}",
        statements::WITHOUT_A_TEST
    );
}
