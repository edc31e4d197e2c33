//! What squall's own link does to connections: the broker hears nothing for longer than Keep Alive allows and
//! must close [MQTT-3.1.2-22], or the device has no answer in time and gives up.
//!
//! It is judged by what the link did, not by how it was set up: outages, loss and bandwidth hold things
//! alike. The same answer decides whether an end was unexpected, whether a CONNECT was refused, whether a
//! device that never got in is held against the broker, and whether the time away was asked for.

use std::time::Duration;

use squall_fleet::{EndCause, LinkAtEnd};
use squall_protocol::{Instant, ReasonCode};

/// What a broker may close early of the one and a half Keep Alive that it must wait: it reads a packet a
/// little before or after the link let it pass.
const EARLY_PART: f64 = 0.95;

/// What the link of a device had let pass when a connection came to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkPart {
    link: LinkAtEnd,
    /// When the broker's end of the connection was at the device's machine, or the device gave up.
    at: Instant,
    /// Whether the broker had closed it by then.
    is_closed: bool,
}

/// How far the CONNECT of a connection had come when the connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Progress {
    /// The device's link held it.
    OnLink,
    /// The broker had it and had not answered, as far as the device knows.
    AtBroker,
    /// CONNACK with success came.
    Connected,
}

impl LinkPart {
    /// What the link says of a connection that comes to its end `at`.
    pub(crate) fn new(link: LinkAtEnd, at: Instant) -> Self {
        Self {
            link,
            at,
            is_closed: false,
        }
    }

    /// The device gave up after the broker had closed: the link has held what it holds for longer.
    pub(crate) fn note_held(&mut self, link: LinkAtEnd) {
        self.link.held_for = self.link.held_for.max(link.held_for);
    }

    /// The broker's close is at the device's machine.
    pub(crate) fn note_closed(&mut self) {
        self.is_closed = true;
    }

    /// Whether the broker had closed it by then.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether the broker closed it, or the link took most of the time for which a device waits: of a transport that was
    /// not open yet for the device, over which no CONNECT can have come.
    pub(crate) fn keeps_from_opening(&self, answer_max: Duration) -> bool {
        // A broker need not keep a transport on which no CONNECT comes (§3.1.4).
        self.is_closed || self.holds_an_answer(answer_max)
    }

    /// When the connection came to its end for the device's machine.
    pub(crate) fn at(&self) -> Instant {
        self.at
    }

    /// Whether the link kept the device silent for so long that a broker has to close.
    fn silences(&self, keep_alive: Duration) -> bool {
        let silence = self.at.saturating_since(self.link.heard_at);
        !keep_alive.is_zero() && silence >= keep_alive.mul_f64(1.5 * EARLY_PART)
    }

    /// Whether the link, and not the broker, took most of the time for which a device waits for an
    /// answer.
    pub(crate) fn holds_an_answer(&self, answer_max: Duration) -> bool {
        self.link.held_for >= answer_max / 2
    }
}

/// The limits of a connection that its link may have run into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Keep Alive; zero is none.
    pub(crate) keep_alive: Duration,
    /// How long the device waits for an answer.
    pub(crate) answer_max: Duration,
}

/// Whether an end is what a link brings about with a broker that does nothing wrong; `part` is what it had
/// let pass.
pub(crate) fn is_of_the_link(
    cause: EndCause,
    progress: Progress,
    part: Option<LinkPart>,
    patience: Patience,
) -> bool {
    let is_closed = match cause {
        EndCause::PeerClosed(_) => true,
        EndCause::ServerDisconnect(reason) => reason == ReasonCode::KeepAliveTimeout,
        EndCause::TimedOut => false,
        EndCause::Dropped { .. }
        | EndCause::Disconnected { .. }
        | EndCause::WentAway(_)
        | EndCause::Qos2Cut { .. }
        | EndCause::ProtocolError(_)
        | EndCause::Refused
        | EndCause::RunEnded => return false,
    };
    let silences = part.is_some_and(|part| part.silences(patience.keep_alive));
    match progress {
        // A broker need not keep a transport on which no CONNECT comes (§3.1.4).
        Progress::OnLink => true,
        Progress::AtBroker if is_closed => {
            // Its CONNACK came to a connection that had been displaced, if to any.
            let is_timeout = EndCause::ServerDisconnect(ReasonCode::KeepAliveTimeout);
            cause == is_timeout && silences
        }
        Progress::Connected if is_closed => silences,
        Progress::AtBroker | Progress::Connected => part.is_some_and(|part| {
            // Where the broker has closed, as it must, no answer comes.
            part.is_closed && silences || part.holds_an_answer(patience.answer_max)
        }),
    }
}
