//! One direction of one connection inside a link: what has been sent and has not arrived.
//!
//! Invariant: segments arrive in the order in which they were sent (TCP), so their due times
//! never decrease.

use std::collections::VecDeque;

use squall_protocol::Instant;

use super::DirectionReport;

/// Bytes that have gone stay in the buffer until there are this many of them.
const COMPACT_BYTES: usize = 64 * 1024;

/// A lane with this many bytes on their way takes no further message: without a limit, a load above
/// the bandwidth would queue up for as long as the run lasts.
const LANE_BYTES_MAX: usize = 1024 * 1024;

/// What is on its way in one direction; `C` is what is sent beside bytes.
#[derive(Debug)]
pub(crate) struct Lane<C> {
    segments: VecDeque<Segment<C>>,
    /// Of all byte segments, in order; those before `head` have arrived.
    bytes: Vec<u8>,
    head: usize,
    last_due: Instant,
}

#[derive(Debug)]
struct Segment<C> {
    entered: Instant,
    due: Instant,
    content: Content<C>,
}

#[derive(Debug)]
enum Content<C> {
    Bytes(usize),
    Control(C),
}

/// What came out of a lane.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Arrival<C> {
    /// The bytes that were appended to the buffer of the call.
    Bytes,
    /// What `push_control` put in.
    Control(C),
}

impl<C> Default for Lane<C> {
    fn default() -> Self {
        Self {
            segments: VecDeque::new(),
            bytes: Vec::new(),
            head: 0,
            last_due: Instant::ZERO,
        }
    }
}

impl<C> Lane<C> {
    /// Sends one segment of bytes; it arrives at `due`, or later if one before it does.
    pub(super) fn push_bytes(&mut self, entered: Instant, due: Instant, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.push(entered, due, Content::Bytes(bytes.len()));
    }

    /// Sends something beside bytes, behind what is on its way.
    pub(super) fn push_control(&mut self, entered: Instant, due: Instant, control: C) {
        self.push(entered, due, Content::Control(control));
    }

    fn push(&mut self, entered: Instant, due: Instant, content: Content<C>) {
        self.last_due = self.last_due.max(due);
        self.segments.push_back(Segment {
            entered,
            due: self.last_due,
            content,
        });
    }

    /// When the next segment arrives.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.segments.front().map(|segment| segment.due)
    }

    /// When the last of what was sent so far arrives, or has arrived.
    pub(crate) fn last_due(&self) -> Instant {
        self.last_due
    }

    /// Whether so much is on its way that no further message should be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() - self.head >= LANE_BYTES_MAX
    }

    /// Whether nothing is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Takes what has arrived by `now`: bytes as far as they go, appended to `out`, or one thing
    /// beside bytes.
    pub(crate) fn poll(
        &mut self,
        now: Instant,
        report: &mut DirectionReport,
        out: &mut Vec<u8>,
    ) -> Option<Arrival<C>> {
        let mut any = false;
        while let Some(segment) = self.segments.front()
            && segment.due <= now
        {
            if any && matches!(segment.content, Content::Control(_)) {
                break;
            }
            let segment = self.segments.pop_front()?;
            report.arrived(segment.entered, segment.due, now);
            match segment.content {
                Content::Bytes(length) => {
                    out.extend_from_slice(&self.bytes[self.head..self.head + length]);
                    self.head += length;
                    any = true;
                }
                Content::Control(control) => return Some(Arrival::Control(control)),
            }
        }
        self.compact();
        any.then_some(Arrival::Bytes)
    }

    fn compact(&mut self) {
        if self.head == self.bytes.len() {
            self.bytes.clear();
            self.head = 0;
        } else if self.head >= COMPACT_BYTES {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkReport;
    use squall_scenario::NetworkId;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn report() -> DirectionReport {
        LinkReport::new(NetworkId(0)).up
    }

    /// TCP keeps order: a fast segment waits for the slow one before it.
    #[test]
    fn a_segment_never_overtakes_the_one_before_it() {
        let mut lane: Lane<char> = Lane::default();
        let mut out = Vec::new();
        lane.push_bytes(at(0), at(10), b"a");
        lane.push_bytes(at(1), at(5), b"b");

        assert_eq!(lane.poll(at(5), &mut report(), &mut out), None);
        assert_eq!(
            lane.poll(at(10), &mut report(), &mut out),
            Some(Arrival::Bytes)
        );

        assert_eq!(out, b"ab");
        assert!(lane.is_empty());
    }

    /// An end of stream comes after the bytes that were sent before it.
    #[test]
    fn what_is_not_bytes_comes_in_its_turn() {
        let mut lane = Lane::default();
        let mut out = Vec::new();
        lane.push_bytes(at(0), at(1), b"a");
        lane.push_control(at(0), at(1), 'x');
        lane.push_bytes(at(0), at(1), b"b");

        let arrivals: Vec<_> =
            std::iter::from_fn(|| lane.poll(at(1), &mut report(), &mut out)).collect();

        assert_eq!(
            arrivals,
            [Arrival::Bytes, Arrival::Control('x'), Arrival::Bytes]
        );
        assert_eq!(out, b"ab");
    }

    /// What was measured is the clock's, not the plan's.
    #[test]
    fn a_late_release_is_measured_as_late() {
        let mut lane: Lane<char> = Lane::default();
        let mut report = report();
        lane.push_bytes(at(1_000), at(5_000), b"a");

        lane.poll(at(7_000), &mut report, &mut Vec::new());

        assert_eq!(
            report.transit.max(),
            report.transit.highest_equivalent(6_000)
        );
        assert_eq!(
            report.lateness.max(),
            report.lateness.highest_equivalent(2_000)
        );
    }
}
