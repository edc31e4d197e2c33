//! `extends = "base.toml"`: a scenario that says only in what it differs from another.
//!
//! Tables are put together key by key, and lists of blocks with names (`network`, `group`, `fault`) name by name: what the
//! extending file says comes before what its base says. Blocks without a name, as `[[expect]]`, follow those of the base. Everything
//! else that it writes stands in place of what the base has, whole lists included.

use squall_toml::at::At;
use squall_toml::document::Document;
use squall_toml::node::{Entry, Node, Value};
use squall_toml::source::Sources;

use crate::Surroundings;
use crate::error::{Diagnostics, Problem, ScenarioErrors};

/// Lists of blocks: those with names are merged by them, others are added.
const BLOCKS: [&str; 4] = ["network", "group", "fault", "expect"];

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
        let is_met = |known: &str| plain(known) == plain(&path);
        if is_met(&own) || bases.iter().any(|base| is_met(base)) {
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
        refuse_equal_names(document, diagnostics);
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

/// `path` without `.`, and without `..` where what it leaves is written: two spellings of one file are one.
fn plain(path: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| *part != ".") {
        match (part, parts.last()) {
            ("..", Some(&left)) if left != ".." && !left.is_empty() => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts
}

/// Notes blocks of one name in the file `over`, which would be told to lack what the base says of the first of them.
fn refuse_equal_names(over: &Node, diagnostics: &mut Diagnostics) {
    for kind in BLOCKS {
        let at_list = At::root(over).key(kind);
        let items = over.get(kind).map(Node::items).unwrap_or_default();
        for (index, item) in items.iter().enumerate() {
            let mut earlier = items.iter().take(index).filter_map(name_of);
            if let Some(name) = name_of(item)
                && earlier.any(|other| other == name)
            {
                let at = at_list.item(index).key("name");
                diagnostics.value(&at, Problem::DuplicateName { kind, name });
            }
        }
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
            Some((Value::Array(known), _)) if is_of_blocks(&entry) => {
                merge_blocks(known, entry);
            }
            Some(_) | None => put(base, entry),
        }
    }
}

/// Whether it is a list of blocks that are put together one by one: not an empty one, which is written to have none.
fn is_of_blocks(over: &Entry) -> bool {
    BLOCKS.contains(&over.key.as_str()) && !over.node.items().is_empty()
}

/// Merges blocks with those of the base that have their names, and appends the others. A name that comes twice in one file
/// is that file's mistake: only the first one is merged.
fn merge_blocks(known: &mut Vec<Node>, over: Entry) {
    let Value::Array(items) = over.node.value else {
        return;
    };
    let mut open: Vec<Option<String>> = known.iter().map(name_of).collect();
    for item in items {
        let name = name_of(&item);
        let same = open.iter_mut().position(|of| of.is_some() && *of == name);
        match same {
            Some(place) => {
                open[place] = None;
                merge(&mut known[place], item);
            }
            None => known.push(item),
        }
    }
}

fn name_of(block: &Node) -> Option<String> {
    block.get("name").and_then(Node::as_str).map(str::to_owned)
}
