//! Carries a fleet's bytes over real sockets in real time.
//!
//! It decides nothing: the fleet says what to open, send and close, and hears what came of it. One
//! thread owns the fleet, all its sockets and one timer; each socket is one task that only looks
//! whether it can be read or written.
//!
//! Invariant: what the fleet asked for is carried out in order, and all of it before the fleet hears
//! the next input. If the drive is late by more than `LATE`, it tells the fleet all that has arrived
//! before it tells that the deadline has passed.

mod dial;
mod ports;
mod receive;
mod socket;
mod timer;
mod turn;

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use dial::{Dialed, DialedPort, Dialer};
use receive::Reader;
use socket::{Progressed, Room, Socket};
use squall_fleet::{
    Action, Actions, Fleet, Input, OpenError, Outcome, Phase, Progress, Sink, SocketId, Teardown,
};
use squall_protocol::Instant;
use squall_scenario::Carrier;
use timer::Timer;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::{spawn_local, yield_now};
use turn::HEARTBEAT;

use crate::clock::Clock;
use crate::layers::Layers;

pub use socket::open_error;

/// Bytes read from one socket in one go; also the most it may read before others have their turn.
const READ_BYTES_MAX: usize = 64 * 1024;

/// The least time between two turns of the schedule: deadlines that are closer share a turn, which
/// delays each by at most this and saves two system calls each. A lone deadline is not delayed.
const TURN_PERIOD_MIN: Duration = Duration::from_micros(200);

/// Both ends of the transports: the target's address, and the local ports.
#[derive(Clone, Debug)]
pub struct Route {
    /// The target's address.
    pub target: SocketAddr,
    /// Addresses of this machine to connect from, in turn; empty lets the kernel choose one.
    pub sources: Vec<IpAddr>,
    /// Local ports to use of each; `None` lets the kernel pick.
    pub local_ports: Option<RangeInclusive<u16>>,
    /// What is between TCP and MQTT.
    pub layers: Layers,
}

/// A fleet on real sockets. Cheap to clone: all clones are one drive.
pub struct Drive<S> {
    state: Rc<RefCell<State<S>>>,
    /// Rung when the fleet's deadline became earlier, or the run ended.
    deadline_moved: Rc<Notify>,
    /// What the run does.
    phases: watch::Receiver<Phase>,
}

impl<S> Clone for Drive<S> {
    fn clone(&self) -> Self {
        Self {
            state: Rc::clone(&self.state),
            deadline_moved: Rc::clone(&self.deadline_moved),
            phases: self.phases.clone(),
        }
    }
}

struct State<S> {
    clock: Clock,
    dialer: Dialer,
    layers: Layers,
    /// `None` once the run is over and its fleet was taken out.
    fleet: Option<Fleet<S>>,
    sockets: HashMap<SocketId, Socket>,
    /// When a byte of the target came last.
    last_heard: Option<Instant>,
    /// Reused for every input.
    actions: Actions,
    /// Sockets with something new to write.
    touched: Vec<SocketId>,
    reader: Reader,
    /// The latest moment at which the drive looks at its clock next.
    heartbeat: Instant,
    /// Everything that had arrived by this moment was read, the last time that all sockets were.
    read_until: Instant,
    deadline_moved: Rc<Notify>,
    /// Told of every phase that begins.
    phases: watch::Sender<Phase>,
    /// The drive's own state, for the tasks that it spawns.
    me: Weak<RefCell<State<S>>>,
}

impl<S: Sink + 'static> Drive<S> {
    /// A drive that has not begun. The clock's start is the run's.
    pub fn new(fleet: Fleet<S>, clock: Clock, route: Route) -> Self {
        let deadline_moved = Rc::new(Notify::new());
        let (told, phases) = watch::channel(fleet.phase());
        let state = Rc::new_cyclic(|me| {
            RefCell::new(State {
                clock,
                dialer: Dialer::new(&route),
                layers: route.layers.clone(),
                fleet: Some(fleet),
                sockets: HashMap::new(),
                last_heard: None,
                actions: Actions::new(),
                touched: Vec::new(),
                reader: Reader::new(READ_BYTES_MAX),
                heartbeat: clock.now() + HEARTBEAT,
                read_until: Instant::ZERO,
                deadline_moved: Rc::clone(&deadline_moved),
                phases: told,
                me: me.clone(),
            })
        });
        Self {
            state,
            deadline_moved,
            phases,
        }
    }

    /// Runs the fleet to its end. Must run in a `LocalSet`.
    pub async fn run(&self) -> io::Result<()> {
        let mut timer = Timer::new()?;
        // The earliest moment of the next turn of the schedule.
        let mut next_turn = Instant::ZERO;
        loop {
            let Some((now, deadline)) = self.state.borrow_mut().come_round() else {
                return Ok(());
            };
            let heartbeat = now + HEARTBEAT;
            let next = deadline.map_or(heartbeat, |deadline| deadline.max(next_turn));
            if next <= now {
                next_turn = now + TURN_PERIOD_MIN;
                self.state.borrow_mut().take_turn(now);
                // Sockets have their turn, however late the schedule is.
                yield_now().await;
            } else {
                let wait = next.min(heartbeat).saturating_since(now);
                tokio::select! {
                    () = self.deadline_moved.notified() => {}
                    fired = timer.sleep(wait) => fired?,
                }
            }
        }
    }

    /// Asks the fleet to end early.
    pub fn stop(&self) {
        self.state.borrow_mut().feed(Input::Stop);
    }

    /// Hears of every phase that begins from now on.
    pub fn phases(&self) -> watch::Receiver<Phase> {
        let mut phases = self.phases.clone();
        phases.mark_unchanged();
        phases
    }

    /// What the run does; `None` once its fleet was taken out.
    pub fn phase(&self) -> Option<Phase> {
        self.state.borrow().fleet.as_ref().map(Fleet::phase)
    }

    /// What `question` finds out from what hears the run's facts; `None` once its fleet was taken out.
    pub fn ask<T>(&self, question: impl FnOnce(&S, Instant) -> T) -> Option<T> {
        let state = self.state.borrow();
        let fleet = state.fleet.as_ref()?;
        Some(question(fleet.sink(), state.clock.now()))
    }

    /// When a byte of the target came last; `None` if none ever did.
    pub fn last_heard(&self) -> Option<Instant> {
        self.state.borrow().last_heard
    }

    /// How far the run is; `None` once it is over.
    pub fn progress(&self) -> Option<Progress> {
        let state = self.state.borrow();
        state
            .fleet
            .as_ref()
            .map(|fleet| fleet.progress(state.clock.now()))
    }

    /// Ends the drive and gives what the run left behind; `None` if that was taken already.
    pub fn finish(&self) -> Option<Outcome<S>> {
        let mut state = self.state.borrow_mut();
        state.sockets.clear();
        let now = state.clock.now();
        state.fleet.take().map(|fleet| fleet.finish(now))
    }
}

impl<S: Sink + 'static> State<S> {
    /// Tells the fleet one thing and does all that it then asks for.
    fn feed(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        self.beat(now);
        self.feed_at(now, input);
    }

    fn feed_at(&mut self, now: Instant, input: Input<'_>) {
        let Some(fleet) = &mut self.fleet else { return };
        let (deadline, phase) = (fleet.next_deadline(), fleet.phase());
        let mut actions = std::mem::take(&mut self.actions);
        if matches!(input, Input::Received { .. }) {
            self.last_heard = Some(now);
        }
        fleet.handle(now, input, &mut actions);
        // One that moved away is found out when the old one comes.
        let is_earlier = match (fleet.next_deadline(), deadline) {
            (Some(new), Some(old)) => new < old,
            (new, None) => new.is_some(),
            (None, Some(_)) => false,
        };
        let must_look = is_earlier || fleet.is_finished();
        if fleet.phase() != phase {
            self.phases.send_replace(fleet.phase());
        }
        for action in actions.iter() {
            match action {
                Action::Open { socket, carrier } => self.open(socket, carrier, now),
                Action::Send { socket, bytes } => self.send(socket, bytes),
                Action::Pause { socket } => self.pause(socket),
                Action::Resume { socket } => self.resume(socket),
                Action::Close { socket, how } => self.close(socket, how),
            }
        }
        actions.clear();
        self.actions = actions;
        self.flush_touched();
        if must_look {
            self.deadline_moved.notify_one();
        }
    }

    /// Asks the system for a transport, which the fleet wanted at `wanted`.
    fn open(&mut self, id: SocketId, carrier: Carrier, wanted: Instant) {
        let Some(state) = self.me.upgrade() else {
            return;
        };
        // All groups of a scenario speak what its target does.
        debug_assert_eq!(carrier.transport, self.layers.url().transport);
        match self.dial(id, carrier, wanted) {
            Ok(()) => {
                spawn_local(async move {
                    poll_fn(|cx| state.borrow_mut().poll_socket(id, cx)).await;
                });
            }
            // Not told now: the fleet's other actions of this input are carried out first.
            Err(error) => {
                let error = open_error(&error);
                spawn_local(async move { state.borrow_mut().open_failed(id, error) });
            }
        }
    }

    fn dial(&mut self, id: SocketId, carrier: Carrier, wanted: Instant) -> io::Result<()> {
        let Dialed { stream, port } = self.dialer.dial(wanted)?;
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                self.hand_back(port);
                return Err(error);
            }
        };
        let asked_after = self.clock.now().saturating_since(wanted);
        let socket = Socket::connecting(stream, asked_after, self.clock)
            .through(self.layers.open(carrier.tls))
            .dialed_from(port);
        self.sockets.insert(id, socket);
        Ok(())
    }

    fn hand_back(&mut self, port: Option<DialedPort>) {
        if let Some(port) = port {
            self.dialer.hand_back(port);
        }
    }

    fn open_failed(&mut self, id: SocketId, error: OpenError) {
        self.give_up(id);
        self.feed(Input::OpenFailed { socket: id, error });
    }

    fn send(&mut self, id: SocketId, bytes: &[u8]) {
        if let Some(socket) = self.sockets.get_mut(&id)
            && socket.queue(bytes)
        {
            self.touched.push(id);
        }
    }

    fn pause(&mut self, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.pause();
        }
    }

    fn resume(&mut self, id: SocketId) {
        let now = self.clock.now();
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.resume(now);
        }
    }

    fn close(&mut self, id: SocketId, how: Teardown) {
        // What was sent before the close leaves before it.
        self.flush(id);
        if let Some(socket) = self.sockets.get_mut(&id)
            && socket.teardown(how).is_done()
        {
            self.give_up(id);
        }
    }

    fn flush_touched(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        for &id in &touched {
            self.flush(id);
        }
        for id in touched.drain(..) {
            self.tell_room(id);
        }
        // Empty, unless the fleet had something to say to what it was told.
        touched.append(&mut self.touched);
        self.touched = touched;
    }

    /// Tells the fleet if a socket is full, or no longer.
    fn tell_room(&mut self, id: SocketId) {
        let socket = self.sockets.get_mut(&id);
        match socket.and_then(Socket::take_room_change) {
            Some(Room::Full) => self.feed(Input::Full { socket: id }),
            Some(Room::Left) => self.feed(Input::Drained { socket: id }),
            None => {}
        }
    }

    fn flush(&mut self, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.flush();
        }
    }

    /// Reads and writes what can be; ready when the socket is gone.
    fn poll_socket(&mut self, id: SocketId, cx: &mut Context<'_>) -> Poll<()> {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return Poll::Ready(());
        };
        let progressed = socket.poll(cx, &mut self.reader);
        self.tell_room(id);
        self.tell_progress(id, progressed);
        if matches!(progressed, Progressed::Opened(_) | Progressed::Received(_)) {
            // Others have their turn; the waker brings this task back at once.
            cx.waker().wake_by_ref();
        }
        match self.sockets.contains_key(&id) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }

    /// Tells the fleet what a look at a socket brought. What was read is in the reader.
    fn tell_progress(&mut self, id: SocketId, progressed: Progressed) {
        match progressed {
            Progressed::Opened(asked_after) => self.feed(Input::Opened {
                socket: id,
                asked_after,
            }),
            Progressed::OpenFailed(error) => self.open_failed(id, error),
            Progressed::Received(received) => {
                let now = self.clock.now();
                let socket = self.sockets.get(&id);
                let waited = socket.and_then(|socket| socket.waited(now, received));
                let reader = std::mem::take(&mut self.reader);
                self.feed(Input::Received {
                    socket: id,
                    bytes: reader.bytes(received),
                    waited,
                });
                self.reader = reader;
            }
            Progressed::PeerClosed(how) => {
                self.give_up(id);
                self.feed(Input::Closed { socket: id, how });
            }
            Progressed::Gone => self.give_up(id),
            Progressed::Waiting => {}
        }
    }

    /// Forgets a socket; its task ends.
    fn give_up(&mut self, id: SocketId) {
        if let Some(mut socket) = self.sockets.remove(&id) {
            socket.wake_task();
            let port = socket.take_port();
            self.hand_back(port);
        }
    }
}
