//! What a process uses, read from `/proc`.

use std::fs;
use std::time::Duration;

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// A reading of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// User and system time since its start, in whole steps of 10 ms, as that of a process that has ended is too: so the sum of both
    /// never falls.
    pub cpu: Duration,
    /// The same by the process's own clock. Of a thread that runs, what was used since the system last looked is missing: up to a
    /// tick of its scheduler, 1 to 10 ms. When a process ends, up to 10 ms of it are lost.
    pub cpu_clock: Duration,
    /// User and system time of its children that have ended, and of theirs, in whole steps of 10 ms.
    pub cpu_of_ended: Duration,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
    /// Open descriptors; 0 where they may not be counted, and before Linux 6.2.
    pub descriptors: u64,
}

/// Reads what process `pid` uses, its threads included, its children not. `None` if it is gone, or
/// where there is no `/proc`.
pub fn usage(pid: u32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    // The size of the folder is their number. Listing ten thousand takes milliseconds, in which the
    // schedule of a run would wait.
    let descriptors = fs::metadata(format!("/proc/{pid}/fd")).map_or(0, |folder| folder.len());
    let ticks = parse_cpu_ticks(&stat)?;
    let cpu = ticks_to_duration(ticks.own);
    Some(Usage {
        cpu,
        cpu_clock: cpu_clock(pid).unwrap_or(cpu),
        cpu_of_ended: ticks_to_duration(ticks.of_ended),
        rss_bytes: parse_resident_pages(&statm)? * page_size(),
        descriptors,
    })
}

/// The process's own clock of processor time, which is finer than the steps of 10 ms of `stat`.
fn cpu_clock(pid: u32) -> Option<Duration> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?);
    let time = clock_gettime(clock_getcpuclockid(pid).ok()?).ok()?;
    Some(Duration::from(time))
}

/// The status of a process that has ended and that its parent has not yet waited for, as `wait`
/// gives it. `None` if it runs, or if the parent was faster.
pub fn status_of_ended(pid: u32) -> Option<i32> {
    parse_status_of_ended(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The process that started `pid`, or that adopted it.
pub fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

/// The state of a process: `R` and `S` are those of one that goes on, `T` that of one that is stopped, `Z` that of one that
/// has ended and was not waited for. `None` if it is gone.
pub fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.trim_start().chars().next()
}

/// Fields 3, the state, and 52, the status, which is the last one.
fn parse_status_of_ended(stat: &str) -> Option<i32> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    (fields.next()? == "Z").then(|| fields.nth(48)?.parse().ok())?
}

/// User and system time in clock ticks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct CpuTicks {
    own: u64,
    /// Of children that were waited for.
    of_ended: u64,
}

/// Fields 14 to 17 of `stat`. The second field is the command's name in parentheses and may hold
/// anything, so counting starts after the last one.
fn parse_cpu_ticks(stat: &str) -> Option<CpuTicks> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11).map(str::parse::<u64>);
    let mut sum_of_two = || Some(fields.next()?.ok()? + fields.next()?.ok()?);
    Some(CpuTicks {
        own: sum_of_two()?,
        of_ended: sum_of_two()?,
    })
}

/// Resident pages: field 2 of `statm`.
fn parse_resident_pages(statm: &str) -> Option<u64> {
    statm.split_whitespace().nth(1)?.parse().ok()
}

fn ticks_to_duration(ticks: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second();
    Duration::from_secs_f64(ticks as f64 / per_second as f64)
}

fn page_size() -> u64 {
    rustix::param::page_size() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name with spaces and parentheses does not shift the fields.
    #[test]
    fn a_hostile_command_name_does_not_shift_the_fields() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 90 0 0 0 250 50 7 2 20 0 1 0 5 1 2";

        let ticks = CpuTicks {
            own: 300,
            of_ended: 9,
        };
        assert_eq!(parse_cpu_ticks(stat), Some(ticks));
    }

    /// A line that was cut short gives no reading.
    #[test]
    fn a_short_line_gives_no_reading() {
        assert_eq!(parse_cpu_ticks("7 (a) S 1"), None);
        assert_eq!(parse_resident_pages("12"), None);
        assert_eq!(parse_resident_pages("12 34 5"), Some(34));
    }

    /// A child that has ended keeps its status until it is waited for; a process that runs has none.
    #[test]
    fn an_ended_child_has_a_status() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "echo; exit 3"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let pid = rustix::process::Pid::from_child(&child);
        let end = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty());
        let end = end.expect("it was not waited for");
        let mut waiting = [rustix::event::PollFd::new(
            &end,
            rustix::event::PollFlags::IN,
        )];
        rustix::event::poll(&mut waiting, None).expect("it can be waited for");

        let status = status_of_ended(child.id());

        assert_eq!(status, Some(3 << 8));
        assert_eq!(parent(child.id()), Some(std::process::id()));
        assert_eq!(status_of_ended(std::process::id()), None);
        child.wait().expect("it ended");
        assert_eq!(status_of_ended(child.id()), None);
    }

    /// The clock and the steps of `stat` count the same.
    #[test]
    fn the_clock_agrees_with_the_steps() {
        let pid = std::process::id();
        let mut sum = 0_u64;
        let clock = loop {
            sum = (0..1_000_000_u64).fold(sum, |sum, next| sum.wrapping_mul(31) ^ next);
            let clock = cpu_clock(pid).expect("this process has one");
            if clock > Duration::from_millis(200) {
                break clock;
            }
        };
        std::hint::black_box(sum);

        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("there is a /proc");
        let steps = ticks_to_duration(parse_cpu_ticks(&stat).expect("it has them").own);

        // Two steps, and what the reading itself and other tests took between the two: a half is enough to tell a unit from another.
        assert!(
            steps > clock / 2 && steps < clock * 2,
            "{steps:?} {clock:?}"
        );
    }

    /// The test's own process has memory and open files.
    #[test]
    fn this_process_can_be_read() {
        let usage = usage(std::process::id()).expect("there is a /proc");

        assert!(usage.rss_bytes > 0);
        assert!(usage.descriptors == 0 || usage.descriptors >= 3);
    }
}
