//! Carries a fleet's bytes over real sockets in real time.
//!
//! It decides nothing: the fleet says what to open, send and close, and hears what came of it. One
//! thread owns the fleet and one timer, and all sockets too unless there are workers ([`crew`]), whose
//! threads then have them.
//!
//! Invariant: what the fleet asked for is carried out in order, and all of it before the fleet hears
//! the next input; with workers, in order for each device. If the drive is late by more than `LATE`, it tells the
//! fleet all that has arrived before it tells that the deadline has passed.

mod crew;
mod dial;
mod ports;
mod receive;
mod socket;
mod sockets;
mod timer;
mod turn;

use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::ops::RangeInclusive;
use std::rc::{Rc, Weak};
use std::time::Duration;

use squall_fleet::{
    Actions, BrokerEvent, BrokerOrder, Fleet, Input, LinesEvent, Outcome, Phase, Progress, Sink,
};
use squall_protocol::Instant;
use squall_run::Workers;
use squall_scenario::LinesId;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{spawn_local, yield_now};

use crew::{Crew, Listening};
use sockets::{Owner, Sockets, see_off};
use timer::Timer;
use turn::Heard;

use crate::clock::Clock;
use crate::target::Address;

pub use crew::can_have_own_table;
pub use ports::for_connections;
pub use socket::open_error;

/// Bytes read from one socket in one go; also the most it may read before others have their turn.
const READ_BYTES_MAX: usize = 64 * 1024;

/// The least time between two turns of the schedule: deadlines that are closer share a turn, which
/// delays each by at most this and saves two system calls each. A lone deadline is not delayed.
const TURN_PERIOD_MIN: Duration = Duration::from_micros(200);

/// The longest time between two looks of a thread at its clock, whether something is due or not: so it
/// notices that it stood still.
const HEARTBEAT: Duration = Duration::from_millis(10);

/// Orders about the broker that may wait: the fleet gives two for each time that a fault strikes, and one fault at a time
/// has the broker away.
const ORDERS_MAX: usize = 4;

/// Requests for lines that may wait: the fleet has one open for each command, and a scenario has fewer.
const LINES_ASKED_MAX: usize = 32;

/// Both ends of the transports: the target's addresses, and the local ports.
#[derive(Clone, Debug)]
pub struct Route {
    /// The target's addresses, with what is between TCP and MQTT there; by `AddressId`, at least one.
    pub ends: Vec<Address>,
    /// Addresses of this machine to connect from, in turn; empty lets the kernel choose one.
    pub sources: Vec<IpAddr>,
    /// Local ports to use of each; `None` lets the kernel pick.
    pub local_ports: Option<RangeInclusive<u16>>,
}

impl Route {
    /// One for each of `count` workers: together they have the local ports.
    fn shares(&self, count: NonZeroU16) -> impl Iterator<Item = Self> + '_ {
        (0..count.get()).map(move |place| Self {
            local_ports: self
                .local_ports
                .as_ref()
                .and_then(|all| share(all, place, count)),
            ..self.clone()
        })
    }
}

/// The ports of `all` for the worker at `place` of `count`; `None` if there are not enough for each.
fn share(all: &RangeInclusive<u16>, place: u16, count: NonZeroU16) -> Option<RangeInclusive<u16>> {
    let len = u32::from(all.end() - all.start()) + 1;
    let border = |place: u16| {
        let offset = len * u32::from(place) / u32::from(count.get());
        u32::from(*all.start()) + offset
    };
    let port = |port: u32| u16::try_from(port).expect("within a range of ports");
    let (first, next) = (border(place), border(place + 1));
    (first < next).then(|| port(first)..=port(next - 1))
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
    /// `None` once the run is over and its fleet was taken out.
    fleet: Option<Fleet<S>>,
    /// All sockets, unless there are workers: then it has none.
    sockets: Sockets,
    crew: Option<Crew>,
    has_lost_worker: bool,
    is_hearing_released: bool,
    /// Where what the fleet asks to be done to the broker goes, once that is heard.
    orders: Option<mpsc::Sender<BrokerOrder>>,
    /// Where requests for lines go, once they are heard.
    lines_asked: Option<mpsc::Sender<LinesId>>,
    /// When a byte of the target came last.
    last_heard: Option<Instant>,
    /// Reused for every input.
    actions: Actions,
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
    /// A drive that has not begun. The clock's start is the run's. Its sockets are this thread's, or those of
    /// `workers` where there are some.
    ///
    /// # Errors
    /// If the system refuses threads.
    pub fn new(
        fleet: Fleet<S>,
        clock: Clock,
        route: &Route,
        workers: Option<NonZeroU16>,
    ) -> io::Result<Self> {
        let crew = workers
            .map(|count| Crew::start(count, route, clock))
            .transpose()?;
        let deadline_moved = Rc::new(Notify::new());
        let (told, phases) = watch::channel(fleet.phase());
        let state = Rc::new_cyclic(|me| {
            RefCell::new(State {
                clock,
                fleet: Some(fleet),
                sockets: Sockets::new(route, clock),
                crew,
                has_lost_worker: false,
                is_hearing_released: false,
                orders: None,
                lines_asked: None,
                last_heard: None,
                actions: Actions::new(),
                heartbeat: clock.now() + HEARTBEAT,
                read_until: Instant::ZERO,
                deadline_moved: Rc::clone(&deadline_moved),
                phases: told,
                me: me.clone(),
            })
        });
        Ok(Self {
            state,
            deadline_moved,
            phases,
        })
    }

    /// Runs the fleet to its end. Must run in a `LocalSet`, once.
    ///
    /// # Errors
    /// If the event loop fails, or a worker.
    pub async fn run(&self) -> io::Result<()> {
        let mut timer = Timer::new()?;
        let mut workers = self.state.borrow_mut().listen()?;
        // The earliest moment of the next turn of the schedule.
        let mut next_turn = Instant::ZERO;
        loop {
            let heard = self.state.borrow_mut().hear_workers()?;
            let Some((now, deadline)) = self.state.borrow_mut().come_round() else {
                break;
            };
            self.state.borrow_mut().dispatch();
            let heartbeat = now + HEARTBEAT;
            let next = deadline.map_or(heartbeat, |deadline| deadline.max(next_turn));
            if next <= now {
                next_turn = now + TURN_PERIOD_MIN;
                self.state.borrow_mut().take_turn(now);
                self.state.borrow_mut().dispatch();
                // Sockets have their turn, however late the schedule is.
                yield_now().await;
            } else if heard == Heard::Some {
                yield_now().await;
            } else {
                let wait = next.min(heartbeat).saturating_since(now);
                tokio::select! {
                    () = self.deadline_moved.notified() => {}
                    fired = timer.sleep(wait) => fired?,
                    rung = rung(&mut workers) => rung?,
                }
            }
        }
        let clock = self.state.borrow().clock;
        see_off(&self.state, clock).await;
        Ok(())
    }

    /// Asks the fleet to end early.
    pub fn stop(&self) {
        let mut state = self.state.borrow_mut();
        state.feed(Input::Stop);
        state.dispatch();
    }

    /// What the fleet asks to be done to the broker, from now on.
    pub fn orders(&self) -> mpsc::Receiver<BrokerOrder> {
        let (sender, orders) = mpsc::channel(ORDERS_MAX);
        self.state.borrow_mut().orders = Some(sender);
        orders
    }

    /// Tells the fleet what became of an order.
    pub fn tell_of_broker(&self, event: BrokerEvent) {
        let mut state = self.state.borrow_mut();
        state.feed(Input::Broker(event));
        state.dispatch();
    }

    /// The commands of which the fleet asks for lines, from now on.
    pub fn lines_asked(&self) -> mpsc::Receiver<LinesId> {
        let (sender, asked) = mpsc::channel(LINES_ASKED_MAX);
        self.state.borrow_mut().lines_asked = Some(sender);
        asked
    }

    /// Tells the fleet what came of the command `of`.
    pub fn tell_of_lines(&self, of: LinesId, event: LinesEvent<'_>) {
        let mut state = self.state.borrow_mut();
        state.feed(Input::Lines { of, event });
        state.dispatch();
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
        self.ask_fleet(|fleet, now| question(fleet.sink(), now))
    }

    /// What `question` finds out from the fleet; `None` once it was taken out.
    pub fn ask_fleet<T>(&self, question: impl FnOnce(&Fleet<S>, Instant) -> T) -> Option<T> {
        let state = self.state.borrow();
        let fleet = state.fleet.as_ref()?;
        Some(question(fleet, state.clock.now()))
    }

    /// When a byte of the target came last; `None` if none ever did.
    pub fn last_heard(&self) -> Option<Instant> {
        self.state.borrow().last_heard
    }

    /// How far the run is; `None` once it is over.
    pub fn progress(&self) -> Option<Progress> {
        self.ask_fleet(Fleet::progress)
    }

    /// Ends the workers, and gives how long what the fleet asked for was on its way to them; `None` if there are
    /// none.
    ///
    /// # Errors
    /// If a worker failed.
    pub fn dismiss_workers(&self) -> io::Result<Option<Workers>> {
        let crew = self.state.borrow_mut().crew.take();
        crew.map(Crew::end).transpose()
    }

    /// Ends the drive and gives what the run left behind; `None` if that was taken already.
    pub fn finish(&self) -> Option<Outcome<S>> {
        let mut state = self.state.borrow_mut();
        state.sockets.clear();
        let now = state.clock.now();
        state.fleet.take().map(|fleet| fleet.finish(now))
    }
}

/// Waits for workers; does not end where there are none.
async fn rung(workers: &mut Option<Listening>) -> io::Result<()> {
    match workers {
        Some(workers) => workers.rung().await,
        None => pending().await,
    }
}

impl<S: Sink + 'static> Owner for State<S> {
    fn sockets(&mut self) -> &mut Sockets {
        &mut self.sockets
    }

    /// Tells the fleet one thing and does all that it then asks for.
    fn feed(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        self.beat(now);
        self.feed_at(now, input);
    }

    fn me(&self) -> Option<Rc<RefCell<Self>>> {
        self.me.upgrade()
    }
}

impl<S: Sink + 'static> State<S> {
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
            match &mut self.crew {
                None => self.carry_out(action, now),
                Some(crew) => crew.order(action, now),
            }
        }
        for &order in actions.orders() {
            self.pass_on(order);
        }
        if let Some(asked) = &self.lines_asked {
            for &of in actions.lines_asked() {
                // Refused once the run has come to its end: the reader is gone.
                let _ = asked.try_send(of);
            }
        }
        actions.clear();
        self.actions = actions;
        self.flush_touched();
        self.hear_released();
        if must_look {
            self.deadline_moved.notify_one();
        }
    }

    /// Has something done to the broker.
    fn pass_on(&mut self, order: BrokerOrder) {
        let orders = self.orders.as_ref();
        let is_heard = orders.is_some_and(|orders| orders.try_send(order).is_ok());
        if !is_heard && let Some(me) = self.me.upgrade() {
            // Not told now: the fleet's other actions of this input are carried out first.
            let lost = Input::Broker(BrokerEvent::Lost);
            spawn_local(async move { me.borrow_mut().feed(lost) });
        }
    }
}
