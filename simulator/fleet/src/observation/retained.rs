//! What a checker tells of what is retained under its filter.

use std::time::Duration;

use squall_protocol::ReasonCode;

/// What a checker found.
#[derive(Clone, Debug)]
pub enum RetainedFact<'a> {
    /// It found a retained message.
    Found {
        /// The `[[expect]]` that the checker belongs to, counted from 0 in file order.
        expectation: usize,
        /// Topic Name.
        topic: &'a str,
        /// The payload as the broker sent it.
        payload: &'a [u8],
    },
    /// What the broker sent it broke the protocol: it closed the connection, and hears no more.
    Broken {
        /// The `[[expect]]` that the checker belongs to, counted from 0 in file order.
        expectation: usize,
        /// What was broken, as MQTT 5.0 names it.
        reason: ReasonCode,
    },
    /// It has everything that is retained under its filter.
    Complete {
        /// The `[[expect]]` that the checker belongs to, counted from 0 in file order.
        expectation: usize,
    },
    /// It did not get everything that is retained under its filter.
    Unknown {
        /// The `[[expect]]` that the checker belongs to, counted from 0 in file order.
        expectation: usize,
        /// What kept it from that.
        why: Unchecked,
    },
}

/// Why a checker does not know everything that is retained under its filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unchecked {
    /// It got no connection, or its connection ended.
    Gone,
    /// The broker refused its filter.
    Refused,
    /// No SUBACK came within `run.connect_timeout`, over a connection that stayed up.
    NoSuback,
    /// It was still being answered after this time, the most that a run gives its checkers.
    TooLong(Duration),
    /// The user stopped the run meanwhile.
    Stopped,
}
