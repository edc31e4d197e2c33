//! A verdict as every output tells it: what decides, then what may follow from it, then what does not
//! touch it.

use crate::{FaultOccurrence, Outcome, Reason, Run, Verdict};

/// What a reason counts for beside the others of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It makes the verdict.
    Decides,
    /// It may follow from the broker's end, which decides.
    Follows,
    /// It leaves standing what is broken.
    Beside,
    /// It is seen, and proves nothing in this run.
    ProvesNothing,
}

impl Weight {
    /// All of them, in the order in which they are told.
    const ALL: [Self; 4] = [
        Self::Decides,
        Self::Follows,
        Self::Beside,
        Self::ProvesNothing,
    ];

    /// The line above what has this weight; `None` above what decides.
    pub const fn heading(self) -> Option<&'static str> {
        match self {
            Self::Decides => None,
            Self::Follows => Some("What may follow from the broker's end"),
            Self::Beside => Some("Beside it; this does not touch what is broken above"),
            Self::ProvesNothing => Some("Seen as well; it proves nothing in this run"),
        }
    }
}

/// Lines of one weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What they count for.
    pub weight: Weight,
    /// At least one.
    pub lines: Vec<Line>,
}

/// A reason, or what a run says beside its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is, in a word or two.
    pub label: &'static str,
    /// The sentence.
    pub text: String,
}

impl Verdict {
    /// Whether the broker ended by itself or stopped answering.
    pub fn is_about_a_broker_that_ended(&self) -> bool {
        self.reasons.iter().any(Reason::is_broker_ended)
    }

    fn weight(&self, reason: &Reason) -> Weight {
        let fails = self.outcome == Outcome::Fail;
        let has_ended = self.is_about_a_broker_that_ended();
        match reason {
            Reason::Unanswered(_) | Reason::Incomplete(_) if has_ended => Weight::Follows,
            Reason::Unreachable(_)
            | Reason::BrokerEnded(_)
            | Reason::Invariant(_)
            | Reason::Unanswered(_) => Weight::Decides,
            Reason::Consequence(_) => Weight::Follows,
            Reason::Threshold(_) if fails && !self.reasons.iter().any(is_mistrust) => {
                Weight::Decides
            }
            Reason::Threshold(_) => Weight::ProvesNothing,
            Reason::Disturbed(_)
            | Reason::Invalid(_)
            | Reason::Incomplete(_)
            | Reason::Unjudged(_) => match fails {
                true => Weight::Beside,
                false => Weight::Decides,
            },
        }
    }
}

/// In a run that cannot be trusted a number proves nothing.
fn is_mistrust(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Disturbed(_) | Reason::Invalid(_) | Reason::Incomplete(_)
    )
}

impl Run {
    /// Why the run did not pass, by weight, gravest first. What kept devices out, and what connections
    /// and messages came to, is among it where the broker's end explains it.
    pub fn told(&self) -> Vec<Part> {
        let verdict = &self.verdict;
        let of = |weight: Weight| {
            let reasons = verdict.reasons.iter();
            let reasons = reasons.filter(move |reason| verdict.weight(reason) == weight);
            let lines = reasons.map(|reason| Line {
                label: reason.label(),
                text: reason.text().to_owned(),
            });
            let mut lines: Vec<Line> = lines.collect();
            if weight == Weight::Follows {
                lines.extend(self.consequences());
            }
            lines
        };
        Weight::ALL
            .into_iter()
            .map(|weight| Part {
                weight,
                lines: of(weight),
            })
            .filter(|part| !part.lines.is_empty())
            .collect()
    }

    /// What no reason says and the broker's end may have brought about; nothing if it did not end.
    fn consequences(&self) -> Vec<Line> {
        if !self.verdict.is_about_a_broker_that_ended() {
            return Vec::new();
        }
        let refusals = self.measured.connections.refusals.iter();
        let refusals = refusals.map(|refusal| Line {
            label: "refused",
            text: refusal.to_string(),
        });
        // Reasons may say the same group by group.
        let mut reasons = self.verdict.reasons.iter();
        let effects = match reasons.any(|reason| matches!(reason, Reason::Incomplete(_))) {
            true => Vec::new(),
            false => self.measured.unexplained(),
        };
        let effects = effects.into_iter().map(|text| Line {
            label: "note",
            text,
        });
        refusals.chain(effects).collect()
    }

    /// What must be known beside the outcome, whatever it is. Sentences, each with a full stop; empty if
    /// there is nothing to say.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = if self.verdict.is_about_a_broker_that_ended() {
            Vec::new()
        } else {
            self.measured.unexplained()
        };
        notes.extend(self.measured.notes());
        notes.extend(self.keeps_nothing());
        let changes = self.target.changes.len();
        if changes > 0 {
            notes.push(format!(
                "The scenario was brought down to what the target has, by {changes} changes, which the run card lists."
            ));
        }
        notes
    }

    /// That what the broker forgot is a matter of how it was set up, if a fault ended its process.
    fn keeps_nothing(&self) -> Option<String> {
        let mut faults = self.measured.faults.iter();
        if !faults.any(FaultOccurrence::ends_process) {
            return None;
        }
        let remark = self.target.keeps?.remark(self.target.name.as_deref())?;
        Some(format!("{}{}.", remark[..1].to_uppercase(), &remark[1..]))
    }

    /// What kept devices out, a sentence each, where neither a reason nor the broker's end says it.
    pub fn refusals(&self) -> Vec<String> {
        let reasons = &self.verdict.reasons;
        let is_told =
            |reason: &Reason| matches!(reason, Reason::Unreachable(_) | Reason::BrokerEnded(_));
        if reasons.iter().any(is_told) {
            return Vec::new();
        }
        let refusals = self.measured.connections.refusals.iter();
        refusals.map(ToString::to_string).collect()
    }
}
