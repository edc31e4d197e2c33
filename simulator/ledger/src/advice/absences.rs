//! Latencies that contain the absence of the devices that publish.

use squall_protocol::QoS;
use squall_run::MetricName;
use squall_scenario::{Group, Scenario};

/// One sentence for each group whose devices come and go with Sessions that last, where a threshold is about a latency
/// that counts from when a message was due.
pub(super) fn in_latencies(scenario: &Scenario) -> Vec<String> {
    let mut thresholds = scenario.thresholds.iter();
    let counts_from_due = thresholds.find(|threshold| {
        let metric = threshold.selector.metric;
        metric == MetricName::E2eLatency || metric == MetricName::AckLatency
    });
    let Some(threshold) = counts_from_due else {
        return Vec::new();
    };
    let waiting = scenario.groups.iter().filter(|group| waits(group));
    let sentences = waiting.map(|group| {
        format!(
            "devices of group `{}` come and go, and what falls due while one is away waits in it: threshold `{}` counts that \
             time too, as it counts from when a message was due. `service_latency` counts from the write",
            group.name, threshold.selector.text
        )
    });
    sentences.collect()
}

/// Whether messages of the group wait in a device that is away.
fn waits(group: &Group) -> bool {
    group.attendance.availability.is_some()
        && group.publishes_at(QoS::AtLeastOnce)
        && group.keeps_what_is_under_way()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(group: &str, metric: &str) -> Vec<String> {
        let text = format!(
            "version = 1\nname = \"a\"\n[[group]]\nname = \"vans\"\ncount = 1\n{group}\n[[group.publish]]\n\
             topic = \"t\"\nqos = 1\nrate = 1\n[thresholds]\n{metric} = [\"max < 1s\"]\n"
        );
        let scenario = Scenario::parse("a.toml", &text, &[]);
        in_latencies(&scenario.unwrap_or_else(|errors| panic!("{errors}")))
    }

    /// Where messages wait in devices that are away, a latency from when they were due contains the absence: told before
    /// the run, with the metric that does not.
    #[test]
    fn a_latency_that_contains_absences_is_told_before_the_run() {
        let comes_and_goes = "availability = { up = \"5s\", down = \"2s\" }";
        let kept = format!("clean_start = false\nsession_expiry = \"5m\"\n{comes_and_goes}");

        let told = sentences(&kept, "e2e_latency");

        assert!(
            told.len() == 1 && told[0].ends_with("`service_latency` counts from the write"),
            "{told:?}"
        );
        assert_eq!(sentences(&kept, "service_latency"), [""; 0]);
        assert_eq!(sentences(comes_and_goes, "e2e_latency"), [""; 0]);
        assert_eq!(sentences("", "e2e_latency"), [""; 0]);
    }
}
