//! `extends = "base.toml"`: a scenario that says only in what it differs from another.
//!
//! Tables are put together key by key, and lists of blocks with names (`network`, `group`, `fault`) name by name: what the
//! extending file says comes before what its base says. Its `[[expect]]` follow those of the base. Everything else that it
//! writes stands in place of what the base has, whole lists included.

use squall_toml::at::At;
use squall_toml::document::Document;
use squall_toml::node::{Entry, Node, Value};
use squall_toml::source::Sources;

use crate::Surroundings;
use crate::error::{Diagnostics, Problem, ScenarioErrors};

/// Most files in a row, each of which extends the next.
const BASES_MAX: usize = 10;

/// Puts what `document`, of the file `file_name`, does not say in from the files that it extends. Their names, nearest
/// first.
///
/// # Errors
/// A base that is not TOML. What is wrong with `extends` itself is noted.
pub(super) fn apply(
    document: &mut Node,
    sources: &mut Sources,
    surroundings: &dyn Surroundings,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<String>, ScenarioErrors> {
    let mut bases: Vec<String> = Vec::new();
    let own = sources.file_name().to_owned();
    let own = own
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default()
        .to_owned();
    while let Some(entry) = document.remove("extends") {
        let Some(written) = entry.node.as_str() else {
            // The check of the shape says what is wrong with it.
            put(document, entry);
            break;
        };
        let path = beside(bases.last().map_or("", String::as_str), written);
        let at = At::root(document).key("extends");
        let mut note = |what: String, remedy: &str| {
            let remedy = remedy.to_owned();
            let problem = Problem::Contradiction { what, remedy };
            diagnostics.push(entry.node.span.clone(), at.path().clone(), problem);
        };
        if path == own || bases.contains(&path) {
            note(
                format!("{path:?} extends itself, directly or through others"),
                "a base that extends none of the files that extend it",
            );
            break;
        }
        if bases.len() == BASES_MAX {
            note(
                format!("more than {BASES_MAX} files extend one another"),
                "fewer files in a row",
            );
            break;
        }
        let bytes = match surroundings.file(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                note(
                    format!("no base from {written:?}: {error}"),
                    "a file that squall can read; its path counts from the folder of the file that extends it",
                );
                break;
            }
        };
        let base = Document::read(&path, &bytes, &[])?;
        let offset = sources.push(&path, base.text());
        let mut node = base.node;
        node.shift(offset);
        merge(&mut node, std::mem::replace(document, Node::empty_table()));
        *document = node;
        bases.push(path);
    }
    Ok(bases)
}

/// The path that `written` stands for in the file `of`, as the scenario's folder sees it.
fn beside(of: &str, written: &str) -> String {
    match of.rsplit_once('/') {
        Some((folder, _)) if !written.starts_with('/') => format!("{folder}/{written}"),
        Some(_) | None => written.to_owned(),
    }
}

/// Puts `entry` into the table `node`, in place of one with the same key.
fn put(node: &mut Node, entry: Entry) {
    if let Value::Table(entries) = &mut node.value {
        match entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry,
            None => entries.push(entry),
        }
    }
}

/// Lets what `over` says come before what `base` says.
fn merge(base: &mut Node, over: Node) {
    base.span = over.span.clone();
    let (Value::Table(_), Value::Table(entries)) = (&base.value, over.value) else {
        return;
    };
    for entry in entries {
        let known = base.get_mut(&entry.key);
        match known.map(|known| (&mut known.value, known.span.clone())) {
            Some((Value::Table(_), _)) if entry.node.is_table() => {
                if let Some(known) = base.get_mut(&entry.key) {
                    merge(known, entry.node);
                }
            }
            Some((Value::Array(known), _)) if is_of_blocks(known, &entry.node) => {
                merge_blocks(known, entry);
            }
            Some(_) | None => put(base, entry),
        }
    }
}

/// Whether both are lists of tables that have names, or that are claims.
fn is_of_blocks(known: &[Node], over: &Node) -> bool {
    let has = |key: &str| {
        let mut all = known.iter().chain(over.items());
        all.all(|item| item.get(key).is_some())
    };
    !over.items().is_empty() && (has("name") || has("check"))
}

/// Merges blocks of one name, and appends the others.
fn merge_blocks(known: &mut Vec<Node>, over: Entry) {
    let Value::Array(items) = over.node.value else {
        return;
    };
    for item in items {
        let name = item.get("name").and_then(Node::as_str).map(str::to_owned);
        let same = known.iter_mut().find(|block| {
            name.is_some() && block.get("name").and_then(Node::as_str) == name.as_deref()
        });
        match same {
            Some(block) => merge(block, item),
            None => known.push(item),
        }
    }
}
