//! What the checkers found, one for each `[[expect]]`.

use std::collections::BTreeMap;

use squall_fleet::{RetainedFact, Unchecked, payload::before_stamp};
use squall_protocol::ReasonCode;

use super::Retained;
use crate::books::stream::fingerprint;

/// Bytes of a payload that an explanation quotes.
const QUOTED_BYTES_MAX: usize = 40;

/// What a checker found.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    /// Messages by topic.
    pub(crate) found: BTreeMap<String, Found>,
    /// Whether it has seen everything.
    pub(crate) is_complete: bool,
    /// What kept it from that.
    pub(crate) why_not: Option<Unchecked>,
    /// Messages of topics that the run knows nothing of, which were too many to remember.
    pub(crate) forgotten: u64,
    /// What was wrong with the packet at which it closed its connection.
    pub(crate) broken: Option<ReasonCode>,
}

/// One message that a checker found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Found {
    /// Of its payload.
    pub(crate) hash: u64,
    /// The same of what comes before a stamp of squall's in it, if it is a text or an object with one.
    pub(crate) hash_before_stamp: Option<u64>,
    /// The beginning of its payload, for people.
    pub(crate) quote: String,
    /// How often the topic's message came.
    pub(crate) times: u32,
}

impl Found {
    /// Whether it came more than once: a SUBSCRIBE brings it once [MQTT-3.3.1-9].
    pub(crate) fn is_doubled(&self) -> bool {
        self.times > 1
    }
}

impl Retained {
    /// A checker found something out. One that could not leaves its probe incomplete.
    pub(crate) fn handle_checker(&mut self, fact: &RetainedFact<'_>) {
        match *fact {
            RetainedFact::Found {
                expectation,
                topic,
                payload,
            } => {
                let is_known = self.has_published(topic) || self.has_will(topic);
                let is_full = self.found >= self.found_max;
                let probe = self.probes.entry(expectation).or_default();
                let before = probe.found.get(topic).map_or(0, |found| found.times);
                if before == 0 && !is_known {
                    // Others may have any number of topics on the broker.
                    if is_full {
                        probe.forgotten += 1;
                        return;
                    }
                    self.found += 1;
                }
                let found = Found {
                    hash: fingerprint(payload),
                    hash_before_stamp: before_stamp(payload).map(fingerprint),
                    quote: quote(payload),
                    times: before + 1,
                };
                probe.found.insert(topic.to_owned(), found);
            }
            RetainedFact::Broken {
                expectation,
                reason,
            } => self.probes.entry(expectation).or_default().broken = Some(reason),
            RetainedFact::Complete { expectation } => {
                self.probes.entry(expectation).or_default().is_complete = true;
            }
            RetainedFact::Unknown { expectation, why } => {
                self.probes.entry(expectation).or_default().why_not = Some(why);
            }
        }
    }

    /// Checkers whose SUBSCRIBE the broker never answered, though their connections stayed up.
    pub(crate) fn unanswered_checkers(&self) -> usize {
        let probes = self.probes.values();
        let unanswered = probes.filter(|probe| probe.why_not == Some(Unchecked::NoSuback));
        unanswered.count()
    }

    /// What the checker of an `[[expect]]` found.
    pub(crate) fn probe(&self, expectation: usize) -> Option<&Probe> {
        self.probes.get(&expectation)
    }
}

fn quote(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(&payload[..payload.len().min(QUOTED_BYTES_MAX)]);
    text.escape_debug().to_string()
}
