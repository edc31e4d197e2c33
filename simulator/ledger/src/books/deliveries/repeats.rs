//! Messages of QoS 1 that publishers sent again on the same connection: the broker may take each for another one.
//!
//! It has answered the first before the second comes, and then the identifier is free: so a copy that follows is its
//! publisher's doing, may come behind later messages, and lives as long as if it were new.

use std::collections::HashMap;

use squall_fleet::Stamp;

use super::case::Case;
use super::{Deliveries, StreamId};
use crate::books::event::Event;
use crate::books::sequences::SequenceSet;

/// Ranges of messages that are remembered of a stream; with more, those between the first two count as repeated.
const RANGES_MAX: usize = 1_000;

/// The messages that were sent again.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    streams: HashMap<StreamId, SequenceSet>,
    /// The first message that was not sent before its publisher's present connection, where that is not the first one.
    since_connected: HashMap<StreamId, u32>,
}

impl Repeats {
    fn insert(&mut self, stream: StreamId, sequence: u32) {
        let sequences = self.streams.entry(stream).or_default();
        sequences.insert(sequence);
        sequences.forget_oldest_gap(RANGES_MAX);
    }

    /// Whether a message was sent on its publisher's present connection for the first time.
    pub(super) fn is_of_this_connection(&self, stream: StreamId, sequence: u32) -> bool {
        let first = self.since_connected.get(&stream);
        first.is_none_or(|&first| sequence >= first)
    }

    fn contains(&self, stream: StreamId, sequence: u32) -> bool {
        let sequences = self.streams.get(&stream);
        sequences.is_some_and(|sequences| sequences.contains(sequence))
    }
}

impl Deliveries {
    /// A PUBLISH was sent again on the same connection.
    pub(crate) fn handle_repeated(&mut self, stamp: Stamp, topic: &str) {
        let topic = self.topics.topic(topic);
        if let Some(topic) = topic {
            self.counted.handle_repeated(topic);
        }
        let stream = topic.and_then(|topic| self.stream_ids.get(&(stamp.device, topic)));
        if let Some(&stream) = stream {
            self.repeats.insert(stream, stamp.sequence);
        }
    }

    /// A publisher has another connection: what it sends from now on was not sent before, but for what has no answer.
    pub(super) fn note_publisher_connected(&mut self, event: &Event) {
        let ids = self.device_streams.get(&event.device);
        for &id in ids.into_iter().flatten() {
            let first = self.streams[id].sequences().end;
            self.repeats.since_connected.insert(id, first);
        }
    }

    /// Whether the publisher of a message of QoS 1 sent it again on the connection that it was sent on.
    pub(super) fn was_repeated(&self, case: &Case<'_>) -> bool {
        self.repeats.contains(case.stream, case.sequence())
    }
}
