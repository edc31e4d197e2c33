//! Messages without a stamp: counted, not told apart.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use squall_ledger::{Judgement, never_judged};
use squall_run::{Event, Outcome as Verdict};
use squall_world::Tamper;

use crate::run::{assert_broken, broken, run, run_tampered, verdict};
use crate::tampering::{Outcome, is_to, once, script, to_device};

/// Four devices publish the same payload to topics of their own, and `reader` asks for them.
fn scenario(qos: u8, reader: &str, claims: &str) -> String {
    format!(
        "[run]\nduration = \"4s\"\ndrain = \"12s\"\n[[group]]\nname = \"meters\"\ncount = 4\n[[group.publish]]\n\
         topic = \"meters/{{client_id}}\"\nqos = {qos}\nrate = 40\npayload = {{ hex = \"01 ff\" }}\nstamp = \"none\"\n\
         [[group]]\nname = \"reader\"\ncount = 1\n[[group.subscribe]]\nfilter = \"meters/+\"\nqos = 2\n{reader}\n\
         [[expect]]\ncheck = \"delivery\"\n{claims}\n"
    )
}

/// Does away with the twentieth message to the reader.
fn drop_one() -> impl Tamper {
    once(
        20,
        |passing| is_to(passing, "reader-0", "meters"),
        |_, _| {},
    )
}

/// Has the twentieth message come to the reader twice.
fn double_one() -> impl Tamper {
    once(
        20,
        |passing| is_to(passing, "reader-0", "meters"),
        |passing, tampered| {
            tampered.forward(passing.direction, passing.bytes);
            tampered.forward(passing.direction, passing.bytes);
        },
    )
}

fn counts(judgement: &Judgement) -> (u64, u64, u64, u64) {
    let entries = &judgement.measured.accounting.deliveries;
    entries.iter().fold((0, 0, 0, 0), |sum, entry| {
        (
            sum.0 + entry.expected,
            sum.1 + entry.delivered,
            sum.2 + entry.unstamped,
            sum.3 + entry.foreign + entry.misrouted + entry.corrupted,
        )
    })
}

/// What came is what was sent, and the report says that it was counted only.
#[test]
fn counts_tell_that_nothing_is_lost_and_nothing_came_twice() {
    for qos in [1, 2] {
        let judgement = run(&scenario(qos, "", "lost = 0\nduplicated = 0"));

        assert_broken(&judgement, &[]);
        assert_eq!(counts(&judgement), (160, 160, 160, 0));
        let notes = judgement.measured.notes();
        assert!(
            notes
                .iter()
                .any(|note| note.contains("160 messages came without a stamp")),
            "{notes:?}"
        );
    }
}

/// Why a claim of the only check was not judged; empty if it was.
fn why_unjudged(judgement: &Judgement, key: &str) -> String {
    let check = &judgement.measured.checks[0];
    let claim = check.claims.iter().find(|claim| claim.key == key);
    let claim = claim.unwrap_or_else(|| panic!("no {key}: {check:#?}"));
    claim.unjudged.clone().unwrap_or_default()
}

/// What is missing and may come still is told with what the drain lacks, not with all that may hide a loss.
#[test]
fn a_message_that_may_come_still_is_told_with_the_drain_that_it_needs() {
    let text = scenario(1, "", "lost = 0").replace("drain = \"12s\"", "drain = \"2s\"");

    let judgement = run_tampered(&text, drop_one());

    let why = why_unjudged(&judgement, "lost");
    assert!(
        why.starts_with("1 messages had not come when the run ended"),
        "{why}"
    );
    assert!(why.contains("`run.drain`"), "{why}");
}

/// A message that was acknowledged and did not come is missing from the count, and the run fails.
#[test]
fn a_message_that_does_not_come_is_lost() {
    for qos in [1, 2] {
        let judgement = run_tampered(&scenario(qos, "", "lost = 0"), drop_one());

        assert_broken(&judgement, &["delivery().lost"]);
        assert_eq!(verdict(&judgement).exit_code, 98);
    }
}

/// What counts show is one row, however many there are, and bears no moment: none is known.
#[test]
fn what_counts_show_is_told_once_without_a_moment() {
    let drops = script(
        |passing, _| match is_to(passing, "reader-0", "meters/meters-1") {
            true => Outcome::Done,
            false => Outcome::Pass,
        },
    );

    let judgement = run_tampered(&scenario(1, "", "lost = 0"), drops);

    assert_broken(&judgement, &["delivery().lost"]);
    let check = &judgement.measured.checks[0];
    assert_eq!(check.violations_total, 40);
    let told = check.violations.iter();
    let told: Vec<_> = told.map(|it| (it.times, it.at_s)).collect();
    assert_eq!(told, [(40, None)]);
    assert_eq!(check.by_device[0].count, 40);
}

/// One that comes again on its connection is one more than was sent [MQTT-4.4.0-1], and the run fails.
#[test]
fn a_message_that_comes_twice_is_duplicated() {
    let judgement = run_tampered(&scenario(1, "", "duplicated = 0"), double_one());

    assert_broken(&judgement, &["delivery().duplicated"]);
    assert_eq!(verdict(&judgement).exit_code, 98);
}

/// At QoS 0 nothing is promised, but one is not two (§4.3.1).
#[test]
fn a_message_of_qos_0_that_comes_twice_is_duplicated() {
    let judgement = run_tampered(&scenario(0, "", "duplicated = 0"), double_one());

    assert_broken(&judgement, &["delivery().duplicated"]);
}

/// A copy may stand in for a message that was lost, and one that is missing may hide a copy: neither is taken for a proof
/// that the other is not there.
#[test]
fn what_is_wrong_one_way_leaves_the_other_open() {
    let text = scenario(1, "", "lost = 0\nduplicated = 0");
    for (judgement, found, open) in [
        (run_tampered(&text, drop_one()), "lost", "duplicated"),
        (run_tampered(&text, double_one()), "duplicated", "lost"),
    ] {
        assert_eq!(verdict(&judgement).exit_code, 98);
        assert_eq!(why_unjudged(&judgement, found), "");
        let why = why_unjudged(&judgement, open);
        assert!(why.contains("counts do not tell"), "{open}: {why}");
    }
}

/// Where the recipient was away, or gets a copy by chance or by two subscriptions, the counts prove nothing: that is said.
#[test]
fn counts_that_prove_nothing_are_not_judged() {
    let fault = "[[fault]]\nname = \"cut\"\nat = \"2s\"\ngroup = \"reader\"\naction = \"drop\"\nhow = \"rst\"\n";
    let overlapping = "[[group.subscribe]]\nfilter = \"#\"\nqos = 1\n";
    let cut = "another connection";
    let twice = "several subscriptions";
    for (reader, key, reason) in [
        (fault, "lost", cut),
        (fault, "duplicated", cut),
        (overlapping, "duplicated", twice),
        (overlapping, "lost", twice),
    ] {
        let judgement = run(&scenario(1, reader, &format!("{key} = 0")));

        assert_eq!(broken(&judgement).len(), 1, "{reader}: {key}");
        assert_eq!(judgement.measured.checks[0].violations_total, 0, "{key}");
        let why = why_unjudged(&judgement, key);
        assert!(why.contains("counts do not tell"), "{key}: {why}");
        assert!(why.contains(reason), "{key}: {why}");
        assert!(
            !why.contains(if reason == cut { twice } else { cut }),
            "{key}: {why}"
        );
        assert_eq!(verdict(&judgement).outcome, Verdict::Invalid);
    }
}

/// What is refused before the run has no verdict after it, for the reason that was told: whatever the broker does, here all that
/// is right.
#[test]
fn what_disturbs_counts_is_told_before_the_run() {
    let fault = |action: &str| {
        format!("[[fault]]\nname = \"cut\"\nat = \"2s\"\ngroup = \"reader\"\n{action}\n")
    };
    let pause =
        "[[fault]]\nname = \"cut\"\nat = \"2s\"\naction = \"pause_broker\"\nlasts = \"1s\"\n";
    let other = "[[group]]\nname = \"other\"\ncount = 1\n[[group.publish]]\ntopic = \"meters/meters-1\"\nrate = 1\n";
    let sessions = "are for Sessions that have another connection";
    let topics = "go to topics that have messages with a stamp, of another QoS";
    for (more, reason) in [
        (fault("action = \"drop\"\nhow = \"rst\""), sessions),
        (fault("action = \"drop\"\nhow = \"silent\""), sessions),
        (fault("action = \"disconnect\""), sessions),
        (fault("action = \"takeover\""), sessions),
        (fault("action = \"stall\"\nlasts = \"500ms\""), sessions),
        (
            fault("action = \"flap\"\nperiod = \"1s\"\nlasts = \"1s\""),
            sessions,
        ),
        ("until = \"2s\"".to_owned(), sessions),
        ("churn = { on = \"1s\", off = \"1s\" }".to_owned(), sessions),
        (pause.to_owned(), "meet a fault that has the broker away"),
        (format!("{other}qos = 1\n"), topics),
        (format!("{other}qos = 2\nstamp = \"none\"\n"), topics),
    ] {
        for key in ["lost", "duplicated"] {
            let text = scenario(1, &more, &format!("{key} = 0"));

            let told = never_judged(&crate::run::scenario(&text));
            let judgement = run(&text);

            let named = format!("`{key}` of `check = \"delivery\"`");
            assert_eq!(told.len(), 1, "{more}: {told:?}");
            assert!(
                told[0].starts_with(&named) && told[0].contains(reason),
                "{more}: {told:?}"
            );
            let why = why_unjudged(&judgement, key);
            assert!(why.contains(reason), "{more}: {key}: {why}");
            assert_eq!(verdict(&judgement).outcome, Verdict::Invalid, "{more}");
        }
    }
}

/// Publishers that come back may send what was under way again, at QoS 1: what came is no proof that nothing is lost. Those
/// that have left for good send nothing again.
#[test]
fn a_publisher_that_comes_back_may_hide_what_is_lost() {
    let fault =
        "[[fault]]\nname = \"leave\"\nat = \"2s\"\ngroup = \"meters\"\naction = \"disconnect\"\n";
    let leaving = scenario(1, fault, "lost = 0");
    let coming = "count = 4\nreconnect = { when = \"always\", backoff = \"100ms\" }\n";

    let back = run(&leaving.replace("count = 4\n", coming));
    let gone = run(&leaving);

    let why = why_unjudged(&back, "lost");
    assert!(why.contains("counts do not tell"), "{why}");
    assert_broken(&gone, &[]);
}

/// Order, contents, recipients and delays of such messages are not known: a claim about them is not judged, and that is told
/// before the run.
#[test]
fn what_no_count_tells_is_not_judged() {
    let claims = |check: &str, key: &str| format!("[[expect]]\ncheck = \"{check}\"\n{key}\n");
    let delivery = ["reordered", "corrupted", "misrouted", "mislabelled", "late"];
    let delivery = delivery.map(|key| claims("delivery", &format!("{key} = 0")));
    let others = [
        claims("expiry", "never_after = true"),
        claims("expiry", "remaining = \"correct\""),
        claims("shared", "exactly_one = true"),
        claims("shared", "redistributed = true"),
        claims("session", "backlog = \"complete\""),
        "[thresholds]\ne2e_latency = [\"max < 1h\"]\n".to_owned(),
    ];
    let kept = "clean_start = false\nsession_expiry = \"1h\"\n";
    for claim in delivery.into_iter().chain(others) {
        let text = scenario(1, "", "").replace("[[expect]]\ncheck = \"delivery\"\n\n", &claim);
        let text = match claim {
            _ if claim.contains("expiry") => {
                text.replace("stamp", "message_expiry = \"1h\"\nstamp")
            }
            _ if claim.contains("shared") => text.replace("meters/+", "$share/all/meters/+"),
            _ if claim.contains("session") => {
                text.replace("count = 1\n", &format!("count = 1\n{kept}"))
            }
            _ => text,
        };

        let judgement = run(&text);

        assert_eq!(verdict(&judgement).outcome, Verdict::Invalid, "{claim}");
        let told = never_judged(&crate::run::scenario(&text));
        assert_eq!(told.len(), 1, "{claim}: {told:?}");
    }
}

/// Beside messages that are told apart, a claim says that it was judged of those.
#[test]
fn a_claim_on_both_says_of_which_it_was_judged() {
    let others = "[[group]]\nname = \"others\"\ncount = 1\n[[group.publish]]\ntopic = \"meters/marked\"\nqos = 1\nrate = 10\n";

    let judgement = run(&scenario(1, others, "lost = 0\nreordered = 0"));

    assert_broken(&judgement, &[]);
    let claims = &judgement.measured.checks[0].claims;
    let of = claims
        .iter()
        .map(|claim| claim.of.as_deref().unwrap_or_default());
    assert_eq!(
        of.collect::<Vec<_>>(),
        ["owed at QoS 1 and 2", "with a stamp"]
    );
}

/// The rate of deliveries is what a capture of the packets would show, over the whole and over time.
#[test]
fn the_rate_of_deliveries_counts_messages_without_a_stamp() {
    let thresholds =
        "[thresholds]\n\"delivery_rate{group=reader,qos=1}\" = [\"avg >= 40\", \"avg <= 40\"]\n";
    let text = scenario(1, "", "lost = 0") + thresholds;

    let judgement = run(&text);

    assert_broken(&judgement, &[]);
    let delivered = judgement.measured.rates.of_all(Event::Delivered).unwrap();
    assert_eq!((delivered.count, delivered.mean_per_s), (160, 40.0));
    assert!(judgement.measured.thresholds[0].passed());
    let over_time = judgement.measured.series.intervals.iter();
    let over_time: u64 = over_time.map(|it| it.first_deliveries()).sum();
    assert_eq!(over_time, 160);
}

/// Placeholders are filled in for each message, and nothing is added to what is written.
#[test]
fn payloads_go_out_as_they_are_written() {
    let seen = Rc::new(RefCell::new(BTreeSet::new()));
    let kept = Rc::clone(&seen);
    let reads = script(move |passing, _| {
        if let Some(publish) = to_device(passing) {
            let text = String::from_utf8_lossy(publish.payload).into_owned();
            kept.borrow_mut().insert(text);
        }
        Outcome::Pass
    });
    let written = "payload = { hex = \"01 ff\" }";
    let text = scenario(1, "", "lost = 0").replace(written, "payload = \"{client_id} {seq}\"");

    let judgement = run_tampered(&text, reads);

    assert_broken(&judgement, &[]);
    let expected =
        (0..4).flat_map(|device| (0..40).map(move |seq| format!("meters-{device} {seq}")));
    assert_eq!(*seen.borrow(), expected.collect::<BTreeSet<_>>());
}
