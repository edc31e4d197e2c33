//! Requests and responses (§4.10), as their devices know them.

use squall_protocol::Instant;

use crate::stamp::Stamp;

/// What ties a message to another one. Told right after that it was handed to the link for the first time.
#[derive(Clone, Copy, Debug)]
pub enum ExchangeFact<'a> {
    /// It asks for a response.
    Asked {
        /// Its identity, with the time it was due.
        stamp: Stamp,
        /// Topic Name.
        topic: &'a str,
        /// Where the response is wanted.
        response_topic: &'a str,
        /// Its Correlation Data, which no other message has.
        correlation: &'a [u8],
        /// When the generator got to it.
        reached_at: Instant,
    },
    /// It is the response to a message that came.
    Answered {
        /// Its identity, with the time it was due.
        stamp: Stamp,
        /// Topic Name.
        topic: &'a str,
        /// Identity of the request, as its payload said.
        request: Stamp,
        /// Topic Name of the request.
        request_topic: &'a str,
        /// When the request had reached the device's machine.
        arrived: Instant,
        /// Whether the request came with Correlation Data.
        is_tied: bool,
    },
}
