//! What a process and everything that it started use together, read from `/proc`.
//!
//! A target is often a script that starts the broker, or a broker that starts workers: reading one
//! process would read the wrong one. The root here is a supervisor of ours that adopts orphans
//! (`PR_SET_CHILD_SUBREAPER`), so whatever a target starts stays below it.

use std::fs;

use super::process::{self, Usage};

/// The processes below `root`, `root` itself not among them.
///
/// One that starts or ends while this reads may be missing.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            found.push(child);
            parents.push(child);
        }
    }
    found
}

/// The children of all threads of a process.
pub fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|line| {
            line.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}

/// What the processes below `root` use: processor time also of those that have ended, memory and
/// descriptors of those that run. `None` if none runs.
///
/// Resident memory is added up, so a page that two processes share counts twice.
pub fn usage_below(root: u32) -> Option<Usage> {
    let running = descendants(root).into_iter().filter_map(process::usage);
    let mut sum = running.reduce(|sum, one| Usage {
        cpu: sum.cpu + one.cpu,
        cpu_clock: sum.cpu_clock + one.cpu_clock,
        cpu_of_ended: sum.cpu_of_ended + one.cpu_of_ended,
        rss_bytes: sum.rss_bytes + one.rss_bytes,
        descriptors: sum.descriptors + one.descriptors,
    })?;
    // What the root has waited for ran below it.
    let of_root = process::usage(root).map(|root| root.cpu_of_ended);
    let of_ended = std::mem::take(&mut sum.cpu_of_ended) + of_root.unwrap_or_default();
    sum.cpu += of_ended;
    sum.cpu_clock += of_ended;
    Some(sum)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// A grandchild is found, and its memory counts.
    #[test]
    fn what_a_child_starts_is_below_its_parent() {
        // The shell says when its own child runs; both wait for their input to end.
        let mut shell = Command::new("sh")
            .args(["-c", "exec 3<&0; cat <&3 & echo started; wait"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let mut line = String::new();
        let output = shell.stdout.take().expect("it is a pipe");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)
            .expect("it can be read");

        let below = descendants(shell.id());
        let usage = usage_below(shell.id());

        assert_eq!(below.len(), 1, "{below:?}");
        assert!(usage.is_some_and(|usage| usage.rss_bytes > 0));
        drop(shell.stdin.take());
        shell.wait().expect("it ends");
        assert_eq!(usage_below(shell.id()), None);
    }
}
