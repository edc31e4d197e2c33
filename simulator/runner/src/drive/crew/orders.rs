//! What the fleet asks of one worker, on its way there.

use squall_fleet::{Action, Actions};
use squall_protocol::Instant;

/// Some actions, in order, and what a worker is to do after them.
#[derive(Debug, Default)]
pub(super) struct Orders {
    actions: Actions,
    /// When the fleet asked for each.
    asked: Vec<Instant>,
    /// How many bytes there are to send.
    len: usize,
    /// Then look at all sockets for what had arrived by that moment, and say so.
    pub(super) look: Option<Instant>,
}

impl Orders {
    /// Adds what the fleet asked for at `asked`: at least one byte, if it is bytes to send.
    pub(super) fn push(&mut self, action: Action<'_>, asked: Instant) {
        if let Action::Send { bytes, .. } = action {
            self.len += bytes.len();
        }
        self.actions.push(action);
        self.asked.push(asked);
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.look.is_none()
    }

    /// Bytes to send that it carries.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// When the fleet asked for the first of the actions; `None` if there are none.
    pub(super) fn asked_first(&self) -> Option<Instant> {
        self.asked.first().copied()
    }

    /// The actions in order, each with the moment at which the fleet asked for it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Instant, Action<'_>)> {
        self.asked.iter().copied().zip(self.actions.iter())
    }
}
