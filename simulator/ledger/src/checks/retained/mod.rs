//! `retained`: what a fresh subscriber finds at the end is what should be there (§3.3.1.3).
//!
//! A checker that did not get all of it proves nothing by what did not come; what came and is wrong, or came
//! twice, stands.
//!
//! A will bears no stamp. On a broker that was there before the run, a topic that has the will it should
//! have may have had it from an earlier run: that is told apart only where a device of the run saw
//! what was retained before its wills were due.

mod incomplete;

use std::collections::BTreeMap;

use squall_fleet::{Unchecked, payload::open_object};
use squall_protocol::{Instant, QoS, ReasonCode};
use squall_run::{AnomalyKind, RetainedOutcome, Value, count_text};
use squall_scenario::{BrokerHistory, RetainedClaim, RetainedValue};

use self::incomplete::incomplete;
use super::Evidence;
use super::claim::{Claims, Judged};
use crate::books::{
    Anomaly, Before, Found, Ledger, MemoryLimit, Scope, Subject, Values, fingerprint, reason_text,
};

/// Judges one claim.
pub(super) fn judge(
    number: usize,
    claim: &RetainedClaim,
    evidence: &mut Evidence<'_>,
) -> (Claims, RetainedOutcome) {
    let equals = match &claim.equals {
        RetainedValue::LastWill => "last_will".to_owned(),
        RetainedValue::LastPublish => "last_publish".to_owned(),
        RetainedValue::Text(text) => text.clone(),
    };
    know_found_topics(number, evidence.ledger);
    let comparison = compare(number, claim, evidence);
    let wrong = comparison.violations();
    let actual = if wrong == 0 {
        Value::Text(equals.clone())
    } else {
        Value::Text(comparison.describe())
    };
    let unjudged = comparison.unjudged();
    let mut claims = Claims::new();
    claims.narrow(Scope {
        expectation: Some(number),
        ..Scope::default()
    });
    let judged = Judged {
        key: "equals".to_owned(),
        limit: Value::Text(equals.clone()),
        actual: (comparison.has_something() && unjudged.is_none()).then_some(actual),
        violations: wrong,
        holds: wrong == 0,
        unjudged,
    };
    let kinds = [AnomalyKind::RetainedWrong, AnomalyKind::ProtocolError];
    claims.add(judged, &kinds);
    note_faults(number, &comparison, evidence);
    let given_up = &mut evidence.ledger.given_up_by_checks;
    given_up.add(MemoryLimit::RetainedCandidates, comparison.unknown);
    given_up.add(MemoryLimit::FoundTopics, comparison.forgotten);
    let outcome = RetainedOutcome {
        filter: claim.filter.as_str().to_owned(),
        equals,
        expected: comparison.expected,
        right: comparison.right,
        wrong: comparison.count(Fault::Wrong) + comparison.count(Fault::Doubled),
        missing: comparison.count(Fault::Missing),
        unexpected: comparison.count(Fault::Unexpected),
    };
    (claims, outcome)
}

/// What is wrong with one topic.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    Wrong,
    Missing,
    Unexpected,
    /// It came more than once for one SUBSCRIBE.
    Doubled,
}

#[derive(Debug, Default)]
struct Comparison {
    expected: u64,
    /// Of those, the ones that had what the claim is about: a will, or a message.
    asked_about: u64,
    right: u64,
    /// Topics that have what was there before a will that the broker need not have published yet.
    early: u64,
    faults: Vec<(String, Fault, String)>,
    /// Whether the checker has seen everything: if not, nothing is missing.
    is_complete: bool,
    /// What kept it from that.
    why_not: Option<Unchecked>,
    /// Messages of others that it found and that were too many to compare.
    forgotten: u64,
    /// What was wrong with the packet at which the checker closed its connection.
    broken: Option<ReasonCode>,
    /// Topics whose values were given up to save memory.
    unknown: u64,
    /// Topics that have nothing, or a value that this run did not publish, where another client may have
    /// cleared or replaced it.
    of_others: Vec<(String, Fault)>,
    /// Topics that have what they should, of which it is not known whether they had it before the run's
    /// wills were due.
    untold: Vec<String>,
}

fn compare(number: usize, claim: &RetainedClaim, evidence: &Evidence<'_>) -> Comparison {
    let retained = &evidence.ledger.retained;
    let nothing = BTreeMap::new();
    let found = retained
        .probe(number)
        .map_or(&nothing, |probe| &probe.found);
    let mut comparison = match &claim.equals {
        RetainedValue::Text(text) => compare_text(text, claim, found, evidence),
        RetainedValue::LastWill | RetainedValue::LastPublish => {
            compare_model(claim, found, evidence)
        }
    };
    if let Some(probe) = retained.probe(number) {
        comparison.is_complete = probe.is_complete;
        comparison.why_not = probe.why_not;
        comparison.forgotten = probe.forgotten;
        comparison.broken = probe.broken;
    }
    if !comparison.is_complete {
        let faults = &mut comparison.faults;
        faults.retain(|&(_, fault, _)| fault != Fault::Missing);
        let of_others = &mut comparison.of_others;
        of_others.retain(|&(_, fault)| fault != Fault::Missing);
    }
    comparison
}

fn compare_model(
    claim: &RetainedClaim,
    found: &BTreeMap<String, Found>,
    evidence: &Evidence<'_>,
) -> Comparison {
    let retained = &evidence.ledger.retained;
    let at = evidence.ledger.checked_at().unwrap_or_default();
    let model = retained.values(&claim.filter, at);
    let mut comparison = Comparison::default();
    for (&topic, values) in &model {
        let Values::OneOf(allowed) = values else {
            comparison.unknown += 1;
            continue;
        };
        let must_exist = !allowed.last.contains(&None);
        let has = found.get(topic);
        comparison.expected += u64::from(must_exist);
        let is_asked_about = match claim.equals {
            RetainedValue::LastWill => retained.has_will(topic),
            RetainedValue::LastPublish => retained.has_published(topic),
            RetainedValue::Text(_) => true,
        };
        comparison.asked_about += u64::from(must_exist && is_asked_about);
        let value = has.map(|has| has.hash);
        if has.is_some_and(Found::is_doubled) {
            comparison.add(topic, Fault::Doubled, has);
            continue;
        }
        if allowed.not_yet.contains(&value) {
            comparison.early += 1;
            continue;
        }
        let fault = match has {
            None if must_exist => Fault::Missing,
            None => {
                continue;
            }
            Some(has) if allowed.last.contains(&value) => {
                comparison.right += u64::from(must_exist);
                if must_exist && may_be_of_an_earlier_run(claim, topic, has, evidence.ledger) {
                    comparison.untold.push(topic.to_owned());
                }
                continue;
            }
            Some(_) if allowed.last.iter().all(Option::is_none) => Fault::Unexpected,
            Some(_) => Fault::Wrong,
        };
        let is_foreign = |has| may_be_foreign(topic, has, evidence);
        if !must_exist && has.is_some_and(is_foreign) {
            continue;
        }
        comparison.add_unless_of_others(topic, fault, has, evidence);
    }
    let is_known = |topic: &str| model.contains_key(topic);
    for (topic, has) in found.iter().filter(|(topic, _)| !is_known(topic)) {
        if has.is_doubled() {
            comparison.add(topic, Fault::Doubled, Some(has));
        } else if !may_be_foreign(topic, has, evidence) {
            comparison.add(topic, Fault::Unexpected, Some(has));
        }
    }
    comparison
}

/// Makes known what checkers found, so that it can be told who watched it.
fn know_found_topics(number: usize, ledger: &mut Ledger) {
    if ledger.roster.history() != BrokerHistory::EarlierRuns {
        return;
    }
    let probe = ledger.retained.probe(number);
    for topic in probe.iter().flat_map(|probe| probe.found.keys()) {
        ledger.deliveries.know_topic(topic);
    }
}

/// Whether another client, or an earlier run, may have left what is retained at a topic where this run
/// need not have left anything.
fn may_be_foreign(topic: &str, has: &Found, evidence: &Evidence<'_>) -> bool {
    match evidence.ledger.roster.history() {
        BrokerHistory::Empty => false,
        BrokerHistory::EarlierRuns => had_before(topic, has, evidence.ledger),
        BrokerHistory::OtherClients => true,
    }
}

/// Whether a topic may have had this value before the run, as far as a device was there to see.
fn had_before(topic: &str, has: &Found, ledger: &Ledger) -> bool {
    let filters = ledger.deliveries.filters_of(topic);
    let watched = ledger.deliveries.watchers(filters, QoS::AtLeastOnce);
    let until = ledger.closed_at().unwrap_or_default();
    match ledger
        .retained
        .before(topic, watched.iter().map(|one| one.since).min(), until)
    {
        Before::Had(value) => value == Some(has.hash),
        Before::Unknown => true,
    }
}

/// Whether a topic may have had the will that it should have before any of this run was due.
fn may_be_of_an_earlier_run(
    claim: &RetainedClaim,
    topic: &str,
    has: &Found,
    ledger: &Ledger,
) -> bool {
    let is_will = claim.equals == RetainedValue::LastWill
        && ledger.retained.has_will(topic)
        && !ledger.retained.is_published(topic, has.hash);
    is_will && ledger.roster.history().has_earlier_runs() && had_before(topic, has, ledger)
}

/// Every topic under the filter that has something has this text; at least one has. What a device publishes has
/// a stamp behind it, which is no part of the text.
fn compare_text(
    text: &str,
    claim: &RetainedClaim,
    found: &BTreeMap<String, Found>,
    evidence: &Evidence<'_>,
) -> Comparison {
    let hash = fingerprint(text.as_bytes());
    let stamped = [text, &open_object(text)].map(|text| Some(fingerprint(text.as_bytes())));
    let is_text = |has: &Found| has.hash == hash || stamped.contains(&has.hash_before_stamp);
    let mut comparison = Comparison {
        expected: found.len().max(1) as u64,
        asked_about: 1,
        ..Comparison::default()
    };
    for (topic, has) in found {
        if has.is_doubled() {
            comparison.add(topic, Fault::Doubled, Some(has));
        } else if is_text(has) {
            comparison.right += 1;
        } else {
            comparison.add_unless_of_others(topic, Fault::Wrong, Some(has), evidence);
        }
    }
    if found.is_empty() {
        comparison.add_unless_of_others(claim.filter.as_str(), Fault::Missing, None, evidence);
    }
    comparison
}

impl Comparison {
    fn add(&mut self, topic: &str, fault: Fault, has: Option<&Found>) {
        let explanation = match (fault, has) {
            (Fault::Missing, _) => "nothing is retained, something should be".to_owned(),
            (Fault::Wrong, Some(has)) => format!("another payload is retained: {}", has.quote),
            (Fault::Unexpected, Some(has)) => {
                format!("nothing should be retained, found: {}", has.quote)
            }
            (Fault::Doubled, Some(has)) => format!(
                "it came {} times for one SUBSCRIBE: {}",
                has.times, has.quote
            ),
            (Fault::Wrong | Fault::Unexpected | Fault::Doubled, None) => {
                unreachable!("something was found")
            }
        };
        self.faults.push((topic.to_owned(), fault, explanation));
    }

    /// On a broker that others use, what is not this run's may be another client's doing: it clears a topic, or
    /// replaces what is retained there.
    fn add_unless_of_others(
        &mut self,
        topic: &str,
        fault: Fault,
        has: Option<&Found>,
        evidence: &Evidence<'_>,
    ) {
        let retained = &evidence.ledger.retained;
        let is_ours = has.is_some_and(|has| retained.is_published(topic, has.hash));
        let has_others = evidence.ledger.roster.history().has_other_clients();
        if has_others && !is_ours && fault != Fault::Doubled {
            self.of_others.push((topic.to_owned(), fault));
        } else {
            self.add(topic, fault, has);
        }
    }

    fn count(&self, wanted: Fault) -> u64 {
        let charged = self.faults.iter().map(|&(_, fault, _)| fault);
        let of_others = self.of_others.iter().map(|&(_, fault)| fault);
        let all = charged.chain(of_others);
        all.filter(|&fault| fault == wanted).count() as u64
    }

    /// How often what a checker was sent is not as it must be.
    fn violations(&self) -> u64 {
        self.faults.len() as u64 + u64::from(self.broken.is_some())
    }

    /// Whether there was anything to compare.
    fn has_something(&self) -> bool {
        self.asked_about > 0 || self.violations() > 0
    }

    /// Why nothing follows, though every topic has what it should.
    fn unjudged(&self) -> Option<String> {
        if self.violations() > 0 {
            return None;
        }
        if !self.is_complete {
            return Some(incomplete(self.why_not));
        }
        if self.forgotten > 0 {
            return Some(format!(
                "{} retained messages that the checker found were too many to compare",
                count_text(self.forgotten)
            ));
        }
        if let Some((example, _)) = self.of_others.first() {
            return Some(format!(
                "{} of {} topics have nothing, or what this run did not publish, e.g. {example}: cleared or replaced by another \
                 client, or lost by the broker; give the run topics of its own, or a broker of its own",
                count_text(self.of_others.len() as u64),
                count_text(self.expected)
            ));
        }
        if self.early > 0 {
            return Some(format!(
                "{} of {} topics have what was there before a will that the broker need not have published yet when a checker \
                 looked: make `run.drain` longer",
                count_text(self.early),
                count_text(self.expected)
            ));
        }
        let example = self.untold.first()?;
        Some(format!(
            "{} of {} topics have the will that they should have, and may have had it from an earlier run, e.g. \
             {example}: clear them before the run (publish an empty retained message), and let a group \
             subscribe to the filter a second before the first fault, so that the run sees that nothing is there",
            count_text(self.untold.len() as u64),
            count_text(self.expected)
        ))
    }

    fn describe(&self) -> String {
        let mut text = format!(
            "{} right, {} wrong, {} missing, {} unexpected",
            self.right,
            self.count(Fault::Wrong),
            self.count(Fault::Missing),
            self.count(Fault::Unexpected)
        );
        let doubled = self.count(Fault::Doubled);
        if doubled > 0 {
            text.push_str(&format!(", {doubled} more than once"));
        }
        if self.broken.is_some() {
            text.push_str(", then a packet that breaks the protocol");
        }
        text
    }
}

fn note_faults(number: usize, comparison: &Comparison, evidence: &mut Evidence<'_>) {
    let subject = Subject::of_expectation(number);
    let at = evidence.ledger.closed_at().unwrap_or_default();
    if let Some(reason) = comparison.broken {
        let kind = AnomalyKind::ProtocolError;
        evidence
            .ledger
            .noticed_by_checks
            .note(kind, subject, || Anomaly {
                by_counts: None,
                kind,
                at,
                device: None,
                recipient: None,
                topic: None,
                sequence: None,
                explanation: format!(
                    "a checker that asked what is retained was sent a packet that breaks the protocol: {}",
                    reason_text(reason)
                ),
                scope: subject.scope,
            });
    }
    for (topic, _, explanation) in &comparison.faults {
        // Only a will is published without the device's doing, when a connection ends that is silent.
        let noticed = if evidence.ledger.retained.has_will(topic) {
            subject.between(Instant::ZERO, at)
        } else {
            subject.into()
        };
        evidence
            .ledger
            .noticed_by_checks
            .note(AnomalyKind::RetainedWrong, noticed, || Anomaly {
                by_counts: None,
                kind: AnomalyKind::RetainedWrong,
                at,
                device: None,
                recipient: None,
                topic: Some(topic.clone()),
                sequence: None,
                explanation: format!("{explanation} (§3.3.1.3)"),
                scope: subject.scope,
            });
    }
}
