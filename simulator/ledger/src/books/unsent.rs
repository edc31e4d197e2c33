//! Messages that were due and never sent, and why: a claim that holds for what was sent says little
//! if half of what the scenario asked for was not.

use std::collections::BTreeMap;

use squall_fleet::{NoLine, SkipCause};
use squall_protocol::{QoS, client::UnsentCause};
use squall_scenario::{DeviceId, GroupId};

use super::connections::{Away, Connections};
use super::event::Event;
use super::tallies::{Books, Imbalance, QOS};

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Unsent {
    /// The device was not connected.
    Away(Away),
    /// The device was connected, and waited for send quota or room on its link until its queue was full
    /// or the run was over.
    Waiting,
    /// The broker's CONNACK forbids it: too large, a higher QoS than it takes, or RETAIN.
    Forbidden,
    /// The command that gives its payload had no line for it.
    NoLine(NoLine),
}

impl std::fmt::Display for Unsent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(away) => write!(f, "not connected ({away})"),
            Self::Waiting => {
                f.write_str("waited for the broker's acknowledgements, or for the link")
            }
            Self::Forbidden => f.write_str("the broker's CONNACK forbids them"),
            Self::NoLine(NoLine::Late) => f.write_str("the command gave no line in time"),
            Self::NoLine(NoLine::Ended) => f.write_str("the command had ended"),
        }
    }
}

/// All messages that were due and not sent.
#[derive(Debug, Default)]
pub(crate) struct UnsentMessages {
    counts: BTreeMap<(GroupId, QoS, Unsent), u64>,
    /// Messages that are due and neither sent nor given up, by device and QoS.
    waiting: BTreeMap<(DeviceId, GroupId, QoS), u64>,
}

impl UnsentMessages {
    /// A message fell due.
    pub(crate) fn handle_due(&mut self, event: &Event, qos: QoS) {
        let key = (event.device, event.group, qos);
        *self.waiting.entry(key).or_default() += 1;
    }

    /// A message was sent.
    pub(crate) fn handle_sent(&mut self, event: &Event, qos: QoS) {
        self.take(event, qos);
    }

    /// A message was given up.
    pub(crate) fn handle_skipped(
        &mut self,
        event: &Event,
        qos: QoS,
        cause: SkipCause,
        connections: &Connections,
    ) {
        self.take(event, qos);
        let why = match cause {
            SkipCause::NoLine(why) => Unsent::NoLine(why),
            SkipCause::Unsent(UnsentCause::NotConnected) => {
                why_not_connected(event.device, connections)
            }
            SkipCause::Unsent(UnsentCause::QuotaExhausted) => Unsent::Waiting,
            SkipCause::Unsent(
                UnsentCause::PacketTooLarge
                | UnsentCause::QoSNotSupported { .. }
                | UnsentCause::RetainNotSupported,
            ) => Unsent::Forbidden,
        };
        *self.counts.entry((event.group, qos, why)).or_default() += 1;
    }

    /// What waits now is never sent.
    pub(crate) fn close(&mut self, connections: &Connections) {
        for ((device, group, qos), count) in std::mem::take(&mut self.waiting) {
            let why = why_not_connected(device, connections);
            *self.counts.entry((group, qos, why)).or_default() += count;
        }
    }

    /// What a group did not send at one QoS, by why.
    pub(crate) fn of(&self, group: GroupId, qos: QoS) -> impl Iterator<Item = (Unsent, u64)> + '_ {
        self.counts
            .iter()
            .filter(move |((of_group, of_qos, _), _)| (*of_group, *of_qos) == (group, qos))
            .map(|(&(_, _, why), &count)| (why, count))
    }

    /// Messages that were due and neither sent nor counted here, or the other way round: none, once the
    /// account is closed, or squall has a fault.
    pub(crate) fn imbalances(&self, books: &Books) -> Vec<Imbalance> {
        let mut imbalances = Vec::new();
        for group in (0..books.groups()).map(GroupId) {
            for qos in QOS {
                let book = books.publications(group, qos);
                let unsent: u64 = self.of(group, qos).map(|(_, count)| count).sum();
                let accounted = book.sent + unsent;
                if accounted != book.scheduled {
                    imbalances.push(Imbalance {
                        book: format!(
                            "messages of group {} that were due at QoS {}",
                            group.0, qos as u8
                        ),
                        unexplained: accounted.abs_diff(book.scheduled),
                    });
                }
            }
        }
        imbalances
    }

    fn take(&mut self, event: &Event, qos: QoS) {
        let key = (event.device, event.group, qos);
        if let Some(waiting) = self.waiting.get_mut(&key) {
            *waiting -= 1;
            if *waiting == 0 {
                self.waiting.remove(&key);
            }
        }
    }
}

fn why_not_connected(device: DeviceId, connections: &Connections) -> Unsent {
    connections
        .away(device)
        .map_or(Unsent::Waiting, Unsent::Away)
}
