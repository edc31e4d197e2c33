//! Who saw the will of one end, and how often.
//!
//! Of 1,000 devices that 9,000 others watch, each end is seen by 9,000. Nearly all of them see one will, on the
//! connection that they had when the connection ended, and had to see it: for such a watcher a bit is kept. What is
//! otherwise, or becomes so by a second copy, is kept whole.

use std::collections::HashMap;

use squall_fleet::SocketId;
use squall_scenario::ClientKey;

use crate::books::topics::Recipient;

/// What each recipient saw of the will of one end that saw anything.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// A bit for each Session that is not in `whole`, in words: it had to see the will, and one copy came, on the only
    /// connection that it has had since the end.
    plain: Vec<u64>,
    whole: HashMap<Recipient, Seen>,
}

/// How often one recipient saw the will of one end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Whether it certainly asked for the will when the connection ended.
    pub(super) is_certain: bool,
    /// Copies that came.
    pub(super) count: u32,
    /// Copies that one will may bring, by overlapping subscriptions.
    pub(super) allowed: u32,
    /// The connection that the last one came on; `None` if it is another than that of the next.
    pub(super) socket: Option<SocketId>,
}

impl Seen {
    /// One will, on a connection, that had to come.
    fn plain(socket: Option<SocketId>) -> Self {
        Self {
            is_certain: true,
            count: 1,
            allowed: 1,
            socket,
        }
    }

    /// How often the will was seen, allowed copies of one will taken for one.
    pub(super) fn times(&self) -> u32 {
        1 + self.count.saturating_sub(self.allowed)
    }
}

impl Sightings {
    /// What they take of the memory: words, and sightings that are kept whole.
    pub(super) fn weight(&self) -> usize {
        self.plain.len() + self.whole.len()
    }

    /// Whether none saw the will.
    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.plain_count() == 0
    }

    /// Whether a recipient saw the will.
    pub(super) fn contains(&self, recipient: Recipient) -> bool {
        self.is_plain(recipient) || self.whole.contains_key(&recipient)
    }

    /// Whether a recipient saw the will as often as it may, one of which brings `copies`.
    pub(super) fn is_enough(&self, recipient: Recipient, copies: u32) -> bool {
        let seen = self.whole.get(&recipient).copied();
        let seen = seen.or(self.is_plain(recipient).then(|| Seen::plain(None)));
        seen.is_some_and(|seen| seen.count >= seen.allowed.max(copies))
    }

    /// A Session that had to see the will saw it, on the only connection that it has had since the end.
    pub(super) fn note_plain(&mut self, client: ClientKey) {
        let (word, bit) = place_of(client);
        if self.plain.len() <= word {
            self.plain.resize(word + 1, 0);
        }
        self.plain[word] |= bit;
    }

    /// What a recipient saw, to be kept whole from now on; `otherwise` if it saw nothing. `socket` is that on which it
    /// saw it, if it was kept as a bit.
    pub(super) fn whole_mut(
        &mut self,
        recipient: Recipient,
        socket: Option<SocketId>,
        otherwise: Seen,
    ) -> &mut Seen {
        let before = self.take_plain(recipient).then(|| Seen::plain(socket));
        let entry = self.whole.entry(recipient);
        entry.or_insert_with(|| before.unwrap_or(otherwise))
    }

    /// Those that are kept whole.
    pub(super) fn whole(&self) -> impl Iterator<Item = (Recipient, Seen)> + '_ {
        self.whole
            .iter()
            .map(|(&recipient, &seen)| (recipient, seen))
    }

    /// Sessions that had to see the will and saw it once, apart from those that are kept whole.
    pub(super) fn plain(&self) -> impl Iterator<Item = ClientKey> + '_ {
        let words = (0_u32..).zip(&self.plain);
        words.flat_map(|(number, &word)| {
            let bits = (0..u64::BITS).filter(move |bit| word >> bit & 1 == 1);
            bits.map(move |bit| ClientKey(number * u64::BITS + bit))
        })
    }

    /// How many [`Self::plain`] has.
    pub(super) fn plain_count(&self) -> u64 {
        let ones = self.plain.iter().map(|word| u64::from(word.count_ones()));
        ones.sum()
    }

    fn is_plain(&self, recipient: Recipient) -> bool {
        let Recipient::Session(client) = recipient else {
            return false;
        };
        let (word, bit) = place_of(client);
        self.plain.get(word).is_some_and(|word| word & bit != 0)
    }

    fn take_plain(&mut self, recipient: Recipient) -> bool {
        let was_plain = self.is_plain(recipient);
        if let Recipient::Session(client) = recipient
            && was_plain
        {
            let (word, bit) = place_of(client);
            self.plain[word] &= !bit;
        }
        was_plain
    }
}

/// The word of a Session's bit, and the bit.
fn place_of(client: ClientKey) -> (usize, u64) {
    let word = (client.0 / u64::BITS) as usize;
    (word, 1 << (client.0 % u64::BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u32) -> Recipient {
        Recipient::Session(ClientKey(number))
    }

    /// 9,000 watchers that saw one will each take 141 words; one that sees it again is kept whole.
    #[test]
    fn a_plain_sighting_is_a_bit() {
        let mut sightings = Sightings::default();
        for client in 0..9_000 {
            sightings.note_plain(ClientKey(client));
        }
        assert_eq!((sightings.weight(), sightings.plain_count()), (141, 9_000));

        let seen = sightings.whole_mut(session(70), None, Seen::plain(None));
        seen.count += 1;

        assert_eq!((sightings.weight(), sightings.plain_count()), (142, 8_999));
        assert!(sightings.contains(session(70)) && sightings.contains(session(71)));
        assert!(!sightings.contains(session(9_000)));
        assert!(sightings.plain().all(|client| client != ClientKey(70)));
        let (_, seen) = sightings.whole().next().expect("there is one");
        assert_eq!((seen.count, seen.times()), (2, 2));
    }
}
