//! What is told before a run of messages without a stamp.

use squall_scenario::Scenario;

use crate::advice::{advice, never_judged};

/// Two publishers of messages without a stamp, and `reader`s that hear all of them; `others` is more of the file.
fn scenario(reader: &str, others: &str, claims: &str) -> Scenario {
    let text = format!(
        "version = 1\nname = \"a\"\n[run]\nduration = \"10s\"\n\
         [[group]]\nname = \"meters\"\ncount = 2\nreconnect = {{ when = \"always\", backoff = \"100ms\" }}\n\
         [[group.publish]]\ntopic = \"meters/{{index}}\"\nqos = 1\nevery = \"1s\"\nstamp = \"none\"\n\
         [[group]]\nname = \"reader\"\ncount = 3\nkeep_alive = \"2s\"\n{reader}\n\
         [[group.subscribe]]\nfilter = \"meters/#\"\nqos = 1\n{others}\n\
         [[expect]]\ncheck = \"delivery\"\n{claims}\n"
    );
    Scenario::parse("a.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn fault(group: &str, more: &str) -> String {
    format!("[[fault]]\nname = \"cut\"\nat = \"5s\"\ngroup = \"{group}\"\n{more}\n")
}

const DROP: &str = "action = \"drop\"\nhow = \"rst\"";

/// Whatever in the file makes counts prove nothing is named before the run, with the claim and what would help.
#[test]
fn what_disturbs_counts_is_told_before_the_run() {
    let stall = "action = \"stall\"\nlasts = \"1s\"";
    let flap = "action = \"flap\"\nperiod = \"1s\"\nlasts = \"2s\"";
    let pause =
        "[[fault]]\nname = \"cut\"\nat = \"5s\"\naction = \"pause_broker\"\nlasts = \"1s\"\n";
    let faults = [
        fault("reader", DROP),
        fault("reader", "action = \"disconnect\""),
        fault("reader", "action = \"takeover\""),
        fault("reader", stall),
        fault("reader", flap),
        fault("reader", &format!("select = {{ count = 1 }}\n{DROP}")),
        pause.to_owned(),
    ];
    for fault in &faults {
        for claim in ["lost", "duplicated"] {
            let told = never_judged(&scenario("", fault, &format!("{claim} = 0")));

            assert!(told.len() == 1, "{fault}: {told:?}");
            for word in [&format!("`{claim}` of"), "fault `cut`", "; l", "stamp = "] {
                assert!(told[0].contains(word), "{word}: {told:?}");
            }
        }
    }
}

/// A device that leaves, or gives its subscriptions up, while messages come.
#[test]
fn recipients_that_do_not_stay_are_told_before_the_run() {
    let churn = "churn = { on = \"1s\", off = \"1s\" }\n";
    for (reader, others, key) in [
        ("leave = \"6s\"", "", "leave"),
        ("", churn, "churn"),
        ("", "until = \"6s\"", "until"),
    ] {
        let told = never_judged(&scenario(reader, others, "lost = 0"));

        assert!(
            told.len() == 1 && told[0].contains(&format!("`{key}` of group `reader`")),
            "{key}: {told:?}"
        );
    }
}

/// A publisher that comes back may send again: that is about copies alone.
#[test]
fn publishers_that_come_back_are_told_before_the_run() {
    let cut = fault("meters", DROP);

    let copies = never_judged(&scenario("", &cut, "duplicated = 0"));

    assert!(copies.len() == 1 && copies[0].contains("may send some again"));
    assert_eq!(never_judged(&scenario("", &cut, "lost = 0")), [""; 0]);
}

/// A topic that has messages of another kind: each of the same topic tells nothing of the others.
#[test]
fn topics_with_messages_of_two_kinds_are_told_before_the_run() {
    let other = |topic: &str, more: &str| {
        format!(
            "[[group]]\nname = \"other\"\ncount = 1\n[[group.publish]]\ntopic = \"{topic}\"\nevery = \"1s\"\n{more}\n"
        )
    };
    for (more, how) in [
        ("qos = 1", "with a stamp"),
        ("qos = 2\nstamp = \"none\"", "at QoS 2"),
    ] {
        let told = never_judged(&scenario("", &other("meters/1", more), "lost = 0"));

        assert!(
            told.len() == 1 && told[0].contains(how) && told[0].contains("`other`"),
            "{told:?}"
        );
    }
    let alike = other("meters/1", "qos = 1\nstamp = \"none\"");
    for others in [alike, other("meters/7", "qos = 1")] {
        assert_eq!(never_judged(&scenario("", &others, "lost = 0")), [""; 0]);
    }
}

/// What may not happen, or may not matter, is no reason to refuse a scenario: it is advice.
#[test]
fn what_may_disturb_counts_is_advice() {
    let mute = "action = \"mute\"\nlasts = \"4s\"";
    let some = format!("select = {{ match = \"*-1\" }}\n{DROP}");
    let all = fault("reader", DROP);
    for (fault, limit) in [
        (fault("reader", mute), 0),
        (fault("reader", &some), 0),
        (all, 1_000),
    ] {
        let scenario = scenario("", &fault, &format!("lost = {limit}"));

        assert_eq!(never_judged(&scenario), [""; 0], "{fault}");
        let advice = advice(&scenario);
        let mut told = advice.iter();
        assert!(
            told.any(|line| line.contains("may not be judged") && line.contains("`cut`")),
            "{fault}: {advice:?}"
        );
    }
    let early = fault("reader", DROP).replace("5s", "0s");
    assert_eq!(never_judged(&scenario("", &early, "lost = 0")), [""; 0]);
}
