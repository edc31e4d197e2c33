//! The books of a load: each message that a subscriber was sent, and what it was.

use crate::load::{Load, Share};
use crate::stamp::Stamp;
use crate::track::{Arrival, Track};

/// What became of all messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Account {
    /// Messages that were handed to the system.
    pub published: u64,
    /// Of QoS 1 and 2, those that the broker acknowledged.
    pub acknowledged: u64,
    /// Deliveries that were owed for all that was published.
    pub owed: u64,
    /// Deliveries that came, each once.
    pub delivered: u64,
    /// Deliveries that did not come.
    pub lost: u64,
    /// Deliveries that came again.
    pub duplicated: u64,
    /// Deliveries that came after one that was published later by the same publisher.
    pub reordered: u64,
    /// Messages of a publisher that the subscriber had not subscribed to.
    pub misrouted: u64,
    /// Messages of another length, or with a stamp that was never sent.
    pub corrupted: u64,
    /// Deliveries that came too late to be told from a copy.
    pub unclear: u64,
}

impl Account {
    /// What stays true of it, whatever is still under way: nothing of that is called lost or unacknowledged.
    pub fn without_what_may_come(self) -> Self {
        Self {
            lost: 0,
            acknowledged: self.published,
            ..self
        }
    }
}

/// Hears of arrivals.
#[derive(Debug)]
pub(crate) struct Books {
    publishers: u32,
    payload_bytes: usize,
    share: Option<Share>,
    /// The publisher of each subscriber, where it has one.
    of: Vec<u32>,
    /// With `Share::Of` one a subscriber; with `All` `tracks[s * publishers + p]`; with `One` one a publisher.
    tracks: Vec<Track>,
    /// With `Share::One`: the sequence after the newest that has come, `newest[s * publishers + p]`.
    newest: Vec<u32>,
    account: Account,
}

impl Books {
    pub(crate) fn new(load: &Load) -> Self {
        let (publishers, subscribers) = (load.publishers.len(), load.subscribers.len());
        let share = load.subscribers.first().map(|subscriber| subscriber.share);
        let of = load.subscribers.iter().map(|subscriber| subscriber.share);
        let of = of.map(|share| match share {
            Share::Of(publisher) => publisher,
            Share::All | Share::One | Share::Others => 0,
        });
        let (tracks, newest) = match share {
            None | Some(Share::Others) => (0, 0),
            Some(Share::Of(_)) => (subscribers, 0),
            Some(Share::All) => (subscribers * publishers, 0),
            Some(Share::One) => (publishers, subscribers * publishers),
        };
        Self {
            publishers: publishers as u32,
            payload_bytes: load.payload_bytes,
            share,
            of: of.collect(),
            tracks: vec![Track::default(); tracks],
            newest: vec![0; newest],
            account: Account::default(),
        }
    }

    /// The stamp of a payload that may have come; `None` if it is not one of ours.
    #[inline]
    pub(crate) fn stamp_of(&mut self, payload: &[u8]) -> Option<Stamp> {
        let stamp = Stamp::read(payload).filter(|stamp| {
            payload.len() == self.payload_bytes && stamp.publisher < self.publishers
        });
        if stamp.is_none() {
            self.account.corrupted += 1;
        }
        stamp
    }

    /// Whether what comes is of others; it is counted.
    #[inline]
    pub(crate) fn is_of_others(&mut self) -> bool {
        let is_of_others = self.share == Some(Share::Others);
        self.account.delivered += u64::from(is_of_others);
        is_of_others
    }

    /// Notes that `subscriber` was sent the message of `stamp`, whose publisher has sent `sent` of them. How many deliveries of that
    /// publisher are over by it: that one, and those that were left out before it.
    #[inline]
    pub(crate) fn arrived(&mut self, subscriber: u32, stamp: Stamp, sent: u32) -> u32 {
        let Stamp {
            publisher,
            sequence,
            ..
        } = stamp;
        if sequence >= sent {
            self.account.corrupted += 1;
            return 0;
        }
        let of_both = subscriber as usize * self.publishers as usize + publisher as usize;
        let track = match self.share {
            Some(Share::Of(_)) if self.of[subscriber as usize] != publisher => {
                self.account.misrouted += 1;
                return 0;
            }
            Some(Share::Of(_)) => subscriber as usize,
            Some(Share::All) => of_both,
            Some(Share::One | Share::Others) | None => {
                return self.arrived_of_shared(of_both, stamp);
            }
        };
        match self.tracks[track].take(sequence) {
            Arrival::InOrder { skipped } => {
                self.account.delivered += 1;
                1 + skipped
            }
            // They were over when a later one came.
            Arrival::Late => {
                self.account.delivered += 1;
                self.account.reordered += 1;
                0
            }
            Arrival::Twice => {
                self.account.duplicated += 1;
                0
            }
            Arrival::Forgotten => {
                self.account.unclear += 1;
                0
            }
        }
    }

    /// Each message goes to one of several: only what one of them is sent must be in order.
    fn arrived_of_shared(&mut self, of_both: usize, stamp: Stamp) -> u32 {
        let newest = &mut self.newest[of_both];
        let is_older = stamp.sequence < *newest;
        *newest = (*newest).max(stamp.sequence + 1);
        match self.tracks[stamp.publisher as usize].take(stamp.sequence) {
            Arrival::InOrder { .. } | Arrival::Late => {
                self.account.delivered += 1;
                self.account.reordered += u64::from(is_older);
                1
            }
            Arrival::Twice => {
                self.account.duplicated += 1;
                0
            }
            Arrival::Forgotten => {
                self.account.unclear += 1;
                0
            }
        }
    }

    /// Deliveries by now.
    pub(crate) fn delivered(&self) -> u64 {
        self.account.delivered
    }

    /// The account, of publishers that have sent `sent[p]` messages.
    pub(crate) fn account(&self, sent: &[u32]) -> Account {
        let missing = |track: usize, publisher: usize| self.tracks[track].missing(sent[publisher]);
        let all = 0..sent.len();
        let lost: u64 = match self.share {
            None | Some(Share::Others) => 0,
            Some(Share::Of(_)) => {
                let of = self.of.iter().enumerate();
                of.map(|(track, publisher)| missing(track, *publisher as usize))
                    .sum()
            }
            Some(Share::All) => {
                let subscribers = 0..self.of.len();
                subscribers
                    .flat_map(|subscriber| {
                        all.clone().map(move |publisher| (subscriber, publisher))
                    })
                    .map(|(subscriber, publisher)| {
                        missing(subscriber * sent.len() + publisher, publisher)
                    })
                    .sum()
            }
            Some(Share::One) => all.map(|publisher| missing(publisher, publisher)).sum(),
        };
        Account {
            lost,
            owed: lost + self.account.delivered,
            published: sent.iter().copied().map(u64::from).sum(),
            ..self.account
        }
    }
}

#[cfg(test)]
mod tests {
    use squall_protocol::topic::{TopicFilter, TopicName};
    use squall_protocol::{QoS, Version};

    use super::*;
    use crate::load::{Pace, PublisherSpec, Sessions, SubscriberSpec};

    fn books(publishers: usize, shares: &[Share]) -> Books {
        let publisher = PublisherSpec {
            client_id: "p".to_owned(),
            topic: TopicName::new("t".to_owned()).expect("it is one"),
        };
        let subscriber = |share: &Share| SubscriberSpec {
            client_id: "s".to_owned(),
            filter: TopicFilter::new("t".to_owned()).expect("it is one"),
            share: *share,
        };
        Books::new(&Load {
            version: Version::V5,
            qos: QoS::AtMostOnce,
            payload_bytes: 16,
            pace: Pace::Window(1),
            unacknowledged_max: 1,
            publishers: vec![publisher; publishers],
            subscribers: shares.iter().map(subscriber).collect(),
            sessions: Sessions::Clean,
            user_name: None,
            password: None,
        })
    }

    fn of(publisher: u32, sequence: u32) -> Stamp {
        Stamp {
            at: 0,
            publisher,
            sequence,
        }
    }

    /// A gap frees the window at once; what comes late is counted and frees nothing again.
    #[test]
    fn a_delivery_is_over_once() {
        let mut books = books(1, &[Share::Of(0)]);

        let over: Vec<u32> = [0, 3, 1, 1]
            .map(|sequence| books.arrived(0, of(0, sequence), 10))
            .into();

        assert_eq!(over, [1, 3, 0, 0]);
        let account = books.account(&[10]);
        assert_eq!((account.delivered, account.reordered), (3, 1));
        assert_eq!((account.duplicated, account.lost), (1, 7));
        assert_eq!(account.owed, 10);
    }

    /// Each subscriber of a fan-out has an order of its own for each publisher.
    #[test]
    fn streams_do_not_disturb_each_other() {
        let mut books = books(2, &[Share::All, Share::All]);

        for (subscriber, publisher, sequence) in [(0, 1, 0), (0, 0, 0), (1, 0, 0), (1, 0, 1)] {
            let stamp = of(publisher, sequence);
            assert_eq!(books.arrived(subscriber, stamp, 2), 1);
        }

        let account = books.account(&[2, 1]);
        assert_eq!((account.delivered, account.lost), (4, 2));
        assert_eq!(account.reordered, 0);
    }

    /// Between members of a shared subscription there is no order; at one of them there is.
    #[test]
    fn a_shared_subscription_is_in_order_at_each_member() {
        let mut books = books(1, &[Share::One, Share::One]);

        for (subscriber, sequence) in [(0, 1), (1, 0), (0, 3), (1, 2), (1, 4), (0, 2)] {
            books.arrived(subscriber, of(0, sequence), 6);
        }
        assert_eq!(books.account(&[6]).reordered, 0);
        books.arrived(1, of(0, 5), 6);
        let account = books.account(&[6]);

        assert_eq!((account.delivered, account.duplicated), (6, 1));
        assert_eq!((account.reordered, account.lost), (0, 0));
    }

    /// What was never sent, or goes to another subscriber, is not a delivery.
    #[test]
    fn what_was_not_sent_there_is_told() {
        let mut books = books(2, &[Share::Of(0), Share::Of(1)]);

        assert_eq!(books.arrived(0, of(1, 0), 5), 0);
        assert_eq!(books.arrived(0, of(0, 5), 5), 0);
        assert_eq!(books.stamp_of(&[0; 15]), None);
        assert_eq!(books.stamp_of(&[2; 16]), None);

        let account = books.account(&[5, 5]);
        assert_eq!((account.misrouted, account.corrupted), (1, 3));
        assert_eq!((account.delivered, account.lost), (0, 10));
    }
}
