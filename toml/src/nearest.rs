//! The word that was meant: the nearest of those that would be right.

/// Longest text that is compared, in bytes: the names and words of a file are shorter, and the time
/// a comparison takes grows with the product of the lengths.
const COMPARED_BYTES_MAX: usize = 200;

/// Words of a list that an error shows in full. A longer list is cut to the nearest ones.
const SHOWN_IN_FULL_MAX: usize = 12;

/// Words that are left of a list that is cut.
const SHOWN_OF_MANY: usize = 5;

/// A text that had to be one of several words and is not.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The text as it was written.
    pub written: &'a str,
    /// The words of which it had to be one.
    pub known: &'a [String],
    /// Where a reader finds all of them, as `` `squall schema` ``.
    pub listed_in: &'static str,
    /// Words that other programs have for some of them, each with the one that is meant: the first of the known ones counts.
    pub meant: &'static [(&'static str, &'static str)],
}

impl Choice<'_> {
    /// The word that was probably meant, if one has this meaning elsewhere or is near.
    pub fn nearest(&self) -> Option<String> {
        let is_known = |word: &str| self.known.iter().any(|known| known == word);
        let mut meant = self.meant.iter();
        let meant = meant.find(|(other, word)| *other == self.written && is_known(word));
        match meant {
            Some((_, word)) => Some((*word).to_owned()),
            None => nearest(self.written, self.known),
        }
    }

    /// The words to choose from, as an error lists them; `None` if there are none. Of a long list the
    /// nearest are shown, with the number of the others and where to find them.
    pub fn listed(&self) -> Option<String> {
        match self.known {
            [] => None,
            [only] => Some(only.clone()),
            few if few.len() <= SHOWN_IN_FULL_MAX => Some(format!("one of {}", few.join(", "))),
            many => {
                let mut by_distance: Vec<(usize, &String)> = many
                    .iter()
                    .map(|word| (distance(self.written, word).unwrap_or(usize::MAX), word))
                    .collect();
                by_distance.sort_by_key(|&(distance, _)| distance);
                let shown: Vec<&str> = by_distance
                    .iter()
                    .take(SHOWN_OF_MANY)
                    .map(|&(_, word)| word.as_str())
                    .collect();
                Some(format!(
                    "one of {} and {} more ({} lists them all)",
                    shown.join(", "),
                    many.len() - SHOWN_OF_MANY,
                    self.listed_in
                ))
            }
        }
    }
}

/// The candidate that is nearest to `written`, if one is near: at most one slip in three
/// characters, where two characters that changed places are one slip.
pub fn nearest(written: &str, candidates: &[impl AsRef<str>]) -> Option<String> {
    candidates
        .iter()
        .map(AsRef::as_ref)
        .filter_map(|candidate| {
            let distance = distance(written, candidate)?;
            let length = candidate.chars().count().max(written.chars().count());
            let is_near = distance <= (length / 3).max(1) && distance < length;
            is_near.then_some((distance, candidate))
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// Slips between the two texts, capitals aside; `None` if one is too long to be compared.
fn distance(written: &str, candidate: &str) -> Option<usize> {
    let is_short = |text: &str| text.len() <= COMPARED_BYTES_MAX;
    (is_short(written) && is_short(candidate))
        .then(|| strsim::damerau_levenshtein(&written.to_lowercase(), &candidate.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggestion_is_near_or_not_made() {
        let known = ["count", "client_id", "rate"];

        assert_eq!(nearest("conut", &known), Some("count".to_owned()));
        assert_eq!(nearest("clientid", &known), Some("client_id".to_owned()));
        assert_eq!(nearest("Rate", &known), Some("rate".to_owned()));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("x", &known), None);
    }

    /// A key of a megabyte is not compared: the time would grow with its length.
    #[test]
    fn a_text_of_any_length_is_answered_at_once() {
        let written = "a".repeat(1_000_000);

        assert_eq!(nearest(&written, &[written.as_str()]), None);
    }

    fn choice<'a>(written: &'a str, known: &'a [String]) -> Choice<'a> {
        Choice {
            written,
            known,
            listed_in: "`squall schema`",
            meant: &[("label", "name"), ("title", "count"), ("title", "name")],
        }
    }

    #[test]
    fn a_short_list_is_shown_in_its_order() {
        let known = ["zebra", "ape"].map(str::to_owned);

        let listed = choice("ap", &known).listed();

        assert_eq!(listed.as_deref(), Some("one of zebra, ape"));
        assert_eq!(choice("ap", &known[..1]).listed().as_deref(), Some("zebra"));
        assert_eq!(choice("ap", &[]).listed(), None);
    }

    #[test]
    fn a_long_list_is_cut_to_the_nearest_words() {
        let mut known: Vec<String> = (0..20).map(|n| format!("something-else-{n}")).collect();
        known.push("count".to_owned());

        let listed = choice("conut", &known).listed().unwrap();

        assert!(
            listed.starts_with("one of count, something-else-"),
            "{listed}"
        );
        assert!(
            listed.ends_with(" and 16 more (`squall schema` lists them all)"),
            "{listed}"
        );
    }

    /// A word of another program is answered with the one that is meant, if the list has it.
    #[test]
    fn a_word_of_another_program_is_answered_with_the_one_that_is_meant() {
        let known = ["name", "rate"].map(str::to_owned);

        for written in ["label", "title", "nmae"] {
            let suggestion = choice(written, &known).nearest();
            assert_eq!(suggestion.as_deref(), Some("name"), "{written}");
        }
        assert_eq!(choice("label", &known[1..]).nearest(), None);
    }
}
