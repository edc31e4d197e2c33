//! The shard's one timer.
//!
//! It is moved only when the next deadline comes earlier; when the deadline moved to a later moment,
//! the timer fires too early once and is set again. So a deadline that moves with every packet costs
//! nothing.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use squall_protocol::Instant;
use tokio::time::Sleep;

use crate::clock::Clock;

/// Wakes the task that set it at the earliest moment it was set to.
#[derive(Debug)]
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    rings_at: Option<Instant>,
}

impl Alarm {
    /// An alarm that is not set. It must be made inside the runtime.
    pub(crate) fn new() -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep(std::time::Duration::ZERO)),
            rings_at: None,
        }
    }

    /// Makes sure that the task of `cx` is woken at `deadline` or earlier.
    ///
    /// Ready means that `deadline` has passed, and nothing was set.
    pub(crate) fn poll_set(
        &mut self,
        clock: &Clock,
        now: Instant,
        deadline: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if self.rings_at.is_some_and(|moment| moment <= now) {
            self.rings_at = None;
        }
        if deadline <= now {
            return Poll::Ready(());
        }
        if self.rings_at.is_some_and(|moment| moment <= deadline) {
            return Poll::Pending;
        }
        self.sleep.as_mut().reset(clock.deadline(deadline));
        self.rings_at = Some(deadline);
        let polled = self.sleep.as_mut().poll(cx);
        if polled.is_ready() {
            self.rings_at = None;
        }
        polled
    }
}
