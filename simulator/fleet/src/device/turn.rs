//! What a device is lent while it handles one input or deadline.

use std::rc::Rc;
use std::time::Duration;

use squall_protocol::Instant;
use squall_scenario::{FaultId, Network};

use crate::drive::{Actions, SocketId};
use crate::fault_plan::FaultPlan;
use crate::lines::Supplies;
use crate::link::{Entry, LinkReport};
use crate::observation::{About, Fact, Observation, Way};
use crate::packet_seen::Passing;
use crate::sink::Sink;
use crate::stamp::RunTag;

/// The moment of the call, and everything outside the device that it may touch.
pub(crate) struct Turn<'a> {
    /// When the input came, or the deadline was handled.
    pub(crate) now: Instant,
    /// How long what came and is handled had waited for the generator, as far as known.
    pub(crate) waited: Option<Duration>,
    /// How long the device's link held it.
    pub(crate) on_link: Duration,
    /// Packets of QoS 2 exchanges that the broker is to answer and that were told and not handed to the link yet.
    pub(crate) asking: u32,
    /// What the drive is asked for.
    pub(crate) actions: &'a mut Actions,
    /// The receiver of the facts.
    pub(crate) sink: &'a mut dyn Sink,
    /// What all devices share.
    pub(crate) shared: &'a mut Shared,
}

/// What all devices write into.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What the stamps of this run bear.
    pub(crate) run: RunTag,
    /// Every profile of the scenario, by [`NetworkId`](crate::NetworkId).
    pub(crate) networks: Vec<Rc<Network>>,
    /// By [`NetworkId`](crate::NetworkId).
    pub(crate) links: Vec<LinkReport>,
    /// Unix time at [`Instant::ZERO`](squall_protocol::Instant::ZERO).
    pub(crate) started_at: Duration,
    /// Whether devices still begin something new.
    pub(crate) stage: Stage,
    /// What became of faults.
    pub(crate) faults: FaultPlan,
    /// What commands have given of payloads.
    pub(crate) supplies: Supplies,
    /// What the end of a phase depends on.
    pub(crate) census: Census,
    /// What is shown while the run goes on.
    pub(crate) figures: Figures,
    /// Bytes that came out of a link; empty between uses.
    pub(crate) scratch: Vec<u8>,
}

/// How far the user lets a run go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// As far as the scenario does.
    Whole,
    /// It was stopped: no device of the scenario connects or comes back, and no fault begins. What is
    /// under way goes on.
    Stopped,
}

/// What has to be known of all devices together to tell when a phase is over.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Census {
    /// Devices that once were connected with all their subscriptions. Connecting ends when all are.
    pub(crate) ready: u32,
    /// Checkers that have a result, or cannot get one. Checking ends when all have.
    pub(crate) checked: u32,
    /// Connections that are open, being opened, or being closed. Leaving ends when none is left.
    pub(crate) connections: u32,
}

/// What is shown while the run goes on; nothing depends on it. Counters count from the start of
/// the run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Figures {
    /// Devices of the scenario with a CONNACK and an open Network Connection.
    pub(crate) online: u32,
    /// Messages handed to a link for the first time.
    pub(crate) published: u64,
    /// Messages delivered to a device.
    pub(crate) delivered: u64,
}

impl Turn<'_> {
    /// Tells a fact of this moment.
    pub(crate) fn observe(&mut self, about: About, fact: Fact<'_>) {
        if let Fact::Leg(leg) = &fact {
            self.asking += u32::from(leg.asks_broker());
        }
        let observation = Observation {
            about,
            fact,
            waited: self.waited,
            on_link: self.on_link,
        };
        self.sink.observe(self.now, &observation);
    }

    /// Where a packet that comes over `socket` passes the device.
    pub(crate) fn coming(&self, socket: SocketId) -> Passing {
        Passing {
            at: self.now - self.waited.unwrap_or_default(),
            socket,
            way: Way::Down,
        }
    }

    /// Where one that goes passes it.
    pub(crate) fn going(&self, socket: SocketId) -> Passing {
        Passing {
            at: self.now,
            socket,
            way: Way::Up,
        }
    }

    /// What goes into a link now.
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            at: self.now,
            waited: self.waited,
        }
    }

    /// A fault could not do its work on a device.
    pub(crate) fn note_inapplicable(&mut self, fault: FaultId) {
        self.shared.faults.note_inapplicable(fault);
    }
}
