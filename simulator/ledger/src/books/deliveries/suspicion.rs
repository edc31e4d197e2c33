//! Messages that may be lost: a later one of the same stream came first.

use squall_fleet::ShortTopic;
use squall_scenario::DeviceId;

use super::Deliveries;
use super::case::Case;
use crate::books::stream::CursorKey;
use crate::books::topics::Recipient;

/// Suspicions that wait to be taken. They are taken before the next packet, and a packet delivers one message.
const WAITING: usize = 64;

/// A message that a later one overtook, on its way to one recipient.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Suspicion {
    /// Whose message it is.
    pub(crate) publisher: DeviceId,
    /// To whom it should have come.
    pub(crate) recipient: DeviceId,
    /// Topic Name.
    pub(crate) topic: ShortTopic,
    /// Sequence number in its stream.
    pub(crate) sequence: u32,
    /// Where it is pledged.
    pub(crate) cursor: CursorKey,
}

impl Deliveries {
    /// Tells of what the delivery of `case` overtook. Of a shared subscription a later message says nothing: it went to
    /// another member.
    pub(super) fn suspect_before(&mut self, case: &Case<'_>) {
        let Some(sequence) = self.streams[case.stream].take_overtaken(case.place) else {
            return;
        };
        match self.topics.places(case.topic)[case.place].recipient {
            Recipient::Session(_) if self.suspicions.len() < WAITING => {
                self.suspicions.push_back(Suspicion {
                    publisher: case.stamp.device,
                    recipient: case.event.device,
                    topic: ShortTopic::of(case.delivery.topic),
                    sequence,
                    cursor: CursorKey {
                        stream: case.stream,
                        place: case.place,
                    },
                });
                self.anomalies.bell().ring();
            }
            Recipient::Session(_) | Recipient::Share(_) => {}
        }
    }

    /// The next message that may be lost and that was not taken yet.
    pub(crate) fn take_suspicion(&mut self) -> Option<Suspicion> {
        self.suspicions.pop_front()
    }

    /// Whether the message that a suspicion is about has neither come nor been given up.
    pub(crate) fn is_open(&self, suspicion: &Suspicion) -> bool {
        let CursorKey { stream, place } = suspicion.cursor;
        let stream = self.streams.get(stream);
        stream.is_some_and(|stream| stream.awaits(place, suspicion.sequence))
    }
}
