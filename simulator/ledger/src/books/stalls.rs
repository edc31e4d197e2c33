//! Devices that a fault stops from reading, and what is the fault's and not the broker's of what follows.
//!
//! The protocol says nothing of clients that do not read. A broker may end the connection of one: nothing binds a
//! Server to keep a Network Connection. It may give up what it has for it at QoS 0, which is at most once (§4.3.1).
//! What it acknowledged at QoS 1 and 2 it still owes. What reaches a device while it does not read is seen late, the
//! broker's close included, and no time limit counts from there.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use squall_fleet::{EndCause, SocketId};
use squall_protocol::Instant;
use squall_scenario::FaultId;

use super::event::Event;

/// How long after its device reads on a broker may end a connection because of what waited for it: it sees that by its
/// own timers.
const SHED_WITHIN: Duration = Duration::from_secs(5);

/// What came of one time that a fault stopped devices from reading.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct StallEffects {
    /// Messages that were sent before their recipient read on, and that it read then.
    pub(crate) waited: u64,
    /// The longest from the sending of one of them until it was read.
    pub(crate) longest: Duration,
    /// Connections that the broker ended.
    pub(crate) shed: u64,
}

/// All stalls of a run.
#[derive(Debug, Default)]
pub(crate) struct Stalls {
    /// The last one of each connection that is there.
    open: HashMap<SocketId, Stall>,
    /// By the fault, and how many times it had fired before.
    effects: BTreeMap<(FaultId, u64), StallEffects>,
}

#[derive(Clone, Copy, Debug)]
struct Stall {
    by: (FaultId, u64),
    since: Instant,
    /// When its device read on; `None` while it does not read.
    until: Option<Instant>,
}

impl Stalls {
    /// The device stops reading a connection.
    pub(crate) fn handle_stopped(&mut self, event: &Event, fault: FaultId, number: u64) {
        let stall = Stall {
            by: (fault, number),
            since: event.now,
            until: None,
        };
        self.open.insert(event.socket, stall);
        self.effects.entry(stall.by).or_default();
    }

    /// The device reads on.
    pub(crate) fn handle_resumed(&mut self, event: &Event) {
        if let Some(stall) = self.open.get_mut(&event.socket) {
            stall.until = Some(event.now);
        }
    }

    /// When what is read now may have reached the device's machine at the earliest: while the broker catches up with a
    /// device that did not read, for as long as that lasted, at any time since it had stopped.
    pub(crate) fn earliest_arrival(&self, event: &Event) -> Instant {
        let Some(&Stall { since, until, .. }) = self.open.get(&event.socket) else {
            return event.arrived;
        };
        let caught_up = until.map(|until| until + until.saturating_since(since));
        match caught_up.is_none_or(|caught_up| event.arrived <= caught_up) {
            true => event.arrived.min(since),
            false => event.arrived,
        }
    }

    /// When a connection was not read for the last time, and the device had caught up with it; `None` if it always was.
    pub(crate) fn unread(&self, event: &Event) -> Option<[Instant; 2]> {
        let &Stall { since, until, .. } = self.open.get(&event.socket)?;
        let until = until.map_or(event.now, |until| until + until.saturating_since(since));
        Some([since, until])
    }

    /// A message that was sent at `sent_at` was read.
    pub(crate) fn handle_read(&mut self, event: &Event, sent_at: Instant) {
        let stall = self.open.get(&event.socket);
        if let Some(stall) = stall.filter(|stall| stall.until.is_some_and(|until| sent_at < until))
        {
            let effects = self.effects.entry(stall.by).or_default();
            effects.waited += 1;
            effects.longest = effects.longest.max(event.now.saturating_since(sent_at));
        }
    }

    /// A connection ended. Since when its device had not read it, if that may be why the broker ended it.
    pub(crate) fn handle_ended(&mut self, event: &Event, cause: EndCause) -> Option<Instant> {
        let stall = self.open.remove(&event.socket)?;
        let by_broker = match cause {
            EndCause::PeerClosed(_) | EndCause::ServerDisconnect(_) => true,
            EndCause::Dropped { .. }
            | EndCause::Disconnected { .. }
            | EndCause::WentAway(_)
            | EndCause::Qos2Cut { .. }
            | EndCause::ProtocolError(_)
            | EndCause::TimedOut
            | EndCause::Refused
            | EndCause::RunEnded => false,
        };
        let is_near = stall
            .until
            .is_none_or(|until| event.arrived <= until + SHED_WITHIN);
        if !by_broker || !is_near {
            return None;
        }
        self.effects.entry(stall.by).or_default().shed += 1;
        Some(stall.since)
    }

    /// What came of the time that a fault struck after `number` others.
    pub(crate) fn effects(&self, fault: FaultId, number: u64) -> Option<StallEffects> {
        self.effects.get(&(fault, number)).copied()
    }
}
