//! What a run's claims and thresholds come to: the exit code.

use std::time::Duration;

use squall_fleet::{
    Cleared, ConnectionFact, Fact, Fleet, Observation, OpenError, Phase, PublicationFact, RunTag,
    Sink,
};
use squall_ledger::{Recorder, judge};
use squall_protocol::{
    Instant, ReasonCode,
    packet::{Connack, ConnackProperties, Packet, Suback},
};
use squall_run::{Outcome as Word, Resources, ThresholdResult, proposed_claims};
use squall_world::{Passing, Tampered, World};

use crate::run::{broker, run, run_tampered, scenario, verdict, world};
use crate::tampering::{Outcome, delay_it, drop_it, is_to, once, packet_bytes, script};

/// One claim, and thresholds on times, rates and counts.
const SCENARIO: &str = r#"
[run]
warmup = "1s"
duration = "10s"
drain = "2s"
[[group]]
name = "sensors"
count = 2
[[group.publish]]
topic = "t/{client_id}"
qos = 1
rate = 100
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "t/+"
qos = 1
[[expect]]
check = "delivery"
qos = 1
lost = 0
[thresholds]
"e2e_latency{group=reader}" = ["p99 < 10ms", "max < 200ms", "count > 990"]
"ack_latency" = ["p99 < 10ms"]
"connect_latency" = ["max < 1s"]
"publish_rate" = ["avg >= 100", "min >= 100", "max <= 100"]
"delivery_rate{group=reader}" = ["avg >= 99"]
"errors" = ["count == 0"]
"dropped" = ["count == 0"]
"schedule_lag" = ["max < 1ms"]
"#;

/// If everything holds, the exit code is 0. Warm-up is left out: 1,000 messages of 10 s, not 1,100 of 11 s.
#[test]
fn a_clean_run_passes() {
    let judgement = run(SCENARIO);

    let verdict = verdict(&judgement);
    assert_eq!(
        (verdict.outcome, verdict.exit_code),
        (Word::Pass, 0),
        "{verdict:#?} {:#?}",
        judgement.measured.thresholds
    );
    let count = &judgement.measured.thresholds[2];
    assert_eq!(count.samples, 1_000);
}

/// A broken threshold is 99.
#[test]
fn a_slow_broker_breaks_a_threshold() {
    let tamper = once(
        200,
        |passing| is_to(passing, "reader-0", "t"),
        delay_it(Duration::from_millis(300)),
    );

    let judgement = run_tampered(SCENARIO, tamper);

    assert_eq!(verdict(&judgement).exit_code, 99);
    let missed: Vec<&str> = judgement
        .measured
        .thresholds
        .iter()
        .filter(|threshold| threshold.result == ThresholdResult::Broken)
        .map(|threshold| threshold.expression.as_str())
        .collect();
    assert_eq!(missed, ["p99 < 10ms", "max < 200ms"]);
}

/// A broken invariant is 98.
#[test]
fn a_lossy_broker_breaks_an_invariant() {
    let tamper = once(10, |passing| is_to(passing, "reader-0", "t"), drop_it);

    let judgement = run_tampered(SCENARIO, tamper);

    assert_eq!(verdict(&judgement).exit_code, 98);
}

/// A percentile with fewer samples than it needs is not a number: the threshold is not judged.
#[test]
fn too_few_samples_are_no_percentile() {
    let text = SCENARIO.replace(
        "\"connect_latency\" = [\"max < 1s\"]",
        "\"connect_latency\" = [\"p99 < 1s\"]",
    );

    let judgement = run(&text);

    let few = judgement
        .measured
        .thresholds
        .iter()
        .find(|threshold| threshold.result == ThresholdResult::TooFewSamples);
    assert_eq!(few.map(|threshold| threshold.samples), Some(3));
    assert_eq!(verdict(&judgement).exit_code, 4);
}

/// A broker that never lets one device in breaks the run, whatever held for the others, also where
/// the scenario claims nothing.
#[test]
fn a_device_that_never_connects_is_held_against_the_run() {
    let claims = SCENARIO.find("[[expect]]").unwrap();
    let without_claims = &SCENARIO[..claims];
    let refuse = |passing: &Passing<'_>, tampered: &mut Tampered| {
        let is_connack = matches!(passing.packet, Packet::Connack(_));
        if passing.client_id != "sensors-1" || !is_connack {
            return Outcome::Pass;
        }
        let refused = Connack {
            session_present: false,
            reason: ReasonCode::NotAuthorized,
            properties: ConnackProperties::default(),
        };
        let bytes = packet_bytes(&Packet::Connack(Box::new(refused)), passing.version);
        tampered.forward(passing.direction, &bytes);
        Outcome::Done
    };

    let judgement = run_tampered(without_claims, script(refuse));

    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 98);
    let text = verdict.reasons[0].text();
    assert_eq!(text, "1 of 3 devices never got a CONNACK with success");
}

/// A broker that refuses a subscription owes it nothing, and could not lose a message: the refusal
/// itself is held against the run (§3.9.3).
#[test]
fn a_refused_subscription_is_held_against_the_run() {
    let refuse = |passing: &Passing<'_>, tampered: &mut Tampered| {
        let Packet::Suback(suback) = passing.packet else {
            return Outcome::Pass;
        };
        let refused = Suback {
            reasons: vec![ReasonCode::NotAuthorized],
            ..suback.clone()
        };
        let bytes = packet_bytes(&Packet::Suback(refused), passing.version);
        tampered.forward(passing.direction, &bytes);
        Outcome::Done
    };
    let claims = SCENARIO.find("[[expect]]").unwrap();

    let judgement = run_tampered(&SCENARIO[..claims], script(refuse));

    let verdict = verdict(&judgement);
    assert_eq!(verdict.exit_code, 98);
    assert_eq!(
        verdict.reasons[0].text(),
        "subscriptions that were refused: 1"
    );
}

/// Passes facts on, but for what it does to the first of a kind.
struct Unreliable {
    recorder: Recorder,
    does: Unreliably,
    has_done_it: bool,
}

/// What the facts of a run are made to say.
enum Unreliably {
    /// The first message that falls due is not told.
    ForgetsADueMessage,
    /// Beside its first attempt a device had no port.
    RunsOutOfPorts,
}

impl Sink for Unreliable {
    fn observe(&mut self, now: Instant, observation: &Observation<'_>) {
        let is_first = |is_of_the_kind: bool| is_of_the_kind && !self.has_done_it;
        match self.does {
            Unreliably::ForgetsADueMessage => {
                let is_due = matches!(
                    observation.fact,
                    Fact::Publication(PublicationFact::Due { .. })
                );
                if is_first(is_due) {
                    self.has_done_it = true;
                    return;
                }
            }
            Unreliably::RunsOutOfPorts => {
                let is_attempt = matches!(
                    observation.fact,
                    Fact::Connection(ConnectionFact::OpenStarted)
                );
                if is_first(is_attempt) {
                    self.has_done_it = true;
                    let failed = ConnectionFact::OpenFailed(OpenError::LocalLimit);
                    let no_port = Observation {
                        fact: Fact::Connection(failed),
                        ..observation.clone()
                    };
                    self.recorder.observe(now, &no_port);
                }
            }
        }
        self.recorder.observe(now, observation);
    }

    fn enter_phase(&mut self, now: Instant, phase: Phase) {
        self.recorder.enter_phase(now, phase);
    }
}

/// The run of [`SCENARIO`] as the recorder heard it.
fn outcome_heard(does: Unreliably) -> squall_fleet::Outcome<Recorder> {
    let scenario = scenario(SCENARIO);
    let tag = RunTag::of_seed(scenario.seed);
    let sink = Unreliable {
        recorder: Recorder::new(&scenario, tag),
        does,
        has_done_it: false,
    };
    let outcome = World::new(Fleet::new(scenario, tag, sink), broker()).run();
    squall_fleet::Outcome {
        sink: outcome.sink.recorder,
        phases: outcome.phases,
        links: outcome.links,
        faults: outcome.faults,
        sessions: outcome.sessions,
        drain: outcome.drain,
        lines: outcome.lines,
    }
}

/// Books that contradict themselves are a fault of squall: nothing follows from the run, and the run
/// file says which book.
#[test]
fn books_that_do_not_balance_make_a_run_invalid() {
    let outcome = outcome_heard(Unreliably::ForgetsADueMessage);

    let judgement = judge(&scenario(SCENARIO), outcome, &Resources::default());

    let verdict = verdict(&judgement);
    assert_eq!((verdict.outcome, verdict.exit_code), (Word::Invalid, 4));
    assert_eq!(
        verdict.reasons[0].text(),
        "the books do not balance (messages of group 0 that were due at QoS 1: 1 not explained); this is a \
         fault of squall, please report it"
    );
    assert_eq!(judgement.measured.accounting.balance(), 1);
}

/// A machine that runs out of ports is not the broker's fault: the run is invalid and says so.
#[test]
fn a_local_limit_makes_a_run_invalid() {
    let outcome = outcome_heard(Unreliably::RunsOutOfPorts);

    let judgement = judge(&scenario(SCENARIO), outcome, &Resources::default());

    let verdict = verdict(&judgement);
    assert_eq!((verdict.outcome, verdict.exit_code), (Word::Invalid, 4));
    let text = verdict.reasons[0].text();
    assert!(text.contains("ran out of descriptors or ports"), "{text}");
}

/// Sessions of an earlier run that could not be ended may have been judged with this one.
#[test]
fn sessions_that_could_not_be_ended_make_a_run_invalid() {
    let scenario = scenario(SCENARIO);
    let mut outcome = world(&scenario).run();
    outcome.sessions.before = Cleared {
        asked: 3,
        cleared: 1,
        failed: 2,
    };

    let judgement = judge(&scenario, outcome, &Resources::default());

    let verdict = verdict(&judgement);
    assert_eq!((verdict.outcome, verdict.exit_code), (Word::Invalid, 4));
    let text = verdict.reasons[0].text();
    assert!(
        text.starts_with("Sessions of 2 of 3 Client Identifiers could not be ended"),
        "{text}"
    );
}

/// What is proposed to a scenario that claims nothing can be pasted into it, and holds for the
/// broker that it was proposed from.
#[test]
fn proposed_claims_can_be_pasted_and_hold() {
    let claims = SCENARIO.find("[[expect]]").unwrap();
    let without_claims = &SCENARIO[..claims];
    let unjudged = run(without_claims);
    assert_eq!(verdict(&unjudged).outcome, Word::NoClaims);

    let proposed = proposed_claims(&unjudged.measured);
    let judged = run(&format!("{without_claims}{proposed}"));

    let claimed: usize = judged
        .measured
        .checks
        .iter()
        .map(|check| check.claims.len())
        .sum();
    assert_eq!(claimed, 5);
    assert_eq!(judged.measured.thresholds.len(), 1);
    assert_eq!(verdict(&judged).outcome, Word::Pass);
}
