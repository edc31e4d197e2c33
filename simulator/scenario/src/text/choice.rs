//! The word that was meant: the nearest of those that would be right.

/// A word that is none of those that it had to be one of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<'a> {
    pub(crate) written: &'a str,
    pub(crate) known: &'a [String],
}

impl<'a> Choice<'a> {
    /// `written`, where one of `known` had to be.
    pub(crate) fn new(written: &'a str, known: &'a [String]) -> Self {
        Self { written, known }
    }
}

/// The candidate that is nearest to `written`, if any is near: at most one error in three
/// characters, a swap counting as one.
pub(crate) fn nearest(written: &str, candidates: &[impl AsRef<str>]) -> Option<String> {
    let written = written.to_lowercase();
    candidates
        .iter()
        .map(AsRef::as_ref)
        .map(|candidate| (strsim::damerau_levenshtein(&written, candidate), candidate))
        .filter(|&(distance, candidate)| {
            let length = candidate.chars().count().max(written.chars().count());
            distance <= (length / 3).max(1) && distance < length
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate.to_owned())
}
