//! The `[group.qos2]` block: cuts, delays and withheld answers in QoS 2 exchanges (§4.3.3).
//!
//! It only draws and remembers; the device cuts and answers. An answer is withheld on one
//! connection only: the device cuts that connection `reconnect_after` the first answer it kept back,
//! and the broker, which may resend on a new connection only [MQTT-4.4.0-1], gets the answer there.
//!
//! Invariant: PUBRELs leave in the order in which their PUBRECs came [MQTT-4.6.0-4].

use std::collections::{BTreeMap, VecDeque};

use rand::RngExt;
use squall_protocol::{Instant, PacketId};
use squall_scenario::{CutAfter, Qos2, Withhold};

use super::message::{Message, SenderStep};
use crate::observation::ReceiverAnswer;
use crate::random::Generator;

/// What one device draws and remembers of the `qos2` block.
#[derive(Debug)]
pub(crate) struct Qos2Faults {
    rules: Qos2,
    rng: Generator,
    /// PUBRELs that wait, in the order to send them in.
    pubrels: VecDeque<DelayedPubrel>,
    /// Exchanges in which the device is the receiver, with the answers drawn for.
    drawn: BTreeMap<PacketId, DrawnAnswers>,
    /// When the device cuts because it withholds an answer.
    cut_at: Option<Instant>,
}

/// A PUBREL that waits for its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct DelayedPubrel {
    /// Identifier of the exchange.
    pub(crate) id: PacketId,
    /// When it is sent.
    pub(crate) due: Instant,
    /// What the device does right after it.
    pub(crate) then: AfterPubrel,
}

/// What the device does once a PUBREL is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AfterPubrel {
    /// It waits for PUBCOMP.
    GoOn,
    /// It cuts its connection.
    Cut,
}

#[derive(Clone, Copy, Debug, Default)]
struct DrawnAnswers {
    pubrec: bool,
    pubcomp: bool,
}

impl Qos2Faults {
    /// `None` if the rules ask for nothing.
    pub(crate) fn new(rules: &Qos2, rng: Generator) -> Option<Box<Self>> {
        (*rules != Qos2::default()).then(|| {
            Box::new(Self {
                rules: rules.clone(),
                rng,
                pubrels: VecDeque::new(),
                drawn: BTreeMap::new(),
                cut_at: None,
            })
        })
    }

    /// Draws nothing from now on: the run is stopped. What was drawn is still done.
    pub(crate) fn stop(&mut self) {
        self.rules.cut_after = CutAfter::default();
        self.rules.withhold = Withhold::default();
    }

    /// Whether the device cuts at this step of the exchange of `message`: drawn the first time it
    /// is asked.
    pub(crate) fn cuts(&mut self, message: &Message, step: SenderStep) -> bool {
        let cut_after = self.rules.cut_after;
        let probability = match step {
            SenderStep::Publish => cut_after.publish,
            SenderStep::Pubrec => cut_after.pubrec,
            SenderStep::Pubrel => cut_after.pubrel,
        };
        message.draws_first_time(step) && self.rng.random::<f64>() < probability
    }

    /// Puts a PUBREL off to its time, which may be `now`.
    pub(crate) fn delay_pubrel(&mut self, now: Instant, id: PacketId, then: AfterPubrel) {
        let drawn = match &self.rules.delay_pubrel {
            Some(delay) => now + delay.sample(&mut self.rng),
            None => now,
        };
        let before = self.pubrels.back().map_or(now, |pubrel| pubrel.due);
        self.pubrels.push_back(DelayedPubrel {
            id,
            due: drawn.max(before),
            then,
        });
    }

    /// Takes the next PUBREL if it is due by `now`.
    pub(crate) fn poll_pubrel(&mut self, now: Instant) -> Option<DelayedPubrel> {
        if self.pubrels.front()?.due > now {
            return None;
        }
        self.pubrels.pop_front()
    }

    /// Whether the device keeps this answer back: drawn once for each exchange. From the first
    /// one kept back, time runs to the cut.
    pub(crate) fn withholds(&mut self, now: Instant, id: PacketId, answer: ReceiverAnswer) -> bool {
        let withhold = self.rules.withhold;
        let drawn = self.drawn.entry(id).or_default();
        let (was_drawn, probability) = match answer {
            ReceiverAnswer::Pubrec => (&mut drawn.pubrec, withhold.pubrec),
            ReceiverAnswer::Pubcomp => (&mut drawn.pubcomp, withhold.pubcomp),
        };
        if std::mem::replace(was_drawn, true) || self.rng.random::<f64>() >= probability {
            return false;
        }
        self.cut_at.get_or_insert(now + withhold.reconnect_after);
        true
    }

    /// An exchange in which the device is the receiver is over, or a new one begins with its
    /// identifier.
    pub(crate) fn forget(&mut self, id: PacketId) {
        self.drawn.remove(&id);
    }

    /// Whether the time to cut has come.
    pub(crate) fn is_cut_due(&self, now: Instant) -> bool {
        self.cut_at.is_some_and(|at| at <= now)
    }

    /// When the device has to do something.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let pubrel = self.pubrels.front().map(|pubrel| pubrel.due);
        [pubrel, self.cut_at].into_iter().flatten().min()
    }

    /// The connection ended: what waited for it has no meaning. PUBRELs are sent again by the
    /// client role after the reconnect.
    pub(crate) fn connection_lost(&mut self) {
        self.pubrels.clear();
        self.cut_at = None;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    use squall_protocol::QoS;
    use squall_protocol::topic::TopicName;

    use super::*;
    use crate::device::message::DrawnSteps;
    use crate::random::{Draws, Purpose};
    use crate::stamp::{RunTag, Stamp};
    use squall_scenario::DeviceId;
    use squall_scenario::{Distribution, StampPlace};

    fn faults(rules: Qos2) -> Qos2Faults {
        *Qos2Faults::new(
            &rules,
            Draws::of_device(1, "g", 0).generator(Purpose::Qos2, 0),
        )
        .expect("rules that ask for it")
    }

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    fn at_ms(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    fn message() -> Message {
        Message {
            stamp: Stamp {
                run: RunTag::of_seed(1),
                device: DeviceId(0),
                sequence: 0,
                scheduled: Instant::ZERO,
            },
            reached_at: Instant::ZERO,
            topic: TopicName::new(Rc::from("t")).unwrap(),
            qos: QoS::ExactlyOnce,
            retain: false,
            payload: Vec::new(),
            properties: None,
            stamp_property: None,
            stamp_place: StampPlace::Payload,
            tie: super::super::properties::Tie::None,
            closed_loop: None,
            drawn: Cell::new(DrawnSteps::default()),
        }
    }

    /// A group without the block costs nothing.
    #[test]
    fn without_rules_there_is_nothing_to_draw() {
        let rng = Draws::of_device(1, "g", 0).generator(Purpose::Qos2, 0);

        assert!(Qos2Faults::new(&Qos2::default(), rng).is_none());
    }

    /// A resent message is not cut again and again: each step is drawn once.
    #[test]
    fn a_cut_is_drawn_once_for_a_message_and_step() {
        let mut faults = faults(Qos2 {
            cut_after: CutAfter {
                publish: 1.0,
                pubrec: 0.0,
                pubrel: 1.0,
            },
            ..Qos2::default()
        });
        let message = message();

        assert!(faults.cuts(&message, SenderStep::Publish));
        assert!(!faults.cuts(&message, SenderStep::Publish));
        assert!(!faults.cuts(&message, SenderStep::Pubrec));
        assert!(faults.cuts(&message, SenderStep::Pubrel));
        assert!(!faults.cuts(&message, SenderStep::Pubrel));
    }

    /// [MQTT-4.6.0-4]: a short delay waits for the longer one before it.
    #[test]
    fn delayed_pubrels_leave_in_the_order_of_their_pubrecs() {
        let mut faults = faults(Qos2 {
            delay_pubrel: Some(Distribution::Uniform {
                min: Duration::ZERO,
                max: Duration::from_secs(1),
            }),
            ..Qos2::default()
        });

        for value in 1..=50 {
            faults.delay_pubrel(at_ms(u64::from(value)), id(value), AfterPubrel::GoOn);
        }

        let mut sent = Vec::new();
        while let Some(due) = faults.next_due() {
            let pubrel = faults.poll_pubrel(due).unwrap();
            sent.push((pubrel.due, pubrel.id.get()));
        }
        assert!(sent.is_sorted());
        assert!(sent.iter().map(|&(_, id)| id).eq(1..=50));
    }

    /// The cut that frees what is withheld counts from the first answer kept back.
    #[test]
    fn the_first_withheld_answer_sets_the_time_of_the_cut() {
        let mut faults = faults(Qos2 {
            withhold: Withhold {
                pubrec: 1.0,
                pubcomp: 0.0,
                reconnect_after: Duration::from_secs(1),
            },
            ..Qos2::default()
        });

        assert!(faults.withholds(at_ms(0), id(1), ReceiverAnswer::Pubrec));
        assert!(faults.withholds(at_ms(500), id(2), ReceiverAnswer::Pubrec));
        assert!(!faults.is_cut_due(at_ms(999)));
        assert!(faults.is_cut_due(at_ms(1_000)));

        faults.connection_lost();
        assert_eq!(faults.next_due(), None);
        // Asked again on the next connection, both are answered.
        assert!(!faults.withholds(at_ms(1_500), id(1), ReceiverAnswer::Pubrec));
        assert!(!faults.withholds(at_ms(1_500), id(2), ReceiverAnswer::Pubrec));
        // A new exchange with the identifier draws anew.
        faults.forget(id(1));
        assert!(faults.withholds(at_ms(2_000), id(1), ReceiverAnswer::Pubrec));
    }
}
