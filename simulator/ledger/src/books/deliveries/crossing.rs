//! When messages that were handed to a link have left it: from then on the broker may have them.

use std::collections::{HashMap, VecDeque};

use squall_fleet::SocketId;
use squall_scenario::DeviceId;

use super::{Deliveries, StreamId};
use crate::books::event::Event;
use crate::books::stream::{Left, Record, RecordState};
use crate::books::topics::Recipient;

/// Messages that links hold.
#[derive(Debug, Default)]
pub(super) struct Crossing {
    /// By publisher, in the order in which they were handed over.
    held: HashMap<DeviceId, VecDeque<Held>>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    socket: SocketId,
    stream: StreamId,
    sequence: u32,
}

impl Deliveries {
    /// A message is handed to its publisher's link for the first time. Tells when it left that: at once if there is none.
    pub(super) fn hand_over(
        &mut self,
        event: &Event,
        stream: StreamId,
        sequence: u32,
    ) -> Option<Left> {
        if !self.on_links[usize::from(event.group.0)] {
            return Some(Left {
                at: event.now,
                passed_at: event.now,
            });
        }
        let held = self.crossing.held.entry(event.device).or_default();
        held.push_back(Held {
            socket: event.socket,
            stream,
            sequence,
        });
        None
    }

    /// When a message left its publisher for the only time, for a recipient that read all the while; `None` if it was sent
    /// again on a later connection, or lay unread: what was the broker's part of its way is not known then.
    pub(super) fn left_once(
        &self,
        publisher: DeviceId,
        record: &Record,
        recipient: Recipient,
    ) -> Option<Left> {
        let connected_at = match record.state {
            RecordState::Acknowledged => record.connected_at,
            RecordState::Unheard
            | RecordState::Skipped
            | RecordState::Sent
            | RecordState::Refused => self.connected_at_of(publisher),
        };
        let was_sent_once = connected_at <= record.sent_at;
        let was_read = !self.may_miss(recipient, record.sent_at);
        record.left.filter(|_| was_sent_once && was_read)
    }

    /// So many messages have left the link of a connection. Of an earlier connection none will.
    pub(crate) fn handle_messages_left(&mut self, event: &Event, messages: u32) {
        let Some(held) = self.crossing.held.get_mut(&event.device) else {
            return;
        };
        let mut left = 0;
        while left < messages
            && let Some(message) = held.pop_front()
        {
            if message.socket > event.socket {
                // The mark is that of an earlier connection, whose messages are given up.
                held.push_front(message);
                break;
            }
            if message.socket < event.socket {
                continue;
            }
            left += 1;
            if let Some(record) = self.streams[message.stream].record_mut(message.sequence) {
                record.left = Some(Left {
                    at: event.now,
                    passed_at: event.crossed,
                });
            }
        }
        if held.is_empty() {
            self.crossing.held.remove(&event.device);
        }
    }
}
