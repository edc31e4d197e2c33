//! Connections: how many, who ended them, and whether anyone asked for it.

use squall_fleet::{ConnectionFact, CutStep, EndCause, Fact, OpenError, PeerClose};
use squall_protocol::ReasonCode;
use squall_run::AnomalyKind;
use squall_scenario::FaultId;

use super::scene::{CLEAN, PUBLISHER, RESET, Scene};

/// Ends that a fault, a cut or the end of the run asked for are expected, others are not.
#[test]
fn ends_that_nothing_asked_for_are_unexpected() {
    let polite = EndCause::Disconnected {
        fault: FaultId(0),
        reason: ReasonCode::Success,
    };
    let cut = EndCause::Qos2Cut {
        step: CutStep::Pubrec,
    };
    for (cause, unexpected) in [
        (RESET, 0),
        (polite, 0),
        (cut, 0),
        (EndCause::RunEnded, 0),
        (EndCause::PeerClosed(PeerClose::Reset), 1),
        (
            EndCause::ServerDisconnect(ReasonCode::ServerShuttingDown),
            1,
        ),
        (EndCause::ServerDisconnect(ReasonCode::SessionTakenOver), 1),
        (EndCause::ProtocolError(ReasonCode::MalformedPacket), 1),
        (EndCause::TimedOut, 1),
    ] {
        let mut scene = Scene::ready(&[]);
        scene.end(PUBLISHER, cause);

        let found = scene.count(AnomalyKind::UnexpectedDisconnect);
        assert_eq!(found, unexpected, "{cause:?}");
    }
}

/// Transports and CONNACKs that fail are refusals, but for our own limits.
#[test]
fn our_own_limits_are_no_refusals() {
    let mut scene = Scene::new();
    for error in [
        OpenError::Refused,
        OpenError::TimedOut,
        OpenError::LocalLimit,
    ] {
        scene.tell(CLEAN, Fact::Connection(ConnectionFact::OpenStarted));
        scene.tell(CLEAN, Fact::Connection(ConnectionFact::OpenFailed(error)));
    }
    scene.connect_sent(CLEAN, CLEAN, None);
    scene.tell(
        CLEAN,
        Fact::Connection(ConnectionFact::Refused(ReasonCode::ServerBusy)),
    );
    scene.end(CLEAN, EndCause::Refused);

    let connections = &scene.ledger.connections;
    assert_eq!(connections.groups()[1].refused_total(), 3);
    assert_eq!(connections.local_limit(), 1);
    assert_eq!(scene.count(AnomalyKind::ConnectionRefused), 3);
}

/// The peak is of devices that are connected at once; a device that takes its own connection over
/// is one.
#[test]
fn a_device_counts_once() {
    let mut scene = Scene::new();
    scene.connect(PUBLISHER);
    scene.connect(CLEAN);
    scene.connect(CLEAN);

    assert_eq!(scene.ledger.connections.peak_online(), 2);
}
