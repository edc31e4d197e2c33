//! When messages that were handed to a link have left it: from then on the broker may have them.

use std::collections::{HashMap, VecDeque};

use squall_fleet::SocketId;
use squall_protocol::Instant;
use squall_scenario::DeviceId;

use super::{Deliveries, StreamId};
use crate::books::event::Event;

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
    ) -> Option<Instant> {
        if !self.on_links[usize::from(event.group.0)] {
            return Some(event.now);
        }
        let held = self.crossing.held.entry(event.device).or_default();
        held.push_back(Held {
            socket: event.socket,
            stream,
            sequence,
        });
        None
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
                record.left_at = Some(event.now);
            }
        }
        if held.is_empty() {
            self.crossing.held.remove(&event.device);
        }
    }
}
