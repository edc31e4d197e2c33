//! What is counted of requests and responses.

use std::time::Duration;

/// A claim about how long responses take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ResponseLimit {
    /// Which `[[expect]]`.
    pub(crate) expectation: usize,
    /// For both messages, without the time of the device that answers.
    pub(crate) within: Duration,
}

/// Counts of a whole run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ResponseCounts {
    /// Requests that were sent.
    pub(crate) requests: u64,
    /// Of those, answered: a response came to the device that asked.
    pub(crate) answered: u64,
    /// Of those, not answered though a response was owed.
    pub(crate) unanswered: u64,
    /// Of those, neither: the request or its response was under way at the end.
    pub(crate) under_way: u64,
    /// Of those, neither: the request or its response was lost at QoS 0, where that is allowed.
    pub(crate) lost_at_qos0: u64,
    /// Requests and responses that the broker passed on with another Response Topic or Correlation Data.
    pub(crate) misdirected: u64,
    /// What the broker took at most for a request and its response.
    pub(crate) slowest: Option<Duration>,
    /// By limit: responses that took longer.
    pub(crate) late: Vec<u64>,
}

impl ResponseCounts {
    pub(super) fn new(limits: usize) -> Self {
        Self {
            late: vec![0; limits],
            ..Self::default()
        }
    }

    /// Requests that are owed no response: nothing subscribed to them, a Session had ended, a connection was lost, the
    /// response was never sent.
    pub(crate) fn not_owed(&self) -> u64 {
        let told = self.answered + self.unanswered + self.under_way + self.lost_at_qos0;
        self.requests.saturating_sub(told)
    }
}
