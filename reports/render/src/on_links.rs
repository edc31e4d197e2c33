//! What times to wills and of takeovers leave out: what the simulated links held, and, for wills, Will Delay and the time
//! in which watchers were away. The longest time with it stands wherever one without it does.

use squall_run::{CountedFrom, Histogram, MetricName, Metrics, Tags, duration_text};

/// The times with what was left out; `None` if nothing was.
pub(crate) fn times(metrics: &Metrics, name: MetricName, tags: &Tags) -> Option<Histogram> {
    let with_links = metrics.select_counted_from(name, CountedFrom::WithLinks, tags);
    let without = metrics.select(name, tags);
    (with_links.max_us() > without.max_us()).then_some(with_links)
}

/// A few words behind a figure, from a semicolon on; empty if nothing was left out.
pub(crate) fn words(metrics: &Metrics, name: MetricName, tags: &Tags) -> String {
    let longest = times(metrics, name, tags).and_then(|times| times.max_us());
    longest.map_or_else(String::new, |longest| {
        let (left_out, place) = parts(name);
        format!(
            "; with {left_out}, {place}, max {}",
            duration_text(longest as f64 / 1e6)
        )
    })
}

/// The same as a sentence, with a space before it.
pub(crate) fn sentence(metrics: &Metrics, name: MetricName, tags: &Tags) -> String {
    let longest = times(metrics, name, tags).and_then(|times| times.max_us());
    longest.map_or_else(String::new, |longest| {
        let (left_out, place) = parts(name);
        format!(
            " Times of {name} are without {left_out}: with them, {place}, the longest took {}.",
            duration_text(longest as f64 / 1e6)
        )
    })
}

/// What times of a metric leave out, and where they are seen with it.
fn parts(name: MetricName) -> (&'static str, &'static str) {
    if name == MetricName::TakeoverTime {
        ("the simulated links", "at the devices")
    } else {
        (
            "Will Delay, the simulated links and absences",
            "at the watchers",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_run::sample;

    /// A figure without the links says where the longest with them is; without links there is nothing to say.
    #[test]
    fn what_is_left_out_is_said_only_where_something_is() {
        let mut run = sample::passing();
        let none = Tags::new();
        let before = sentence(&run.measured.metrics, MetricName::TimeToWill, &none);

        let cells = &mut run.measured.metrics.cells;
        let is_will = |cell: &&squall_run::MetricCell| cell.name == MetricName::TimeToWill;
        let mut with_links = cells.iter().find(is_will).expect("there is one").clone();
        with_links.counted_from = CountedFrom::WithLinks;
        with_links.histogram.record_us(18_000_000);
        cells.push(with_links);

        assert_eq!(before, "");
        let after = sentence(&run.measured.metrics, MetricName::TimeToWill, &none);
        assert_eq!(
            after,
            " Times of time_to_will are without Will Delay, the simulated links and absences: with them, at the watchers, the longest took 18.0 s."
        );
        let takeovers = words(&run.measured.metrics, MetricName::TakeoverTime, &none);
        assert_eq!(takeovers, "");
    }
}
