//! One simulated client: what it does, when, and the facts that it tells.
//!
//! The rules of MQTT are `squall_protocol::client`'s. A device decides when to connect, publish,
//! cut, withhold and come back, and carries bytes between the client role and the drive, over its
//! link if it has one. Every step is told as a fact, when the device itself does or sees it.
//!
//! Files: `connecting` and `ending` are the life of connections, `wire` the way of bytes over the link, `in_transit` what that holds at the end,
//! `subscribing` and `holding` what it asks for and when,
//! `publishing`, `lines`, `births` and `responding` what is sent, `receiving` what comes, `answering` what that asks for, `repeats` what is sent again, `qos2_faults` the `qos2` block, `faults` what
//! `[[fault]]`s do, `stall` and `muting` and `flapping` faults that last, `checker` the last look at what is retained.
//!
//! Invariants: at most one connection is active; each connection that sent CONNECT ends with
//! exactly one `Ended` fact.

mod answering;
mod asking;
mod attendance;
mod births;
mod checker;
mod connecting;
mod connection;
mod ending;
mod faults;
mod flapping;
mod holding;
mod in_transit;
mod lines;
mod link_faults;
mod message;
mod mute;
mod muting;
mod passing;
mod profile;
mod properties;
mod provoking;
mod publishing;
mod qos2_faults;
mod queued;
mod quota;
mod receiving;
mod repeats;
mod responding;
mod stall;
mod subscribing;
mod turn;
mod wire;

use std::collections::VecDeque;
use std::rc::Rc;

use attendance::Attendance;
use births::Births;
use checker::Check;
use connection::{Connection, Down, Role, Room};
use faults::Contention;
use flapping::Flapping;
use publishing::{Sequences, Stream};
use qos2_faults::Qos2Faults;
use queued::Queued;
use quota::Quota;
use repeats::Repeats;
use responding::Responder;
use squall_protocol::{
    Instant,
    client::{Answers, Client, Settings, UnexpectedSession},
};
use squall_scenario::{Carrier, ClientKey, DeviceId};
use subscribing::Subscriptions;

use crate::drive::{Input, SocketId};
use crate::link::Link;
use crate::observation::{About, ConnectionFact, Fact};
use crate::random::{Draws, Generator, Purpose};
use crate::schedule::Load;

pub(crate) use message::MessageHandle;
pub(crate) use profile::Profile;
pub(crate) use turn::{Census, Figures, Shared, Stage, Turn};

/// A simulated client.
#[derive(Debug)]
pub(crate) struct Device {
    who: Who,
    index: u32,
    client_id: Rc<str>,
    profile: Rc<Profile>,
    client: Client<MessageHandle, Queued>,
    connections: Vec<Connection>,
    /// Transports asked for.
    attempts: u32,
    /// How often it went on to the next address of the target, because one could not be connected to.
    moved: u32,
    link: Option<Box<Link>>,
    presence: Presence,
    /// When it connects next.
    wake: Option<Instant>,
    backoff: Generator,
    /// Waits for a reconnect since the last CONNACK with Success, or since the beginning.
    waits: u32,
    subscriptions: Subscriptions,
    was_ready: bool,
    /// Whether its goodbye ended the Session.
    ended_session: bool,
    streams: Vec<Stream>,
    births: Option<Box<Births>>,
    responder: Option<Box<Responder>>,
    /// A fault that lets it come and go, if one does.
    flapping: Option<Box<Flapping>>,
    /// Further connections that a fault wants, if one does.
    contention: Option<Contention>,
    /// `None` if it is there until after the load.
    attendance: Option<Box<Attendance>>,
    /// Messages with a Response Topic that came due.
    requests: u32,
    sequences: Sequences,
    /// Messages of QoS 1 and 2 that came due and could not be sent, in order.
    queue: VecDeque<MessageHandle>,
    qos2_faults: Option<Box<Qos2Faults>>,
    /// `None` if it sends nothing again on the same connection.
    repeats: Option<Box<Repeats>>,
    /// `None` if the device takes as many messages at once as there can be.
    quota: Option<Box<Quota>>,
    check: Option<Check>,
}

/// The names of a device in facts.
#[derive(Clone, Copy, Debug)]
struct Who {
    device: DeviceId,
    client: ClientKey,
}

/// Whether a device takes part in the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Presence {
    /// It is connected, or will be.
    Here,
    /// A fault ended it, and it will come back.
    Away,
    /// It does not come back by itself.
    Gone,
    /// The run is over for it.
    Leaving,
}

/// What makes one device differ from the others of its group.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// Its name in the run.
    pub(crate) device: DeviceId,
    /// Its Session's name in the run.
    pub(crate) client: ClientKey,
    /// Client Identifier.
    pub(crate) client_id: Rc<str>,
    /// Where its random draws come from.
    pub(crate) draws: Draws,
    /// Its place in its group, and the size of that.
    pub(crate) place: crate::schedule::Place,
    /// The share of its group above which it is connected, if its group says how much of it is.
    pub(crate) level: f64,
}

impl Device {
    /// A device that is not connected and does nothing before [`Self::connect_at`].
    pub(crate) fn new(identity: Identity, profile: Rc<Profile>) -> Self {
        let Identity {
            device,
            client,
            client_id,
            draws,
            place,
            level,
        } = identity;
        let settings = Settings {
            answers: Answers::Manual,
            connack_timeout: profile.connect_timeout,
            pingresp_timeout: profile.connect_timeout,
            // Devices may share a Client Identifier: another one may have made the Session.
            unexpected_session: UnexpectedSession::Accept,
            in_flight_max: profile.in_flight_max(),
            topic_aliases_max: profile.topic_aliases,
        };
        let link = profile
            .network
            .as_ref()
            .map(|(id, network)| Link::new(*id, Rc::clone(network), draws));
        Self {
            who: Who { device, client },
            index: place.index,
            client: Client::with_journal(settings),
            connections: Vec::new(),
            attempts: 0,
            moved: 0,
            link: link.map(Box::new),
            presence: Presence::Here,
            wake: None,
            backoff: draws.generator(Purpose::Backoff, 0),
            waits: 0,
            subscriptions: Subscriptions::new(profile.wanted(place.index, &client_id), draws),
            was_ready: false,
            ended_session: false,
            streams: Stream::all(draws, &profile, place),
            births: Births::new(draws, &profile, place.index, &client_id).map(Box::new),
            responder: Responder::new(draws, &profile, place.index, &client_id),
            attendance: Attendance::new(&profile.attendance, draws, level),
            flapping: None,
            contention: None,
            requests: 0,
            sequences: Sequences::default(),
            queue: VecDeque::new(),
            quota: profile.limits_quota().then(Box::default),
            repeats: Repeats::new(profile.qos2.retransmit),
            qos2_faults: Qos2Faults::new(&profile.qos2, draws.generator(Purpose::Qos2, 0)),
            check: None,
            client_id,
            profile,
        }
    }

    /// Connects for the first time at `at`.
    pub(crate) fn connect_at(&mut self, at: Instant) {
        self.wake = Some(at);
    }

    /// Client Identifier.
    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether its goodbye at the end of the run ended its Session.
    pub(crate) fn has_ended_session(&self) -> bool {
        self.ended_session
    }

    /// Whether a fault may take it: it is not gone.
    pub(crate) fn is_here(&self) -> bool {
        self.presence == Presence::Here
    }

    /// The load begins at `now`: messages come due, those of a device that is yet to connect from then on.
    pub(crate) fn begin_load(&mut self, now: Instant, load: Load) {
        if let Some(start) = self.profile.attendance.start {
            let after = self.profile.connects_after(self.index);
            self.wake = Some(load.measured + start + after);
        }
        let from = self.wake.filter(|_| self.attempts == 0);
        for stream in &mut self.streams {
            stream.schedule.begin(Load { from, ..load });
        }
        self.subscriptions.begin(now, load);
        self.begin_attendance(now, load);
    }

    /// No message comes due from `end` on.
    pub(crate) fn end_load(&mut self, end: Instant) {
        for stream in &mut self.streams {
            stream.schedule.end(end);
        }
    }

    /// The run is stopped: no message comes due from now on, no cut is drawn, and the device connects no
    /// more. A connection that it has, or that is being opened, goes on.
    pub(crate) fn stop(&mut self, now: Instant) {
        self.end_load(now);
        self.end_births();
        self.end_attendance();
        self.flapping = None;
        self.subscriptions.end();
        if let Some(faults) = &mut self.qos2_faults {
            faults.stop();
        }
        if self.wake.take().is_some() {
            self.presence = Presence::Gone;
        }
    }

    /// What a connection runs over that begins now.
    fn carrier(&self) -> Carrier {
        self.profile.carriers.of(self.index, self.moved)
    }

    fn next_socket(&mut self) -> SocketId {
        self.attempts += 1;
        self.last_socket()
    }

    fn last_socket(&self) -> SocketId {
        SocketId::new(Some(self.who.device), self.attempts.into())
    }

    /// When [`Self::handle_deadline`] is due.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let mut next = self.wake;
        let mut sooner = |at: Option<Instant>| {
            if let Some(at) = at {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        };
        for connection in &self.connections {
            sooner(connection.next_due());
            match &connection.role {
                Role::Opening(opening) => sooner(Some(opening.give_up)),
                Role::Active(active) => {
                    sooner(
                        self.client
                            .poll_timeout()
                            .filter(|_| !connection.is_muted()),
                    );
                    sooner(self.suback_due(connection, active));
                }
                Role::Displaced(_) | Role::Abandoned | Role::Closing | Role::Done => {}
            }
        }
        for stream in &self.streams {
            sooner(stream.next_due());
        }
        let faults = self.qos2_faults.as_ref().filter(|_| !self.is_muted());
        sooner(faults.and_then(|faults| faults.next_due()));
        let repeats = self.repeats.as_ref().filter(|_| !self.is_muted());
        sooner(repeats.and_then(|repeats| repeats.next_due()));
        sooner(
            self.attendance
                .as_ref()
                .and_then(|attendance| attendance.next_due()),
        );
        sooner(
            self.responder
                .as_ref()
                .and_then(|responder| responder.next_due()),
        );
        sooner(self.subscriptions.next_due());
        sooner(
            self.flapping
                .as_ref()
                .and_then(|flapping| flapping.next_due()),
        );
        sooner(self.check.as_ref().and_then(Check::next_due));
        next
    }

    /// Does everything that is due.
    pub(crate) fn handle_deadline(&mut self, turn: &mut Turn<'_>) {
        self.carry(turn);
        self.send_queue(turn);
        self.give_up_opening(turn);
        self.go_due(turn);
        self.flap_due(turn);
        self.wake_up(turn);
        self.handle_timeouts(turn);
        self.subscribe_due(turn);
        self.handle_qos2_faults(turn);
        self.repeat_due(turn);
        self.publish_due(turn);
        self.respond_due(turn);
        self.settle(turn);
    }

    /// Handles what the drive says about one of its sockets.
    pub(crate) fn handle_input(&mut self, turn: &mut Turn<'_>, socket: SocketId, input: Input<'_>) {
        let Some(place) = self.connections.iter().position(|c| c.socket == socket) else {
            // The device closed it, and the drive said this before it carried that out.
            return;
        };
        match input {
            Input::Opened { waited, .. } => {
                self.connections[place].note_waited(waited);
                self.arrive(turn, place, Down::Opened);
            }
            Input::Full { .. } => self.connections[place].room = Room::Full,
            Input::Drained { .. } => {
                self.connections[place].room = Room::Left;
                self.send_queue(turn);
            }
            Input::Closed { how, .. } => self.arrive(turn, place, Down::Closed(how)),
            Input::Received { bytes, waited, .. } => {
                turn.waited = waited;
                self.arrive_bytes(turn, place, bytes);
                turn.waited = None;
            }
            Input::OpenFailed { error, .. } => self.handle_open_failed(turn, place, error),
            Input::DeadlinePassed
            | Input::StoodStill { .. }
            | Input::Broker(_)
            | Input::Lines { .. }
            | Input::Stop => {}
        }
        self.respond_due(turn);
        self.settle(turn);
    }

    /// Sends what the client role queued, and forgets connections that are over.
    fn settle(&mut self, turn: &mut Turn<'_>) {
        self.conclude_check(turn);
        self.fill_windows(turn);
        self.flush(turn);
        let before = self.connections.len();
        self.connections.retain(|connection| !connection.is_over());
        turn.shared.census.connections -= count(before - self.connections.len());
    }

    /// Place of the active connection.
    fn active_place(&self) -> Option<usize> {
        self.connections
            .iter()
            .position(|connection| matches!(connection.role, Role::Active(_)))
    }

    /// Whether it is a device of a group: a checker is squall's own, and no figure counts it.
    fn is_of_the_scenario(&self) -> bool {
        self.check.is_none()
    }

    fn is_online(&self) -> bool {
        self.client.is_connected()
    }

    /// Tells a step in the life of one connection.
    fn tell_connection(&self, turn: &mut Turn<'_>, socket: SocketId, fact: ConnectionFact<'_>) {
        self.tell(turn, socket, Fact::Connection(fact));
    }

    /// Tells a fact about one connection.
    fn tell(&self, turn: &mut Turn<'_>, socket: SocketId, fact: Fact<'_>) {
        self.who.tell(turn, socket, fact);
    }
}

impl Who {
    fn tell(self, turn: &mut Turn<'_>, socket: SocketId, fact: Fact<'_>) {
        let about = About::Device {
            device: self.device,
            client: self.client,
            socket,
        };
        turn.observe(about, fact);
    }
}

/// A number of things that a device has few of.
fn count(things: usize) -> u32 {
    u32::try_from(things).expect("a device has fewer things than 2^32")
}
