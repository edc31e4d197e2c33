//! Delays that the scenario itself makes, measured: its links, the time that its faults keep devices
//! away, and what a `qos2` block holds back.

use squall_fleet::LinkReport;
use squall_run::{Histogram, MetricName, Metrics, ScenarioDelay, Tags};
use squall_scenario::Scenario;

use super::end::end_name;
use crate::books::{Connections, EndKind};
use crate::checks::micros;

/// Every delay of the scenario's making that came up in the run.
pub(super) fn delays(
    scenario: &Scenario,
    links: &[LinkReport],
    connections: &Connections,
    cells: &Metrics,
) -> Vec<ScenarioDelay> {
    let mut delays = of_links(scenario, links);
    delays.extend(of_faults(scenario, connections));
    delays.extend(of_late_pubrels(scenario, cells));
    delays.retain(|delay| !delay.times.is_empty());
    delays
}

/// What a segment takes over a link, with retransmissions, bandwidth and outages.
fn of_links(scenario: &Scenario, links: &[LinkReport]) -> Vec<ScenarioDelay> {
    let mut delays = Vec::new();
    for link in links {
        let name = &scenario.network(link.network).name;
        for (way, report) in [("up", &link.up), ("down", &link.down)] {
            delays.push(ScenarioDelay {
                cause: format!("the link {name} {way}"),
                what: "segments".to_owned(),
                times: micros(&report.transit),
            });
        }
    }
    delays
}

/// How long devices were away after an end that the scenario asked for, until they were back.
fn of_faults(scenario: &Scenario, connections: &Connections) -> Vec<ScenarioDelay> {
    let returns = connections.returns().iter();
    let delays = returns.map(|(&end, times)| ScenarioDelay {
        cause: match end {
            EndKind::WentAway => "being away, as `availability` or `online` has it".to_owned(),
            EndKind::Fault(_)
            | EndKind::Qos2Cut
            | EndKind::PeerClosed(_)
            | EndKind::ServerDisconnect(_)
            | EndKind::ProtocolError(_)
            | EndKind::TimedOut
            | EndKind::Refused
            | EndKind::RunEnded => format!("reconnecting after {}", end_name(scenario, end)),
        },
        what: "reconnects".to_owned(),
        times: times.clone(),
    });
    delays.collect()
}

/// How long senders with `delay_pubrel` waited between PUBREC and PUBREL.
fn of_late_pubrels(scenario: &Scenario, cells: &Metrics) -> Vec<ScenarioDelay> {
    let groups = scenario.groups.iter();
    let late = groups.filter(|group| group.qos2.delay_pubrel.is_some());
    let delays = late.map(|group| {
        let tags = Tags::from([("group".to_owned(), group.name.clone())]);
        let times: Histogram = cells.select(MetricName::Qos2Pubrel, &tags);
        ScenarioDelay {
            cause: format!("delay_pubrel of group {}", group.name),
            what: "QoS 2 exchanges".to_owned(),
            times,
        }
    });
    delays.collect()
}
