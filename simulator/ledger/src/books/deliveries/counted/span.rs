//! What counts leave open.

use squall_protocol::QoS;

use super::{PairCount, TopicCount};

/// How many messages may have gone wrong, as far as counts tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Span {
    /// That many have for certain.
    pub(super) least: u64,
    /// No more can have.
    pub(super) most: u64,
}

impl Span {
    /// Messages that were owed and did not come. What was sent and not owed for certain, and what came more often than it
    /// was sent, may stand in for one that is lost.
    pub(super) fn of_missing(count: &TopicCount, pair: &PairCount) -> Self {
        let received = pair.received();
        let has_copies = received > count.sent;
        let may_have_copies = count.may_repeat && count.qos == QoS::AtLeastOnce;
        Self {
            least: pair.certainly_owed(count).saturating_sub(received),
            most: match has_copies || may_have_copies {
                true => pair.owed,
                false => pair.owed.min(count.sent.saturating_sub(received)),
            },
        }
    }

    /// Messages that came more often than they were sent. Each that did not come hides one.
    pub(super) fn of_copies(count: &TopicCount, pair: &PairCount) -> Self {
        let received = pair.received();
        let least = received.saturating_sub(count.sent);
        let hidden = count.sent.saturating_sub(received).min(received);
        Self {
            least,
            most: least + hidden,
        }
    }

    /// Those of which counts do not tell.
    pub(super) fn unsure(self) -> u64 {
        self.most.saturating_sub(self.least)
    }
}
