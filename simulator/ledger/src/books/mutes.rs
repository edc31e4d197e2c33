//! Connections on which a fault muted the device, and what of their end is the mute's.
//!
//! A broker has to close the connection of a client from which nothing comes for one and a half times Keep Alive
//! [MQTT-3.1.2-22]: the scenario asked for that end, not the broker. One that closes sooner did it of its own accord. A device
//! that talks again just when the broker gives it up is closed all the same, and learns of it a little later.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::Instant;
use squall_scenario::FaultId;

use super::event::Event;

/// How long after its device talks again a broker may close a connection because nothing had come for too long: what the
/// device says has to reach it, and it looks at its connections by its own timers.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(5);

/// What came of one time that a fault muted devices.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct MuteEffects {
    /// Connections that the broker closed because of it.
    pub(crate) closed: u64,
    /// Connections on which the device talked again, and the broker had not closed them.
    pub(crate) outlasted: u64,
}

/// All mutes of a run.
#[derive(Debug, Default)]
pub(crate) struct Mutes {
    /// The last one of each connection that is there.
    open: HashMap<SocketId, Mute>,
    /// By the fault, and how many times it had fired before.
    effects: BTreeMap<(FaultId, u64), MuteEffects>,
}

#[derive(Clone, Copy, Debug)]
struct Mute {
    by: (FaultId, u64),
    /// How long the broker has to wait.
    patience: Duration,
    /// When the last byte before it had left the device and its link; `None` while the link may hold some.
    said_at: Option<Instant>,
    progress: Progress,
}

/// How far a mute has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    /// The device says nothing.
    GoesOn,
    /// The device talked again, or ended the connection, at that moment.
    BrokenOff(Instant),
    /// The broker closed the connection when it had to.
    ClosedWhenDue,
    /// The broker closed the connection before that.
    ClosedEarly,
}

impl Mutes {
    /// A fault muted the device of a connection.
    pub(crate) fn begin(
        &mut self,
        socket: SocketId,
        by: (FaultId, u64),
        patience: Duration,
        said_at: Option<Instant>,
    ) {
        let mute = Mute {
            by,
            patience,
            said_at,
            progress: Progress::GoesOn,
        };
        self.open.insert(socket, mute);
        self.effects.entry(by).or_default();
    }

    /// The last of what the device had said before has left its link.
    pub(crate) fn handle_left(&mut self, event: &Event) {
        if let Some(mute) = self.open.get_mut(&event.socket) {
            mute.said_at.get_or_insert(event.now);
        }
    }

    /// The device talks again, or ended the connection.
    pub(crate) fn break_off(&mut self, event: &Event) {
        if let Some(mute) = self.open.get_mut(&event.socket)
            && mute.progress == Progress::GoesOn
        {
            mute.progress = Progress::BrokenOff(event.now);
            self.effects.entry(mute.by).or_default().outlasted += 1;
        }
    }

    /// The broker closed the connection, which had heard the device for the last time at `heard_at`.
    pub(crate) fn close(&mut self, event: &Event, heard_at: Instant) {
        if let Some(mute) = self.open.get_mut(&event.socket)
            && mute.progress == Progress::GoesOn
        {
            let is_due = event.arrived >= heard_at + mute.patience;
            mute.progress = match is_due {
                true => Progress::ClosedWhenDue,
                false => Progress::ClosedEarly,
            };
            self.effects.entry(mute.by).or_default().closed += 1;
        }
    }

    /// Until when the last mute of a connection explains that the broker closes it, if it was long enough.
    pub(crate) fn excused_until(&self, socket: SocketId) -> Option<Instant> {
        let mute = self.open.get(&socket)?;
        match mute.progress {
            Progress::BrokenOff(at) => {
                let was_long = mute.said_at.is_some_and(|said| at >= said + mute.patience);
                was_long.then_some(at + GIVEN_UP_WITHIN)
            }
            Progress::GoesOn | Progress::ClosedWhenDue | Progress::ClosedEarly => None,
        }
    }

    /// The fault that explains that the broker ended a connection at `event`.
    pub(crate) fn cause_of(&self, event: &Event) -> Option<FaultId> {
        let mute = self.open.get(&event.socket)?;
        let is_explained = match mute.progress {
            Progress::ClosedWhenDue => true,
            Progress::BrokenOff(_) => {
                let until = self.excused_until(event.socket);
                until.is_some_and(|until| event.arrived <= until)
            }
            Progress::GoesOn | Progress::ClosedEarly => false,
        };
        is_explained.then_some(mute.by.0)
    }

    /// A connection is over.
    pub(crate) fn forget(&mut self, socket: SocketId) {
        self.open.remove(&socket);
    }

    /// What came of the time that a fault struck after `number` others.
    pub(crate) fn effects(&self, fault: FaultId, number: u64) -> Option<MuteEffects> {
        self.effects.get(&(fault, number)).copied()
    }
}
