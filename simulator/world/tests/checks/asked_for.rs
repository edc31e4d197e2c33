//! Whether a run did what its scenario asked for: messages that were due and not sent, devices that were
//! away.

use squall_protocol::packet::Packet;
use squall_run::Reason;
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::run::{on_network, run, run_tampered};
use crate::tampering::{Outcome, script};

/// Devices whose messages cannot wait, and that come back after a second.
const SCENARIO: &str = r#"
[run]
duration = "20s"
drain = "2s"
[[group]]
name = "sensors"
count = 10
[group.reconnect]
when = "always"
backoff = "2s"
[[group.publish]]
topic = "t"
qos = 0
rate = 100
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "t"
[[expect]]
check = "delivery"
misrouted = 0
"#;

/// Closes a connection of a sensor each time that a given number of messages of sensors has passed.
fn close_after(messages: usize) -> impl Tamper {
    let mut seen = 0;
    script(move |passing: &Passing<'_>, tampered: &mut Tampered| {
        let is_sent = passing.direction == Direction::ToBroker
            && matches!(passing.packet, Packet::Publish(_));
        if !is_sent {
            return Outcome::Pass;
        }
        seen += 1;
        if seen % messages != 0 {
            return Outcome::Pass;
        }
        tampered.close();
        Outcome::Done
    })
}

fn invalid(reasons: &[Reason]) -> Vec<&str> {
    let invalid = reasons
        .iter()
        .filter(|reason| matches!(reason, Reason::Incomplete(_)));
    invalid.map(Reason::text).collect()
}

/// A broker that closes connections leaves messages unsent: beyond one in a hundred the claims are about
/// something else than the scenario asks for. Each message is in one reason.
#[test]
fn messages_that_were_not_sent_make_a_run_invalid() {
    let judgement = run_tampered(SCENARIO, close_after(100));

    let book = &judgement.measured.accounting.publications[0];
    assert_eq!(book.scheduled, 2_000);
    assert!(book.failed > 20, "{book:?}");
    assert_eq!(book.scheduled, book.sent + book.failed);
    assert_eq!(book.unsent_unexplained, book.failed);
    assert_eq!(
        book.unsent.get("not connected (peer closed (RST))"),
        Some(&book.failed)
    );
    let reasons = invalid(&judgement.reasons);
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(
        reasons[0].starts_with(&format!(
            "group sensors did not send {} of the 2,000 messages that were due at QoS 0",
            book.failed
        )),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("devices of group sensors were away for "),
        "{reasons:?}"
    );
}

/// Less than one in a hundred is noted, and the verdict stands.
#[test]
fn a_few_messages_that_were_not_sent_are_noted() {
    let scenario = SCENARIO.replace("backoff = \"2s\"", "backoff = \"100ms\"");

    let judgement = run_tampered(&scenario, close_after(500));

    assert!(judgement.measured.accounting.publications[0].failed > 0);
    assert_eq!(invalid(&judgement.reasons), [] as [&str; 0]);
    let notes = judgement.measured.unexplained();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[1].contains("messages that were due were never sent"));
}

/// What a fault of the scenario causes was asked for.
#[test]
fn messages_that_a_fault_holds_back_are_explained() {
    let fault = r#"
[[fault]]
name = "power-cut"
every = "3s"
group = "sensors"
select = { count = 5 }
action = "drop"
how = "rst"
"#;

    let judgement = run(&format!("{SCENARIO}{fault}"));

    let book = &judgement.measured.accounting.publications[0];
    assert!(book.failed > 100, "{book:?}");
    assert_eq!(
        book.unsent.get("not connected (fault power-cut)"),
        Some(&book.failed)
    );
    assert_eq!(book.unsent_unexplained, 0);
    assert_eq!(judgement.reasons, []);
    assert_eq!(judgement.measured.unexplained(), [] as [String; 0]);
}

/// What the scenario itself adds to latencies is measured and named: each link, and the time that each
/// fault keeps devices away.
#[test]
fn delays_of_the_scenarios_making_are_named() {
    let link = "[[network]]\nname = \"far\"\nlatency = \"50ms\"\n";
    let fault = "[[fault]]\nname = \"cut\"\nat = \"2s\"\ngroup = \"sensors\"\n\
                 select = { count = 5 }\naction = \"drop\"\nhow = \"rst\"\n";
    let scenario = on_network(SCENARIO, "sensors", "far");

    let judgement = run(&format!("{link}{scenario}{fault}"));

    let delays = &judgement.measured.scenario_delays;
    let causes: Vec<&str> = delays.iter().map(|delay| &*delay.cause).collect();
    assert_eq!(
        causes,
        [
            "the link far up",
            "the link far down",
            "reconnecting after fault cut"
        ]
    );
    let slowest = delays[0].times.max_us();
    assert!(
        slowest.is_some_and(|us| us.abs_diff(50_000) < 50),
        "{slowest:?}"
    );
    let returns = &delays[2].times;
    assert_eq!(returns.count(), 5);
    // Two seconds of back-off and the way there and back.
    assert!(returns.min_us() >= Some(2_100_000), "{returns:?}");
}

/// A scenario that says how many messages may be missing is judged by that.
#[test]
fn a_threshold_on_dropped_says_how_many_may_be_missing() {
    let scenario = format!("{SCENARIO}[thresholds]\n\"dropped\" = [\"count < 1000\"]\n");

    let judgement = run_tampered(&scenario, close_after(100));

    let reasons = invalid(&judgement.reasons);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].starts_with("devices of group sensors were away"));
}

/// A group with `start` has its first messages due while it connects, and so has every group where the load begins
/// at once: the scenario has them due then, and that they are not sent is of its making.
#[test]
fn messages_that_are_due_while_a_device_makes_its_first_connection_are_explained() {
    let link = "[[network]]\nname = \"far\"\nlatency = \"200ms\"\n";
    let late = "count = 10\nstart = \"3s\"\nleave = \"7s\"\n";
    for (begin, group) in [("connected", late), ("at_once", "count = 10\n")] {
        let scenario = SCENARIO
            .replace("count = 10\n", group)
            .replace("[run]\n", &format!("[run]\nbegin = \"{begin}\"\n"));
        let scenario = on_network(&scenario, "sensors", "far");

        let judgement = run(&format!("{link}{scenario}"));

        let book = &judgement.measured.accounting.publications[0];
        let not_yet = "not connected (no answer to CONNECT yet)";
        assert!(book.unsent[not_yet] * 100 > book.scheduled, "{book:?}");
        assert_eq!(book.unsent_unexplained, 0, "{begin}");
        assert_eq!(judgement.reasons, [], "{begin}");
    }
}
