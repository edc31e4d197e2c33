//! `Outbound` against a naive receiver that keeps its own count of what it is owed.

use proptest::prelude::*;
use squall_protocol::outbound::{Awaiting, Outbound, Resend, Step};
use squall_protocol::packet::{Puback, Pubcomp, Pubrec};
use squall_protocol::{PacketId, QoS, ReasonCode};

#[derive(Clone, Debug)]
enum Action {
    Send(QoS),
    /// Answer the nth message that this connection owes an answer.
    Answer(usize),
    /// The same, with an error where the answer ends the exchange.
    Refuse(usize),
    PollResends,
    Reconnect {
        receive_maximum: u16,
    },
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => prop_oneof![Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)].prop_map(Action::Send),
        6 => any::<usize>().prop_map(Action::Answer),
        1 => any::<usize>().prop_map(Action::Refuse),
        4 => Just(Action::PollResends),
        1 => (1_u16..12).prop_map(|receive_maximum| Action::Reconnect { receive_maximum }),
    ]
}

/// A message as the receiver sees it.
#[derive(Clone, Debug)]
struct Sent {
    id: PacketId,
    number: u32,
    awaiting: Awaiting,
    /// Its PUBLISH came on this connection.
    came_now: bool,
    /// Its PUBLISH or PUBREL came on this connection, so it can be answered.
    answerable: bool,
}

/// All messages that are not finished, in the order of their first sending.
struct Model {
    outbound: Outbound<u32>,
    sent: Vec<Sent>,
    receive_maximum: u16,
    next: u32,
    finished: Vec<u32>,
}

impl Model {
    fn new(receive_maximum: u16) -> Self {
        let mut outbound = Outbound::default();
        outbound.resume(receive_maximum);
        Self {
            outbound,
            sent: Vec::new(),
            receive_maximum,
            next: 0,
            finished: Vec::new(),
        }
    }

    fn send(&mut self, qos: QoS) {
        if !self.outbound.can_send() {
            return;
        }
        assert!(
            self.sent.iter().all(|sent| sent.answerable),
            "a new message overtakes one to be resent"
        );
        let number = self.next;
        self.next += 1;
        let id = self.outbound.send(qos, number);
        assert!(self.sent.iter().all(|sent| sent.id != id), "{id} is in use");
        self.sent.push(Sent {
            id,
            number,
            awaiting: match qos {
                QoS::ExactlyOnce => Awaiting::Pubrec,
                QoS::AtLeastOnce | QoS::AtMostOnce => Awaiting::Puback,
            },
            came_now: true,
            answerable: true,
        });
    }

    fn answer(&mut self, nth: usize, reason: ReasonCode) {
        let answerable: Vec<usize> = (0..self.sent.len())
            .filter(|&index| self.sent[index].answerable)
            .collect();
        if answerable.is_empty() {
            return;
        }
        let index = answerable[nth % answerable.len()];
        let Sent { id, number, .. } = self.sent[index];
        let finished = Ok(Step::Finished(number));
        let pubrel = Ok(Step::SendPubrel {
            id,
            reason: ReasonCode::Success,
        });
        let (step, expected) = match self.sent[index].awaiting {
            Awaiting::Puback => {
                let puback = Puback::new(id, reason);
                (self.outbound.handle_puback(&puback), finished)
            }
            Awaiting::Pubrec => {
                let step = self.outbound.handle_pubrec(&Pubrec::new(id, reason));
                let expected = if reason.is_error() { finished } else { pubrel };
                (step, expected)
            }
            Awaiting::Pubcomp => {
                let pubcomp = Pubcomp::new(id, ReasonCode::Success);
                (self.outbound.handle_pubcomp(&pubcomp), finished)
            }
        };
        assert_eq!(step, expected);
        if step == Ok(Step::Finished(number)) {
            self.sent.remove(index);
            self.finished.push(number);
        } else {
            self.sent[index].awaiting = Awaiting::Pubcomp;
        }
    }

    fn poll_resends(&mut self) {
        while let Some(resend) = self.outbound.poll_resend() {
            let (id, awaiting_pubcomp) = match resend {
                Resend::Publish(id) => (id, false),
                Resend::Pubrel(id) => (id, true),
            };
            // The oldest of its kind that has not come on this connection.
            let oldest = self.sent.iter_mut().find(|sent| {
                let is_its_kind = (sent.awaiting == Awaiting::Pubcomp) == awaiting_pubcomp;
                is_its_kind && !sent.answerable
            });
            let oldest = oldest.expect("nothing of this kind is to be resent");
            assert_eq!(oldest.id, id, "resent out of order");
            oldest.answerable = true;
            oldest.came_now = !awaiting_pubcomp;
        }
    }

    fn reconnect(&mut self, receive_maximum: u16) {
        self.outbound.connection_lost();
        assert!(!self.outbound.can_send());
        self.outbound.resume(receive_maximum);
        self.receive_maximum = receive_maximum;
        for sent in &mut self.sent {
            sent.came_now = false;
            sent.answerable = false;
        }
    }

    /// The receiver never counts more than it allows, and the quota is exactly the rest
    /// [MQTT-3.3.4-7] [MQTT-3.3.4-9].
    fn check(&self) {
        let owed = self.sent.iter().filter(|sent| sent.came_now).count();
        let quota = usize::from(self.outbound.quota());
        assert_eq!(owed + quota, usize::from(self.receive_maximum));
        let expected: Vec<_> = self
            .sent
            .iter()
            .map(|s| (s.id, s.awaiting, s.number))
            .collect();
        let kept: Vec<_> = self.outbound.iter().map(|(id, a, &n)| (id, a, n)).collect();
        assert_eq!(kept, expected);
    }
}

proptest! {
    /// Whatever the receiver answers and however often the connection breaks, quota, order and
    /// identifiers are right, and every message is finished exactly once in the end.
    #[test]
    fn quota_order_and_completion_hold(
        receive_maximum in 1_u16..12,
        actions in prop::collection::vec(action(), 1..300),
    ) {
        let mut model = Model::new(receive_maximum);
        for action in actions {
            match action {
                Action::Send(qos) => model.send(qos),
                Action::Answer(nth) => model.answer(nth, ReasonCode::Success),
                Action::Refuse(nth) => model.answer(nth, ReasonCode::QuotaExceeded),
                Action::PollResends => model.poll_resends(),
                Action::Reconnect { receive_maximum } => model.reconnect(receive_maximum),
            }
            model.check();
        }
        while !model.sent.is_empty() {
            model.poll_resends();
            model.answer(0, ReasonCode::Success);
            model.check();
        }
        model.finished.sort_unstable();
        let all: Vec<u32> = (0..model.next).collect();
        prop_assert_eq!(model.finished, all);
        prop_assert!(model.outbound.is_empty());
    }
}
