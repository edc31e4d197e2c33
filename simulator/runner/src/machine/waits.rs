//! How long this thread was ready to run and had no processor, as the system counts it.

use std::fs;

/// Seconds since the thread began. `None` where the system does not count them.
pub fn of_this_thread() -> Option<f64> {
    parse(&fs::read_to_string("/proc/thread-self/schedstat").ok()?)
}

/// The second number of three: nanoseconds on a run queue (Linux, Documentation/scheduler/sched-stats.rst).
fn parse(schedstat: &str) -> Option<f64> {
    let nanos: u64 = schedstat.split_whitespace().nth(1)?.parse().ok()?;
    Some(nanos as f64 * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_on_the_run_queue_is_told() {
        assert_eq!(parse("134513 1500000000 2\n"), Some(1.5));
        assert_eq!(parse("134513\n"), None);
    }

    /// Two threads that work on one core wait for each other.
    #[test]
    fn a_thread_that_shares_its_core_waits() {
        let mut busy: u64 = 0;
        if of_this_thread().is_none() {
            eprintln!("SKIPPED: this system does not count what threads wait");
            return;
        }
        let core = crate::machine::cores::allowed()[0];
        let work = move || {
            crate::machine::cores::keep_this_thread(core).expect("it is allowed");
            let before = of_this_thread().expect("it is counted");
            let used = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            let begun = used();
            loop {
                busy = busy.wrapping_mul(3).wrapping_add(1);
                let now = used();
                let nanos =
                    (now.tv_sec - begun.tv_sec) * 1_000_000_000 + now.tv_nsec - begun.tv_nsec;
                if nanos > 200_000_000 {
                    break;
                }
            }
            of_this_thread().expect("it is counted") - before
        };
        let other = std::thread::spawn(work);
        let here = std::thread::spawn(work);

        let waited = other.join().expect("it ends") + here.join().expect("it ends");

        assert!(waited > 0.0);
    }
}
