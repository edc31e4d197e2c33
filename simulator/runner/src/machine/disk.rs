//! What processes have written to disks, read from `/proc`.

use std::fs;

/// Bytes that `processes` have caused to be written, since each began: pages count when they are changed, whether they are on the
/// disk yet or not. `None` where that may not be read; a file system in memory has none.
pub fn written_bytes(processes: &[u32]) -> Option<u64> {
    let of_one = |process: &u32| {
        let io = fs::read_to_string(format!("/proc/{process}/io")).ok()?;
        parse(&io)
    };
    processes.iter().map(of_one).sum()
}

fn parse(io: &str) -> Option<u64> {
    let value = |name: &str| -> Option<u64> {
        let line = io.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    // What is deleted before it is on the disk was not written.
    Some(value("write_bytes:")?.saturating_sub(value("cancelled_write_bytes:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cancelled_was_not_written() {
        let io = "rchar: 1\nwrite_bytes: 8192\ncancelled_write_bytes: 4096\n";

        assert_eq!(parse(io), Some(4096));
        assert_eq!(parse("rchar: 1\n"), None);
        assert!(written_bytes(&[std::process::id()]).is_some());
    }
}
