//! Requests and their responses (§4.10).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Requests of the whole run, and what became of them. How long responses took is in the metric `round_trip`.
///
/// A request is a message with a Response Topic, from when it is sent, or a message without one that a
/// `[[group.respond]]` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Responses {
    /// Requests. Each is in one of the next five counts.
    pub requests: u64,
    /// The response came to the device that asked.
    pub answered: u64,
    /// The request or its response was owed and is lost, or the broker had changed the request so that it could not be
    /// answered.
    pub unanswered: u64,
    /// The request or its response may have been under way when the run ended.
    pub under_way: u64,
    /// The request or its response was lost at QoS 0, where that is allowed.
    pub lost_at_qos0: u64,
    /// No response was owed: nothing subscribed to the request or the response, a Session had ended, a connection was
    /// lost, the response was never sent.
    pub not_owed: u64,
    /// Requests and responses that came with another Response Topic or Correlation Data than they were sent with.
    pub misdirected: u64,
}
