//! Coming back: after which ends, and after how long.

use squall_fleet::{EndCause, PeerClose, SocketId};
use squall_protocol::ReasonCode;
use squall_protocol::packet::{Connack, ConnackProperties, Packet};
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::recording::{What, run, run_tampered, secs};

/// Ends the connection of the first PINGREQ it sees.
#[derive(Default)]
struct CutsOnce(Option<SocketId>);

impl Tamper for CutsOnce {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let is_cut = passing.direction == Direction::ToBroker
            && matches!(passing.packet, Packet::Pingreq)
            && *self.0.get_or_insert(passing.socket) == passing.socket;
        if is_cut {
            tampered.close();
        } else {
            tampered.pass(passing);
        }
    }
}

/// The backoff counts from the end, is drawn for each attempt, and keeps to its distribution.
#[test]
fn a_device_comes_back_after_its_backoff() {
    let outcome = run_tampered(
        r#"
        [run]
        duration = "20s"
        [[group]]
        name = "devices"
        count = 1
        keep_alive = "2s"
        clean_start = false
        session_expiry = "1m"
        [group.reconnect]
        when = "unexpected"
        backoff = { dist = "uniform", min = "500ms", max = "3s" }
        [[group.subscribe]]
        filter = "a"
        "#,
        CutsOnce::default(),
    );
    let recording = outcome.sink;

    let cause = EndCause::PeerClosed(PeerClose::Reset);
    let ended = recording.times(0, |what| *what == What::Ended(cause))[0];
    let opened = recording.times(0, |what| *what == What::OpenStarted)[1];
    let backoff = opened.saturating_since(ended);
    assert!((secs(0.5)..secs(3.0)).contains(&backoff), "{backoff:?}");
    // The Session was still there, so nothing is subscribed anew.
    let sessions = recording.count(|what| {
        *what
            == What::Connected {
                session_present: true,
            }
    });
    assert_eq!(sessions, 1);
    assert_eq!(recording.count(|what| *what == What::SubscribeSent), 1);
}

/// With `never` a device stays away after any end, however its connection ended.
#[test]
fn a_device_that_never_comes_back_stays_away_after_any_end() {
    let outcome = run_tampered(
        r#"
        [run]
        duration = "20s"
        [[group]]
        name = "devices"
        count = 1
        keep_alive = "2s"
        [group.reconnect]
        when = "never"
        "#,
        CutsOnce::default(),
    );

    let connects = outcome.sink.count(|what| *what == What::ConnectSent);
    assert_eq!(connects, 1);
}

/// Refuses nothing and answers nothing: the broker is not there.
struct SwallowsConnects;

impl Tamper for SwallowsConnects {
    fn handle_packet(&mut self, _: &Passing<'_>, _: &mut Tampered) {}
}

/// `run.connect_timeout` ends an attempt; the next one follows after the backoff.
#[test]
fn an_unanswered_connect_times_out_and_is_tried_again() {
    let outcome = run_tampered(
        r#"
        [run]
        duration = "5s"
        connect_timeout = "2s"
        [[group]]
        name = "devices"
        count = 1
        [group.reconnect]
        backoff = "1s"
        "#,
        SwallowsConnects,
    );
    let recording = outcome.sink;

    let opened = recording.times(0, |what| *what == What::OpenStarted);
    let ended = recording.times(0, |what| *what == What::Ended(EndCause::TimedOut));
    assert!(ended.len() >= 2);
    for (ended, opened) in ended.iter().zip(&opened[1..]) {
        assert_eq!(opened.saturating_since(*ended), secs(1.0));
    }
}

/// Answers CONNECTs up to this number with CONNACK Server busy, and ends the first connection that it lets
/// through at its first PINGREQ.
struct RefusesFirst {
    connects: u32,
    seen: u32,
}

impl Tamper for RefusesFirst {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let is_connect = matches!(passing.packet, Packet::Connect(_));
        self.seen += u32::from(is_connect);
        if is_connect && self.seen <= self.connects {
            let refusal = Packet::Connack(Box::new(Connack {
                session_present: false,
                reason: ReasonCode::ServerBusy,
                properties: ConnackProperties::default(),
            }));
            tampered.answer(passing, &refusal);
            tampered.close();
        } else if matches!(passing.packet, Packet::Pingreq) && self.seen == self.connects + 1 {
            tampered.close();
        } else {
            tampered.pass(passing);
        }
    }
}

/// Waits from each end to the next attempt, of a device that is refused six times, then connects, and is cut
/// off.
fn waits_with(jitter: &str) -> Vec<f64> {
    let text = format!(
        "[run]\nduration = \"5m\"\n[[group]]\nname = \"devices\"\ncount = 1\nkeep_alive = \"2s\"\n\
         reconnect = {{ backoff = {{ initial = \"500ms\", factor = 3, cap = \"20s\", jitter = \"{jitter}\" }} }}\n"
    );
    let tamper = RefusesFirst {
        connects: 6,
        seen: 0,
    };
    let recording = run_tampered(&text, tamper).sink;
    let opened = recording.times(0, |what| *what == What::OpenStarted);
    let ended = recording.times(0, |what| matches!(what, What::Ended(_)));
    assert_eq!(opened.len(), 8, "six refusals, one cut, one that lasts");
    let waits = ended.iter().zip(&opened[1..]);
    waits
        .map(|(ended, opened)| opened.saturating_since(*ended).as_secs_f64())
        .collect()
}

/// The formula: 0.5 s times 3 to the power of the refusals before, at most 20 s; after the CONNACK with
/// Success it begins anew.
const LONGEST: [f64; 7] = [0.5, 1.5, 4.5, 13.5, 20.0, 20.0, 0.5];

/// Without jitter each wait is what the formula says.
#[test]
fn a_growing_backoff_follows_its_formula() {
    assert_eq!(waits_with("none"), LONGEST);
}

/// With jitter each wait is a draw within what the formula and the jitter leave.
#[test]
fn a_growing_backoff_with_jitter_keeps_to_its_bounds() {
    for (jitter, share) in [("full", 0.0), ("equal", 0.5)] {
        let waits = waits_with(jitter);

        for (wait, longest) in waits.iter().zip(LONGEST) {
            assert!((share * longest..=longest).contains(wait), "{waits:?}");
        }
        assert_ne!(waits, LONGEST, "{jitter}");
    }
}

/// §3.1.2.10: a device with Keep Alive and nothing to say pings, and is not closed.
#[test]
fn an_idle_device_stays_connected_by_pinging() {
    let outcome = run(r#"
        [run]
        duration = "5m"
        [[group]]
        name = "devices"
        count = 3
        keep_alive = "10s"
        "#);

    let ends = outcome.sink.count(|what| matches!(what, What::Ended(_)));
    let polite = outcome
        .sink
        .count(|what| *what == What::Ended(EndCause::RunEnded));
    assert_eq!((ends, polite), (3, 3));
}
