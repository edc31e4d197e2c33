//! The workspace on disk: its crates, their manifests and their Rust files.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the workspace.
pub struct SourceFile {
    /// Relative to the workspace root, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// The workspace root: that of the tree which cargo runs us for, not of the one we were built in. The
/// two differ if clones share a target folder.
pub fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = here.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    let root = here.parent().expect("the tidy crate sits in the root");
    root.to_path_buf()
}

/// Every `.rs` file of the workspace, sorted by path.
///
/// # Panics
///
/// If the tree cannot be read: then there is nothing to check.
pub fn source_files() -> Vec<SourceFile> {
    files_ending(".rs")
}

/// Every Markdown file of the workspace, sorted by path.
///
/// # Panics
///
/// If the tree cannot be read: then there is nothing to check.
pub fn markdown_files() -> Vec<SourceFile> {
    files_ending(".md")
}

fn files_ending(ending: &str) -> Vec<SourceFile> {
    let root = root();
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("the folder can be listed").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let is_output = matches!(name, "target" | "squall-out" | "squall-bench");
            if path.is_dir() && !name.starts_with('.') && !is_output {
                folders.push(path);
            } else if name.ends_with(ending) {
                files.push(read_source(&root, &path));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(
        !files.is_empty(),
        "no {ending} file found under {}",
        root.display()
    );
    files
}

fn read_source(root: &Path, path: &Path) -> SourceFile {
    let text = fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let relative = path.strip_prefix(root).expect("the walk began at the root");
    SourceFile {
        path: relative.to_string_lossy().replace('\\', "/"),
        text,
    }
}

/// The parsed manifest of the crate in `folder`, relative to the root.
///
/// # Panics
///
/// If it cannot be read or parsed.
pub fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    text.parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
