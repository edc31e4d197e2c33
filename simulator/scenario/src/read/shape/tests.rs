//! Every key has an example, and the example fits.

use indexmap::IndexMap;
use squall_toml::at::KeyPath;
use squall_toml::source::Sources;

use super::*;
use crate::file::examples;
use crate::file::schema::shape_schema;

/// Each key of the schema below `path`, with the schema of its value.
fn keys<'s>(
    root: &'s Json,
    schema: &'s Json,
    path: &KeyPath,
    found: &mut IndexMap<KeyPath, Vec<&'s Json>>,
) {
    let schema = referred(root, schema);
    for choice in choices(root, schema).unwrap_or_default() {
        keys(root, choice, path, found);
    }
    if let Some(items) = schema.get("items") {
        keys(root, items, path, found);
    }
    let properties = schema.get("properties").and_then(Json::as_object);
    for (key, property) in properties.into_iter().flatten() {
        let path = path.key(key);
        found.entry(path.clone()).or_default().push(property);
        keys(root, property, &path, found);
    }
}

/// An error about a key shows an example to paste, so each key has one that is right.
#[test]
fn every_key_has_an_example_that_fits_its_schema() {
    let root = shape_schema();
    // A key of several variants has a schema for each.
    let mut found = IndexMap::new();
    keys(root, root, &KeyPath::default(), &mut found);
    assert!(found.len() > 100, "{}", found.len());
    let mut wrong = Vec::new();

    for (path, schemas) in found {
        let Some(example) = examples::of(&path) else {
            wrong.push(format!("{path} has no example"));
            continue;
        };
        let document = Node::parse_document(&example, 0).unwrap();
        let is_block = example.starts_with('[');
        let mut at = At::root(&document);
        let keys: Vec<&str> = path.keys().split('.').collect();
        // A line stands in its block, a block names all of its keys.
        let first = if is_block { 0 } else { keys.len() - 1 };
        for key in &keys[first..] {
            at = at.key(key);
        }
        let fits = |schema: &&Json| {
            let mut diagnostics = Diagnostics::default();
            Checker {
                root,
                diagnostics: &mut diagnostics,
            }
            .check(&at, schema);
            let sources = Sources::new("example", &example, &[]);
            diagnostics.finish(&sources).is_ok()
        };
        if !at.is_written() || !schemas.iter().any(fits) {
            wrong.push(format!("{path}: {example}"));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
