//! `payload = { command = … }`: each line of a command is the payload of one message.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall_ledger::Judgement;
use squall_protocol::Instant;
use squall_protocol::packet::Packet;
use squall_run::Outcome as Verdict;
use squall_scenario::LinesId;
use squall_world::{Direction, Script};

use crate::run::{assert_broken, run_in, verdict};
use crate::tampering::{Outcome, once, publish_bytes, script, to_device};

/// Two devices that publish ten messages a second together for two seconds.
const SCENARIO: &str = r#"
[run]
duration = "2s"
drain = "1s"
[[group]]
name = "pumps"
count = 2
[[group.publish]]
topic = "t/{client_id}"
qos = 1
PACE
payload = { command = "./gen" }
STAMP
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 2
[[expect]]
check = "delivery"
lost = 0
reordered = 0
corrupted = 0
misrouted = 0
"#;

const OPEN: &str = "rate = 10";

/// What a run came to, and the payloads that reached the reader, in order.
struct Ran {
    judgement: Judgement,
    read: Vec<Vec<u8>>,
}

/// Runs the scenario at `pace`, with stamps as `stamp` says, beside a command that does what `gives` says.
fn ran(pace: &str, stamp: &str, gives: Script) -> Ran {
    let text = SCENARIO.replace("PACE", pace).replace("STAMP", stamp);
    let read: Rc<RefCell<Vec<Vec<u8>>>> = Rc::default();
    let seen = Rc::clone(&read);
    let tamper = script(move |passing, _| {
        if let (Direction::ToDevice, Packet::Publish(publish)) = (passing.direction, passing.packet)
        {
            seen.borrow_mut().push(publish.payload.to_vec());
        }
        Outcome::Pass
    });
    let judgement = run_in(&text, |world| {
        let world = world.with_tamper(Box::new(tamper));
        world.with_command(LinesId(0), gives)
    });
    let read = read.take();
    Ran { judgement, read }
}

const IN_A_PROPERTY: &str = "stamp = \"property\"";

fn secs(seconds: f64) -> Instant {
    Instant::ZERO + Duration::from_secs_f64(seconds)
}

/// A command that writes `count` numbers from `first` on, all at `at`.
fn writes(before: Script, at: f64, first: u32, count: u32) -> Script {
    (first..first + count).fold(before, |script, number| {
        script.writes(secs(at), number.to_string().as_bytes())
    })
}

fn numbers(first: u32, count: u32) -> Vec<Vec<u8>> {
    let numbers = first..first + count;
    numbers
        .map(|number| number.to_string().into_bytes())
        .collect()
}

/// The messages of `judgement` that were due, those that were sent, and those that were not by why.
fn accounted(judgement: &Judgement) -> (u64, u64, Vec<(&str, u64)>) {
    let entry = &judgement.measured.accounting.publications[0];
    let unsent = entry.unsent.iter();
    let unsent = unsent.map(|(why, &count)| (why.as_str(), count)).collect();
    (entry.scheduled, entry.sent, unsent)
}

/// The devices share one command: each message takes the next line when it is due, and no line is taken twice or left out.
#[test]
fn lines_are_payloads_in_the_order_in_which_messages_are_due() {
    let gives = writes(Script::new(), 0.0, 100, 50);

    let Ran { judgement, read } = ran(OPEN, IN_A_PROPERTY, gives);

    assert_broken(&judgement, &[]);
    assert_eq!(verdict(&judgement).outcome, Verdict::Pass);
    assert_eq!(read, numbers(100, 20));
    let command = &judgement.measured.commands[0];
    assert_eq!((command.command.as_str(), command.lines), ("./gen", 20));
    assert_eq!(command.end, None);
}

/// A message that is due while the command has written nothing is counted as not sent, by a cause of its own; what comes later
/// is for what is due later. The books balance, and a run of which so much is missing proves nothing.
#[test]
fn a_message_without_a_line_in_time_is_not_sent_and_the_run_says_so() {
    let gives = writes(writes(Script::new(), 0.0, 0, 5), 1.5, 5, 50);

    let Ran { judgement, read } = ran(OPEN, IN_A_PROPERTY, gives);

    assert_broken(&judgement, &[]);
    let (due, sent, unsent) = accounted(&judgement);
    assert_eq!(due, 20);
    assert_eq!(unsent, [("the command gave no line in time", 20 - sent)]);
    assert_eq!(read, numbers(0, sent as u32));
    let verdict = verdict(&judgement);
    assert_eq!(verdict.outcome, Verdict::Invalid);
    let told = format!("{:?}", verdict.reasons);
    assert!(
        told.contains("the command gave no line in time 1"),
        "{told}"
    );
}

/// Without a stamp the payload is the line too, and messages without a line are counted as those with one are.
#[test]
fn lines_without_a_stamp_are_counted() {
    let gives = writes(writes(Script::new(), 0.0, 0, 5), 1.5, 5, 50);

    let Ran { judgement, read } = ran(OPEN, "stamp = \"none\"", gives);

    let (due, sent, unsent) = accounted(&judgement);
    assert_eq!((due, read.len() as u64), (20, sent));
    assert_eq!(unsent, [("the command gave no line in time", 20 - sent)]);
    assert_eq!(read, numbers(0, sent as u32));
    assert_eq!(judgement.measured.accounting.balance(), 0);
    let verdict = verdict(&judgement);
    assert_eq!(verdict.outcome, Verdict::Invalid);
    let told = format!("{:?}", verdict.reasons);
    assert!(!told.contains("balance"), "{told}");
}

/// A command that ends early leaves the rest of its stream unsent, with that as the cause.
#[test]
fn what_is_due_after_the_command_has_ended_is_not_sent() {
    let gives = writes(Script::new(), 0.0, 0, 8).ends(secs(0.0));

    let Ran { judgement, read } = ran(OPEN, IN_A_PROPERTY, gives);

    assert_broken(&judgement, &[]);
    assert_eq!(
        accounted(&judgement),
        (20, 8, vec![("the command had ended", 12)])
    );
    assert_eq!(read, numbers(0, 8));
    assert_eq!(verdict(&judgement).outcome, Verdict::Invalid);
    let end = judgement.measured.commands[0].end.as_ref();
    assert!(end.is_some_and(|end| end.at_s < 0.1), "{end:?}");
}

/// A command that has written all that the stream needs may end.
#[test]
fn a_command_may_end_once_all_lines_are_there() {
    let gives = writes(Script::new(), 0.0, 0, 20).ends(secs(0.0));

    let Ran { judgement, read } = ran(OPEN, IN_A_PROPERTY, gives);

    assert_eq!(verdict(&judgement).outcome, Verdict::Pass);
    assert_eq!(read, numbers(0, 20));
}

/// A closed loop has no due times: without a line it waits, and publishes what comes when it comes.
#[test]
fn a_closed_loop_waits_for_lines() {
    let gives = (0..10).fold(Script::new(), |script, number| {
        writes(script, 0.1 * f64::from(number), 3 * number, 3)
    });

    let Ran { judgement, read } = ran("arrival = { window = 5 }", IN_A_PROPERTY, gives);

    assert_broken(&judgement, &[]);
    assert_eq!(accounted(&judgement), (30, 30, vec![]));
    assert_eq!(read, numbers(0, 30));
    assert_eq!(verdict(&judgement).outcome, Verdict::Pass);
}

/// Whose pace it is that a closed loop publishes at is told: the command's where it writes a line now and then, the broker's
/// where all lines are there.
#[test]
fn a_closed_loop_tells_whether_it_waited_for_its_command() {
    let slow = (0..10).fold(Script::new(), |script, number| {
        writes(script, 0.1 * f64::from(number), 2 * number, 2)
    });
    let quick = writes(Script::new(), 0.0, 0, 10);
    let window = "arrival = { window = 1 }\n";

    let [slow, quick] = [("until = \"1s\"", slow), ("count = 5", quick)].map(|(end, gives)| {
        let Ran { judgement, .. } = ran(&format!("{window}{end}"), IN_A_PROPERTY, gives);
        let waits = judgement.measured.commands[0]
            .waits
            .expect("it is a closed loop");
        (waits, judgement.measured.notes().join("\n"))
    });

    // Each of two devices waits for ten lines but the first, and for one that never comes, all but the time of ten answers.
    let (waits, notes) = slow;
    assert!((18..=20).contains(&waits.count), "{waits:?}");
    assert!(waits.share > 0.9 && waits.share <= 1.0, "{waits:?}");
    assert!(
        notes.contains("the pace was that of the command"),
        "{notes}"
    );
    assert!(
        notes.contains("throughput, but that of a command"),
        "{notes}"
    );
    let (waits, notes) = quick;
    assert_eq!((waits.count, waits.share), (0, 0.0));
    assert!(!notes.contains("for a line"), "{notes}");
}

/// A closed loop whose command has ended stands still: nothing of it is due, so the run itself says that it fell short.
#[test]
fn a_closed_loop_without_its_command_makes_a_run_invalid() {
    let window = "arrival = { window = 5 }";
    let gives = writes(Script::new(), 0.0, 0, 30).ends(secs(0.5));
    let counted = writes(Script::new(), 0.0, 0, 30).ends(secs(0.5));

    let short = ran(window, IN_A_PROPERTY, gives);
    let whole = ran(&format!("{window}\ncount = 15"), IN_A_PROPERTY, counted);

    for Ran { judgement, read } in [&short, &whole] {
        assert_broken(judgement, &[]);
        assert_eq!(accounted(judgement), (30, 30, vec![]));
        assert_eq!(read.len(), 30);
    }
    assert_eq!(verdict(&whole.judgement).outcome, Verdict::Pass);
    let verdict = verdict(&short.judgement);
    assert_eq!(verdict.outcome, Verdict::Invalid);
    let told = format!("{:?}", verdict.reasons);
    assert!(told.contains("the closed loop of group pumps"), "{told}");
}

/// In a payload the stamp is a member of what looks like a JSON object, and behind anything else, whatever bytes that has.
#[test]
fn a_line_with_a_stamp_in_it_still_is_what_it_was() {
    let object: &[u8] = b"{\"t\": 20.5}";
    let lines: [&[u8]; 5] = [object, b"on", b"", b"\xff\xfe}", b"{\xff}"];
    let gives = lines.iter().cycle().take(20);
    let gives = gives.fold(Script::new(), |script, line| script.writes(secs(0.0), line));

    let Ran { judgement, read } = ran(OPEN, "", gives);

    assert_broken(&judgement, &[]);
    assert_eq!(verdict(&judgement).outcome, Verdict::Pass);
    assert_eq!(read.len(), 20);
    assert!(
        read[0].starts_with(b"{\"t\": 20.5,\"_squall\":\""),
        "{read:?}"
    );
    assert!(read[0].ends_with(b"\"}"), "{read:?}");
    for (payload, line) in read[1..5].iter().zip(&lines[1..]) {
        let rest = payload.strip_prefix(*line);
        assert!(
            rest.is_some_and(|rest| rest.starts_with(b" #squall:")),
            "{payload:?}"
        );
    }
}

/// A line that a broker changes is corrupted, as any other payload is, and the right one lost.
#[test]
fn a_line_that_is_changed_is_corrupted() {
    let text = SCENARIO
        .replace("PACE", OPEN)
        .replace("STAMP", IN_A_PROPERTY);
    let tamper = once(
        7,
        |passing| to_device(passing).is_some(),
        |passing, tampered| {
            let mut publish = to_device(passing).expect("it was chosen").clone();
            publish.payload = b"108";
            let bytes = publish_bytes(&publish, passing.version);
            tampered.forward(Direction::ToDevice, &bytes);
        },
    );

    let judgement = run_in(&text, |world| {
        let world = world.with_tamper(Box::new(tamper));
        world.with_command(LinesId(0), writes(Script::new(), 0.0, 100, 50))
    });

    assert_broken(&judgement, &["delivery().lost", "delivery().corrupted"]);
    assert_eq!(verdict(&judgement).exit_code, 98);
}

/// Each group has a command of its own, and gets the lines of that.
#[test]
fn each_stream_has_the_lines_of_its_own_command() {
    let second = "[[group]]\nname = \"vans\"\ncount = 1\n[[group.publish]]\ntopic = \"v\"\nrate = 5\n\
                  payload = { command = \"./other\" }\nstamp = \"property\"\n";
    let text = SCENARIO
        .replace("PACE", OPEN)
        .replace("STAMP", IN_A_PROPERTY);
    let text = text.replacen("[[expect]]", &format!("{second}[[expect]]"), 1);

    let judgement = run_in(&text, |world| {
        let world = world.with_command(LinesId(0), writes(Script::new(), 0.0, 0, 20));
        world.with_command(LinesId(1), writes(Script::new(), 0.0, 0, 3).ends(secs(0.0)))
    });

    let lines: Vec<u64> = judgement
        .measured
        .commands
        .iter()
        .map(|of| of.lines)
        .collect();
    assert_eq!(lines, [20, 3]);
    let publications = &judgement.measured.accounting.publications;
    let sent: Vec<u64> = publications.iter().map(|entry| entry.sent).collect();
    assert_eq!(sent, [20, 3]);
}
