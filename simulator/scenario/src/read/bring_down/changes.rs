//! What was changed to bring a scenario down.

use indexmap::IndexMap;

/// Changes in the order in which they were made; one that was made in several places is told once.
#[derive(Default)]
pub(super) struct Changes {
    /// Places by what was done there.
    made: IndexMap<String, Vec<String>>,
}

impl Changes {
    /// Notes that `what` was done at `place`.
    pub(super) fn note(&mut self, place: &str, what: impl Into<String>) {
        let places = self.made.entry(what.into()).or_default();
        if !places.iter().any(|known| known == place) {
            places.push(place.to_owned());
        }
    }

    /// A sentence for each: `group a, group b: what was done`.
    pub(super) fn into_sentences(self) -> Vec<String> {
        let made = self.made.into_iter();
        made.map(|(what, places)| format!("{}: {what}", places.join(", ")))
            .collect()
    }
}
