//! Whose connections have announced one will.

use squall_scenario::DeviceId;

/// The devices that have announced one will.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Announcers {
    /// Not one yet.
    None,
    /// This one alone.
    One(DeviceId),
    /// Several: whose a will is cannot be seen.
    Several,
}

impl Announcers {
    /// The same and `device`.
    pub(super) fn and(self, device: DeviceId) -> Self {
        match self {
            Self::None => Self::One(device),
            Self::One(other) if other == device => self,
            Self::One(_) | Self::Several => Self::Several,
        }
    }

    /// The only one.
    pub(super) fn only(self) -> Option<DeviceId> {
        match self {
            Self::One(device) => Some(device),
            Self::None | Self::Several => None,
        }
    }
}
