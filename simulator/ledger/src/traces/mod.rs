//! The packets around the first anomalies: what the devices that one is about sent and got, before and after.
//!
//! A [`Ring`] has the last packets of all devices. When an anomaly is noted, those of its devices are copied out of it, and
//! the next few are added as they pass. A lost message is found at the end, long after its packets: so they are copied
//! when a later message of its stream comes first, as a [`Suspicion`] that is dropped if the message comes after all.
//! What was forgotten before it was asked for is told as forgotten.

mod capture;
mod ring;

use std::collections::{BTreeMap, VecDeque};

use squall_fleet::{PacketSeen, ShortTopic, Way};
use squall_run::{AnomalyKind, Measured, PACKETS_KEPT};
use squall_scenario::Scenario;

use crate::books::{Anomaly, Suspicion};
use capture::{Capture, Focus};
use ring::Ring;

/// Anomalies of one kind that have their packets.
const PER_KIND: usize = 3;
/// Anomalies of a run that have their packets.
const IN_ALL: usize = 20;
/// Suspicions that are kept: a further one takes the place of the oldest, which may have come to nothing long ago.
const SUSPICIONS: usize = 32;
/// Suspicions of a run that are looked into: each is a walk through packets, on the thread that stamps them.
const SUSPICIONS_IN_ALL: u32 = 4_096;

/// The last packets of a run, and those around its first anomalies.
#[derive(Debug)]
pub(crate) struct Traces {
    ring: Ring,
    found: Vec<(Anomaly, Capture)>,
    /// The oldest first.
    suspected: VecDeque<(Focus, Capture)>,
    /// How many were looked into.
    suspicions: u32,
    /// Whether anything waits for packets that come later.
    is_waiting: bool,
}

impl Traces {
    /// No packet has passed yet.
    pub(crate) fn new() -> Self {
        Self::keeping(PACKETS_KEPT)
    }

    fn keeping(most: usize) -> Self {
        Self {
            ring: Ring::new(most),
            found: Vec::new(),
            suspected: VecDeque::new(),
            suspicions: 0,
            is_waiting: false,
        }
    }

    /// A packet passed.
    pub(crate) fn pass(&mut self, packet: &PacketSeen) {
        if self.is_waiting {
            self.add_after(packet);
        }
        self.ring.push(packet);
    }

    fn add_after(&mut self, packet: &PacketSeen) {
        self.suspected
            .retain(|(suspected, _)| !has_come(suspected, packet));
        for (_, capture) in &mut self.found {
            capture.add_after(packet);
        }
        for (_, capture) in &mut self.suspected {
            capture.add_after(packet);
        }
        self.is_waiting = !self.suspected.is_empty()
            || self.found.iter().any(|(_, capture)| capture.is_waiting());
    }

    /// A message was overtaken by a later one of its stream, and may be lost.
    pub(crate) fn suspect(&mut self, suspicion: &Suspicion) {
        if self.suspicions >= SUSPICIONS_IN_ALL {
            return;
        }
        self.suspicions += 1;
        let focus = Focus {
            device: Some(suspicion.publisher),
            recipient: Some(suspicion.recipient),
            sequence: Some(suspicion.sequence),
            topic: ShortTopic::of(&suspicion.topic),
        };
        if let Some(sent_at) = focus.sent_at(&self.ring) {
            let capture = Capture::of(focus, sent_at, &self.ring);
            self.suspected.push_back((focus, capture));
            if self.suspected.len() > SUSPICIONS {
                self.suspected.pop_front();
            }
            self.is_waiting = true;
        }
    }

    /// An anomaly was noted.
    pub(crate) fn note(&mut self, anomaly: Anomaly) {
        if anomaly.by_counts.is_some() {
            // It has no moment.
            return;
        }
        if !self.has_use_for(anomaly.kind) {
            return;
        }
        let focus = Focus::of(&anomaly);
        let mut suspected = self.suspected.iter();
        let capture = match suspected.find(|(suspected, _)| *suspected == focus) {
            Some((_, capture)) => capture.clone(),
            None => self.capture(&anomaly, focus),
        };
        if self.has_room_for(anomaly.kind) {
            self.found.push((anomaly, capture));
        } else if capture.has_subject() {
            // One whose packets are kept is of more use than one whose are not.
            let mut found = self.found.iter_mut();
            let lesser =
                found.find(|(found, lesser)| found.kind == anomaly.kind && !lesser.has_subject());
            if let Some(lesser) = lesser {
                *lesser = (anomaly, capture);
            }
        }
        self.is_waiting = true;
    }

    fn has_room_for(&self, kind: AnomalyKind) -> bool {
        let of_kind = self.found.iter().filter(|(found, _)| found.kind == kind);
        of_kind.count() < PER_KIND && self.found.len() < IN_ALL
    }

    /// Whether one more anomaly of this kind would be kept, in a place of its own or in that of one whose packets are not.
    fn has_use_for(&self, kind: AnomalyKind) -> bool {
        let mut found = self.found.iter();
        self.has_room_for(kind)
            || found.any(|(found, lesser)| found.kind == kind && !lesser.has_subject())
    }

    fn capture(&self, anomaly: &Anomaly, focus: Focus) -> Capture {
        let sent_at = match anomaly.kind == AnomalyKind::Lost {
            true => focus.sent_at(&self.ring),
            false => None,
        };
        Capture::of(focus, sent_at.unwrap_or(anomaly.at), &self.ring)
    }

    /// Puts the traces into `measured`, and their numbers to the anomalies there that they are of.
    pub(crate) fn put_into(&self, measured: &mut Measured, scenario: &Scenario) {
        let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
        let found: Vec<squall_run::Anomaly> = self
            .found
            .iter()
            .map(|(anomaly, _)| anomaly.in_run_file(scenario))
            .collect();
        let of_checks = measured.checks.iter_mut();
        let of_checks = of_checks.flat_map(|check| &mut check.violations);
        for anomaly in of_checks.chain(&mut measured.anomalies) {
            let Some(place) = found.iter().position(|found| found == anomaly) else {
                continue;
            };
            let next = numbers.len();
            let number = *numbers.entry(place).or_insert(next);
            anomaly.trace = Some(number);
        }
        let mut places: Vec<(usize, usize)> = numbers.into_iter().collect();
        places.sort_by_key(|&(_, number)| number);
        let traces = places.into_iter();
        measured.traces = traces
            .map(|(place, _)| self.found[place].1.in_run_file(scenario))
            .collect();
    }
}

/// Whether `packet` is the message that was suspected to be lost, at its recipient.
fn has_come(suspected: &Focus, packet: &PacketSeen) -> bool {
    packet.way == Way::Down
        && packet.device() == suspected.recipient
        && suspected.is_of_message(packet)
}

#[cfg(test)]
mod tests {
    use squall_protocol::Instant;
    use squall_protocol::packet::PacketType;
    use squall_scenario::DeviceId;

    use super::ring::tests::packet;
    use super::*;
    use crate::books::Scope;

    const TOPIC: &str = "t";

    /// PUBLISH number `sequence` of device 0, on its way to the broker.
    fn sent(sequence: u32) -> PacketSeen {
        PacketSeen {
            packet: Some(PacketType::Publish),
            message: Some((DeviceId(0), sequence)),
            topic: ShortTopic::of(TOPIC),
            ..packet(0, sequence.into())
        }
    }

    fn suspicion(sequence: u32) -> Suspicion {
        Suspicion {
            publisher: DeviceId(0),
            recipient: DeviceId(1),
            topic: TOPIC.to_owned(),
            sequence,
        }
    }

    fn lost(sequence: u32, at: u64) -> Anomaly {
        Anomaly {
            kind: AnomalyKind::Lost,
            at: Instant::from_nanos(at),
            by_counts: None,
            device: Some(DeviceId(0)),
            recipient: Some(DeviceId(1)),
            topic: Some(TOPIC.to_owned()),
            sequence: Some(sequence),
            explanation: String::new(),
            scope: Scope::default(),
        }
    }

    /// Messages that were overtaken and then excused do not keep the packets of one that is lost after them from being kept,
    /// though the ring has forgotten these when the loss is found.
    #[test]
    fn what_came_to_nothing_leaves_room_for_a_loss() {
        let mut traces = Traces::keeping(8);
        for sequence in 0..100 {
            traces.pass(&sent(sequence));
            traces.suspect(&suspicion(sequence));
        }
        for sequence in 100..120 {
            traces.pass(&sent(sequence));
        }

        traces.note(lost(99, 1_000));

        assert!(traces.found[0].1.has_subject());
        assert!(traces.suspected.len() <= SUSPICIONS);
    }

    /// What a run looks into is bounded, however many messages are overtaken.
    #[test]
    fn suspicions_are_bounded() {
        let mut traces = Traces::keeping(8);
        for sequence in 0..2 * SUSPICIONS_IN_ALL {
            traces.pass(&sent(sequence));
            traces.suspect(&suspicion(sequence));
        }

        assert_eq!(traces.suspicions, SUSPICIONS_IN_ALL);
    }
}
