//! Workers: threads that have the sockets, where one table of descriptors is not enough.
//!
//! The fleet, its clock and the books stay where they are, so a run does and says the same whatever the
//! number of workers: what changes is which thread asks the system. Each device belongs to one worker. What
//! the fleet asks for goes there as [`Orders`], what comes of it comes back as a [`Report`] with the moments at which
//! the worker knew it. The way is the generator's: what is reported has waited for as long as it took, and orders that
//! took [`STANDSTILL_MIN`](squall_fleet::STANDSTILL_MIN) or more are told as a standstill of writing.
//!
//! Invariant: the fleet is told nothing of a socket between its pause and its resumption.

mod bell;
mod orders;
mod report;
mod table;
mod worker;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::num::NonZeroU16;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvError, RecvTimeoutError, Sender, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use squall_fleet::{Action, SocketId};
use squall_protocol::Instant;
use squall_run::{Histogram, Workers};

use self::bell::{Bell, Ear};
use self::orders::Orders;
use self::report::Told;
use self::worker::{Post, work};
use super::Route;
use crate::clock::Clock;

pub(super) use self::bell::Listening;
pub(super) use self::report::Report;
pub use self::table::can_have_own as can_have_own_table;

/// Reports that may wait for the fleet before workers have to: with their bytes, some megabytes.
const REPORTS_MAX: usize = 64;

/// Bytes that may be on their way to a worker before the fleet waits for it: some hundred milliseconds of what one can write.
const UNDER_WAY_BYTES_MAX: usize = 16 << 20;

/// How long the fleet waits for such a worker before it looks again.
const ROOM_LOOK: Duration = Duration::from_millis(1);

/// All workers of a run, as the fleet's thread has them.
pub(super) struct Crew {
    hands: Vec<Hand>,
    /// Addresses of the target. So many devices in a row lead to one each: kept together, they give each worker as
    /// many to each address, for which it has its share of the ports.
    ends: usize,
    reports: Receiver<Report>,
    /// What came while the fleet waited for a worker.
    early: VecDeque<Report>,
    clock: Clock,
    /// How long reports were on their way here.
    reported: Histogram,
    /// Hears of reports; `None` once [`Self::listen`] has handed it out.
    ear: Option<Ear>,
    /// What was told of sockets that are paused: their workers had read it before they knew. So it is as much as may be on
    /// its way at most.
    held_back: HashMap<SocketId, Vec<Report>>,
    /// What was held back and may be told now.
    released: VecDeque<Report>,
}

/// One worker.
struct Hand {
    /// What it is asked next.
    next: Orders,
    orders: Sender<Orders>,
    /// Bytes of orders that it has not followed.
    under_way: Arc<AtomicUsize>,
    bell: Bell,
    thread: JoinHandle<io::Result<Histogram>>,
}

impl Crew {
    /// Starts `count` workers, each with its share of the local ports. Needs an event loop: what tokio has once for all of
    /// them is then in the process's table, and not in that of the first worker.
    pub(super) fn start(count: NonZeroU16, route: &Route, clock: Clock) -> io::Result<Self> {
        let (reported, reports) = mpsc::sync_channel(REPORTS_MAX);
        let (bell, ear) = bell::pair()?;
        let mut hands = Vec::new();
        for route in route.shares(count) {
            let post = (route, clock);
            hands.push(Hand::start(post, bell.try_clone()?, reported.clone())?);
        }
        Ok(Self {
            hands,
            ends: route.ends.len(),
            reports,
            early: VecDeque::new(),
            clock,
            reported: Histogram::new(),
            ear: Some(ear),
            held_back: HashMap::new(),
            released: VecDeque::new(),
        })
    }

    /// Waits for workers that have something to tell. Needs an event loop; can be asked for once.
    pub(super) fn listen(&mut self) -> io::Result<Listening> {
        let ear = self.ear.take().ok_or(io::ErrorKind::AlreadyExists)?;
        ear.listen()
    }

    /// Adds what the fleet asked for at `asked` to what is sent off next.
    pub(super) fn order(&mut self, action: Action<'_>, asked: Instant) {
        let socket = match action {
            Action::Open { socket, .. } | Action::Send { socket, .. } => socket,
            Action::Pause { socket } => {
                self.held_back.entry(socket).or_default();
                socket
            }
            Action::Resume { socket } => {
                let held_back = self.held_back.remove(&socket);
                self.released.extend(held_back.into_iter().flatten());
                socket
            }
            Action::Close { socket, .. } => {
                self.held_back.remove(&socket);
                socket
            }
        };
        let place = socket.share_of(self.hands.len(), self.ends);
        let hand = &mut self.hands[place];
        hand.next.push(action, asked);
        // The moment that the fleet notes for it is now.
        if matches!(action, Action::Close { .. }) {
            hand.send_off();
        }
    }

    /// Sends off what was asked for. Waits for a worker that is far behind, and takes in meanwhile what workers tell: one
    /// that waits to be heard would follow no order.
    pub(super) fn dispatch(&mut self) {
        for hand in &mut self.hands {
            hand.send_off();
        }
        while self.hands.iter().any(Hand::is_behind) {
            match self.reports.recv_timeout(ROOM_LOOK) {
                Ok(report) => self.early.push_back(report),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Asks all workers for what had arrived by `until`; how many answer with a report that has it.
    pub(super) fn ask_to_look(&mut self, until: Instant) -> usize {
        for hand in &mut self.hands {
            hand.next.look = Some(until);
            hand.send_off();
        }
        self.hands.len()
    }

    /// What was told next, if something was.
    pub(super) fn try_hear(&mut self) -> Option<Report> {
        let early = self.early.pop_front();
        let report = early.or_else(|| self.reports.try_recv().ok())?;
        self.note_heard(&report);
        Some(report)
    }

    /// Waits for what is told next.
    pub(super) fn hear(&mut self) -> Result<Report, RecvError> {
        let report = match self.early.pop_front() {
            Some(early) => early,
            None => self.reports.recv()?,
        };
        self.note_heard(&report);
        Ok(report)
    }

    fn note_heard(&mut self, report: &Report) {
        if let Some(began) = report.began() {
            self.reported
                .record(self.clock.now().saturating_since(began));
        }
    }

    /// Keeps what `report` tells if it is of a socket that is paused; whether it was.
    pub(super) fn holds_back(&mut self, report: &Report, told: &Told) -> bool {
        let held_back = told
            .socket()
            .and_then(|socket| self.held_back.get_mut(&socket));
        match held_back {
            Some(held_back) => {
                held_back.push(report.apart(told));
                true
            }
            None => false,
        }
    }

    /// The next of what was held back and may be told now.
    pub(super) fn next_released(&mut self) -> Option<Report> {
        self.released.pop_front()
    }

    /// Ends all workers, and gives what there is to tell about them.
    pub(super) fn end(self) -> io::Result<Workers> {
        // Workers that wait to be heard are refused from now on.
        drop(self.reports);
        let count = self.hands.len();
        let threads: Vec<_> = self.hands.into_iter().map(Hand::dismiss).collect();
        let mut handed_over = Histogram::new();
        for thread in threads {
            let of_one = thread
                .join()
                .map_err(|_| io::Error::other("a worker failed"))?;
            handed_over.merge(&of_one?);
        }
        Ok(Workers {
            count: u16::try_from(count).expect("it was given as one"),
            handed_over,
            reported: self.reported,
        })
    }
}

impl Hand {
    fn start(
        (route, clock): (Route, Clock),
        bell_of_fleet: Bell,
        reports: SyncSender<Report>,
    ) -> io::Result<Self> {
        let (orders, ordered) = mpsc::channel();
        let (bell, ear) = bell::pair()?;
        let (ready, is_ready) = mpsc::sync_channel(1);
        let of_worker = [ear.descriptor(), bell_of_fleet.descriptor()];
        let last_word = reports.clone();
        let under_way = Arc::new(AtomicUsize::new(0));
        let post = Post {
            route,
            clock,
            ear,
            orders: ordered,
            under_way: Arc::clone(&under_way),
            bell: bell_of_fleet,
            reports,
            ready,
        };
        let thread = thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || {
                let _farewell = Farewell(last_word);
                work(post)
            })?;
        if is_ready.recv() == Ok(true) {
            close_here(of_worker);
        }
        Ok(Self {
            next: Orders::default(),
            orders,
            under_way,
            bell,
            thread,
        })
    }

    fn send_off(&mut self) {
        if self.next.is_empty() {
            return;
        }
        let next = std::mem::take(&mut self.next);
        self.under_way.fetch_add(next.len(), Ordering::Relaxed);
        if self.orders.send(next).is_ok() {
            self.bell.ring();
        }
    }

    /// Whether too much is on its way to it. One that has ended is not awaited.
    fn is_behind(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > UNDER_WAY_BYTES_MAX && !self.thread.is_finished()
    }

    /// Lets it end once it has done what it was asked for.
    fn dismiss(mut self) -> JoinHandle<io::Result<Histogram>> {
        self.send_off();
        drop(self.orders);
        self.bell.ring();
        self.thread
    }
}

/// Tells the fleet's thread that a worker has ended: one that failed is awaited in vain.
struct Farewell(SyncSender<Report>);

impl Drop for Farewell {
    fn drop(&mut self) {
        // Refused once the run is over.
        let _ = self.0.send(Report::last());
    }
}

/// Closes what a worker has in a table of its own now: this thread's table has it too, and no owner for it.
fn close_here(descriptors: [RawFd; 2]) {
    for descriptor in descriptors {
        // They were open until now.
        let _ = nix::unistd::close(descriptor);
    }
}

#[cfg(test)]
mod tests;
