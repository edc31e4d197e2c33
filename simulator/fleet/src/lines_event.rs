//! What a fleet hears of a command whose lines are payloads.

use std::rc::Rc;

/// What comes of a command that gives payloads.
#[derive(Clone, Copy, Debug)]
pub enum LinesEvent<'a> {
    /// Its next lines, without their ends, in the order that it wrote them in: at least one. Told once for each request of
    /// [`Actions::ask_for_lines`](crate::Actions::ask_for_lines).
    Came(&'a [Rc<[u8]>]),
    /// No line comes after those that were told: it has ended, or it cannot be read on.
    Ended,
}
