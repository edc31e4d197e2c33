//! Tells the program which commit it was built from, if the build can know it.

use std::path::Path;
use std::process::Command;

fn main() {
    let head = Path::new("../../.git/HEAD");
    if head.exists() {
        println!("cargo::rerun-if-changed={}", head.display());
    }
    let output = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output();
    let commit = output.ok().filter(|output| output.status.success());
    let commit = commit.and_then(|output| String::from_utf8(output.stdout).ok());
    if let Some(commit) = commit {
        println!("cargo::rustc-env=SQUALL_COMMIT={}", commit.trim());
    }
}
