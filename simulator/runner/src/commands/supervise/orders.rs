//! What a run wants its supervisor to do to what it watches: one word a line on standard input.

use std::io::BufRead;

use tokio::sync::mpsc;

/// Orders that may wait: a run gives the next one when it has heard what came of the last.
const ORDERS_MAX: usize = 4;

/// One thing to do to all that is watched. The word for it goes one way, [`Self::done`] comes back on a line of its own
/// once it is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SupervisorOrder {
    /// SIGKILL, until none of it runs.
    Kill,
    /// SIGTERM.
    Stop,
    /// SIGSTOP.
    Pause,
    /// SIGCONT.
    Resume,
    /// Start the command again, after [`Self::Kill`] or [`Self::Stop`].
    Start,
}

impl SupervisorOrder {
    /// Every order.
    const ALL: [Self; 5] = [
        Self::Kill,
        Self::Stop,
        Self::Pause,
        Self::Resume,
        Self::Start,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Stop => "stop",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Start => "start",
        }
    }

    /// What the supervisor says when it is done.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Kill | Self::Stop => "gone",
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Start => "started",
        }
    }
}

/// The orders that come on standard input. They end with it: then the run is gone. A thread of its own reads them, and ends
/// with the process.
pub(super) fn orders() -> mpsc::Receiver<SupervisorOrder> {
    let (given, orders) = mpsc::channel(ORDERS_MAX);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            let order = SupervisorOrder::ALL.into_iter();
            let order = order.clone().find(|order| order.word() == line.trim());
            // The receiver is gone if the process is stopping already.
            if let Some(order) = order
                && given.blocking_send(order).is_err()
            {
                return;
            }
        }
    });
    orders
}
