//! The broker of a run: it is watched, and what faults want to be done to it is done.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use squall_fleet::{BrokerEvent, BrokerOrder};
use squall_ledger::Recorder;
use squall_run::duration_text;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_local};

use crate::clock::Clock;
use crate::drive::Drive;
use crate::progress::ProgressDisplay;
use crate::target::{Death, Target, Watch};

/// Keeps a target while a run goes on.
pub(super) struct Keeper {
    target: Target,
    /// How long it may take to answer a CONNECT after it was started.
    ready: Duration,
    clock: Clock,
    display: Rc<RefCell<ProgressDisplay>>,
    /// How the broker ended by itself.
    death: Rc<RefCell<Option<Death>>>,
    watching: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Watches `target` from now on.
    pub(super) fn new(
        target: Target,
        ready: Duration,
        clock: Clock,
        display: &Rc<RefCell<ProgressDisplay>>,
    ) -> Self {
        let mut keeper = Self {
            target,
            ready,
            clock,
            display: Rc::clone(display),
            death: Rc::default(),
            watching: None,
        };
        keeper.watch();
        keeper
    }

    /// The target, as it is now.
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Gives the target back, and how its broker ended by itself, if it was seen to: from here on it ends because it is
    /// told to.
    pub(super) async fn finish(mut self) -> (Target, Option<Death>) {
        self.look_away().await;
        let death = self.death.take();
        (self.target, death)
    }

    /// Does what the fleet of `drive` asks to be done to the broker.
    pub(super) async fn carry_out(
        &mut self,
        mut orders: mpsc::Receiver<BrokerOrder>,
        drive: &Drive<Recorder>,
    ) -> Infallible {
        while let Some(order) = orders.recv().await {
            // What ends now was told to.
            self.look_away().await;
            let done = self.target.carry_out(order, self.ready).await;
            let at = duration_text(self.clock.now().as_secs_f64());
            let event = match &done {
                Ok(event) => *event,
                Err(_) => BrokerEvent::Lost,
            };
            drive.tell_of_broker(event);
            let what = match done {
                Ok(_) => words(order).to_owned(),
                Err(why) => format!("could not be {}: {why}", asked(order)),
            };
            let remark = format!("{at} into the run the broker {what}");
            self.display.borrow().remark(&remark);
            if event == BrokerEvent::Back {
                self.watch();
            }
        }
        // Whether more is to be done is for the run to say.
        pending().await
    }

    fn watch(&mut self) {
        self.watching = self.target.watch().map(|watch| {
            let (death, display) = (Rc::clone(&self.death), Rc::clone(&self.display));
            spawn_local(watch_broker(watch, self.clock, death, display))
        });
    }

    async fn look_away(&mut self) {
        if let Some(watching) = self.watching.take() {
            watching.abort();
            // Aborted: there is nothing to learn from it.
            let _ = watching.await;
        }
    }
}

/// What became of the broker.
fn words(order: BrokerOrder) -> &'static str {
    match order {
        BrokerOrder::Kill => "was gone, killed by a fault",
        BrokerOrder::Stop => "was gone, stopped by a fault",
        BrokerOrder::Pause => "was paused by a fault",
        BrokerOrder::Resume => "went on",
        BrokerOrder::Start => "answered again",
    }
}

/// What was to be done to it.
fn asked(order: BrokerOrder) -> &'static str {
    match order {
        BrokerOrder::Kill => "killed",
        BrokerOrder::Stop => "stopped",
        BrokerOrder::Pause => "paused",
        BrokerOrder::Resume => "resumed",
        BrokerOrder::Start => "started again",
    }
}

/// Waits for the broker's end, stores how it ended, and tells the user at once.
async fn watch_broker(
    watch: Watch,
    clock: Clock,
    death: Rc<RefCell<Option<Death>>>,
    display: Rc<RefCell<ProgressDisplay>>,
) {
    let remark = match watch.death(clock).await {
        Some(seen) => {
            let at = duration_text(seen.at.as_secs_f64());
            let told = format!(
                "{at} into the run the broker died: {} {}",
                seen.process, seen.status
            );
            *death.borrow_mut() = Some(seen);
            told
        }
        None => "none of the broker's processes is seen to listen: should it end, only the end of the run will tell"
            .to_owned(),
    };
    display.borrow().remark(&remark);
}
