//! What a will that came was taken for.

use squall_protocol::Instant;
use squall_scenario::DeviceId;

use super::WillEnd;

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
    /// When a CONNECT with Clean Start was sent for its Session.
    pub(super) replaced_at: Option<Instant>,
    /// As in [`End::is_doubtful`].
    pub(super) is_doubtful: bool,
    /// Copies that this recipient has had of it.
    pub(super) count: u32,
    /// Wills that they stand for, allowed copies taken for one.
    pub(super) times: u32,
}
