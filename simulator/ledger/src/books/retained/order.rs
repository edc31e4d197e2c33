//! What one topic has retained: messages and wills in one order of time, as far as that is known.
//!
//! A device that announces itself and whose will says that it is gone has both on one topic. What came
//! later counts; a value is overwritten by another that surely came, and surely came after it.

use squall_fleet::SocketId;
use squall_protocol::{Instant, QoS};

use super::published::{Candidate, Published};
use super::wills::{WillCandidate, Wills};
use super::{Allowed, Value, Values};

/// A message or a will that the broker may have retained.
#[derive(Clone, Copy, Debug)]
struct Step {
    value: Value,
    kind: Kind,
    /// The connection that it came on, or whose end it follows.
    socket: SocketId,
    /// When it came at the earliest.
    from: Instant,
    /// When it had come at the latest; `None` if that is not known.
    by: Option<Instant>,
    /// Whether it came at all.
    is_certain: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// A message that is never sent again.
    QosZero,
    /// A message that may be sent again on another connection.
    Acknowledged,
    Will,
}

/// What a topic may have at `at`, when a checker looked.
pub(super) fn values(published: Option<&Published>, wills: Option<&Wills>, at: Instant) -> Values {
    let has_expiring = published.is_some_and(|row| row.has_expiring);
    let published = published.map_or(Some(Vec::new()), Published::candidates);
    let wills = wills.map_or(Some(&[][..]), Wills::candidates);
    let (Some(published), Some(wills)) = (published, wills) else {
        return Values::Unknown;
    };
    let steps: Vec<Step> = published
        .iter()
        .map(Step::of_message)
        .chain(wills.iter().map(Step::of_will))
        .collect();
    let mut last = left_by(&steps, |step| step.is_certain);
    if has_expiring {
        last.push(None);
    }
    // A will that the broker need not have published yet has overwritten nothing so far.
    let so_far = left_by(&steps, |step| {
        step.is_certain && (step.kind != Kind::Will || step.by <= Some(at))
    });
    let not_yet = so_far
        .into_iter()
        .filter(|value| !last.contains(value))
        .collect();
    Values::OneOf(Allowed { last, not_yet })
}

/// The values that are left if the steps that `has_come` takes have come, and others may have.
fn left_by(steps: &[Step], has_come: impl Fn(&Step) -> bool) -> Vec<Value> {
    let come: Vec<&Step> = steps.iter().filter(|step| has_come(step)).collect();
    let mut values: Vec<Value> = steps
        .iter()
        .filter(|step| !come.iter().any(|later| later.is_surely_after(step)))
        .map(|step| step.value)
        .collect();
    if come.is_empty() {
        values.push(None);
    }
    values
}

impl Step {
    fn of_message(message: &Candidate) -> Self {
        Self {
            value: message.value,
            kind: match message.qos {
                QoS::AtMostOnce => Kind::QosZero,
                QoS::AtLeastOnce | QoS::ExactlyOnce => Kind::Acknowledged,
            },
            socket: message.socket,
            from: message.sent_at,
            by: message.acknowledged_at,
            is_certain: message.is_certain,
        }
    }

    fn of_will(will: &WillCandidate) -> Self {
        Self {
            value: will.value,
            kind: Kind::Will,
            socket: will.socket,
            from: will.at,
            by: Some(will.noticed_by),
            is_certain: will.is_certain,
        }
    }

    /// Whether it came after `other`, which it then overwrote. The order of messages among themselves
    /// is known already.
    fn is_surely_after(&self, other: &Self) -> bool {
        if self.kind != Kind::Will && other.kind != Kind::Will {
            return false;
        }
        // What was sent on a connection came before its will, unless it was sent again on another.
        let was_on_it =
            self.kind == Kind::Will && other.kind == Kind::QosZero && other.socket == self.socket;
        was_on_it || other.by.is_some_and(|by| by <= self.from)
    }
}
