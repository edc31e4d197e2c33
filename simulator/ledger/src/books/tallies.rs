//! The two books of a group: what it published, and what its Sessions were owed.
//!
//! A *pledge* is one message times one recipient whose subscription certainly asked for it. It is
//! written down when the message is sent, and ends as delivered, lost, excused or withdrawn; a
//! pledge is withdrawn if its message turns out not to be *ok*.
//!
//! Invariants, checked when the books are closed:
//! `pledged == delivered + lost + excused + unknown + withdrawn`,
//! `received == delivered + optional + duplicated + corrupted + misrouted + foreign + uncounted`,
//! `sent == acknowledged + refused + settled early + in doubt` at QoS 1 and 2.

use std::time::Duration;

use squall_protocol::QoS;

use squall_scenario::GroupId;

use super::doubts::Doubts;

/// Messages of one group at one QoS.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Publications {
    /// Messages that were due.
    pub scheduled: u64,
    /// Of those, handed to the link.
    pub sent: u64,
    /// Of those sent, the ones that no subscription asked for when they were sent.
    pub to_no_subscriber: u64,
    /// Of those sent, acknowledged with success. None at QoS 0.
    pub acknowledged: u64,
    /// Of those sent, refused with an error.
    pub refused: u64,
    /// Of those sent, settled before they were acknowledged, to save memory.
    pub settled_early: u64,
    /// Of those due, given up: no connection, or a full local queue.
    pub skipped: u64,
    /// Of those sent at QoS 1 and 2 and neither acknowledged nor refused when the books were closed, the
    /// ones that came to a recipient all the same.
    pub in_doubt_came: u64,
    /// Of the same, the ones whose connection had ended.
    pub in_doubt_cut: u64,
}

/// Deliveries to the Sessions of one group, of messages published with one QoS and owed at one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Pledges made: one for each acknowledged message and Session that it is owed to.
    pub pledged: u64,
    /// Pledges that were delivered.
    pub delivered: u64,
    /// Pledges of *ok* messages that were not, without an excuse.
    pub lost: u64,
    /// Pledges of *ok* messages that were not, by excuse.
    pub excused: [u64; Excuse::ALL.len()],
    /// Pledges that were given up to save memory before anything was known of them.
    pub unknown: u64,
    /// Pledges of messages that were not *ok*.
    pub withdrawn: u64,
    /// Deliveries without a pledge that are allowed.
    pub optional: u64,
    /// Deliveries of a message that this recipient had before.
    pub duplicated: u64,
    /// Of those, the ones that the QoS forbids.
    pub forbidden: u64,
    /// First deliveries of messages of QoS 1 that must not come again on their connection: a second copy
    /// would be among `forbidden`.
    pub unrepeatable: u64,
    /// First deliveries after that of a later message of the same stream.
    pub reordered: u64,
    /// Deliveries of this run's messages that no subscription asked for.
    pub misrouted: u64,
    /// Deliveries that bear no stamp of this run: counted, and not judged.
    pub foreign: u64,
    /// Of those, to a Topic Name that this run publishes to, live, on a broker that others may use:
    /// another client's, or damaged on the way. Likewise those with a stamp of this run on a Topic Name
    /// that its device never published to.
    pub unclear: u64,
    /// Retained messages that SUBSCRIBE asked for and that did not come, on a broker where another client
    /// may have cleared them: not owed, and not judged.
    pub perhaps_cleared: u64,
    /// Deliveries with another payload, Content Type or User Properties than was published, or with another payload than
    /// was to be retained, and those that bear no stamp although only this run publishes to their Topic Name. Such a
    /// message was not delivered: what was owed stays owed.
    pub corrupted: u64,
    /// Of all other deliveries of this run's messages, those at another QoS than was promised, or with a wrong
    /// RETAIN or DUP flag or Subscription Identifier.
    pub mislabelled: u64,
    /// First deliveries of messages that were sent before the connection they came on was resumed.
    pub late: u64,
    /// Of those, messages that waited because a connection had ended though nothing asked for it.
    pub late_unasked: u64,
    /// First deliveries behind later ones of which it is not known whether a lost member of the shared subscription had had
    /// them.
    pub perhaps_reordered: u64,
    /// All deliveries: wills are not among them.
    pub received: u64,
    /// Of those, the ones without a stamp on a topic that this run publishes to without: counted, not told apart.
    pub unstamped: u64,
    /// Of the same, the ones that no count could be made of: neither delivered nor duplicated is known of them.
    pub uncounted: u64,
    /// Messages without a stamp that a Session was owed, or had, whose loss could not be judged by counts.
    pub unjudged_lost: Doubts,
    /// Deliveries without a stamp of which counts show that they came once.
    pub counted_once: u64,
    /// Deliveries without a stamp that could not be judged for copies by counts.
    pub unjudged_copies: Doubts,
    /// How much longer the run would have had to go on to tell of what could come still.
    pub short_by: Duration,
}

/// Why a pledge of an *ok* message may stay undelivered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Excuse {
    /// The Session ended: with its connection, by Clean Start, or by its expiry.
    SessionEnded,
    /// The Session ended with its connection, and nothing had asked for that: neither the scenario, its links
    /// and takeovers among it, nor the device. Whether it would have come is not known.
    EndedUnasked,
    /// Owed at QoS 0, and a connection on the way was lost: at most once (§4.3.1).
    ConnectionLost,
    /// The same, of a message that had been under way for long against what came before: whether the broker had it still,
    /// or had lost it, is not known.
    ConnectionLostLate,
    /// The Session was offline when the run ended.
    OfflineAtEnd,
    /// The shared subscription lost the member that may have been chosen (§4.8.2).
    MemberLost,
    /// The same, of a message that was sent so long before that only something unusual can have kept it on its way until then:
    /// whether the broker had lost it is not known.
    MemberLostLate,
    /// Its Message Expiry Interval had passed before its Session, or the link of that, let it come.
    Expired,
    /// The link that squall simulates still held it, or what it was owed for, when the run ended.
    OnLink,
    /// Nothing shows that it was lost: it was under way for a short time when the run ended.
    ComingStill,
    /// The run was cut short before it could come.
    RunCut,
    /// Its recipient left, for good or with its Session, as the scenario wanted, and it had been under way for long against what came before: whether the broker had
    /// it queued, or had lost it, is not known.
    LeftLate,
    /// Owed at QoS 0 while a fault stopped its recipient from reading, or while the broker caught up with that: at most
    /// once (§4.3.1).
    NotRead,
    /// Its recipient gave the subscription up: the broker may deliver what it has queued, or not (§3.10.4).
    Unsubscribed,
    /// The same, of a message that had been under way for long against what came before: whether the broker had it
    /// queued, or had lost it, is not known.
    UnsubscribedLate,
    /// Published at QoS 2 by one of several devices that hold one Session in turn, each with Packet Identifiers of its own:
    /// the broker may have taken it for what another one had begun to send (§4.3.3).
    IdentifierInUse,
}

impl Excuse {
    /// Every excuse, by number.
    pub const ALL: [Self; 16] = [
        Self::SessionEnded,
        Self::LeftLate,
        Self::EndedUnasked,
        Self::ConnectionLost,
        Self::ConnectionLostLate,
        Self::OfflineAtEnd,
        Self::MemberLost,
        Self::MemberLostLate,
        Self::Expired,
        Self::OnLink,
        Self::ComingStill,
        Self::RunCut,
        Self::NotRead,
        Self::Unsubscribed,
        Self::UnsubscribedLate,
        Self::IdentifierInUse,
    ];

    /// Whether it is not known if the broker had the message still when it was excused so.
    pub const fn is_late(self) -> bool {
        match self {
            Self::ConnectionLostLate
            | Self::MemberLostLate
            | Self::LeftLate
            | Self::UnsubscribedLate => true,
            Self::SessionEnded
            | Self::EndedUnasked
            | Self::ConnectionLost
            | Self::OfflineAtEnd
            | Self::MemberLost
            | Self::Expired
            | Self::OnLink
            | Self::ComingStill
            | Self::RunCut
            | Self::NotRead
            | Self::Unsubscribed
            | Self::IdentifierInUse => false,
        }
    }

    /// In words, as reports and the run file name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SessionEnded => "session ended",
            Self::LeftLate => "recipient left long after it was sent",
            Self::EndedUnasked => "session ended by the broker though nothing asked for it",
            Self::ConnectionLost => "connection lost at QoS 0",
            Self::ConnectionLostLate => "connection lost at QoS 0 long after it was sent",
            Self::OfflineAtEnd => "offline at the end",
            Self::MemberLost => "member of the shared subscription lost",
            Self::MemberLostLate => "member of the shared subscription lost long after it was sent",
            Self::Expired => "message expired",
            Self::OnLink => "still on the simulated link at the end",
            Self::ComingStill => "could come still when the run ended",
            Self::RunCut => "run cut short",
            Self::NotRead => "recipient stopped from reading at QoS 0",
            Self::Unsubscribed => "recipient had unsubscribed",
            Self::UnsubscribedLate => "recipient had unsubscribed long after it was sent",
            Self::IdentifierInUse => {
                "packet identifier in use by another device of the session at QoS 2"
            }
        }
    }
}

/// The books of all groups.
#[derive(Clone, Debug)]
pub struct Books {
    publications: Vec<[Publications; 3]>,
    /// By group, QoS of the PUBLISH, QoS owed.
    tallies: Vec<[[Tally; 3]; 3]>,
}

/// A book that does not balance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Imbalance {
    /// Name of the book.
    pub book: String,
    /// Messages or deliveries that it does not explain.
    pub unexplained: u64,
}

/// Names one tally.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TallyKey {
    /// Group of the Session.
    pub group: GroupId,
    /// QoS of the PUBLISH.
    pub published: QoS,
    /// QoS owed: the lower of that and the QoS granted.
    pub owed: QoS,
}

impl Books {
    /// Empty books of that many groups.
    pub(crate) fn new(groups: usize) -> Self {
        Self {
            publications: vec![Default::default(); groups],
            tallies: vec![Default::default(); groups],
        }
    }

    /// Number of groups.
    pub(crate) fn groups(&self) -> u16 {
        u16::try_from(self.tallies.len()).expect("groups are counted in 16 bits")
    }

    /// What a group published at one QoS.
    pub fn publications(&self, group: GroupId, qos: QoS) -> &Publications {
        &self.publications[usize::from(group.0)][qos as usize]
    }

    pub(crate) fn publications_mut(&mut self, group: GroupId, qos: QoS) -> &mut Publications {
        &mut self.publications[usize::from(group.0)][qos as usize]
    }

    /// The tally of one group and pair of QoS.
    pub fn tally(&self, key: TallyKey) -> &Tally {
        &self.tallies[usize::from(key.group.0)][key.published as usize][key.owed as usize]
    }

    pub(crate) fn tally_mut(&mut self, key: TallyKey) -> &mut Tally {
        &mut self.tallies[usize::from(key.group.0)][key.published as usize][key.owed as usize]
    }

    /// Every book that does not balance: a fault of squall. `in_doubt` are the messages at QoS 1
    /// and 2 whose end is open.
    pub(crate) fn imbalances(&self, in_doubt: u64) -> Vec<Imbalance> {
        let mut imbalances = Vec::new();
        let mut open = 0_u64;
        for group in (0..self.groups()).map(GroupId) {
            for published in QOS {
                if published > QoS::AtMostOnce {
                    let book = self.publications(group, published);
                    let ended = book.acknowledged + book.refused + book.settled_early;
                    open = open.wrapping_add(book.sent.wrapping_sub(ended));
                }
                for owed in QOS {
                    let key = TallyKey {
                        group,
                        published,
                        owed,
                    };
                    let unexplained = self.tally(key).balance();
                    if unexplained > 0 {
                        imbalances.push(Imbalance {
                            book: format!(
                                "deliveries to group {}, published at QoS {}, owed at QoS {}",
                                group.0, published as u8, owed as u8
                            ),
                            unexplained,
                        });
                    }
                }
            }
        }
        if open != in_doubt {
            imbalances.push(Imbalance {
                book: "publications without an end".to_owned(),
                unexplained: open.abs_diff(in_doubt),
            });
        }
        imbalances
    }

    /// The sum of all tallies that `choose` takes.
    pub fn sum(&self, choose: impl Fn(TallyKey) -> bool) -> Tally {
        let mut sum = Tally::default();
        for group in 0..self.groups() {
            for published in QOS {
                for owed in QOS {
                    let key = TallyKey {
                        group: GroupId(group),
                        published,
                        owed,
                    };
                    if choose(key) {
                        sum.add(self.tally(key));
                    }
                }
            }
        }
        sum
    }
}

/// Every level, ascending.
pub(crate) const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

impl Tally {
    /// Pledges of *ok* messages: what was owed.
    pub fn expected(&self) -> u64 {
        // Books that do not balance are reported as such; until then they must not panic.
        self.pledged.saturating_sub(self.withdrawn)
    }

    /// Owed, not delivered, and allowed.
    pub fn excused_total(&self) -> u64 {
        self.excused.iter().sum()
    }

    /// A pledge is open at the end, and `short_by` later it could be told whether it is lost.
    pub(crate) fn could_come(&mut self, short_by: Duration) {
        self.excused[Excuse::ComingStill as usize] += 1;
        self.short_by = self.short_by.max(short_by);
    }

    /// Deliveries of this run's messages that were told apart.
    pub fn of_this_run(&self) -> u64 {
        self.received.saturating_sub(self.foreign + self.unstamped)
    }

    /// What the two invariants leave unexplained, both sides without sign; zero once the books
    /// are closed.
    pub fn balance(&self) -> u64 {
        let ended =
            self.delivered + self.lost + self.excused_total() + self.unknown + self.withdrawn;
        let seen = self.delivered
            + self.optional
            + self.duplicated
            + self.corrupted
            + self.misrouted
            + self.foreign
            + self.uncounted;
        self.pledged.abs_diff(ended) + self.received.abs_diff(seen)
    }

    fn add(&mut self, other: &Self) {
        self.pledged += other.pledged;
        self.delivered += other.delivered;
        self.lost += other.lost;
        for (sum, part) in self.excused.iter_mut().zip(other.excused) {
            *sum += part;
        }
        self.unknown += other.unknown;
        self.withdrawn += other.withdrawn;
        self.optional += other.optional;
        self.duplicated += other.duplicated;
        self.forbidden += other.forbidden;
        self.unrepeatable += other.unrepeatable;
        self.reordered += other.reordered;
        self.perhaps_reordered += other.perhaps_reordered;
        self.misrouted += other.misrouted;
        self.foreign += other.foreign;
        self.unclear += other.unclear;
        self.perhaps_cleared += other.perhaps_cleared;
        self.corrupted += other.corrupted;
        self.mislabelled += other.mislabelled;
        self.late += other.late;
        self.late_unasked += other.late_unasked;
        self.received += other.received;
        self.unstamped += other.unstamped;
        self.uncounted += other.uncounted;
        self.unjudged_lost.add_all(&other.unjudged_lost);
        self.counted_once += other.counted_once;
        self.unjudged_copies.add_all(&other.unjudged_copies);
        self.short_by = self.short_by.max(other.short_by);
    }
}
