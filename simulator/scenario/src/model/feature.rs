//! What a broker may lack, and what of a scenario needs it.

use squall_protocol::QoS;

use crate::{Group, ReconnectWhen};

/// Something that a broker may not have.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Feature {
    /// Quality of Service 2 (§4.3.3).
    Qos2,
    /// Messages that are retained (§3.3.1.3).
    Retained,
    /// Retained messages for a Topic Filter with wildcards (§3.3.1.3).
    RetainedWildcards,
    /// Last Wills (§3.1.2.5).
    Wills,
    /// Sessions that outlive their connections (§4.1).
    PersistentSessions,
    /// Shared Subscriptions (§4.8.2).
    SharedSubscriptions,
    /// Wills that wait (§3.1.3.2.2).
    WillDelay,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Qos2,
        Self::Retained,
        Self::RetainedWildcards,
        Self::Wills,
        Self::PersistentSessions,
        Self::SharedSubscriptions,
        Self::WillDelay,
    ];

    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qos2 => "qos2",
            Self::Retained => "retained",
            Self::RetainedWildcards => "retained_wildcards",
            Self::Wills => "wills",
            Self::PersistentSessions => "persistent_sessions",
            Self::SharedSubscriptions => "shared_subscriptions",
            Self::WillDelay => "will_delay",
        }
    }

    /// What it is called in a sentence.
    pub const fn in_sentence(self) -> &'static str {
        match self {
            Self::Qos2 => "QoS 2",
            Self::Retained => "retained messages",
            Self::RetainedWildcards => "retained messages for filters with wildcards",
            Self::Wills => "Last Wills",
            Self::PersistentSessions => "Sessions that outlive their connections",
            Self::SharedSubscriptions => "shared subscriptions",
            Self::WillDelay => "a Will Delay Interval",
        }
    }

    /// Whether the devices of `group` cannot do what they are to do without it.
    pub fn is_needed_by(self, group: &Group) -> bool {
        let mut subscribes = group.subscribes.iter();
        let will = group.will.as_ref();
        match self {
            Self::Qos2 => {
                group.publishes_at(QoS::ExactlyOnce)
                    || will.is_some_and(|will| will.qos == QoS::ExactlyOnce)
                    || subscribes.any(|s| s.options.qos == QoS::ExactlyOnce)
            }
            Self::Retained => group.publishes_retained() || will.is_some_and(|will| will.retain),
            // That depends on what other groups publish: it is found where the scenario is brought down.
            Self::RetainedWildcards => false,
            Self::Wills => will.is_some(),
            Self::PersistentSessions => {
                group.keeps_what_is_under_way() && group.reconnect.when != ReconnectWhen::Never
            }
            Self::SharedSubscriptions => {
                subscribes.any(|s| s.filter.source().starts_with("$share/"))
            }
            Self::WillDelay => will.is_some_and(|will| will.delay_interval > 0),
        }
    }
}
