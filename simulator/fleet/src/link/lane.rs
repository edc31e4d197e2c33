//! One direction of one connection inside a link: what has been sent and has not arrived.
//!
//! Invariant: segments arrive in the order in which they were sent (TCP), so their due times
//! never decrease.

use std::collections::VecDeque;
use std::time::Duration;

use squall_protocol::Instant;

use super::DirectionReport;

/// Bytes that have gone stay in the buffer until there are this many of them.
const COMPACT_BYTES: usize = 64 * 1024;

/// A lane with this many bytes on their way takes nothing further, but for the rest of what it is given at
/// once: without a limit, a load above the bandwidth would queue up for as long as the run lasts. Towards
/// the broker the device then publishes nothing more; towards the device its socket is not read. So
/// it is to a connection what a TCP window of this size is.
const LANE_BYTES_MAX: usize = 1024 * 1024;

/// What is on its way in one direction; `C` is what is sent beside bytes.
#[derive(Debug)]
pub(crate) struct Lane<C> {
    segments: VecDeque<Segment<C>>,
    /// Of all byte segments, in order; those before `head` have arrived.
    bytes: Vec<u8>,
    head: usize,
    last_due: Instant,
    /// The longest that anything was held that has arrived.
    longest_hold: Duration,
}

/// The hand-over of something to a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    /// The moment of the hand-over.
    pub(crate) at: Instant,
    /// How long it had waited before, for the drive to read it; `None` if that is not known.
    pub(crate) waited: Option<Duration>,
}

#[derive(Debug)]
struct Segment<C> {
    entry: Entry,
    due: Instant,
    content: Content<C>,
}

#[derive(Debug)]
enum Content<C> {
    Bytes(usize),
    Control(C),
    /// No segment of its own.
    Mark(C),
}

/// What came out of a lane.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Arrival<C> {
    /// The thing itself.
    pub(crate) what: Arrived<C>,
    /// When it went in. What comes out together went in together.
    pub(crate) entry: Entry,
    /// When it should have come out.
    pub(crate) due: Instant,
}

/// The kinds of things that come out of a lane.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Arrived<C> {
    /// The bytes that were appended to the buffer of the call.
    Bytes,
    /// What `push_control` put in.
    Control(C),
}

impl<C> Arrival<C> {
    /// How long the link held it.
    pub(crate) fn on_link(&self) -> Duration {
        self.due.saturating_since(self.entry.at)
    }

    /// How long the generator held it until `now`: before it went into the link, and after it should
    /// have come out, its device reading since `reads_since`. `None` if the first is not known.
    pub(crate) fn waited(&self, now: Instant, reads_since: Instant) -> Option<Duration> {
        let late = now.saturating_since(self.due.max(reads_since));
        self.entry.waited.map(|before| before + late)
    }
}

impl<C> Default for Lane<C> {
    fn default() -> Self {
        Self {
            segments: VecDeque::new(),
            bytes: Vec::new(),
            head: 0,
            last_due: Instant::ZERO,
            longest_hold: Duration::ZERO,
        }
    }
}

impl<C> Lane<C> {
    /// Sends one segment of bytes; it arrives at `due`, or later if one before it does.
    pub(super) fn push_bytes(&mut self, entry: Entry, due: Instant, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.push(entry, due, Content::Bytes(bytes.len()));
    }

    /// Sends something beside bytes, behind what is on its way.
    pub(super) fn push_control(&mut self, entry: Entry, due: Instant, control: C) {
        self.push(entry, due, Content::Control(control));
    }

    /// Sends something beside bytes that arrives together with the last thing before it: it tells
    /// when that has arrived.
    pub(crate) fn push_mark(&mut self, now: Instant, mark: C) {
        let entry = Entry {
            at: now,
            waited: None,
        };
        self.push(entry, now, Content::Mark(mark));
    }

    fn push(&mut self, entry: Entry, due: Instant, content: Content<C>) {
        self.last_due = self.last_due.max(due);
        self.segments.push_back(Segment {
            entry,
            due: self.last_due,
            content,
        });
    }

    /// Nothing comes out before `until`: what was due before is due then.
    pub(crate) fn hold_until(&mut self, until: Instant) {
        for segment in &mut self.segments {
            segment.due = segment.due.max(until);
            self.last_due = self.last_due.max(segment.due);
        }
    }

    /// What was due from `planned` on is due `by` sooner.
    pub(crate) fn bring_forward(&mut self, planned: Instant, by: Duration) {
        let sooner = |due: Instant| if due >= planned { due - by } else { due };
        for segment in &mut self.segments {
            segment.due = sooner(segment.due);
        }
        self.last_due = sooner(self.last_due);
    }

    /// When the oldest thing that is on its way went in. A mark is not on its way: it comes with what is before it.
    pub(crate) fn oldest_entry(&self) -> Option<Instant> {
        let is_mark = |content: &Content<C>| matches!(content, Content::Mark(_));
        let mut segments = self.segments.iter();
        let oldest = segments.find(|segment| !is_mark(&segment.content));
        oldest.map(|segment| segment.entry.at)
    }

    /// The longest that anything was held so far, by `now`.
    pub(crate) fn longest_hold(&self, now: Instant) -> Duration {
        let held = self.oldest_entry().map(|at| now.saturating_since(at));
        self.longest_hold.max(held.unwrap_or_default())
    }

    /// When the next segment arrives.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.segments.front().map(|segment| segment.due)
    }

    /// When the last of what was sent so far arrives, or has arrived.
    pub(crate) fn last_due(&self) -> Instant {
        self.last_due
    }

    /// Whether so much is on its way that nothing further should be sent.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() - self.head >= LANE_BYTES_MAX
    }

    /// Whether so little is on its way that one that was full takes more: half of what may be.
    pub(crate) fn has_drained(&self) -> bool {
        self.bytes.len() - self.head <= LANE_BYTES_MAX / 2
    }

    /// Whether nothing is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Takes what has arrived by `now`: bytes that went in together, appended to `out`, or one thing
    /// beside bytes.
    pub(crate) fn poll(
        &mut self,
        now: Instant,
        report: &mut DirectionReport,
        out: &mut Vec<u8>,
    ) -> Option<Arrival<C>> {
        let mut arrival: Option<Arrival<C>> = None;
        while let Some(segment) = self.segments.front()
            && segment.due <= now
        {
            let is_control = matches!(segment.content, Content::Control(_) | Content::Mark(_));
            if arrival
                .as_ref()
                .is_some_and(|arrival| is_control || arrival.entry != segment.entry)
            {
                break;
            }
            let Segment {
                entry,
                due,
                content,
            } = self.segments.pop_front()?;
            if !matches!(content, Content::Mark(_)) {
                report.arrived(entry.at, due, now);
                self.longest_hold = self.longest_hold.max(due.saturating_since(entry.at));
            }
            let (what, is_last) = match content {
                Content::Bytes(length) => {
                    out.extend_from_slice(&self.bytes[self.head..self.head + length]);
                    self.head += length;
                    (Arrived::Bytes, false)
                }
                Content::Control(what) | Content::Mark(what) => (Arrived::Control(what), true),
            };
            arrival = Some(Arrival { what, entry, due });
            if is_last {
                break;
            }
        }
        self.compact();
        arrival
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

    fn entry(nanos: u64) -> Entry {
        Entry {
            at: at(nanos),
            waited: None,
        }
    }

    /// What comes out at a moment, one after the other.
    fn arrivals(lane: &mut Lane<char>, now: Instant, out: &mut Vec<u8>) -> Vec<Arrived<char>> {
        let poll = || lane.poll(now, &mut report(), out);
        let arrivals = std::iter::from_fn(poll);
        arrivals.map(|arrival| arrival.what).collect()
    }

    /// TCP keeps order: a fast segment waits for the slow one before it.
    #[test]
    fn a_segment_never_overtakes_the_one_before_it() {
        let mut lane: Lane<char> = Lane::default();
        let mut out = Vec::new();
        lane.push_bytes(entry(0), at(10), b"a");
        lane.push_bytes(entry(1), at(5), b"b");

        assert_eq!(arrivals(&mut lane, at(5), &mut out), []);
        assert_eq!(
            arrivals(&mut lane, at(10), &mut out),
            [Arrived::Bytes, Arrived::Bytes]
        );

        assert_eq!(out, b"ab");
        assert!(lane.is_empty());
    }

    /// An end of stream comes after the bytes that were sent before it.
    #[test]
    fn what_is_not_bytes_comes_in_its_turn() {
        let mut lane = Lane::default();
        let mut out = Vec::new();
        lane.push_bytes(entry(0), at(1), b"a");
        lane.push_control(entry(0), at(1), 'x');
        lane.push_bytes(entry(0), at(1), b"b");

        assert_eq!(
            arrivals(&mut lane, at(1), &mut out),
            [Arrived::Bytes, Arrived::Control('x'), Arrived::Bytes]
        );
        assert_eq!(out, b"ab");
    }

    /// A partition holds what is on its way, in order; over sooner than planned, it lets it pass sooner.
    #[test]
    fn what_a_partition_holds_passes_at_its_end() {
        let mut lane: Lane<char> = Lane::default();
        lane.push_bytes(entry(0), at(10), b"a");
        lane.push_bytes(entry(0), at(40), b"b");

        lane.hold_until(at(30));
        let held = lane.next_due();
        lane.bring_forward(at(30), Duration::from_nanos(5));

        assert_eq!(held, Some(at(30)));
        assert_eq!(lane.next_due(), Some(at(25)));
        assert_eq!(lane.last_due(), at(35));
    }

    /// A mark tells when what was sent before it has arrived: it takes no time of its own.
    #[test]
    fn a_mark_arrives_with_what_is_before_it() {
        let mut lane = Lane::default();
        let mut report = report();
        lane.push_bytes(entry(0), at(10), b"a");
        lane.push_mark(at(1), 'x');

        let first = lane.poll(at(10), &mut report, &mut Vec::new());
        let second = lane.poll(at(10), &mut report, &mut Vec::new());

        assert_eq!(first.map(|arrival| arrival.what), Some(Arrived::Bytes));
        let second = second.expect("the mark");
        assert_eq!((second.what, second.due), (Arrived::Control('x'), at(10)));
        assert_eq!(report.transit.len(), 1);
    }

    /// What the link took and what the generator took are told apart, on both sides of the link.
    #[test]
    fn the_time_on_the_link_is_not_the_generators() {
        let mut lane: Lane<char> = Lane::default();
        let waited = Some(Duration::from_nanos(3));
        lane.push_bytes(Entry { at: at(5), waited }, at(25), b"a");

        let arrival = lane.poll(at(32), &mut report(), &mut Vec::new());

        let arrival = arrival.expect("the bytes");
        assert_eq!(arrival.on_link(), Duration::from_nanos(20));
        assert_eq!(
            arrival.waited(at(32), Instant::ZERO),
            Some(Duration::from_nanos(3 + 7))
        );
    }

    /// What was measured is the clock's, not the plan's.
    #[test]
    fn a_late_release_is_measured_as_late() {
        let mut lane: Lane<char> = Lane::default();
        let mut report = report();
        lane.push_bytes(entry(1_000), at(5_000), b"a");

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
