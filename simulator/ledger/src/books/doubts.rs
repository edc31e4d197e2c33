//! Why counts of messages without a stamp do not tell what the broker did with them.

use squall_run::count_text;

/// Why a count proves nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Doubt {
    /// The broker did not acknowledge them all.
    NotAcknowledged,
    /// The run was cut short.
    RunCut,
    /// A fault had the broker's process end, or stand still.
    BrokerFault,
    /// Other messages went to the topic: with a stamp, of another QoS, or with an expiry.
    Mixed,
    /// The Session had another connection, gave a subscription up, or was not read.
    Disturbed,
    /// The Session was connected after the first of them was sent.
    Late,
    /// The recipient is not connected at the end.
    Away,
    /// Several subscriptions of the Session, or a shared one, ask for them.
    Overlap,
    /// A simulated link is on the way.
    Link,
    /// The broker has other clients, which may publish the same.
    OtherClients,
    /// The publisher may have sent some again.
    SentAgain,
    /// MQTT 3.1.1 lets the broker send them again.
    MayComeAgain,
    /// More Sessions have more topics than are counted apart.
    TooMany,
    /// Others are missing, or came too often, which hides these.
    Hidden,
}

impl Doubt {
    /// Every reason, by number.
    const ALL: [Self; 14] = [
        Self::NotAcknowledged,
        Self::RunCut,
        Self::BrokerFault,
        Self::Mixed,
        Self::Disturbed,
        Self::Late,
        Self::Away,
        Self::Overlap,
        Self::Link,
        Self::OtherClients,
        Self::SentAgain,
        Self::MayComeAgain,
        Self::TooMany,
        Self::Hidden,
    ];

    const fn text(self) -> &'static str {
        match self {
            Self::NotAcknowledged => "were not acknowledged",
            Self::RunCut => "were sent in a run that was cut short",
            Self::BrokerFault => "met a fault that had the broker away",
            Self::Mixed => {
                "went to topics that have messages with a stamp, of another QoS or with an expiry too"
            }
            Self::Disturbed => {
                "were for Sessions that had another connection, gave a subscription up, or were not read for a while"
            }
            Self::Late => "were for Sessions that connected after the first of them was sent",
            Self::Away => "were for recipients that are away at the end",
            Self::Overlap => {
                "are asked for by several subscriptions of a Session, or by a shared one"
            }
            Self::Link => "crossed a simulated link",
            Self::OtherClients => {
                "came from a broker that has other clients, which may publish the same"
            }
            Self::SentAgain => "have publishers that may have sent some again",
            Self::MayComeAgain => {
                "came at QoS 1 in MQTT 3.1.1, which lets the broker send them again"
            }
            Self::TooMany => "are for more Sessions and topics than are counted apart",
            Self::Hidden => "may be hidden by others that did not come or came too often",
        }
    }
}

/// How many messages counts do not tell of, by the first reason that applies.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Doubts([u64; Doubt::ALL.len()]);

impl Doubts {
    pub(crate) fn add(&mut self, doubt: Doubt, messages: u64) {
        self.0[doubt as usize] += messages;
    }

    pub(crate) fn add_all(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    /// All messages.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// `40 were not acknowledged, 3 crossed a simulated link`.
    pub(crate) fn told(&self) -> String {
        let reasons = Doubt::ALL.into_iter().zip(self.0);
        let told = reasons
            .filter(|(_, messages)| *messages > 0)
            .map(|(doubt, messages)| format!("{} {}", count_text(messages), doubt.text()));
        told.collect::<Vec<_>>().join(", ")
    }
}
