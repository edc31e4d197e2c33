//! Why a message that was due was not sent.

use squall_protocol::client::UnsentCause;

/// Why a message that was due was never handed to the link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SkipCause {
    /// The client role refused it, by the rules of MQTT; at QoS 1 and 2 the device's queue was full as well, or its Session
    /// was over.
    Unsent(UnsentCause),
    /// It had no payload.
    NoLine(NoLine),
}

/// Why a command had no line for a message.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum NoLine {
    /// It runs, and had written none by then.
    Late,
    /// It had ended.
    Ended,
}
