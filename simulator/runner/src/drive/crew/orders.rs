//! What the fleet asks of one worker, on its way there.

use std::ops::Range;

use squall_fleet::{Action, SocketId, Teardown};
use squall_protocol::Instant;
use squall_scenario::Carrier;

/// Some actions, in order, and what a worker is to do after them.
#[derive(Debug, Default)]
pub(super) struct Orders {
    steps: Vec<(Instant, Step)>,
    bytes: Vec<u8>,
    /// Then look at all sockets for what had arrived by that moment, and say so.
    pub(super) look: Option<Instant>,
}

#[derive(Clone, Debug)]
enum Step {
    Open(SocketId, Carrier),
    Send(SocketId, Range<usize>),
    Pause(SocketId),
    Resume(SocketId),
    Close(SocketId, Teardown),
}

impl Orders {
    /// Adds what the fleet asked for at `asked`.
    pub(super) fn push(&mut self, action: Action<'_>, asked: Instant) {
        let step = match action {
            Action::Open { socket, carrier } => Step::Open(socket, carrier),
            Action::Send { socket, bytes } => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                Step::Send(socket, start..self.bytes.len())
            }
            Action::Pause { socket } => Step::Pause(socket),
            Action::Resume { socket } => Step::Resume(socket),
            Action::Close { socket, how } => Step::Close(socket, how),
        };
        self.steps.push((asked, step));
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.look.is_none()
    }

    /// The actions in order, each with the moment at which the fleet asked for it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Instant, Action<'_>)> {
        self.steps.iter().map(|(asked, step)| {
            let action = match *step {
                Step::Open(socket, carrier) => Action::Open { socket, carrier },
                Step::Send(socket, ref range) => Action::Send {
                    socket,
                    bytes: &self.bytes[range.clone()],
                },
                Step::Pause(socket) => Action::Pause { socket },
                Step::Resume(socket) => Action::Resume { socket },
                Step::Close(socket, how) => Action::Close { socket, how },
            };
            (*asked, action)
        })
    }
}
