//! Which files and folders of a crate use which, and the circles among them.
//!
//! The parts of a module are its child modules, each with everything below it: a file or a folder.
//! A part depends on another if any file in it names an item of the other, by a `use` or by a path
//! in the code. An item that a module hands on (`pub use`) counts as its owner's. What a child takes
//! from the file of its own parent is not counted: the `impl Broker` of ten child files has to name the
//! type of their parent. Tests are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::SourceFile;

/// Parts of one module that depend on each other in a circle.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Circle {
    /// The folder of the module, relative to the root.
    pub folder: String,
    /// The names of the parts, sorted.
    pub parts: Vec<String>,
}

/// A module's path inside its crate; empty for the crate's root.
type ModulePath = Vec<String>;

/// One file as a module: what it names, and what it hands on.
#[derive(Debug, Default)]
struct Module {
    /// Absolute paths inside the crate.
    names: BTreeSet<Vec<String>>,
    /// By the name it is handed on under: where it comes from.
    hands_on: BTreeMap<String, Vec<String>>,
}

/// The circles of the crate in `folder`, whose files are among `files`.
pub fn circles(folder: &str, files: &[SourceFile]) -> Vec<Circle> {
    let source = format!("{folder}/src/");
    let mut modules = BTreeMap::new();
    for file in files {
        let Some(path) = file.path.strip_prefix(&source) else {
            continue;
        };
        if path
            .split('/')
            .any(|part| part == "tests" || part == "tests.rs")
        {
            continue;
        }
        modules.insert(module_path(path), file.text.as_str());
    }
    let known: BTreeSet<ModulePath> = modules.keys().cloned().collect();
    let modules: BTreeMap<ModulePath, Module> = modules
        .into_iter()
        .map(|(path, text)| {
            let module = read(&path, text, &known);
            (path, module)
        })
        .collect();
    let mut found = Vec::new();
    for (parent, parts) in edges(&modules) {
        for circle in strongly_connected(&parts) {
            found.push(Circle {
                folder: format!("{source}{}", parent.join("/")),
                parts: circle,
            });
        }
    }
    found.sort();
    found
}

/// `broker/mod.rs` and `broker.rs` are both the module `broker`.
fn module_path(file: &str) -> ModulePath {
    let mut parts: ModulePath = file
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if parts
        .last()
        .is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main"))
    {
        parts.pop();
    }
    parts
}

/// By module: which of its parts uses which.
fn edges(
    modules: &BTreeMap<ModulePath, Module>,
) -> BTreeMap<ModulePath, BTreeMap<String, BTreeSet<String>>> {
    let mut edges: BTreeMap<ModulePath, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (path, module) in modules {
        for name in &module.names {
            let target = owner(name, modules);
            let shared = path.iter().zip(&target).take_while(|(a, b)| a == b).count();
            if shared < path.len() && shared < target.len() {
                let parts = edges.entry(path[..shared].to_vec()).or_default();
                let uses = parts.entry(path[shared].clone()).or_default();
                uses.insert(target[shared].clone());
            }
        }
    }
    edges
}

/// The module that an item belongs to, through any number of modules that hand it on.
fn owner(name: &[String], modules: &BTreeMap<ModulePath, Module>) -> ModulePath {
    let mut name = name.to_vec();
    // A longer chain would be a circle of `pub use`, which does not compile.
    for _ in 0..8 {
        let mut length = name.len();
        while !modules.contains_key(&name[..length]) {
            length -= 1;
        }
        let Some(item) = name.get(length) else {
            return name;
        };
        match modules[&name[..length]].hands_on.get(item) {
            Some(source) => {
                let rest = name[length + 1..].to_vec();
                name = source.iter().cloned().chain(rest).collect();
            }
            None => return name[..length].to_vec(),
        }
    }
    name
}

/// Reads one file: its imports and the paths in its code, up to its tests.
fn read(path: &ModulePath, text: &str, known: &BTreeSet<ModulePath>) -> Module {
    let code = without_comments(text);
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let mut module = Module::default();
    for statement in code.split(';') {
        let Some((is_public, tree)) = import(statement) else {
            continue;
        };
        for (name, alias) in expand(tree) {
            let Some(absolute) = absolute(path, &name, known) else {
                continue;
            };
            // Children see also what their parent imports for itself.
            module.hands_on.insert(alias, absolute.clone());
            if !is_public {
                module.names.insert(absolute);
            }
        }
    }
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let is_whole =
                !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            let end = code[at..]
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                .map_or(code.len(), |length| at + length);
            let name: Vec<String> = code[at..end]
                .split("::")
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect();
            if is_whole && let Some(absolute) = absolute(path, &name, known) {
                module.names.insert(absolute);
            }
        }
    }
    module
}

/// The tree of a `use` that `statement` ends with, and whether it hands on.
fn import(statement: &str) -> Option<(bool, &str)> {
    let at = statement.rfind("use ")?;
    let before = statement[..at]
        .lines()
        .next_back()
        .unwrap_or_default()
        .trim();
    if !(before.is_empty() || before.starts_with("pub")) {
        return None;
    }
    Some((before.starts_with("pub"), statement[at + 4..].trim()))
}

/// The paths of a `use` tree, each with the name that it brings in.
fn expand(tree: &str) -> Vec<(Vec<String>, String)> {
    let tree = tree.trim();
    let Some((prefix, rest)) = tree.split_once('{') else {
        let (path, alias) = match tree.split_once(" as ") {
            Some((path, alias)) => (path, Some(alias.trim().to_owned())),
            None => (tree, None),
        };
        let mut path: Vec<String> = path
            .split("::")
            .map(|part| part.trim().to_owned())
            .collect();
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let alias = alias.or_else(|| path.last().cloned()).unwrap_or_default();
        return vec![(path, alias)];
    };
    let prefix: Vec<String> = prefix
        .split("::")
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let mut paths = Vec::new();
    for part in split_outside_braces(inside) {
        for (path, alias) in expand(part) {
            let alias = if path.is_empty() {
                prefix.last().cloned().unwrap_or_default()
            } else {
                alias
            };
            paths.push((prefix.iter().cloned().chain(path).collect(), alias));
        }
    }
    paths
}

fn split_outside_braces(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The path from the crate's root; `None` for what another crate owns.
fn absolute(
    module: &ModulePath,
    name: &[String],
    known: &BTreeSet<ModulePath>,
) -> Option<Vec<String>> {
    let first = name.first()?;
    if first == "crate" {
        return Some(name[1..].to_vec());
    }
    let supers = name.iter().take_while(|part| *part == "super").count();
    if supers > 0 {
        let parent = &module[..module.len().checked_sub(supers)?];
        return Some(parent.iter().chain(&name[supers..]).cloned().collect());
    }
    let skipped = usize::from(first == "self");
    let child: ModulePath = module.iter().chain(&name[skipped..]).cloned().collect();
    let is_child = child.len() > module.len() && known.contains(&child[..=module.len()]);
    is_child.then_some(child)
}

fn without_comments(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The groups of parts that reach each other, sorted.
fn strongly_connected(uses: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = uses
        .keys()
        .map(|part| (part, reachable(part, uses)))
        .collect();
    let mut circles = BTreeSet::new();
    for (part, others) in &reached {
        let mut circle: Vec<String> = others
            .iter()
            .filter(|other| reached.get(*other).is_some_and(|back| back.contains(part)))
            .map(|other| (*other).clone())
            .collect();
        circle.sort();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

/// What `part` uses, directly or not.
fn reachable<'a>(part: &str, uses: &'a BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = uses.get(part).into_iter().flatten().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(uses.get(next).into_iter().flatten());
        }
    }
    reached
}
