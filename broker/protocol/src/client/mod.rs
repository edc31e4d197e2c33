//! The client's side: one Session and, for part of its life, one Network Connection (§3, §4).
//!
//! A [`Client`] is polled. Its owner carries bytes and time:
//!
//! ```text
//! connect(now, &packet)                          queues CONNECT
//! while let Some(event) = poll_event(now, &mut bytes)   takes the bytes that came, one packet an event
//! poll_transmit(&mut buffer)                     bytes to send, for the owner to send whole, in part or not
//! poll_timeout(), handle_timeout(now)            one deadline: CONNACK, PINGREQ, PINGRESP
//! connection_lost()                              the transport is gone; the Session stays
//! ```
//!
//! Events borrow from the input, so a message that comes is not copied. There is no queue of
//! messages to send: [`Client::publish`] gives back what cannot be sent now, and the owner decides
//! where it waits and for how long. With [`Answers::Manual`] the owner also decides when each
//! acknowledgement is sent, which is how a simulated device stalls or breaks a handshake.
//!
//! An idle client owns no heap memory. Files: `link` is the connection, `receive` the packets that
//! come, `send` those that go, `event`, `journal` and `settings` what the owner sees and chooses.
//!
//! Invariant: after an event or error that ends the connection, nothing is sent or taken until
//! the next [`Client::connect`].

mod displaced;
mod event;
mod journal;
mod link;
mod receive;
mod send;
mod settings;

pub use displaced::Displaced;
pub use event::{AbandonCause, Event, TimedOut};
pub use journal::{Journal, NoJournal};
pub use send::{Message, SendError, Unsent, UnsentCause};
pub use settings::{Answers, Settings, UnexpectedSession};

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::alias::InboundAliases;
use crate::codec::PacketReader;
use crate::inbound::Inbound;
use crate::outbound::Outbound;
use crate::packet::{Connect, PacketType};
use crate::{Instant, PacketId, Version};
use link::{Link, Outcome, Phase};

/// A client with its Session. `M` is a message it publishes: see [`Message`]. `J` is told what it queues.
#[derive(Debug)]
pub struct Client<M, J = NoJournal<M>> {
    /// Apart from the rest, because events borrow from it.
    reader: PacketReader,
    state: State<M, J>,
}

#[derive(Debug)]
struct State<M, J> {
    settings: Settings,
    outbound: Outbound<M>,
    inbound: Inbound,
    session: Session,
    /// Messages that were given up and not yet reported.
    abandoned: VecDeque<(PacketId, M)>,
    /// What SUBACK and UNSUBACK are due for.
    requests: BTreeMap<PacketId, Request>,
    inbound_aliases: InboundAliases,
    link: Link<J>,
}

/// What the client knows about its Session State (§4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Session {
    /// It has none: it never connected, or the Session ended.
    None,
    /// It asked for a new one [MQTT-3.1.2-4].
    CleanStart,
    /// It has nothing of one, but the server may have one, as a CONNECT was not answered.
    Possible,
    /// It has one.
    Stored,
}

/// A SUBSCRIBE or UNSUBSCRIBE that is not answered.
#[derive(Clone, Copy, Debug)]
struct Request {
    /// SUBACK or UNSUBACK.
    answer: PacketType,
    filters: usize,
}

impl<M> Client<M> {
    /// A client that never connected.
    pub fn new(settings: Settings) -> Self {
        Self::with_journal(settings)
    }
}

impl<M, J: Journal<Message = M>> Client<M, J> {
    /// A client that never connected, and tells what it queues.
    pub fn with_journal(settings: Settings) -> Self {
        Self {
            reader: PacketReader::default(),
            state: State {
                settings,
                outbound: Outbound::default(),
                inbound: Inbound::default(),
                session: Session::None,
                abandoned: VecDeque::new(),
                requests: BTreeMap::new(),
                inbound_aliases: InboundAliases::default(),
                link: Link::default(),
            },
        }
    }

    /// Starts a Network Connection on a new transport: queues CONNECT.
    ///
    /// What was left of an earlier connection is dropped as by [`Self::connection_lost`].
    pub fn connect(&mut self, now: Instant, connect: &Connect) {
        self.connection_lost();
        if connect.clean_start {
            self.state.session = Session::CleanStart;
        }
        let alias_maximum = connect.properties.topic_alias_maximum.unwrap_or(0);
        self.state.inbound_aliases = InboundAliases::new(alias_maximum);
        self.state.link.connect(now, connect);
    }

    /// Records that the transport is gone, or that it is given up. The Session stays, unless it
    /// ends with the connection (§3.1.2.11.2); what is queued to be sent does not.
    ///
    /// Unfinished messages are resent, or reported as abandoned, after the next CONNACK.
    pub fn connection_lost(&mut self) {
        self.state.session = self.state.session_after_connection();
        self.state.outbound.connection_lost();
        self.state.requests = BTreeMap::new();
        self.reader = PacketReader::default();
        self.state.inbound_aliases = InboundAliases::default();
        self.state.link = Link::default();
    }

    /// Moves the bytes to send now to the end of `into`, and returns the journal of them.
    pub fn poll_transmit(&mut self, into: &mut Vec<u8>) -> J {
        self.state.link.poll_transmit(into)
    }

    /// Whether there are bytes to send.
    pub fn has_transmit(&self) -> bool {
        self.state.link.has_transmit()
    }

    /// When [`Self::handle_timeout`] is due; `None` for never. It changes with every packet that
    /// comes or goes.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.state.link.deadline(&self.state.settings)
    }

    /// Does what is due at `now`: queues PINGREQ [MQTT-3.1.2-20], or gives up a connection whose
    /// CONNACK or PINGRESP did not come. Then the transport must be closed.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<TimedOut> {
        self.state.link.handle_timeout(now, &self.state.settings)
    }

    /// The caller has not read what came before `now`: a PINGRESP that is awaited has its whole time from then on.
    pub fn await_pingresp_anew(&mut self, now: Instant) {
        self.state.link.await_pingresp_anew(now);
    }

    /// Whether CONNACK with Success came and nothing has ended the connection since.
    pub fn is_connected(&self) -> bool {
        self.state.link.phase() == Phase::Connected
    }

    /// Keep Alive of the connection, or of the last one: the server's where that set one (§3.2.2.3.14). Zero is none.
    pub fn keep_alive(&self) -> Duration {
        self.state.link.keep_alive()
    }

    /// Version of the connection, or of the last one.
    pub fn version(&self) -> Version {
        self.state.link.version()
    }

    /// What is in flight to the server.
    pub fn outbound(&self) -> &Outbound<M> {
        &self.state.outbound
    }

    /// What came from the server and is not finished.
    pub fn inbound(&self) -> &Inbound {
        &self.state.inbound
    }
}

impl<M, J: Journal<Message = M>> State<M, J> {
    /// What is known about the Session once the connection is over.
    fn session_after_connection(&self) -> Session {
        let ends = self.link.session_ends_with_it();
        match (self.link.outcome(), self.session) {
            (Outcome::None, session) => session,
            (Outcome::Accepted, _) if ends => Session::None,
            (Outcome::Accepted, session) => session,
            (Outcome::Unanswered, Session::Stored) => Session::Stored,
            (Outcome::Unanswered, Session::None) if ends => Session::None,
            (Outcome::Unanswered, Session::None | Session::CleanStart | Session::Possible) => {
                Session::Possible
            }
        }
    }
}

#[cfg(test)]
mod tests;
