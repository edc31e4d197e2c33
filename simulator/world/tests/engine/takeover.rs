//! Several connections for one Client Identifier (§3.1.4).

use std::collections::BTreeMap;

use squall_fleet::{EndCause, PeerClose, Phase, SocketId};
use squall_protocol::{Instant, ReasonCode};
use squall_world::{Direction, Passing, Tamper, Tampered, TamperedClose};

use crate::recording::{Recording, What, run, run_tampered, secs};

const TAKEN_OVER: EndCause = EndCause::ServerDisconnect(ReasonCode::SessionTakenOver);

/// [MQTT-3.1.4-3]: the older connection gets 0x8E and is closed, and its end is seen.
#[test]
fn a_takeover_displaces_the_devices_own_connection() {
    let outcome = run(r#"
        [run]
        duration = "10s"
        [[group]]
        name = "devices"
        count = 1
        clean_start = false
        session_expiry = "1m"
        [[fault]]
        at = "5s"
        group = "devices"
        action = "takeover"
        "#);
    let recording = outcome.sink;

    assert_eq!(outcome.faults[0].applied, 1);
    let applied = recording.times(0, |what| matches!(what, What::FaultApplied(_)))[0];
    let displaced = recording.times(0, |what| *what == What::Ended(TAKEN_OVER));
    assert_eq!(displaced.len(), 1);
    assert!(displaced[0].saturating_since(applied) < secs(0.01));
    let resumed = recording.count(|what| {
        *what
            == What::Connected {
                session_present: true,
            }
    });
    assert_eq!(resumed, 1);
}

const ONE_TAKEOVER: &str = r#"
[run]
duration = "10s"
[[group]]
name = "devices"
count = 1
protocol = "3.1.1"
clean_start = false
[[fault]]
at = "5s"
group = "devices"
action = "takeover"
"#;

/// [3.1.1: MQTT-3.1.4-2]: the older connection is closed without a word, which 3.1.1 has none for.
#[test]
fn in_3_1_1_the_displaced_connection_is_just_closed() {
    let recording = run(ONE_TAKEOVER).sink;

    let closed = EndCause::PeerClosed(PeerClose::Fin);
    assert_eq!(recording.count(|what| *what == What::Ended(closed)), 1);
    assert_eq!(each_connect_ends_once(&recording), Ok(()));
}

/// The device never hears that a connection of its own was closed.
struct SwallowsCloses;

impl Tamper for SwallowsCloses {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        tampered.pass(passing);
    }

    fn handle_close(&mut self, _: SocketId, direction: Direction) -> TamperedClose {
        match direction {
            Direction::ToDevice => TamperedClose::Swallow,
            Direction::ToBroker => TamperedClose::Pass,
        }
    }
}

/// A displaced connection is watched as long as the run lasts.
#[test]
fn a_displaced_connection_that_is_not_closed_ends_with_the_run() {
    let recording = run_tampered(ONE_TAKEOVER, SwallowsCloses).sink;

    let ends = recording.times(0, |what| *what == What::Ended(EndCause::RunEnded));
    assert_eq!(ends, [recording.phase(Phase::Leaving); 2]);
    assert_eq!(each_connect_ends_once(&recording), Ok(()));
}

/// Contenders for few identifiers: at any time, at most one connection of each is alive once
/// the displaced one has been told, and each CONNECT has one end.
#[test]
fn of_contenders_for_one_client_id_one_is_alive() {
    let outcome = run(r#"
        [run]
        duration = "20s"
        [[group]]
        name = "twins"
        count = 40
        client_id = "twin-{index % 10}"
        clean_start = false
        session_expiry = "5m"
        [group.reconnect]
        when = "always"
        backoff = { dist = "uniform", min = "50ms", max = "2s" }
        [[group.subscribe]]
        filter = "cmd/{client_id}"
        qos = 1
        [[group]]
        name = "commander"
        count = 1
        [[group.publish]]
        topic = "cmd/twin-{seq % 10}"
        qos = 1
        rate = 100
        [[fault]]
        action = "takeover"
        every = "1s"
        group = "twins"
        select = { count = 5 }
        "#);
    let recording = outcome.sink;

    assert!(outcome.faults[0].applied >= 80);
    assert_eq!(each_connect_ends_once(&recording), Ok(()));
    let taken_over = recording.count(|what| *what == What::Ended(TAKEN_OVER));
    assert!(taken_over > 200, "{taken_over}");
    // One message a second for each twin: everything sent arrives, whichever device holds the Session.
    let delivered = recording.stamps(|what| {
        if let What::Delivered { stamp, .. } = what {
            *stamp
        } else {
            None
        }
    });
    let delivered = crate::recording::set(delivered);
    assert_eq!(delivered.len(), 2_000);
}

/// Every socket that sent CONNECT has exactly one end, after it.
fn each_connect_ends_once(recording: &Recording) -> Result<(), (SocketId, Instant)> {
    let mut open: BTreeMap<SocketId, Instant> = BTreeMap::new();
    for seen in &recording.seen {
        let Some(socket) = seen.socket() else {
            continue;
        };
        let is_expected = if seen.what == What::ConnectSent {
            open.insert(socket, seen.at).is_none()
        } else if matches!(seen.what, What::Ended(_)) {
            open.remove(&socket).is_some()
        } else {
            true
        };
        if !is_expected {
            return Err((socket, seen.at));
        }
    }
    open.into_iter().next().map_or(Ok(()), Err)
}
