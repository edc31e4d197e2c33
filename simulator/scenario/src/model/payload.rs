//! What a message carries.

/// A payload. `T` is [`MessageTemplate`](crate::MessageTemplate) for messages and
/// [`DeviceTemplate`](crate::DeviceTemplate) for wills.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload<T> {
    /// This number of bytes: the stamp, then filling. At least 16 where it is stamped.
    Size(u32),
    /// A text.
    Text(T),
    /// A JSON object: every rendering begins with `{`, ends with `}` and has at least one member.
    Json(T),
}
