//! Messages that wait for a Session, or for a shared group, in the order in which they came.
//!
//! Invariant: `bytes` is the sum over the messages, and neither limit is exceeded after a push.

use std::collections::VecDeque;

use crate::config::{QueueLimits, QueuePolicy};
use crate::message::Copied;

/// A bounded first-in, first-out queue of copies.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    messages: VecDeque<Copied>,
    bytes: usize,
    /// Messages that ever left at the front.
    left: u64,
}

/// Which messages a push dropped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pushed {
    /// The new message waits, and all others still do.
    Queued,
    /// The new message waits; this many of the oldest were dropped for it.
    DroppedOldest(usize),
    /// The new message was dropped.
    DroppedNewest,
}

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(crate) fn front(&self) -> Option<&Copied> {
        self.messages.front()
    }

    /// What [`Self::left`] will be when the last message that waits now has left.
    pub(crate) fn end(&self) -> u64 {
        self.left + self.messages.len() as u64
    }

    /// How many messages have left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Whether a message of `bytes` bytes fits without making others, or itself, give way.
    pub(crate) fn has_room_for(&self, bytes: usize, limits: &QueueLimits) -> bool {
        self.messages.len() < limits.messages_max && self.bytes + bytes <= limits.bytes_max
    }

    /// Adds a message at the end, within the limits.
    pub(crate) fn push(&mut self, copied: Copied, limits: &QueueLimits) -> Pushed {
        let bytes = copied.message.bytes();
        let mut dropped = 0;
        while !self.has_room_for(bytes, limits) {
            let makes_room = match limits.policy {
                QueuePolicy::DropOldest => bytes <= limits.bytes_max && self.pop().is_some(),
                QueuePolicy::DropNewest | QueuePolicy::Reject => false,
            };
            if !makes_room {
                return Pushed::DroppedNewest;
            }
            dropped += 1;
        }
        self.bytes += bytes;
        self.messages.push_back(copied);
        if dropped == 0 {
            Pushed::Queued
        } else {
            Pushed::DroppedOldest(dropped)
        }
    }

    /// Takes the message that waits longest.
    pub(crate) fn pop(&mut self) -> Option<Copied> {
        let copied = self.messages.pop_front()?;
        self.bytes -= copied.message.bytes();
        self.left += 1;
        Some(copied)
    }

    /// Takes out all that came through a shared subscription, in order.
    pub(crate) fn extract_shared(&mut self) -> Vec<Copied> {
        let (shared, own) = self
            .messages
            .drain(..)
            .partition::<Vec<_>, _>(|copied| copied.group.is_some());
        self.messages = own.into();
        self.bytes -= shared.iter().map(|c| c.message.bytes()).sum::<usize>();
        self.left += shared.len() as u64;
        shared
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use squall_protocol::packet::{Publish, PublishProperties};
    use squall_protocol::topic::TopicName;
    use squall_protocol::{Instant, QoS};

    use super::*;
    use crate::message::{CopyOptions, Message};

    fn copied(payload: &[u8]) -> Copied {
        let publish = Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: TopicName::new("t").unwrap(),
            packet_id: None,
            properties: PublishProperties::default(),
            payload,
        };
        Copied {
            message: Rc::new(Message::new(&publish, Instant::ZERO)),
            options: CopyOptions::new(QoS::AtLeastOnce, false, None),
            group: None,
        }
    }

    fn limits(policy: QueuePolicy) -> QueueLimits {
        QueueLimits {
            messages_max: 3,
            bytes_max: 20,
            policy,
        }
    }

    fn payloads(mut queue: Queue) -> Vec<Vec<u8>> {
        let mut payloads = Vec::new();
        while let Some(copied) = queue.pop() {
            payloads.push(copied.message.to_publish(Instant::ZERO).payload.to_vec());
        }
        assert_eq!(queue.bytes, 0);
        payloads
    }

    /// Drop oldest: the new message is in, the longest waiting are gone.
    #[test]
    fn drop_oldest_makes_room_at_the_front() {
        let limits = limits(QueuePolicy::DropOldest);
        let mut queue = Queue::default();
        for payload in [b"1", b"2", b"3"] {
            assert_eq!(queue.push(copied(payload), &limits), Pushed::Queued);
        }

        assert_eq!(queue.push(copied(b"4"), &limits), Pushed::DroppedOldest(1));
        let large = queue.push(copied(b"fifteen bytes.."), &limits);

        assert_eq!(large, Pushed::DroppedOldest(1));
        assert_eq!(payloads(queue), [&b"3"[..], b"4", b"fifteen bytes.."]);
    }

    /// Drop newest: what waits stays as it is.
    #[test]
    fn drop_newest_keeps_what_waits() {
        let limits = limits(QueuePolicy::DropNewest);
        let mut queue = Queue::default();
        for payload in [b"1", b"2", b"3"] {
            queue.push(copied(payload), &limits);
        }

        assert_eq!(queue.push(copied(b"4"), &limits), Pushed::DroppedNewest);

        assert_eq!(payloads(queue), [b"1", b"2", b"3"]);
    }

    /// A message larger than the whole queue drops nothing but itself.
    #[test]
    fn a_message_larger_than_the_queue_drops_only_itself() {
        let limits = limits(QueuePolicy::DropOldest);
        let mut queue = Queue::default();
        queue.push(copied(b"1"), &limits);

        let pushed = queue.push(copied(b"twenty-one bytes long"), &limits);

        assert_eq!(pushed, Pushed::DroppedNewest);
        assert_eq!(payloads(queue), [b"1"]);
    }
}
