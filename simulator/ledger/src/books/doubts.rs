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

    /// What is so of the messages, before a run and after it.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::NotAcknowledged => "are not acknowledged",
            Self::RunCut => "are of a run that was cut short",
            Self::BrokerFault => "meet a fault that has the broker away",
            Self::Mixed => {
                "go to topics that have messages with a stamp, of another QoS or with an expiry too"
            }
            Self::Disturbed => {
                "are for Sessions that have another connection, give a subscription up, or are not read for a while"
            }
            Self::Late => "are for Sessions that connect after the first of them is sent",
            Self::Away => "are for recipients that are away at the end",
            Self::Overlap => {
                "are asked for by several subscriptions of a Session, or by a shared one"
            }
            Self::Link => "cross a simulated link",
            Self::OtherClients => {
                "come from a broker that has other clients, which may publish the same"
            }
            Self::SentAgain => "have publishers that may send some again",
            Self::MayComeAgain => {
                "come at QoS 1 in MQTT 3.1.1, which lets the broker send them again"
            }
            Self::TooMany => "are for more Sessions and topics than are counted apart",
            Self::Hidden => "may be hidden by others that did not come or came too often",
        }
    }

    /// What has to change so that counts tell, beside a stamp; `None` if nothing in the scenario would do.
    pub(crate) const fn remedy(self) -> Option<&'static str> {
        match self {
            Self::BrokerFault => Some("leave the fault out"),
            Self::Mixed => {
                Some("publish to a topic at one QoS, without an expiry, and without a stamp only")
            }
            Self::Disturbed => Some(
                "let the recipients read, and keep their connections and subscriptions, to the end",
            ),
            Self::Late => Some("let the recipients connect before the first of them is sent"),
            Self::Away => Some("let the recipients be there at the end"),
            Self::Overlap => Some("let one subscription alone, that is not shared, ask for them"),
            Self::Link => Some("leave `network` out of the group that hears them"),
            Self::OtherClients => Some("take a broker that squall starts"),
            Self::SentAgain => Some("let their publishers keep their connections to the end"),
            Self::MayComeAgain => Some("let the group that hears them speak MQTT 5.0"),
            Self::TooMany => Some("publish to fewer topics, or to fewer recipients"),
            Self::NotAcknowledged | Self::RunCut | Self::Hidden => None,
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

    /// `40 are not acknowledged, 3 cross a simulated link`.
    pub(crate) fn told(&self) -> String {
        let told = self
            .there()
            .map(|(doubt, messages)| format!("{} {}", count_text(messages), doubt.text()));
        told.collect::<Vec<_>>().join(", ")
    }

    /// What would have to change for them to be told of, each followed by `; `; empty if nothing in the scenario would do.
    pub(crate) fn remedies(&self) -> String {
        let remedies = self.there().filter_map(|(doubt, _)| doubt.remedy());
        remedies.map(|remedy| format!("{remedy}; ")).collect()
    }

    fn there(&self) -> impl Iterator<Item = (Doubt, u64)> {
        let all = Doubt::ALL.into_iter().zip(self.0);
        all.filter(|(_, messages)| *messages > 0)
    }
}
