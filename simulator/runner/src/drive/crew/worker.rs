//! One worker: a thread with sockets, an event loop and, where the system allows it, a table of descriptors of its own.

use std::cell::RefCell;
use std::io;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};

use squall_fleet::{Input, STANDSTILL_MIN, Standstill};
use squall_protocol::Instant;
use squall_run::Histogram;
use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::bell::{Bell, Ear, Listening};
use super::orders::Orders;
use super::report::Report;
use super::table::{self, Table};
use crate::clock::Clock;
use crate::drive::sockets::{Owner, Sockets, see_off};
use crate::drive::timer::Timer;
use crate::drive::{HEARTBEAT, Route};

/// A report leaves once it carries so many bytes, however much more can be read.
const REPORT_BYTES_MAX: usize = 256 * 1024;

/// What a worker needs to begin.
pub(super) struct Post {
    pub(super) route: Route,
    pub(super) clock: Clock,
    /// Hears of orders.
    pub(super) ear: Ear,
    pub(super) orders: Receiver<Orders>,
    /// Bytes of them that it has not followed.
    pub(super) under_way: Arc<AtomicUsize>,
    /// Wakes the thread of the fleet, which then hears the reports.
    pub(super) bell: Bell,
    pub(super) reports: SyncSender<Report>,
    /// Told once, before anything else: whether it has a table of its own.
    pub(super) ready: SyncSender<bool>,
}

struct Worker {
    clock: Clock,
    sockets: Sockets,
    report: Report,
    reports: SyncSender<Report>,
    bell: Bell,
    /// Told when something is to be reported.
    has_report: Rc<Notify>,
    /// The latest moment at which the worker looks at its clock next.
    heartbeat: Instant,
    /// How long orders were on their way here.
    handed_over: Histogram,
    me: Weak<RefCell<Self>>,
}

/// Works until there are no more orders; how long those were on their way.
pub(super) fn work(post: Post) -> io::Result<Histogram> {
    let table = table::take_own();
    // Refused only if the fleet's thread is gone.
    let _ = post.ready.send(matches!(table, Table::Own(_)));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match table {
        // Only now: the event loop copies what tokio has for signals.
        Table::Own(copies) => {
            copies.close_all_but(&[post.ear.descriptor(), post.bell.descriptor()])
        }
        Table::Shared => {}
    }
    LocalSet::new().block_on(&runtime, work_here(post))
}

async fn work_here(post: Post) -> io::Result<Histogram> {
    let mut listening = post.ear.listen()?;
    let mut timer = Timer::new()?;
    let has_report = Rc::new(Notify::new());
    let orders = (post.orders, post.under_way);
    let worker = Rc::new_cyclic(|me| {
        RefCell::new(Worker {
            clock: post.clock,
            sockets: Sockets::new(&post.route, post.clock),
            report: Report::default(),
            reports: post.reports,
            bell: post.bell,
            has_report: Rc::clone(&has_report),
            heartbeat: post.clock.now() + HEARTBEAT,
            handed_over: Histogram::new(),
            me: me.clone(),
        })
    });
    while attend(&worker, &orders, &mut listening, &mut timer).await? {}
    see_off(&worker, post.clock).await;
    let mut worker = worker.borrow_mut();
    worker.sockets.clear();
    Ok(std::mem::take(&mut worker.handed_over))
}

/// Waits for what is next and does it; false once there are no more orders.
async fn attend(
    worker: &RefCell<Worker>,
    (orders, under_way): &(Receiver<Orders>, Arc<AtomicUsize>),
    listening: &mut Listening,
    timer: &mut Timer,
) -> io::Result<bool> {
    let has_report = Rc::clone(&worker.borrow().has_report);
    let rung = tokio::select! {
        rung = listening.rung() => Some(rung),
        () = has_report.notified() => None,
        fired = timer.sleep(HEARTBEAT) => {
            fired?;
            None
        }
    };
    let mut worker = worker.borrow_mut();
    worker.come_round();
    if let Some(rung) = rung {
        rung?;
    }
    loop {
        match orders.try_recv() {
            Ok(orders) => {
                worker.follow(&orders);
                under_way.fetch_sub(orders.len(), Ordering::Relaxed);
            }
            Err(TryRecvError::Empty) => break,
            Err(TryRecvError::Disconnected) => return Ok(false),
        }
    }
    worker.send_report();
    Ok(true)
}

impl Owner for Worker {
    fn sockets(&mut self) -> &mut Sockets {
        &mut self.sockets
    }

    fn feed(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        self.beat(now);
        self.tell(now, input);
    }

    fn me(&self) -> Option<Rc<RefCell<Self>>> {
        self.me.upgrade()
    }
}

impl Worker {
    fn tell(&mut self, now: Instant, input: Input<'_>) {
        if self.report.is_empty() {
            self.has_report.notify_one();
        }
        self.report.push(now, input);
        if self.report.len() >= REPORT_BYTES_MAX {
            self.send_report();
        }
    }

    fn come_round(&mut self) {
        let now = self.clock.now();
        self.beat(now);
        self.heartbeat = now + HEARTBEAT;
        self.sockets.give_up_leaving(now);
    }

    /// Tells that the worker stood still, if its heartbeat is overdue.
    fn beat(&mut self, now: Instant) {
        let since = self.heartbeat;
        if now.saturating_since(since) >= STANDSTILL_MIN {
            self.heartbeat = now;
            let what = Standstill::Whole;
            self.tell(now, Input::StoodStill { since, what });
        }
    }

    /// Does what is asked. Orders that were long on their way are the generator's standstill.
    fn follow(&mut self, orders: &Orders) {
        if let Some(asked) = orders.asked_first() {
            let now = self.clock.now();
            let took = now.saturating_since(asked);
            self.handed_over.record(took);
            if took >= STANDSTILL_MIN {
                self.tell_late(now, asked);
            }
        }
        for (asked, action) in orders.iter() {
            self.carry_out(action, asked);
        }
        self.flush_touched();
        if let Some(until) = orders.look {
            self.look_at_all(until);
            self.report.has_looked = true;
        }
    }

    /// Tells that orders were on their way since `asked`. It is told before they are carried out, so that the fleet
    /// knows it before anything comes of them, by whichever worker.
    fn tell_late(&mut self, now: Instant, asked: Instant) {
        let what = Standstill::Writing;
        self.tell(now, Input::StoodStill { since: asked, what });
        self.send_report();
    }

    /// Hands over what there is to tell. Waits while the fleet has too much to hear already: what comes
    /// meanwhile stays with the system.
    fn send_report(&mut self) {
        if self.report.is_empty() {
            return;
        }
        let report = std::mem::take(&mut self.report);
        // Refused only if the fleet's thread is gone.
        if self.reports.send(report).is_ok() {
            self.bell.ring();
        }
    }
}
