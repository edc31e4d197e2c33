//! One transport of a device: what it is for, and what is on its way over the link.

use std::time::Duration;

use squall_protocol::{Instant, client::Displaced};
use squall_scenario::Transport;

use super::asking::Asking;
use super::mute::Mute;
use super::provoking::Provoked;
use crate::drive::{PeerClose, SocketId, Teardown};
use crate::firing::Firing;
use crate::link::Lane;
use crate::observation::{Departure, LinkAtEnd, Way};

/// One transport of a device, from the request for it to its end.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: SocketId,
    pub(super) role: Role,
    /// Whether the drive takes more bytes: what it said last.
    pub(super) room: Room,
    /// Whether the device says nothing on it and leaves it open.
    pub(super) voice: Voice,
    /// When the last byte was handed to the drive.
    pub(super) said_at: Instant,
    /// `None` if the device has no link: then everything passes at once.
    pub(super) lanes: Option<Box<Lanes>>,
    /// Whether the device reads it.
    pub(super) attention: Attention,
    /// What keeps the device from talking on it for a while; `None` if nothing does.
    pub(super) mute: Option<Box<Mute>>,
    /// What a malformed packet has left of it; `None` if it sent none.
    pub(super) provoked: Option<Box<Provoked>>,
}

/// Whether the broker may still hear of the device over a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Voice {
    /// It may, or its end is told in another way.
    Heard,
    /// A fault silenced it: the broker has to notice by itself.
    Silenced,
}

/// Whether the drive takes more bytes for a transport.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Room {
    Left,
    Full,
}

/// Whether the device itself reads a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Attention {
    /// It does, since that moment: the start of the run, or the end of a stall.
    Since(Instant),
    /// A fault stops it from that moment on.
    Stalled {
        /// The firing of the fault.
        by: Firing,
        /// When it read last.
        since: Instant,
    },
}

impl Attention {
    /// It has read from the beginning.
    pub(super) const UNBROKEN: Self = Self::Since(Instant::ZERO);

    /// Since when it reads; `None` if it does not now.
    pub(super) fn reads_since(self) -> Option<Instant> {
        match self {
            Self::Since(since) => Some(since),
            Self::Stalled { .. } => None,
        }
    }
}

/// What is on its way over the link, in each direction.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    pub(super) up: Lane<Up>,
    pub(super) down: Lane<Down>,
    /// Round trips of the handshakes of TLS and WebSocket that have not begun to cross the link. The drive has done them
    /// by then: it speaks both beyond the link.
    pub(super) handshakes: u8,
    /// How long the link has held what the handshakes sent, while they go on.
    shaken_for: Duration,
    /// Messages whose last answer is written and has not been handed to the link.
    pub(super) answers: u32,
    /// Messages that are written for the first time and have not been handed to the link.
    pub(super) messages: u32,
    /// When the last of what was handed to the link at once was through to the broker.
    heard_at: Instant,
    /// Whether the drive reads the transport: what was asked of it last.
    pub(super) reading: Reading,
    /// Whether the close by the broker has come, and is on its way to the device.
    pub(super) has_close: bool,
}

/// Whether the drive reads a transport.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Reading {
    #[default]
    On,
    /// The link holds as much as it takes towards the device.
    Paused,
}

impl Lanes {
    /// Those of a connection that begins, with the handshakes of `transport` to cross them.
    pub(super) fn of(transport: Transport) -> Self {
        Self {
            handshakes: transport.handshake_round_trips(),
            ..Self::default()
        }
    }

    /// Bytes that had gone in at `entry` are through to the broker.
    pub(super) fn note_heard(&mut self, now: Instant, entry: Instant) {
        // A broker waits for whole packets [MQTT-3.1.2-22]: the rest of them may be on its way still.
        if self.up.oldest_entry() != Some(entry) {
            self.heard_at = now;
        }
    }

    /// When the last of what was handed to the link at once was through to the broker.
    pub(super) fn heard_at(&self) -> Instant {
        self.heard_at
    }

    /// The link has held a part of the handshakes for so long.
    pub(super) fn note_shaken(&mut self, held: Duration) {
        self.shaken_for += held;
    }

    /// What the link has let pass of the connection so far.
    fn at_end(&self, now: Instant) -> LinkAtEnd {
        // In a handshake one thing waits for the other.
        let waits = [self.up.oldest_entry(), self.down.oldest_entry()].into_iter();
        let waits = waits.flatten().map(|since| now.saturating_since(since));
        let shaken_for = self.shaken_for + waits.sum::<Duration>();
        let held_for = self.up.longest_hold(now) + self.down.longest_hold(now);
        LinkAtEnd {
            heard_at: self.heard_at,
            held_for: held_for.max(shaken_for),
        }
    }

    /// What the drive is to do from now on, if that has changed.
    pub(super) fn take_reading_change(&mut self) -> Option<Reading> {
        let reading = match self.reading {
            Reading::On if self.down.is_full() => Reading::Paused,
            Reading::Paused if self.down.has_drained() => Reading::On,
            Reading::On | Reading::Paused => return None,
        };
        self.reading = reading;
        Some(reading)
    }
}

/// What goes to the broker beside bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Up {
    Open,
    /// A flight of a handshake, which is answered.
    ShakeHands,
    Close(Teardown),
    /// Tells that what was sent before it has left the link.
    Mark(Departure),
}

/// What comes from the broker beside bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Down {
    /// The transport is connected, or a flight of a handshake on it is answered.
    Opened,
    Closed(PeerClose),
}

/// What a transport is for.
#[derive(Debug)]
pub(super) enum Role {
    /// It is being connected.
    Opening(Opening),
    /// It is the Network Connection of the device's client role: at most one is.
    Active(Active),
    /// A later connection of the same device took its place: it is read until the broker closes it.
    Displaced(Box<Displaced>),
    /// The device has no use for it and left it open: the broker has to close it.
    Abandoned,
    /// The device closed it; it is gone once what was sent before has passed the link.
    Closing,
    /// It is gone.
    Done,
}

#[derive(Debug)]
pub(super) struct Opening {
    /// When the transport was asked for, and from `Opened` on when the system was.
    pub(super) since: Instant,
    pub(super) give_up: Instant,
    /// The firing of a fault that asked for it.
    pub(super) takeover: Option<Firing>,
}

#[derive(Debug)]
pub(super) struct Active {
    /// When the system was asked for the transport.
    pub(super) since: Instant,
    /// Whether CONNACK with Success came.
    pub(super) is_online: bool,
    /// The SUBSCRIBEs that were sent on it.
    pub(super) asking: Asking,
}

impl Connection {
    /// Whether its device does not read it.
    pub(super) fn is_stalled(&self) -> bool {
        self.attention.reads_since().is_none()
    }

    /// Whether its link takes what comes.
    pub(super) fn link_reading(&self) -> Reading {
        self.lanes
            .as_ref()
            .map_or(Reading::On, |lanes| lanes.reading)
    }

    /// Whether another message may be sent: the device talks, and neither the drive nor the link has too much waiting.
    pub(super) fn has_room(&self) -> bool {
        let is_link_full = self.lanes.as_ref().is_some_and(|lanes| lanes.up.is_full());
        self.room == Room::Left && !is_link_full && !self.is_muted()
    }

    /// Takes a round trip of a handshake that its link has still to be crossed for, if there is one.
    pub(super) fn take_handshake(&mut self) -> Option<Up> {
        let lanes = self.lanes.as_deref_mut()?;
        let Some(left) = lanes.handshakes.checked_sub(1) else {
            lanes.shaken_for = Duration::ZERO;
            return None;
        };
        lanes.handshakes = left;
        Some(Up::ShakeHands)
    }

    /// So much of the time since the drive was told to open the transport was its own.
    pub(super) fn note_waited(&mut self, waited: Duration) {
        if let Role::Opening(opening) = &mut self.role {
            opening.since += waited;
        }
    }

    /// When the link has something to release.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let lanes = self.lanes.as_deref()?;
        let down = lanes.down.next_due().filter(|_| !self.is_stalled());
        let dues = [lanes.up.next_due(), down];
        dues.into_iter().flatten().min()
    }

    /// What its link has let pass of it so far; `None` without a link.
    pub(super) fn link_at_end(&self, now: Instant) -> Option<LinkAtEnd> {
        let lanes = self.lanes.as_deref()?;
        Some(lanes.at_end(now))
    }

    /// Whether something that the device did is still on its link.
    pub(super) fn is_on_link(&self) -> bool {
        self.lanes
            .as_ref()
            .is_some_and(|lanes| !lanes.up.is_empty())
    }

    /// When everything that the link holds, in both directions, has arrived; `None` if it holds
    /// nothing.
    pub(super) fn in_transit_until(&self) -> Option<Instant> {
        let Lanes { up, down, .. } = self.lanes.as_deref()?;
        let up = (!up.is_empty()).then(|| up.last_due());
        let down = (!down.is_empty()).then(|| down.last_due());
        up.max(down)
    }

    /// Whether its CONNECT was sent and is not answered.
    pub(super) fn awaits_connack(&self) -> bool {
        match &self.role {
            Role::Active(active) => !active.is_online,
            Role::Opening(_)
            | Role::Displaced(_)
            | Role::Abandoned
            | Role::Closing
            | Role::Done => false,
        }
    }

    /// The ways on which the link holds something.
    pub(super) fn ways_in_transit(&self) -> impl Iterator<Item = Way> + use<> {
        let lanes = self.lanes.as_deref();
        let up = lanes.is_some_and(|lanes| !lanes.up.is_empty());
        let down = lanes.is_some_and(|lanes| !lanes.down.is_empty());
        let up = up.then_some(Way::Up);
        up.into_iter().chain(down.then_some(Way::Down))
    }

    /// Whether nothing more will happen on it.
    pub(super) fn is_over(&self) -> bool {
        match self.role {
            Role::Opening(_) | Role::Active(_) | Role::Displaced(_) | Role::Abandoned => false,
            Role::Closing => !self.is_on_link(),
            Role::Done => true,
        }
    }
}
