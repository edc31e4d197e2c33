//! Messages that may be lost: a later one of the same stream came first.

use squall_scenario::DeviceId;

use super::Deliveries;
use super::case::Case;
use crate::books::topics::Recipient;

/// A message that a later one overtook, on its way to one recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Suspicion {
    /// Whose message it is.
    pub(crate) publisher: DeviceId,
    /// To whom it should have come.
    pub(crate) recipient: DeviceId,
    /// Topic Name.
    pub(crate) topic: String,
    /// Sequence number in its stream.
    pub(crate) sequence: u32,
}

impl Deliveries {
    /// Tells of what the delivery of `case` overtook. Of a shared subscription a later message says nothing: it went to
    /// another member.
    pub(super) fn suspect_before(&mut self, case: &Case<'_>) {
        let Some(sequence) = self.streams[case.stream].take_overtaken(case.place) else {
            return;
        };
        match self.topics.places(case.topic)[case.place].recipient {
            Recipient::Session(_) => {
                self.suspicions.push(Suspicion {
                    publisher: case.stamp.device,
                    recipient: case.event.device,
                    topic: case.delivery.topic.to_owned(),
                    sequence,
                });
                self.anomalies.bell().ring();
            }
            Recipient::Share(_) => {}
        }
    }

    /// What may be lost, since this was called last.
    pub(crate) fn take_suspicions(&mut self) -> impl Iterator<Item = Suspicion> {
        self.suspicions.drain(..)
    }
}
