//! What a sweep judged, not only what it ran: a generator whose scenarios lose most of their claims shows nothing.

use std::collections::BTreeMap;

use crate::trial::Fate;

/// The claims of many trials.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    claims: BTreeMap<String, Counts>,
}

/// How often one claim was made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// There was something to judge it by.
    pub(crate) held: u32,
    /// Nothing happened that it is about.
    pub(crate) idle: u32,
    /// It could not be judged.
    pub(crate) unjudged: u32,
}

impl Coverage {
    /// Counts the claims of a trial.
    pub(crate) fn add(&mut self, fates: &[(String, Fate)]) {
        for (claim, fate) in fates {
            let counts = self.claims.entry(claim.clone()).or_default();
            match fate {
                Fate::Held => counts.held += 1,
                Fate::Idle => counts.idle += 1,
                Fate::Unjudged => counts.unjudged += 1,
            }
        }
    }

    /// Claims that were judged less often than `least` times.
    pub(crate) fn judged_less_often_than(&self, least: u32) -> Vec<(&str, Counts)> {
        let claims = self.claims.iter();
        let few = claims.filter(|(_, counts)| counts.held < least);
        few.map(|(claim, &counts)| (claim.as_str(), counts))
            .collect()
    }

    /// All claims together.
    pub(crate) fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.claims.values() {
            total.held += counts.held;
            total.idle += counts.idle;
            total.unjudged += counts.unjudged;
        }
        total
    }
}
