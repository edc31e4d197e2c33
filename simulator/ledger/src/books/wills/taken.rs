//! What a will that came was taken for.

use squall_protocol::Instant;
use squall_scenario::DeviceId;

use super::WillEnd;
use super::arrival::WillArrival;
use crate::books::delay::{DELAY_SLACK, Delay, RESUME_SLACK};

/// What a will that came was taken for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Taken {
    /// The will of this end.
    For(TakenFor),
    /// The same copy again, on another connection (§4.4).
    Repeat,
    /// It may belong to an end that was given up.
    Unknown,
    /// No end that is known asks for it, and there is a connection that the broker may have ended.
    Early,
    /// No connection had ended. Of whose connections it is, where one device alone has announced it.
    Unprovoked(Option<DeviceId>),
    /// No end asks for another, and another client may have sent it.
    Unclear,
}

/// The end that a will was taken for.
#[derive(Clone, Copy, Debug)]
pub(super) struct TakenFor {
    pub(super) end: WillEnd,
    pub(super) device: DeviceId,
    pub(super) ended_at: Instant,
    /// When its Session was connected again.
    pub(super) back_at: Option<Instant>,
    /// When a CONNECT with Clean Start was sent for its Session.
    pub(super) replaced_at: Option<Instant>,
    /// As in [`End::is_doubtful`].
    pub(super) is_doubtful: bool,
    /// Copies that this recipient has had of it.
    pub(super) count: u32,
    /// Wills that they stand for, allowed copies taken for one.
    pub(super) times: u32,
}

impl TakenFor {
    /// When it was due for a broker that knew of the end at once: after the delay, or when a CONNECT with Clean Start ended
    /// the Session; of one that came before that, when it came.
    pub(super) fn due_at(&self, arrived: Instant) -> Instant {
        let due_at = self.end.due_at().unwrap_or(arrived);
        let due_at = self.replaced_at.map_or(due_at, |at| due_at.min(at));
        due_at.min(arrived)
    }

    /// Whether it comes before its delay has passed, or a CONNECT with Clean Start could end its Session.
    pub(super) fn is_too_early(&self, arrived: Instant) -> bool {
        let is_replaced = self.replaced_at.is_some_and(|at| at <= arrived);
        let left_at = self.end.left_at.unwrap_or(self.ended_at);
        let delay = self.end.delay;
        delay != Delay::None && !is_replaced && arrived + DELAY_SLACK < left_at + delay.time()
    }

    /// Whether it comes although a connection had resumed the Session before it was due: too long after that to have been
    /// published before, by a broker that counts in whole seconds.
    pub(super) fn is_despite_resume(&self, arrival: &WillArrival<'_>, arrived: Instant) -> bool {
        let back_at = self.end.resumed_in_time(self.back_at);
        back_at.is_some_and(|at| arrival.room.within(at.min(arrived), arrived) > RESUME_SLACK)
    }
}
