//! The packets around the first anomalies: what the devices that one is about sent and got, before and after.
//!
//! A [`Ring`] has the last packets of all devices. When an anomaly is noted, those of its devices are copied out of it, and
//! the next few are added as they pass. A lost message is found at the end, long after its packets: so they are copied
//! when a later message of its stream comes first, as a [`Suspicion`] that makes room once the message came or was given up.
//! What was forgotten before it was asked for is told as forgotten.

mod capture;
mod ring;
mod watches;

use std::collections::{BTreeMap, VecDeque};

use squall_fleet::PacketSeen;
use squall_run::{AnomalyKind, Measured, PACKETS_KEPT};
use squall_scenario::{DeviceId, Scenario};

use crate::books::{Anomaly, Suspicion};
use capture::{Capture, Focus};
use ring::Ring;
use watches::Watches;

/// Anomalies of one kind that have their packets.
const PER_KIND: usize = 3;
/// Anomalies of a run that have their packets.
const IN_ALL: usize = 20;
/// Suspicions that are kept: a further one takes the place of those that are over, or else of one in the middle. The first are
/// most surely lost, and of the last nothing is known yet.
const SUSPICIONS: usize = 32;
/// Packets that suspicions may look at for each that passes: each is a walk through packets, on the thread that stamps them.
const STEPS_PER_PACKET: i64 = 16;
/// Such packets at most, for suspicions that come all at once.
const STEPS_MOST: i64 = 1 << 20;

/// The last packets of a run, and those around its first anomalies.
#[derive(Debug)]
pub(crate) struct Traces {
    ring: Ring,
    found: Vec<(Anomaly, Capture)>,
    /// The oldest first.
    suspected: VecDeque<(Suspicion, Capture)>,
    /// Packets that suspicions may still look at. The last one may look at more.
    steps_left: i64,
    watches: Watches,
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
            steps_left: STEPS_MOST,
            watches: Watches::default(),
        }
    }

    /// A packet passed.
    pub(crate) fn pass(&mut self, packet: &PacketSeen) {
        self.steps_left = (self.steps_left + STEPS_PER_PACKET).min(STEPS_MOST);
        if let Some(device) = packet.device().filter(|&device| self.watches.has(device)) {
            self.add_after(device, packet);
        }
        self.ring.push(packet);
    }

    fn add_after(&mut self, device: DeviceId, packet: &PacketSeen) {
        let found = self.found.iter_mut().map(|(_, capture)| capture);
        let suspected = self.suspected.iter_mut().map(|(_, capture)| capture);
        for capture in found.chain(suspected) {
            if capture.add_after(device, packet) {
                self.watches.end_of(device);
            }
        }
    }

    /// A message was overtaken by a later one of its stream, and may be lost. `is_open` tells whether such a message has neither
    /// come nor been given up by now.
    pub(crate) fn suspect(&mut self, suspicion: &Suspicion, is_open: impl Fn(&Suspicion) -> bool) {
        if self.steps_left <= 0 || !self.has_use_for(AnomalyKind::Lost) || !is_open(suspicion) {
            return;
        }
        let focus = Focus::of_suspicion(suspicion);
        let mut steps = 0;
        if let Some(sending) = focus.sending(&self.ring, &mut steps) {
            self.make_room(is_open);
            let capture = Capture::at_sending(sending, focus, &self.ring, &mut steps);
            self.watches.begin(&capture);
            self.suspected.push_back((*suspicion, capture));
        }
        self.steps_left -= i64::from(steps);
    }

    /// Makes room for one more suspicion.
    fn make_room(&mut self, is_open: impl Fn(&Suspicion) -> bool) {
        if self.suspected.len() < SUSPICIONS {
            return;
        }
        let watches = &mut self.watches;
        self.suspected.retain(|(suspicion, capture)| {
            let stays = is_open(suspicion);
            if !stays {
                watches.end(capture);
            }
            stays
        });
        if self.suspected.len() == SUSPICIONS
            && let Some((_, given_up)) = self.suspected.remove(SUSPICIONS / 2)
        {
            self.watches.end(&given_up);
        }
    }

    /// Takes out what was copied of a message before it was found lost.
    fn take_suspected(&mut self, focus: &Focus) -> Option<Capture> {
        let mut suspected = self.suspected.iter();
        let place =
            suspected.position(|(suspicion, _)| Focus::of_suspicion(suspicion) == *focus)?;
        let (_, capture) = self.suspected.remove(place)?;
        self.watches.end(&capture);
        Some(capture)
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
        let suspected = match anomaly.kind == AnomalyKind::Lost {
            true => self.take_suspected(&focus),
            false => None,
        };
        let capture = suspected.unwrap_or_else(|| self.capture(&anomaly, focus));
        if self.has_room_for(anomaly.kind) {
            self.watches.begin(&capture);
            self.found.push((anomaly, capture));
        } else if capture.has_subject() {
            // One whose packets are kept is of more use than one whose are not.
            let mut found = self.found.iter_mut();
            let lesser =
                found.find(|(found, lesser)| found.kind == anomaly.kind && !lesser.has_subject());
            if let Some(lesser) = lesser {
                self.watches.end(&lesser.1);
                self.watches.begin(&capture);
                *lesser = (anomaly, capture);
            }
        }
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
        let sending = match anomaly.kind == AnomalyKind::Lost {
            true => focus.sending(&self.ring, &mut 0),
            false => None,
        };
        match sending {
            Some(sending) => Capture::at_sending(sending, focus, &self.ring, &mut 0),
            None => Capture::around(anomaly.at, focus, &self.ring),
        }
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

#[cfg(test)]
mod tests {
    use squall_fleet::{ShortTopic, SocketId, Way};
    use squall_protocol::Instant;
    use squall_protocol::packet::PacketType;

    use super::ring::tests::packet;
    use super::*;
    use crate::books::{CursorKey, Scope};

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

    /// The same on its way to device 1.
    fn came(sequence: u32) -> PacketSeen {
        PacketSeen {
            socket: SocketId(1),
            way: Way::Down,
            ..sent(sequence)
        }
    }

    fn suspicion(sequence: u32) -> Suspicion {
        Suspicion {
            publisher: DeviceId(0),
            recipient: DeviceId(1),
            topic: ShortTopic::of(TOPIC),
            sequence,
            cursor: CursorKey {
                stream: 0,
                place: 0,
            },
        }
    }

    /// Holds the watches to what they count.
    fn hold_watches(traces: &Traces) {
        let found = traces.found.iter().map(|(_, capture)| capture);
        let suspected = traces.suspected.iter().map(|(_, capture)| capture);
        let mut expected = Watches::default();
        for capture in found.chain(suspected) {
            expected.begin(capture);
        }
        for device in (0..3).map(DeviceId) {
            assert_eq!(traces.watches.has(device), expected.has(device));
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

    /// Messages that were overtaken and whose end is open do not keep the packets of one that is lost after them from being
    /// kept, though the ring has forgotten these when the loss is found.
    #[test]
    fn what_is_open_leaves_room_for_a_loss() {
        let mut traces = Traces::keeping(8);
        for sequence in 0..100 {
            traces.pass(&sent(sequence));
            traces.suspect(&suspicion(sequence), |_| true);
            hold_watches(&traces);
        }
        for sequence in 100..120 {
            traces.pass(&sent(sequence));
        }

        assert_eq!(traces.suspected.len(), SUSPICIONS);
        // The first is most surely lost, the last was overtaken last.
        for (place, sequence) in [0, 99].into_iter().enumerate() {
            traces.note(lost(sequence, 1_000));
            assert!(traces.found[place].1.has_subject());
        }
        assert_eq!(traces.suspected.len(), SUSPICIONS - 2);
        hold_watches(&traces);
    }

    /// Nor do those that came to nothing after it, whether a packet told so or not.
    #[test]
    fn what_is_over_does_not_take_the_place_of_a_loss() {
        let mut traces = Traces::keeping(8);
        for sequence in 0..100 {
            traces.pass(&sent(sequence));
            // Each is open when it is overtaken. All but the first are given up before the next.
            traces.suspect(&suspicion(sequence), |of| {
                of.sequence == 0 || of.sequence == sequence
            });
            hold_watches(&traces);
        }
        for sequence in 100..120 {
            traces.pass(&sent(sequence));
        }

        traces.note(lost(0, 1_000));

        assert!(traces.found[0].1.has_subject());
        hold_watches(&traces);
    }

    /// However many messages are overtaken and come after all, one that is lost after them has its packets.
    #[test]
    fn what_came_after_all_leaves_effort_for_a_loss() {
        let mut traces = Traces::keeping(8);
        let last = 100_000;
        for sequence in 0..=last {
            traces.pass(&sent(sequence));
            traces.suspect(&suspicion(sequence), |of| of.sequence == sequence);
            if sequence < last {
                traces.pass(&came(sequence));
            }
        }
        for sequence in 1..20 {
            traces.pass(&sent(last + sequence));
        }

        traces.note(lost(last, 1_000_000));

        assert!(traces.found[0].1.has_subject());
    }

    /// What suspicions look at is bounded by the packets that passed, and suspicions end when it is used up.
    #[test]
    fn the_effort_is_bounded() {
        let mut traces = Traces::keeping(4_000);
        for sequence in 0..4_000 {
            traces.pass(&sent(sequence));
        }
        for _ in 0..1_000 {
            traces.suspect(&suspicion(10), |_| true);
        }

        // Two walks through what is kept.
        assert!(traces.steps_left > -2 * 4_000, "{}", traces.steps_left);
        assert!(traces.steps_left <= 0);
        let left = traces.steps_left;
        traces.suspect(&suspicion(4_000 - 1), |_| true);
        assert_eq!(traces.steps_left, left);
    }

    /// Once the packets after a moment have passed, packets are no longer compared with what is kept.
    #[test]
    fn a_capture_waits_for_a_few_packets() {
        let mut traces = Traces::keeping(64);
        traces.pass(&sent(0));
        traces.suspect(&suspicion(0), |_| true);
        assert!(traces.watches.has(DeviceId(0)) && traces.watches.has(DeviceId(1)));

        for sequence in 1..20 {
            traces.pass(&sent(sequence));
            traces.pass(&came(sequence));
            hold_watches(&traces);
        }

        assert!(!traces.watches.has(DeviceId(0)) && !traces.watches.has(DeviceId(1)));
    }
}
