//! How large a report may become.

use squall_reports::write_report;
use squall_run::{Interval, IntervalLatency, sample};

/// Intervals of the longest runs: with more, the ledger merges them.
const INTERVALS: usize = 600;
/// Groups and QoS that are told apart over time, at most.
const POPULATIONS: usize = 8;

/// Interval `number` of a long run, with as much in it as an interval can have.
fn interval(like: &Interval, number: usize) -> Interval {
    let start_s = 20.0 + number as f64 / 6.0;
    let latency_of = (0..POPULATIONS).map(|group| {
        let source = &like.e2e_latency_of[group % like.e2e_latency_of.len()];
        IntervalLatency {
            group: format!("readers-{group}"),
            ..source.clone()
        }
    });
    Interval {
        start_s,
        end_s: start_s + 1.0 / 6.0,
        e2e_latency_of: latency_of.collect(),
        ..like.clone()
    }
}

/// The page of a run as long and as wide as runs get stays below 5 MB, the folder below 25 MB.
#[test]
fn the_report_of_a_long_run_is_bounded() {
    let mut run = sample::failing();
    let intervals = &run.measured.series.intervals;
    let loaded = intervals[20..120].to_vec();
    run.measured.series.intervals = (0..INTERVALS)
        .map(|number| interval(&loaded[number % loaded.len()], number))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("report");

    write_report(&run, &folder).unwrap();

    let page = std::fs::metadata(folder.join("report.html")).unwrap().len();
    assert!(page < 5_000_000, "{page}");
    // Something of this size is drawn at all.
    assert!(page > 1_000_000, "{page}");
    let bytes_in = |name: &str| -> u64 {
        let files = std::fs::read_dir(folder.join(name)).unwrap();
        files
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum()
    };
    let parts: u64 = ["", "charts", "tables", "histograms"]
        .into_iter()
        .map(bytes_in)
        .sum();
    assert!(parts < 25_000_000, "{parts}");
}
