//! What a SUBSCRIBE brings of what is retained.

use squall_protocol::packet::RetainHandling;

/// What a SUBSCRIBE brings of what is retained (§3.3.1.3).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Brings {
    /// Nothing [MQTT-3.3.1-10], [MQTT-3.3.1-11].
    Nothing,
    /// Everything, if the subscription is new, and whether it is cannot be known.
    Perhaps,
    /// Everything [MQTT-3.3.1-9], [MQTT-3.3.1-10].
    Everything,
}

/// What the first SUBSCRIBE for a filter brings; `resumes` is whether the Session may be of an earlier run.
pub(crate) fn brings_first(handling: RetainHandling, resumes: Resumes) -> Brings {
    match (handling, resumes) {
        (RetainHandling::DoNotSend, _) => Brings::Nothing,
        (RetainHandling::SendIfNew, Resumes::EarlierRun) => Brings::Perhaps,
        (RetainHandling::SendIfNew, Resumes::Nothing) | (RetainHandling::SendAtSubscribe, _) => {
            Brings::Everything
        }
    }
}

/// Whether a Session may have had subscriptions before the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Resumes {
    /// It may be one of an earlier run.
    EarlierRun,
    /// It is of this run.
    Nothing,
}
