//! Payloads of a device's streams that commands give, one line for each message.
//!
//! A message that is due by a schedule takes a line at once, or is not sent for want of one. A closed loop has no message due
//! before there is a line: it waits, and has a turn of its own when lines have come.

use std::rc::Rc;

use squall_protocol::Instant;
use squall_scenario::LinesId;

use super::Device;
use super::turn::Turn;
use crate::lines::Prospect;
use crate::observation::NoLine;

/// Whether a closed loop waits for a line of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LineWait {
    /// It does not.
    None,
    /// It does.
    Waits,
    /// Since this moment it may look for one.
    Over(Instant),
}

/// What a message has of a command.
#[derive(Debug)]
pub(super) enum Line {
    /// Nothing: no command gives its payload.
    Unneeded,
    /// This line.
    Came(Rc<[u8]>),
    /// It needs one, and has none.
    Missing(NoLine),
}

impl Device {
    /// What the next message of a stream has of a command.
    pub(super) fn take_line(&self, turn: &mut Turn<'_>, place: usize) -> Line {
        match self.profile.lines[place] {
            None => Line::Unneeded,
            Some(id) => match turn.shared.supplies.take(id, turn.actions) {
                Ok(line) => Line::Came(line),
                Err(why) => Line::Missing(why),
            },
        }
    }

    /// Whether a closed loop that has room for a message has what it needs of a command. Where that may come later, the loop
    /// waits for it.
    pub(super) fn has_line(&mut self, turn: &mut Turn<'_>, place: usize) -> bool {
        let Some(id) = self.profile.lines[place] else {
            return true;
        };
        let stream = &mut self.streams[place];
        if !stream.schedule.has_window(turn.now) {
            return false;
        }
        let supplies = &mut turn.shared.supplies;
        match (supplies.prospect(id), stream.line) {
            (Prospect::Ready, _) => true,
            (Prospect::Later, LineWait::None | LineWait::Over(_)) => {
                stream.line = LineWait::Waits;
                supplies.wait(id, self.who.device, turn.now);
                false
            }
            (Prospect::Later, LineWait::Waits) | (Prospect::Never, _) => false,
        }
    }

    /// A closed loop that waits for a line of `id` looks for one at its next turn.
    pub(crate) fn handle_lines(&mut self, now: Instant, id: LinesId) {
        for (stream, of) in self.streams.iter_mut().zip(&self.profile.lines) {
            if *of == Some(id) && stream.line == LineWait::Waits {
                stream.line = LineWait::Over(now);
            }
        }
    }
}
