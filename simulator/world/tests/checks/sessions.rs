//! Sessions that an earlier run left in the broker: the verdict is the same both times.

use std::time::Duration;

use squall_fleet::{Fleet, Phase};
use squall_ledger::{Judgement, Recorder, judge};
use squall_run::{ClaimOutcome, Resources};
use squall_world::World;

use crate::run::{assert_broken, broker, scenario};

/// Twenty devices whose Sessions outlive their connections, and one that publishes to each of them.
fn kept_sessions(group: &str) -> String {
    format!(
        r#"
[target]
url = "mqtt://127.0.0.1:1883"
[run]
duration = "4s"
drain = "2s"
[[group]]
name = "keepers"
count = 20
clean_start = false
{group}
[[group.subscribe]]
filter = "to/{{client_id}}"
qos = 1
[[group]]
name = "sender"
count = 1
[[group.publish]]
topic = "to/keepers-{{seq % 20}}"
qos = 1
rate = 50
[[expect]]
check = "delivery"
lost = 0
misrouted = 0
"#
    )
}

type Run = World<Recorder>;

fn fleet(text: &str) -> Fleet<Recorder> {
    squall_world::recorded_fleet(&scenario(text))
}

fn first(text: &str) -> Run {
    squall_world::recorded(&scenario(text), broker())
}

fn run_to_end(world: &mut Run) {
    while world.step() {}
}

/// Until the measured part has gone on for two seconds.
fn run_into_measuring(world: &mut Run) {
    let is_measuring = |world: &Run| world.fleet().progress(world.now()).phase == Phase::Measuring;
    while !is_measuring(world) {
        assert!(world.step());
    }
    let until = world.now() + Duration::from_secs(2);
    while world.now() < until {
        assert!(world.step());
    }
}

/// Sessions that outlive the run: the last goodbyes may still be on their way at its end.
fn sessions_left(world: Run, text: &str) -> usize {
    world.followed_by(fleet(text)).broker().counters().sessions
}

fn finish(text: &str, world: Run) -> Judgement {
    judge(&scenario(text), world.run(), &Resources::default())
}

const VERSIONS: [&str; 2] = [
    "protocol = \"3.1.1\"",
    "protocol = \"5.0\"\nsession_expiry = \"10m\"",
];

/// The same scenario twice on one broker: what the first run left changes nothing for the second.
#[test]
fn a_second_run_on_the_same_broker_has_the_same_verdict() {
    for version in VERSIONS {
        let text = kept_sessions(version);
        let mut world = first(&text);
        run_to_end(&mut world);

        let again = finish(&text, world.followed_by(fleet(&text)));

        assert_broken(&again, &[]);
        assert!(again.reasons.is_empty(), "{version}: {:?}", again.reasons);
        assert_eq!(again.measured.sessions.before.asked, 20, "{version}");
        assert_eq!(again.measured.sessions.before.cleared, 20, "{version}");
    }
}

/// Devices with retained wills and nothing to publish, and a watcher.
const WILLS_ONLY: &str = r#"
[target]
url = "mqtt://127.0.0.1:1883"
[run]
duration = "4s"
drain = "2s"
[[group]]
name = "doors"
count = 20
[group.will]
topic = "status/{client_id}"
retain = true
[[group]]
name = "watcher"
count = 1
connect_rate = 0.5
[[group.subscribe]]
filter = "status/+"
qos = 1
[[fault]]
name = "crash"
at = "1s"
group = "doors"
action = "drop"
how = "rst"
[[expect]]
check = "delivery"
misrouted = 0
reordered = 0
late = 0
duplicated = 0
"#;

/// What an earlier run left retained is not of this run: a claim about deliveries of which there were
/// none is not judged, the first time and the second.
#[test]
fn what_an_earlier_run_retained_is_not_a_delivery_of_this_one() {
    let mut world = first(WILLS_ONLY);
    let once = finish(WILLS_ONLY, first(WILLS_ONLY));
    run_to_end(&mut world);

    let again = finish(WILLS_ONLY, world.followed_by(fleet(WILLS_ONLY)));

    for judgement in [once, again] {
        let claims = &judgement.measured.checks[0].claims;
        assert!(
            claims.iter().all(|claim| claim.actual.is_none()),
            "{claims:?}"
        );
    }
}

/// A will bears no stamp: where an earlier run left the same one, a broker that retained nothing looks like
/// one that did. The run says so, unless it saw that nothing was there.
#[test]
fn a_will_of_an_earlier_run_is_not_taken_for_one_of_this() {
    let claims =
        "[[expect]]\ncheck = \"retained\"\nfilter = \"status/+\"\nequals = \"last_will\"\n";
    let watched = format!("{WILLS_ONLY}{claims}").replace("connect_rate = 0.5\n", "");
    let unwatched = watched.replace(
        "filter = \"status/+\"\nqos = 1",
        "filter = \"none\"\nqos = 1",
    );

    let seen = retained_claim(&finish(&watched, first(&watched)));
    let unseen = retained_claim(&finish(&unwatched, first(&unwatched)));
    let mut world = first(&watched);
    run_to_end(&mut world);
    let again = retained_claim(&finish(&watched, world.followed_by(fleet(&watched))));

    assert!(seen.passed, "{seen:?}");
    for claim in [unseen, again] {
        assert_eq!((claim.passed, &claim.actual), (false, &None));
        let why = claim.unjudged.as_deref().unwrap_or_default();
        assert!(
            why.starts_with(
                "20 of 20 topics have the will that they should have, and may have had it"
            ),
            "{why}"
        );
    }
}

fn retained_claim(judgement: &Judgement) -> ClaimOutcome {
    let mut checks = judgement.measured.checks.iter();
    let check = checks.find(|check| check.check == "retained");
    check.expect("the claim is made").claims[0].clone()
}

/// A run that was killed leaves Sessions with messages in them. The next one ends them first.
#[test]
fn a_run_after_a_killed_one_has_the_same_verdict() {
    for version in VERSIONS {
        let text = kept_sessions(version);
        let mut world = first(&text);
        run_into_measuring(&mut world);
        assert!(
            world.broker().counters().clients_connected >= 21,
            "{version}"
        );

        let again = finish(&text, world.followed_by(fleet(&text)));

        assert_broken(&again, &[]);
        assert!(again.reasons.is_empty(), "{version}: {:?}", again.reasons);
    }
}

/// A device that is away at the end cannot say goodbye: its Session is ended all the same.
#[test]
fn a_device_that_stays_away_leaves_no_session() {
    let away = r#"
[[fault]]
name = "gone"
at = "1s"
group = "keepers"
select = { count = 5 }
action = "drop"
how = "rst"
"#;
    for version in VERSIONS {
        let never = format!("{version}\n[group.reconnect]\nwhen = \"never\"");
        let text = format!("{}{away}", kept_sessions(&never));
        let mut world = first(&text);

        run_to_end(&mut world);

        assert_eq!(sessions_left(world, &text), 0, "{version}");
    }
}

/// `session = "resume"` leaves the Sessions where they are, before the run and after it.
#[test]
fn a_group_that_resumes_keeps_its_sessions() {
    for version in VERSIONS {
        let text = kept_sessions(&format!("{version}\nsession = \"resume\""));
        let mut world = first(&text);

        run_to_end(&mut world);

        assert_eq!(sessions_left(world, &text), 20, "{version}");
    }
}

/// A Session of which the broker does not say that it has ended may hold what an earlier run left: with
/// it the run proves nothing.
#[test]
fn a_session_that_could_not_be_ended_makes_the_run_invalid() {
    let is_its_connack = |passing: &squall_world::Passing<'_>| {
        passing.client_id == "keepers-0"
            && matches!(passing.packet, squall_protocol::packet::Packet::Connack(_))
    };

    let judgement = crate::run::run_tampered(
        &kept_sessions(""),
        crate::tampering::once(0, is_its_connack, crate::tampering::drop_it),
    );

    let told = judgement.reasons.iter().map(squall_run::Reason::text);
    let told: Vec<&str> = told
        .filter(|text| text.contains("could not be ended before the run"))
        .collect();
    assert_eq!(told.len(), 1, "{:?}", judgement.reasons);
}
