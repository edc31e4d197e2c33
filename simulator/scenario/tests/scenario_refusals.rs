//! What a scenario may not say, beside the files of `scenarios/invalid`: the kind of problem.

use squall_protocol::topic::TopicError;
use squall_scenario::{Problem, Scenario, ScenarioErrors};
use squall_toml::mistake::Mistake;

fn parse(text: &str) -> Result<Scenario, ScenarioErrors> {
    let text = format!("version = 1\nname = \"test\"\n{text}");
    Scenario::parse("test.toml", &text, &[])
}

/// The one thing that is wrong with `text`.
fn problem(text: &str) -> Problem {
    let errors = parse(text).expect_err("it is wrong");
    let problems: Vec<Problem> = errors.iter().map(|error| error.problem.clone()).collect();
    match problems.as_slice() {
        [only] => only.clone(),
        _ => panic!("{errors}"),
    }
}

/// A fault that happens without end would fill the memory with its times.
#[test]
fn a_fault_has_a_limited_number_of_times() {
    let problem = problem(
        r#"
[[group]]
name = "devices"
count = 1
[[fault]]
every = "1us"
group = "devices"
action = "takeover"
"#,
    );

    assert!(
        matches!(problem, Problem::Mistake(Mistake::OutOfRange { .. })),
        "{problem}"
    );
}

/// A fault whose group is misspelt is there all the same, and a Response Topic that cannot be read is one: what refers to
/// them is right.
#[test]
fn a_mistake_makes_no_others_of_what_refers_to_it() {
    let fault = problem(
        r#"
[[group]]
name = "devices"
count = 1
[group.will]
topic = "w"
[[group.subscribe]]
filter = "w"
[[fault]]
name = "tunnel"
at = "1s"
group = "device"
action = "drop"
how = "rst"
[[expect]]
check = "will"
after = ["tunnel"]
exactly = 1
"#,
    );
    let response_topic = problem(
        r#"
[[group]]
name = "asks"
count = 1
[[group.publish]]
topic = "cmd"
every = "1s"
response_topic = "answers/{clientid}"
[[group.subscribe]]
filter = "answers/{client_id}"
[[group]]
name = "answers"
count = 1
[[group.respond]]
filter = "cmd"
[[expect]]
check = "response"
misdirected = 0
within = "1s"
"#,
    );

    assert!(
        matches!(fault, Problem::UnknownName { kind: "group", .. }),
        "{fault}"
    );
    assert!(
        matches!(response_topic, Problem::Template(_)),
        "{response_topic}"
    );
}

/// A day cannot come again after another period, and what can is said.
#[test]
fn a_day_that_is_to_repeat_is_told_what_can() {
    let text = "[[group]]\nname = \"a\"\ncount = 1\n[[group.publish]]\ntopic = \"t\"\n\
                rate = { day = { low = 1, high = 2, peak = \"14h\" }, repeat = \"60s\" }\n";

    let problem = problem(text);

    let Problem::Contradiction { what, remedy } = problem else {
        panic!("{problem}");
    };
    assert!(what.ends_with("a `day` is 24 h of real time"), "{what}");
    assert!(remedy.starts_with("`points` and `repeat`"), "{remedy}");
}

/// A silent drop of devices without Keep Alive is never noticed, so no will can be claimed.
#[test]
fn a_will_after_a_silent_drop_needs_a_keep_alive() {
    let problem = problem(
        r#"
[[group]]
name = "devices"
count = 1
keep_alive = "0s"
[group.will]
topic = "t"
[[group.subscribe]]
filter = "t"
[[fault]]
name = "cut"
at = "1s"
group = "devices"
action = "drop"
how = "silent"
[[expect]]
check = "will"
after = ["cut"]
exactly = 1
"#,
    );

    assert!(
        matches!(problem, Problem::Contradiction { .. }),
        "{problem}"
    );
}

/// The books tell a will that came twice from one that came more often, and no more: a claim of three could not fail
/// by a fourth.
#[test]
fn no_more_wills_are_claimed_than_are_counted() {
    let text = |times| {
        format!(
            "[[group]]\nname = \"devices\"\ncount = 1\n[group.will]\ntopic = \"t\"\n\
             [[group.subscribe]]\nfilter = \"t\"\n\
             [[fault]]\nname = \"cut\"\nat = \"1s\"\ngroup = \"devices\"\naction = \"drop\"\nhow = \"rst\"\n\
             [[expect]]\ncheck = \"will\"\nafter = [\"cut\"]\nexactly = {times}\n"
        )
    };

    let counted = parse(&text(2));
    let beyond = problem(&text(3));

    assert!(counted.is_ok(), "{counted:?}");
    assert!(
        matches!(beyond, Problem::Mistake(Mistake::OutOfRange { .. })),
        "{beyond}"
    );
}

/// `$share//a` is malformed in 5.0 [MQTT-4.8.2-1] and an ordinary filter in 3.1.1, which knows no
/// shared subscriptions.
#[test]
fn a_malformed_share_is_a_filter_of_3_1_1_only() {
    let text = |protocol| {
        format!(
            "[[group]]\nname = \"g\"\ncount = 1\nprotocol = \"{protocol}\"\n\
             [[group.subscribe]]\nfilter = \"$share//a\"\n"
        )
    };

    let old = parse(&text("3.1.1"));
    let new = problem(&text("5.0"));

    assert!(old.is_ok(), "{old:?}");
    assert!(
        matches!(&new, Problem::Topic { text, error: TopicError::MalformedShare } if text == "$share//a"),
        "{new:?}"
    );
}

/// Lists that a file gives are bounded, so that what is wrong with them is told at once.
#[test]
fn a_list_has_a_limited_length() {
    let group = "[[group]]\nname = \"devices\"\ncount = 1\n";
    let lines = |line: &dyn Fn(usize) -> String| (0..1_001).map(line).collect::<String>();
    let names = lines(&|n| format!("\"fault-{n}\", "));
    let texts = [
        format!("[vars]\n{}{group}", lines(&|n| format!("v{n} = 1\n"))),
        format!(
            "{group}[thresholds]\n{}",
            lines(&|n| format!("\"errors{n}\" = [\"count == 0\"]\n"))
        ),
        format!("{group}[[expect]]\ncheck = \"will\"\nexactly = 1\nafter = [{names}]\n"),
        lines(&|n| format!("[[group]]\nname = \"g{n}\"\ncount = 1\n")),
    ];

    for text in texts {
        let errors = parse(&text).unwrap_err();

        let is_about_length = errors.iter().any(|error| {
            matches!(&error.problem, Problem::Mistake(Mistake::OutOfRange { range, .. })
                if range.contains("at most 1000"))
        });
        assert!(is_about_length, "{errors}");
    }
}

/// What belongs there is said in the words of a file, not of a schema.
#[test]
fn a_wrong_kind_says_what_belongs_there() {
    let group = "[[group]]\nname = \"devices\"\ncount = 1\n";
    for (text, expected) in [
        ("group = 1", "blocks `[[group]]`"),
        ("expect = 1", "blocks `[[expect]]`"),
        ("[[group]]\npublish = 1", "blocks `[[group.publish]]`"),
        ("thresholds = { errors = 1 }", "an array of strings"),
        (
            "[[network]]\nname = \"n\"\nlatency = { dist = \"empirical\", values = 1 }",
            "an array, each value a duration such as",
        ),
        (
            "[[network]]\nname = \"n\"\nloss = \"x\"",
            "a number or a table",
        ),
        ("run = 1", "a table"),
    ] {
        let with_group = match text.starts_with("[[") || text.starts_with("group") {
            true => text.to_owned(),
            false => format!("{text}\n{group}"),
        };

        let errors = parse(&with_group).unwrap_err();

        let expected = format!("expected {expected}");
        assert!(errors.to_string().contains(&expected), "{errors}");
    }
}

/// A birth is published, so its Topic Name has no wildcard (§4.7.1), and nothing that changes from one
/// birth to the next.
#[test]
fn a_birth_has_a_topic_name_of_its_device() {
    let text =
        |topic| format!("[[group]]\nname = \"g\"\ncount = 1\n[group.birth]\ntopic = \"{topic}\"\n");

    let right = parse(&text("status/{client_id}"));
    let wildcard = problem(&text("status/+"));
    let changing = problem(&text("status/{seq}"));

    assert!(right.is_ok(), "{right:?}");
    assert!(matches!(&wildcard, Problem::Topic { .. }), "{wildcard:?}");
    assert!(
        changing.to_string().contains("the topic of a birth"),
        "{changing}"
    );
}

/// A device of MQTT 3.1.1 sees no Response Topic and sends no properties.
#[test]
fn what_mqtt_3_1_1_lacks_is_refused_in_it() {
    let group =
        |keys: &str| format!("[[group]]\nname = \"g\"\ncount = 1\nprotocol = \"3.1.1\"\n{keys}");
    let publish = "[[group.publish]]\ntopic = \"t\"\nevery = \"1s\"\n";

    let respond = problem(&group("[[group.respond]]\nfilter = \"a\"\n"));
    assert!(matches!(respond, Problem::Needed { .. }), "{respond}");
    for key in [
        "response_topic = \"a\"",
        "content_type = \"a\"",
        "user_properties = { a = \"b\" }",
    ] {
        let problem = problem(&group(&format!("{publish}{key}\n")));
        assert!(matches!(problem, Problem::Misplaced { .. }), "{problem}");
    }
}

/// A response that is a request itself would be answered for as long as the run lasts, also by way of another
/// group.
#[test]
fn responses_that_are_requests_are_refused() {
    let problem = problem(
        "[[group]]\nname = \"a\"\ncount = 1\n[[group.respond]]\nfilter = \"a/+\"\ntopic = \"b/{client_id}\"\n\
         [[group]]\nname = \"b\"\ncount = 1\n[[group.respond]]\nfilter = \"b/#\"\ntopic = \"c\"\n",
    );

    assert!(
        matches!(problem, Problem::Contradiction { .. }),
        "{problem}"
    );
}

/// The response cannot be published to a filter.
#[test]
fn a_response_topic_is_a_topic_name() {
    let problem = problem(
        "[[group]]\nname = \"a\"\ncount = 1\n[[group.publish]]\ntopic = \"t\"\nevery = \"1s\"\n\
         response_topic = \"answers/+\"\n",
    );

    assert!(matches!(problem, Problem::Topic { .. }), "{problem}");
}

/// A claim about responses is refused where nothing answers, or claims nothing; `within`, which is about the broker
/// alone, where the scenario itself delays responses.
#[test]
fn a_claim_about_responses_needs_some_that_only_the_broker_delays() {
    let text = |network: &str, claim: &str| {
        format!(
            "[[network]]\nname = \"n\"\nlatency = \"1ms\"\n[[group]]\nname = \"a\"\ncount = 1\n{network}\n\
             [[group.publish]]\ntopic = \"t\"\nevery = \"1s\"\nresponse_topic = \"r\"\n\
             [[group]]\nname = \"b\"\ncount = 1\n[[group.respond]]\nfilter = \"t\"\n\
             [[expect]]\ncheck = \"response\"\n{claim}\n"
        )
    };
    let fault = "within = \"1s\"\n[[fault]]\nat = \"1s\"\ngroup = \"a\"\naction = \"disconnect\"";

    for refused in [
        text("", "answered = false"),
        text("network = \"n\"", "within = \"1s\""),
        text("", fault),
        text("", "answered = true").replace("respond", "subscribe"),
    ] {
        let problem = problem(&refused);
        assert!(
            matches!(problem, Problem::Contradiction { .. }),
            "{problem}"
        );
    }
    let no_topic = text("", "misdirected = 0").replace("response_topic = \"r\"\n", "");
    let problem = problem(&no_topic);
    assert!(matches!(problem, Problem::Misplaced { .. }), "{problem}");
    assert!(parse(&text("network = \"n\"", "answered = true")).is_ok());
}

/// A group speaks what an address of the target does.
#[test]
fn a_transport_needs_an_address() {
    let of_group = |url: &str| {
        format!(
            "[target]\nurl = {url}\n[[group]]\nname = \"devices\"\ncount = 1\ntransport = \"ws\"\n"
        )
    };

    let problem = problem(&of_group("[\"mqtt://a\", \"mqtt://b\"]"));

    assert_eq!(
        problem.to_string(),
        "the target has no address for ws, only for tcp"
    );
    assert!(parse(&of_group("[\"mqtt://a\", \"ws://b\"]")).is_ok());
}

/// An address that is there twice would have two shares of the devices.
#[test]
fn an_address_is_written_once() {
    let text = "[target]\nurl = [\"mqtt://a\", \"mqtt://a:1883\"]\n[[group]]\nname = \"devices\"\ncount = 1\n";

    let problem = problem(text);

    assert!(
        problem.to_string().contains("mqtt://a:1883 is there twice"),
        "{problem}"
    );
}
