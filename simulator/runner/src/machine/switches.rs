//! How often processes gave up the processor, or lost it, read from `/proc`.

use std::fs;

/// Context switches of all threads of `processes` that run, since each began. `None` where that may not be read.
pub fn of(processes: &[u32]) -> Option<u64> {
    let mut sum = None;
    for process in processes {
        let threads = fs::read_dir(format!("/proc/{process}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let status = fs::read_to_string(thread.path().join("status"));
            let counted = status.ok().and_then(|status| parse(&status));
            sum = match (sum, counted) {
                (Some(sum), Some(counted)) => Some(sum + counted),
                (sum, counted) => sum.or(counted),
            };
        }
    }
    sum
}

/// The sum of the two lines that count them.
fn parse(status: &str) -> Option<u64> {
    let value = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    Some(value("voluntary_ctxt_switches:")? + value("nonvoluntary_ctxt_switches:")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_added() {
        let status = "Name:\ta\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n";

        assert_eq!(parse(status), Some(15));
        assert_eq!(parse("Name:\ta\n"), None);
        assert!(of(&[std::process::id()]).is_some());
    }
}
