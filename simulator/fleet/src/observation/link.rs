//! What the link of a device did to a connection.

use std::time::Duration;

use squall_protocol::Instant;

/// What the link of a device had let pass of a connection that came to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LinkAtEnd {
    /// Since when the broker had got nothing whole from the device: the last thing that it had handed to the
    /// link at once was through then. The start of the run if nothing ever was.
    pub heard_at: Instant,
    /// How long the link had held a question and its answer at most: the longest that anything was held on
    /// the way up, and on the way down.
    pub held_for: Duration,
}

/// Which way something goes over a link.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Way {
    /// From the device to the broker.
    Up,
    /// From the broker to the device.
    Down,
}

/// What leaves the link of a device.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Departure {
    /// CONNECT.
    Connect,
    /// The end of the connection: FIN, RST, DISCONNECT, or the last bytes before a silence.
    End,
    /// The last bytes before a fault muted the device.
    BeforeMute,
    /// So many messages, in the order in which they were handed to the link for the first time.
    Messages(u32),
    /// The last answers, PUBACK at QoS 1 and PUBCOMP at QoS 2, to so many messages: until then the broker
    /// has them unacknowledged, and may send no more of them than its window takes (§4.9).
    Answers(u32),
    /// So many packets of QoS 2 exchanges that the broker is to answer, in the order in which their legs were told:
    /// PUBLISH, PUBREL and PUBREC, each also where it is sent again.
    Asking(u32),
}

/// A step of a fault of a device's link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkFact {
    /// It has another profile from now on.
    Changed,
    /// It has its group's profile again.
    Restored,
    /// Nothing passes it from now on, and nothing is closed.
    Partitioned,
    /// Things pass again, what was held first.
    Healed,
}
