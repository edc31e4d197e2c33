//! A broker with one lie: what it tells devices in place of the truth.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::packet::{Packet, Publish};
use squall_protocol::{PacketId, QoS};
use squall_world::{Direction, Passing, Tamper, Tampered, TamperedClose};

use crate::exchanges::{Dup, Exchanges};
use crate::handshakes::Begun;
use crate::lies::Lie;
use crate::notes::{Ended, Kept, Notes};

/// How late a will is.
const WILL_DELAY: Duration = Duration::from_secs(3);

/// How many old messages come again on each connection.
const OLD_MAX: usize = 3;

/// Lies about messages on their way to devices.
#[derive(Debug)]
pub(crate) struct Liar {
    pub(crate) lie: Lie,
    /// Messages that may be touched.
    seen: u64,
    touched: Rc<Cell<u64>>,
    notes: Notes,
    exchanges: Exchanges,
    pub(crate) begun: Begun,
    /// What is held back until the next message of its topic passes on its connection.
    held: HashMap<(SocketId, String), Vec<u8>>,
    /// Messages at QoS 1 without PUBACK.
    unanswered: HashMap<(SocketId, PacketId), Kept>,
    /// Those that each client has answered.
    old: HashMap<String, Vec<Kept>>,
    /// Connections on which what must not come has come.
    ready: HashSet<SocketId>,
    /// What another device is to have, and who had it.
    for_another: Option<(String, Kept)>,
}

impl Liar {
    /// One whose connections will have had `to_come` at their ends. What it touches is counted.
    pub(crate) fn new(lie: Lie, to_come: &Ended, touched: &Rc<Cell<u64>>) -> Self {
        Self {
            lie,
            seen: 0,
            touched: Rc::clone(touched),
            notes: Notes::knowing(to_come.clone()),
            exchanges: Exchanges::default(),
            begun: Begun::default(),
            held: HashMap::new(),
            unanswered: HashMap::new(),
            old: HashMap::new(),
            ready: HashSet::new(),
            for_another: None,
        }
    }

    pub(crate) fn count(&self) {
        self.touched.set(self.touched.get() + 1);
    }

    /// A message passes that the lie may touch: whether it does.
    pub(crate) fn takes(&mut self) -> bool {
        self.seen += 1;
        self.seen.is_multiple_of(self.lie.one_in())
    }

    fn handle_publish(
        &mut self,
        passing: &Passing<'_>,
        publish: &Publish<'_>,
        tampered: &mut Tampered,
    ) {
        self.keep(passing, publish);
        let is_taken = self.lie.may_touch(passing, publish, &self.notes) && self.takes();
        if is_taken {
            self.lie_about(passing, publish, tampered);
        } else {
            tampered.pass(passing);
        }
        self.release(passing, publish, (is_taken, tampered));
    }

    fn lie_about(&mut self, passing: &Passing<'_>, publish: &Publish<'_>, tampered: &mut Tampered) {
        match self.lie {
            Lie::DropQos0
            | Lie::DropQos1
            | Lie::DropQos2
            | Lie::DropEarly
            | Lie::DropLast
            | Lie::DropWaited
            | Lie::DropRetained
            | Lie::DropWill => self.exchanges.swallow(passing, publish, tampered),
            Lie::DoubleQos0 | Lie::DoublePlain | Lie::DoubleQos2 | Lie::DoubleWill => {
                self.double(passing, (publish, Dup::Clear), tampered);
            }
            Lie::DoubleDup | Lie::DoubleWaited => {
                self.double(passing, (publish, Dup::Set), tampered);
            }
            Lie::DelayWill => {
                tampered.forward_after(WILL_DELAY, passing.direction, passing.bytes);
            }
            Lie::Reorder => return self.hold(passing, publish, tampered),
            Lie::Corrupt => self.corrupt(passing, publish, tampered),
            Lie::LowerQos => {
                self.exchanges.swallow(passing, publish, tampered);
                let mut lower = publish.clone();
                lower.qos = match publish.qos {
                    QoS::ExactlyOnce => QoS::AtLeastOnce,
                    QoS::AtLeastOnce | QoS::AtMostOnce => QoS::AtMostOnce,
                };
                lower.dup = false;
                self.exchanges.send(passing, &lower, tampered);
            }
            Lie::ToAnother => {
                tampered.pass(passing);
                let kept = Kept::of(passing, publish);
                self.for_another = Some((passing.client_id.to_owned(), kept));
                return;
            }
            Lie::AgainPlain
            | Lie::AgainDup
            | Lie::AgainLate
            | Lie::Expired
            | Lie::NoPubrec
            | Lie::NoPubrel
            | Lie::NoPubcomp
            | Lie::WrongPubrec
            | Lie::WrongPubrel
            | Lie::WrongPubcomp
            | Lie::ForgetExchange => return tampered.pass(passing),
        }
        self.count();
    }

    fn double(
        &mut self,
        passing: &Passing<'_>,
        (publish, dup): (&Publish<'_>, Dup),
        tampered: &mut Tampered,
    ) {
        tampered.pass(passing);
        let mut copy = publish.clone();
        copy.dup = dup == Dup::Set;
        self.exchanges.send(passing, &copy, tampered);
    }

    fn corrupt(&mut self, passing: &Passing<'_>, publish: &Publish<'_>, tampered: &mut Tampered) {
        let mut payload = publish.payload.to_vec();
        if let Some(last) = payload.last_mut() {
            *last ^= 1;
        }
        let changed = Publish {
            payload: &payload,
            ..publish.clone()
        };
        tampered.replace(passing, &Packet::Publish(changed));
    }

    /// Holds a message back, unless one of its topic is held already.
    fn hold(&mut self, passing: &Passing<'_>, publish: &Publish<'_>, tampered: &mut Tampered) {
        let key = (passing.socket, publish.topic.as_str().to_owned());
        if self.held.contains_key(&key) {
            return tampered.pass(passing);
        }
        self.held.insert(key, passing.bytes.to_vec());
    }

    /// Sends on what waited for this message to pass.
    fn release(
        &mut self,
        passing: &Passing<'_>,
        publish: &Publish<'_>,
        (is_taken, tampered): (bool, &mut Tampered),
    ) {
        let key = (passing.socket, publish.topic.as_str().to_owned());
        if !is_taken && let Some(bytes) = self.held.remove(&key) {
            self.count();
            tampered.forward(passing.direction, &bytes);
        }
        let is_another =
            |(had, kept): &(String, Kept)| *had != passing.client_id && kept.qos == publish.qos;
        if self.for_another.as_ref().is_some_and(is_another)
            && let Some((_, kept)) = self.for_another.take()
        {
            self.count();
            self.exchanges
                .send_kept(passing, (&kept, Dup::Clear), tampered);
        }
    }

    /// Keeps what may come again on a later connection.
    fn keep(&mut self, passing: &Passing<'_>, publish: &Publish<'_>) {
        let is_will = publish.topic.as_str().starts_with("will/");
        if publish.qos == QoS::AtLeastOnce
            && !publish.retain
            && !is_will
            && let Some(id) = publish.packet_id
        {
            let kept = Kept::of(passing, publish);
            self.unanswered.insert((passing.socket, id), kept);
        }
    }

    /// PUBACK passes to the broker.
    fn handle_puback(&mut self, passing: &Passing<'_>, id: PacketId) {
        if let Some(kept) = self.unanswered.remove(&(passing.socket, id)) {
            let old = self.old.entry(passing.client_id.to_owned()).or_default();
            old.push(kept);
        }
    }

    /// A device is connected and subscribed: what it must not have comes.
    fn handle_ready(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let client = passing.client_id;
        let (mut again, dup) = match self.lie {
            Lie::AgainPlain => (self.old_of(passing), Dup::Clear),
            Lie::AgainDup | Lie::AgainLate => (self.old_of(passing), Dup::Set),
            Lie::Expired => {
                let sent = self.notes.sent_to.remove(client).unwrap_or_default();
                let last = self.notes.last_end(client);
                let missed = sent.into_iter().filter(|kept| {
                    kept.has_expired(passing.now) && last.is_some_and(|last| kept.at > last)
                });
                (missed.collect(), Dup::Clear)
            }
            Lie::DropQos0
            | Lie::DropQos1
            | Lie::DropQos2
            | Lie::DropEarly
            | Lie::DropLast
            | Lie::DropWaited
            | Lie::DoubleQos0
            | Lie::DoublePlain
            | Lie::DoubleDup
            | Lie::DoubleWaited
            | Lie::DoubleQos2
            | Lie::Reorder
            | Lie::Corrupt
            | Lie::DropRetained
            | Lie::DropWill
            | Lie::DelayWill
            | Lie::DoubleWill
            | Lie::ToAnother
            | Lie::LowerQos
            | Lie::NoPubrec
            | Lie::NoPubrel
            | Lie::NoPubcomp
            | Lie::WrongPubrec
            | Lie::WrongPubrel
            | Lie::WrongPubcomp
            | Lie::ForgetExchange => return,
        };
        for kept in &mut again {
            kept.qos = kept.qos.min(QoS::AtLeastOnce);
            self.count();
            self.exchanges.send_kept(passing, (kept, dup), tampered);
        }
    }

    /// The latest messages that the client had on the connection before, or before that.
    fn old_of(&self, passing: &Passing<'_>) -> Vec<Kept> {
        let before = self.notes.socket_before(passing.client_id);
        let is_late = self.lie == Lie::AgainLate;
        let is_old = |kept: &&Kept| {
            kept.socket != passing.socket && (Some(kept.socket) != before) == is_late
        };
        let old = self.old.get(passing.client_id);
        let old = old.into_iter().flatten().filter(is_old);
        let mut latest: Vec<Kept> = old.rev().take(OLD_MAX).cloned().collect();
        latest.reverse();
        latest
    }
}

impl Tamper for Liar {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        self.notes.handle_packet(passing);
        if self.exchanges.settle(passing, tampered) || self.lie_in_exchange(passing, tampered) {
            return;
        }
        match (passing.direction, passing.packet) {
            (Direction::ToDevice, Packet::Publish(publish)) => {
                self.handle_publish(passing, publish, tampered);
            }
            (Direction::ToDevice, packet) => {
                tampered.pass(passing);
                let is_resumed = matches!(packet, Packet::Connack(it) if it.session_present);
                let is_ready = is_resumed || matches!(packet, Packet::Suback(_));
                if is_ready && self.ready.insert(passing.socket) {
                    self.handle_ready(passing, tampered);
                }
            }
            (Direction::ToBroker, packet) => {
                if let Packet::Puback(puback) = packet {
                    self.handle_puback(passing, puback.id);
                }
                tampered.pass(passing);
            }
        }
    }

    fn handle_close(&mut self, socket: SocketId, _: Direction) -> TamperedClose {
        self.notes.handle_close(socket);
        TamperedClose::Pass
    }
}

/// A broker without a lie: it notes what connections have had when they end.
#[derive(Debug, Default)]
pub(crate) struct Honest {
    notes: Rc<RefCell<Notes>>,
}

impl Honest {
    /// One that shows its notes.
    pub(crate) fn new(notes: &Rc<RefCell<Notes>>) -> Self {
        Self {
            notes: Rc::clone(notes),
        }
    }
}

impl Tamper for Honest {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        self.notes.borrow_mut().handle_packet(passing);
        tampered.pass(passing);
    }

    fn handle_close(&mut self, socket: SocketId, _: Direction) -> TamperedClose {
        self.notes.borrow_mut().handle_close(socket);
        TamperedClose::Pass
    }
}
