//! Tells the program which commit it was built from, if the build can know it, and puts the shipped scenarios into it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Where the shipped scenarios lie, from this crate.
const SCENARIOS: &str = "../../scenarios";

/// Where the descriptions of targets lie.
const TARGETS: &str = "../../scenarios/targets";

fn main() {
    embed(SCENARIOS, "scenarios.rs");
    embed(TARGETS, "targets.rs");
    // HEAD names a branch; its log is written with every commit, also in a worktree.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name]);
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    println!("cargo::rerun-if-changed=build.rs");
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo::rustc-env=SQUALL_COMMIT={commit}");
    }
}

/// What git answers; `None` without git or outside a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Writes a list of the TOML files of a folder, sorted by name, for a module to include.
fn embed(folder: &str, list_file: &str) {
    println!("cargo::rerun-if-changed={folder}");
    let folder = fs::canonicalize(folder).expect("the repository has its scenarios");
    let entries = fs::read_dir(folder).expect("the scenarios can be listed");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the scenarios can be listed").path())
        .filter(|path| path.extension().is_some_and(|found| found == "toml"))
        .collect();
    files.sort();
    let mut list = "&[\n".to_owned();
    for file in files {
        let name = file.file_stem().expect("a file has a name");
        let (name, path) = (name.to_string_lossy(), file.to_string_lossy());
        writeln!(
            list,
            "Shipped {{ name: {name:?}, text: include_str!({path:?}) }},"
        )
        .expect("a string takes any text");
    }
    list.push_str("]\n");
    let out = env::var_os("OUT_DIR").expect("cargo says where output goes");
    fs::write(Path::new(&out).join(list_file), list).expect("the list can be written");
}
