//! The signals by which a person or a supervisor ends a run before its time.

use std::future::{poll_fn, ready};
use std::task::Poll;

use anyhow::Context as _;
use squall_run::StopCause;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// Handlers of every signal that stops a run, from the moment they are made.
pub struct StopSignals {
    handlers: Vec<(StopCause, Signal)>,
}

impl StopSignals {
    /// From here on none of them ends the process.
    pub fn handle() -> Result<Self, Failure> {
        let wanted = [
            (StopCause::Sigint, SignalKind::interrupt()),
            (StopCause::Sigterm, SignalKind::terminate()),
            (StopCause::Sighup, SignalKind::hangup()),
        ];
        let mut handlers = Vec::new();
        for (name, kind) in wanted {
            let handler = signal(kind).with_context(|| format!("cannot handle {name}"))?;
            handlers.push((name, handler));
        }
        Ok(Self { handlers })
    }

    /// The one that has come and was not yet heard of, if any.
    pub async fn pending(&mut self) -> Option<StopCause> {
        tokio::select! {
            biased;
            name = self.next() => Some(name),
            () = ready(()) => None,
        }
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> StopCause {
        poll_fn(|cx| {
            for (name, handler) in &mut self.handlers {
                if handler.poll_recv(cx).is_ready() {
                    return Poll::Ready(*name);
                }
            }
            Poll::Pending
        })
        .await
    }
}
