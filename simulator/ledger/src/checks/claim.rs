//! The claims of one `[[expect]]` while they are judged.

use squall_run::{AllowedRange, AnomalyKind, ClaimOutcome, Explanation, Value, count_text};

use super::{Causes, Company};
use crate::books::{Anomalies, Scope};

/// The claims of one `[[expect]]`.
#[derive(Debug, Default)]
pub(super) struct Claims {
    outcomes: Vec<ClaimOutcome>,
    /// For each claim the kinds of anomalies that break it; none if it is not broken.
    broken: Vec<Vec<AnomalyKind>>,
    violations: u64,
    scope: Scope,
    /// Faults that an anomaly must come after; empty is any.
    faults: Vec<squall_scenario::FaultId>,
}

/// One claim, judged.
#[derive(Debug)]
pub(super) struct Judged {
    /// Its key.
    pub(super) key: String,
    /// What the file allows.
    pub(super) limit: Value,
    /// What was found; `None` if there was nothing to judge by.
    pub(super) actual: Option<Value>,
    /// How often it was broken.
    pub(super) violations: u64,
    /// Whether it held, if there was something to judge by.
    pub(super) holds: bool,
    /// Why there was nothing to judge by, if that is another reason than that nothing happened.
    pub(super) unjudged: Option<String>,
}

/// A claim that a word is true of everything that it could be true of.
#[derive(Debug)]
pub(super) struct Word {
    /// The key of the claim.
    pub(super) key: &'static str,
    /// The word.
    pub(super) word: &'static str,
    /// How often it was not true.
    pub(super) wrong: u64,
    /// Of how many.
    pub(super) of: u64,
    /// Why it cannot be judged, if something stands against that.
    pub(super) unjudged: Option<String>,
}

impl Judged {
    /// Whether what is printed as found says what the verdict says: a number that holds is not above
    /// its limit, and a word is the one that was asked for. What is found in another form than it was
    /// asked for says what is wrong.
    fn is_consistent(&self) -> bool {
        let says = match (&self.limit, &self.actual) {
            (_, None) => return true,
            (Value::Count(limit), Some(Value::Count(actual))) => actual <= limit,
            (Value::Seconds(limit), Some(Value::Seconds(actual))) => actual <= limit,
            (limit, Some(actual)) => limit == actual,
        };
        says == self.holds
    }
}

impl Claims {
    /// A list without claims.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Anomalies of this scope only belong to the check.
    pub(super) fn narrow(&mut self, scope: Scope) {
        self.scope = scope;
    }

    /// Anomalies after these faults only belong to the check, and those after none.
    pub(super) fn narrow_to_faults(&mut self, faults: &[squall_scenario::FaultId]) {
        self.faults = faults.to_vec();
    }

    /// Adds a claim; `kinds` are the anomalies that break it, or bring about what breaks it: at least one.
    pub(super) fn add(&mut self, judged: Judged, kinds: &[AnomalyKind]) {
        self.add_within(judged, None, kinds);
    }

    /// Adds a claim about a value in which chance plays a part: it may be anything in `range`.
    pub(super) fn add_within(
        &mut self,
        judged: Judged,
        range: Option<AllowedRange>,
        kinds: &[AnomalyKind],
    ) {
        let passed = judged.actual.is_some() && judged.holds;
        debug_assert!(!kinds.is_empty(), "no hold-up could explain it: {judged:?}");
        debug_assert!(
            range.is_some() || judged.is_consistent(),
            "what is printed says otherwise than the verdict: {judged:?}"
        );
        let mut broken = Vec::new();
        if !passed {
            self.violations += judged.violations;
            broken.extend(kinds);
        }
        self.broken.push(broken);
        self.outcomes.push(ClaimOutcome {
            key: judged.key,
            limit: judged.limit,
            actual: judged.actual,
            of: None,
            passed,
            range,
            unjudged: judged.unjudged,
            explained: None,
        });
    }

    /// Says why there was nothing to judge by, of each claim that has no other reason.
    pub(super) fn explain_unjudged(&mut self, why: &str) {
        let unjudged = self.outcomes.iter_mut();
        for outcome in unjudged.filter(|of| of.actual.is_none() && of.unjudged.is_none()) {
            outcome.unjudged = Some(why.to_owned());
        }
    }

    /// Says of each claim on one of `keys` that was judged what it was judged of, as [`Claims::judged_of`] does.
    pub(super) fn each_judged_of(&mut self, keys: &[&str], of: &str) {
        let outcomes = self.outcomes.iter_mut();
        for outcome in outcomes.filter(|it| it.actual.is_some() && keys.contains(&&*it.key)) {
            outcome.of = Some(of.to_owned());
        }
    }

    /// Says what the last claim was judged of, where that is less than what the check is narrowed to.
    pub(super) fn judged_of(&mut self, of: &str) {
        if let Some(outcome) = self.outcomes.last_mut() {
            outcome.of = Some(of.to_owned());
        }
    }

    /// Adds a claim that something happens at most so often, if it is made; `actual` is `None`
    /// without anything that it could have happened to.
    pub(super) fn add_at_most(
        &mut self,
        key: &str,
        limit: Option<u64>,
        actual: Option<u64>,
        kinds: &[AnomalyKind],
    ) {
        let Some(limit) = limit else {
            return;
        };
        let judged = Judged {
            key: key.to_owned(),
            limit: Value::Count(limit),
            actual: actual.map(Value::Count),
            violations: actual.unwrap_or(0),
            holds: actual.is_some_and(|actual| actual <= limit),
            unjudged: None,
        };
        self.add(judged, kinds);
    }

    /// Adds a claim that nothing breaks a rule; `violations` is `None` without anything that
    /// could have broken it.
    pub(super) fn add_rule(&mut self, key: &str, violations: Option<u64>, kinds: &[AnomalyKind]) {
        let holds = violations == Some(0);
        let judged = Judged {
            key: key.to_owned(),
            limit: Value::Flag(true),
            actual: violations.map(|_| Value::Flag(holds)),
            violations: violations.unwrap_or(0),
            holds,
            unjudged: None,
        };
        self.add(judged, kinds);
    }

    /// Adds a claim that a word is true.
    pub(super) fn add_word(&mut self, claimed: Word, kinds: &[AnomalyKind]) {
        let Word {
            key,
            word,
            wrong,
            of,
            unjudged,
        } = claimed;
        let actual = match wrong {
            0 => word.to_owned(),
            _ => format!("not in {} of {}", count_text(wrong), count_text(of)),
        };
        let judged = Judged {
            key: key.to_owned(),
            limit: Value::Text(word.to_owned()),
            actual: (of > 0 && unjudged.is_none()).then_some(Value::Text(actual)),
            violations: wrong,
            holds: wrong == 0,
            unjudged,
        };
        self.add(judged, kinds);
    }

    /// How often the broken claims were broken.
    pub(super) fn violations(&self) -> u64 {
        self.violations
    }

    /// Kinds of anomalies that break a broken claim.
    pub(super) fn broken_kinds(&self) -> impl Iterator<Item = AnomalyKind> + '_ {
        let mut kinds = self.broken.concat();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.into_iter()
    }

    /// Whether an anomaly of this scope belongs to the check.
    pub(super) fn concerns(&self, scope: Scope) -> bool {
        let is_within = |wanted: bool, known: bool| !wanted || known;
        is_within(self.scope.group.is_some(), scope.group == self.scope.group)
            // The end of a connection has no QoS, and may be behind what happened at each.
            && is_within(self.scope.qos.is_some(), scope.qos.is_none_or(|qos| Some(qos) == self.scope.qos))
            && is_within(
                self.scope.expectation.is_some(),
                scope.expectation == self.scope.expectation,
            )
            && (self.faults.is_empty()
                || scope.fault.is_none_or(|fault| self.faults.contains(&fault)))
    }

    /// Says of each broken claim what other than the broker may be the cause; `anomalies` are
    /// all that there were.
    pub(super) fn explain(&mut self, causes: Causes<'_>, anomalies: &Anomalies) {
        for place in 0..self.outcomes.len() {
            let outcome = &self.outcomes[place];
            if !outcome.passed && outcome.actual.is_some() {
                let kinds = &self.broken[place];
                let generator = causes.generator;
                let held_up = generator.explains(kinds, anomalies, |scope| self.concerns(scope));
                self.outcomes[place].explained = match held_up {
                    Some(held_up) => Some(Explanation::Generator(held_up)),
                    None => self.explained_by_others(place, causes.company, anomalies),
                };
            }
        }
    }

    /// Another client may have broken a claim that holds without what it may have brought about.
    fn explained_by_others(
        &self,
        place: usize,
        company: Company,
        anomalies: &Anomalies,
    ) -> Option<Explanation> {
        let kinds = self.broken[place].iter();
        let all = kinds.flat_map(|&kind| anomalies.beyond_others(kind));
        let beyond: u64 = all
            .filter(|&(scope, _)| self.concerns(scope))
            .map(|(_, count)| count)
            .sum();
        let allowed = match self.outcomes[place].limit {
            Value::Count(limit) => limit,
            Value::Seconds(_)
            | Value::Ratio(_)
            | Value::PerSecond(_)
            | Value::BitsPerSecond(_)
            | Value::Bytes(_)
            | Value::Cores(_)
            | Value::Flag(_)
            | Value::Text(_) => 0,
        };
        (company == Company::Disturbing && beyond <= allowed).then_some(Explanation::OtherClient)
    }

    /// The claims as the run file has them.
    pub(super) fn into_outcomes(self) -> Vec<ClaimOutcome> {
        self.outcomes
    }
}
