//! The sockets of one thread. What the fleet asks for is done here, and what comes of it is told to their owner.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use squall_fleet::{Action, Input, OpenError, SocketId, Teardown};
use squall_protocol::Instant;
use squall_scenario::{AddressId, Carrier};
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::dial::{Dialed, DialedPort, Dialer};
use super::receive::{Reader, Received};
use super::socket::{Progressed, Room, Socket, TornDown, open_error};
use super::{READ_BYTES_MAX, Route};
use crate::clock::Clock;
use crate::layers::Layers;
use crate::target::Address;

/// How long a socket that ended in order waits for the peer's end. A broker closes at once after DISCONNECT.
const LEAVING_MAX: Duration = Duration::from_secs(2);

/// How often sockets that leave are looked at once nothing else is to be done.
const LEAVING_PERIOD: Duration = Duration::from_millis(1);

/// Waits for the sockets of `owner` that leave, for as long as one may take.
pub(super) async fn see_off<O: Owner>(owner: &RefCell<O>, clock: Clock) {
    let until = clock.now() + LEAVING_MAX;
    while owner.borrow_mut().sockets().give_up_leaving(clock.now()) && clock.now() < until {
        sleep(LEAVING_PERIOD).await;
    }
}

/// What opens transports to one address of the target.
struct End {
    dialer: Dialer,
    layers: Layers,
}

/// All sockets of one thread.
pub(super) struct Sockets {
    clock: Clock,
    /// One for each address of the target.
    ends: Vec<End>,
    sockets: HashMap<SocketId, Socket>,
    /// Those with something new to write.
    touched: Vec<SocketId>,
    /// Those that wait for the peer's end after ours, with the moment until which they do; the earliest first.
    leaving: VecDeque<(Instant, SocketId)>,
    reader: Reader,
}

/// Has sockets, and hears what they bring.
///
/// Each socket is one task, which only looks whether it can be read or written.
pub(super) trait Owner: Sized + 'static {
    /// Its sockets.
    fn sockets(&mut self) -> &mut Sockets;

    /// Hears one thing, now.
    fn feed(&mut self, input: Input<'_>);

    /// Itself, for the tasks that it spawns; `None` once it is being dropped.
    fn me(&self) -> Option<Rc<RefCell<Self>>>;

    /// Does what the fleet asked for at `asked`. What is sent stays here until [`Self::flush_touched`].
    fn carry_out(&mut self, action: Action<'_>, asked: Instant) {
        match action {
            Action::Open { socket, carrier } => self.open(socket, carrier, asked),
            Action::Send { socket, bytes } => self.sockets().send(socket, bytes),
            Action::Pause { socket } => self.sockets().pause(socket),
            Action::Resume { socket } => self.sockets().resume(socket),
            Action::Close { socket, how } => self.sockets().close(socket, how),
        }
    }

    /// Asks the system for a transport, which the fleet wanted at `wanted`.
    fn open(&mut self, id: SocketId, carrier: Carrier, wanted: Instant) {
        let Some(me) = self.me() else { return };
        match self.sockets().dial(id, carrier, wanted) {
            Ok(()) => {
                spawn_local(async move {
                    poll_fn(|cx| me.borrow_mut().poll_socket(id, cx)).await;
                });
            }
            // Not told now: the fleet's other actions of this input are carried out first.
            Err(error) => {
                let error = open_error(&error);
                spawn_local(async move { me.borrow_mut().open_failed(id, error) });
            }
        }
    }

    /// Tells that a transport could not be had.
    fn open_failed(&mut self, id: SocketId, error: OpenError) {
        self.sockets().give_up(id);
        self.feed(Input::OpenFailed { socket: id, error });
    }

    /// Writes what was sent.
    fn flush_touched(&mut self) {
        let mut touched = std::mem::take(&mut self.sockets().touched);
        for &id in &touched {
            self.sockets().flush(id);
        }
        for id in touched.drain(..) {
            self.tell_room(id);
        }
        // Empty, unless the fleet had something to say to what it was told.
        let sockets = self.sockets();
        touched.append(&mut sockets.touched);
        sockets.touched = touched;
    }

    /// Tells if a socket is full, or no longer.
    fn tell_room(&mut self, id: SocketId) {
        match self.sockets().room_change(id) {
            Some(Room::Full) => self.feed(Input::Full { socket: id }),
            Some(Room::Left) => self.feed(Input::Drained { socket: id }),
            None => {}
        }
    }

    /// Reads and writes what can be; ready when the socket is gone.
    fn poll_socket(&mut self, id: SocketId, cx: &mut Context<'_>) -> Poll<()> {
        let Some(progressed) = self.sockets().poll(id, cx) else {
            return Poll::Ready(());
        };
        self.tell_room(id);
        self.tell_progress(id, progressed);
        if matches!(progressed, Progressed::Opened(_) | Progressed::Received(_)) {
            // Others have their turn; the waker brings this task back at once.
            cx.waker().wake_by_ref();
        }
        match self.sockets().has(id) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }

    /// Tells what a look at a socket brought. What was read is in the reader.
    fn tell_progress(&mut self, id: SocketId, progressed: Progressed) {
        match progressed {
            Progressed::Opened(asked_after) => self.feed(Input::Opened {
                socket: id,
                waited: asked_after,
            }),
            Progressed::OpenFailed(error) => self.open_failed(id, error),
            Progressed::Received(received) => {
                let waited = self.sockets().waited(id, received);
                let reader = std::mem::take(&mut self.sockets().reader);
                self.feed(Input::Received {
                    socket: id,
                    bytes: reader.bytes(received),
                    waited,
                });
                self.sockets().reader = reader;
            }
            Progressed::PeerClosed(how) => {
                self.sockets().give_up(id);
                self.feed(Input::Closed { socket: id, how });
            }
            Progressed::Gone => self.sockets().give_up(id),
            Progressed::Waiting => {}
        }
    }

    /// Tells what had arrived by `until`, asked of each socket itself.
    fn look_at_all(&mut self, until: Instant) {
        let mut ids: Vec<SocketId> = self.sockets().sockets.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            while self.look_at(id, until) {}
        }
    }

    /// Tells what one look at a socket brought; whether more may have come by `until`.
    fn look_at(&mut self, id: SocketId, until: Instant) -> bool {
        let Some(progressed) = self.sockets().look(id) else {
            return false;
        };
        let may_have_more = match progressed {
            Progressed::Received(received) => self.sockets().may_have_more(received, until),
            Progressed::Opened(_)
            | Progressed::OpenFailed(_)
            | Progressed::PeerClosed(_)
            | Progressed::Gone
            | Progressed::Waiting => false,
        };
        self.tell_progress(id, progressed);
        may_have_more
    }
}

impl End {
    fn new(route: &Route, end: &Address) -> Self {
        Self {
            dialer: Dialer::new(end.socket, route),
            layers: end.layers.clone(),
        }
    }
}

impl Sockets {
    /// None yet. They will be opened along `route`.
    pub(super) fn new(route: &Route, clock: Clock) -> Self {
        Self {
            clock,
            ends: route.ends.iter().map(|end| End::new(route, end)).collect(),
            sockets: HashMap::new(),
            touched: Vec::new(),
            leaving: VecDeque::new(),
            reader: Reader::new(READ_BYTES_MAX),
        }
    }

    /// Drops all of them, and their tasks with the next look.
    pub(super) fn clear(&mut self) {
        self.sockets.clear();
        self.leaving.clear();
    }

    fn has(&self, id: SocketId) -> bool {
        self.sockets.contains_key(&id)
    }

    fn dial(&mut self, id: SocketId, carrier: Carrier, wanted: Instant) -> io::Result<()> {
        let end = &mut self.ends[usize::from(carrier.address.0)];
        debug_assert_eq!(carrier.transport, end.layers.url().transport);
        let Dialed { stream, port } = end.dialer.dial(wanted)?;
        let port = port.map(|port| (carrier.address, port));
        let layers = end.layers.open(carrier.tls);
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                self.hand_back(port);
                return Err(error);
            }
        };
        let asked_after = self.clock.now().saturating_since(wanted);
        let socket = Socket::connecting(stream, asked_after, self.clock)
            .through(layers)
            .dialed_from(port);
        self.sockets.insert(id, socket);
        Ok(())
    }

    fn hand_back(&mut self, port: Option<(AddressId, DialedPort)>) {
        if let Some((address, port)) = port {
            self.ends[usize::from(address.0)].dialer.hand_back(port);
        }
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
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        match (socket.teardown(how), how) {
            (TornDown::Done, _) => self.give_up(id),
            (TornDown::Lingers, Teardown::Fin | Teardown::Abort) => {
                self.leaving.push_back((self.clock.now() + LEAVING_MAX, id));
            }
            (TornDown::Lingers, Teardown::Reset | Teardown::HalfClose | Teardown::Silent) => {}
        }
    }

    /// Drops those that have waited for the peer's end for long enough. Whether some still wait.
    pub(super) fn give_up_leaving(&mut self, now: Instant) -> bool {
        while let Some(&(until, id)) = self.leaving.front() {
            let socket = self.sockets.get(&id);
            if until > now && socket.is_some() {
                return true;
            }
            self.leaving.pop_front();
            // Its goodbye has not left: a broker that does not read now may do so later.
            if socket.is_some_and(Socket::is_finishing) {
                self.leaving.push_back((now + LEAVING_MAX, id));
            } else {
                self.give_up(id);
            }
        }
        false
    }

    fn flush(&mut self, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.flush();
        }
    }

    fn room_change(&mut self, id: SocketId) -> Option<Room> {
        self.sockets.get_mut(&id)?.take_room_change()
    }

    fn poll(&mut self, id: SocketId, cx: &mut Context<'_>) -> Option<Progressed> {
        let socket = self.sockets.get_mut(&id)?;
        Some(socket.poll(cx, &mut self.reader))
    }

    fn look(&mut self, id: SocketId) -> Option<Progressed> {
        self.sockets.get_mut(&id)?.look(&mut self.reader)
    }

    /// How long what was just read had waited for this thread.
    fn waited(&self, id: SocketId, received: Received) -> Option<Duration> {
        self.sockets.get(&id)?.waited(self.clock.now(), received)
    }

    fn may_have_more(&self, received: Received, until: Instant) -> bool {
        let since = self.clock.now().saturating_since(until);
        !self.reader.has_emptied(received) && received.waited.is_some_and(|waited| waited >= since)
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
