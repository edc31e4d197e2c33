//! How a connection ended, in the words of the scenario.

use squall_scenario::Scenario;

use crate::books::EndKind;

/// The name of an end in reports: a fault is named as the scenario does.
pub(super) fn end_name(scenario: &Scenario, kind: EndKind) -> String {
    match kind {
        EndKind::Fault(fault) => format!("fault {}", scenario.fault(fault).name),
        EndKind::WentAway
        | EndKind::Qos2Cut
        | EndKind::PeerClosed(_)
        | EndKind::ServerDisconnect(_)
        | EndKind::ProtocolError(_)
        | EndKind::TimedOut
        | EndKind::Refused
        | EndKind::RunEnded => kind.to_string(),
    }
}
