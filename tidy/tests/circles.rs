//! No two files or folders of a crate depend on each other.

use std::collections::BTreeSet;

use squall_tidy::imports::{self, Circle};
use squall_tidy::tree::{self, SourceFile};

/// Circles that may stay, each with the reason.
const ALLOWED: &[(&str, &[&str], &str)] = &[];

fn crates() -> Vec<String> {
    let manifest = tree::manifest(".");
    let members = manifest["workspace"]["members"]
        .as_array()
        .expect("a list of members");
    let members = members.iter().filter_map(toml::Value::as_str);
    members.map(str::to_owned).collect()
}

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn circle(folder: &str, parts: &[&str]) -> Circle {
    Circle {
        folder: folder.to_owned(),
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
    }
}

/// What is below does not know what is above: a reader can take a crate's parts in one order.
#[test]
fn no_parts_of_a_crate_depend_on_each_other_in_a_circle() {
    let files = tree::source_files();
    let allowed: BTreeSet<Circle> = ALLOWED
        .iter()
        .map(|(folder, parts, _reason)| circle(folder, parts))
        .collect();

    let found: BTreeSet<Circle> = crates()
        .iter()
        .flat_map(|folder| imports::circles(folder, &files))
        .collect();

    let is_within = |found: &Circle, allowed: &Circle| {
        found.folder == allowed.folder && found.parts.iter().all(|p| allowed.parts.contains(p))
    };
    let new: Vec<_> = found
        .iter()
        .filter(|found| !allowed.iter().any(|allowed| is_within(found, allowed)))
        .collect();
    assert!(new.is_empty(), "new circles: {new:#?}");
    let mended: Vec<_> = allowed
        .iter()
        .filter(|allowed| !found.iter().any(|found| is_within(found, allowed)))
        .collect();
    assert!(
        mended.is_empty(),
        "no longer there, take them off the list: {mended:#?}"
    );
}

/// Two files that name each other's items are a circle, however they name them.
#[test]
fn a_circle_of_files_is_found() {
    let files = [
        file(
            "c/src/lib.rs",
            "mod a;\nmod b;\nmod d;\npub use b::Thing;\n",
        ),
        file(
            "c/src/a.rs",
            "use std::fmt;\nuse crate::{Thing, d::Other};\n",
        ),
        file("c/src/b.rs", "fn f(x: super::a::Item) {}\n"),
        file("c/src/d.rs", "struct Other;\n"),
    ];

    assert_eq!(
        imports::circles("c", &files),
        [circle("c/src/", &["a", "b"])]
    );
}

/// A folder is one part for the files beside it, and has its own parts inside.
#[test]
fn a_circle_of_folders_is_found_and_one_inside_a_folder() {
    let files = [
        file("c/src/main.rs", "mod a;\nmod b;\n"),
        file("c/src/a/mod.rs", "mod x;\nmod y;\nuse x::{X, y};\n"),
        file(
            "c/src/a/x.rs",
            "use super::y::Y;\nuse crate::b::deep::{self, Z};\n",
        ),
        file("c/src/a/y.rs", "use super::x::X;\n"),
        file("c/src/b/mod.rs", "mod deep;\n"),
        file("c/src/b/deep.rs", "use crate::a::X;\n"),
    ];

    let found = imports::circles("c", &files);

    let expected = [
        circle("c/src/", &["a", "b"]),
        circle("c/src/a", &["x", "y"]),
    ];
    assert_eq!(found, expected);
}

/// Comments, tests and what a child takes from its parent's own file make no circle.
#[test]
fn what_is_not_a_dependency_makes_no_circle() {
    let files = [
        file("c/src/lib.rs", "mod a;\nmod b;\nstruct Root;\nuse a::A;\n"),
        file(
            "c/src/a.rs",
            "// use crate::b::B;\nuse super::Root;\n#[cfg(test)]\nmod tests { use crate::b::B; }\n",
        ),
        file("c/src/b.rs", "use crate::a::A;\n"),
        file("c/src/a/tests.rs", "use crate::b::B;\n"),
    ];

    assert_eq!(imports::circles("c", &files), []);
}
