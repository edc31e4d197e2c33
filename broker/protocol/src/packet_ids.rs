//! The Packet Identifiers that one side of a Session has in use, and what each stands for.
//!
//! Identifiers are given in a circle, 1 to 65,535 and again, and what is in use is kept in the
//! order in which it was given out. So a lookup is a subtraction: the entry of an identifier is as
//! far from the front of the ring as the identifier is from the front's. What is removed from the
//! middle leaves a gap, which goes away with the front, or all gaps at once when they are the
//! majority; then a lookup is a binary search. When the circle comes round to an entry that is
//! still in use, that entry moves from the ring to the stragglers, so one exchange that a peer
//! never finishes does not hold back the rest.
//!
//! Invariants: ring identifiers ascend, counted from the front's; neither end of the ring is a gap;
//! every straggler is older than everything in the ring; no identifier is in use twice.

use std::collections::{BTreeMap, VecDeque};

use crate::PacketId;

/// How many identifiers there are: 1 to 65,535.
const CIRCLE: usize = 65_535;
/// A ring shorter than this, in entries, is never swept for gaps.
const SWEEP_ENTRIES_MIN: usize = 32;
/// An empty ring with room for more entries than this gives its memory back.
const KEPT_ENTRIES_MAX: usize = 8;

/// Identifiers in use, each with a value, in the order in which they were given out.
///
/// An empty one owns no heap memory until the first identifier is given out.
#[derive(Clone, Debug)]
pub(crate) struct PacketIds<T> {
    ring: VecDeque<Entry<T>>,
    /// Gaps in `ring`.
    gaps: u32,
    /// The identifier given out last, or 0.
    last: u16,
    /// Boxed because hardly any Session ever has one.
    stragglers: Option<Box<Stragglers<T>>>,
}

#[derive(Clone, Debug)]
struct Entry<T> {
    id: PacketId,
    /// `None` is a gap.
    value: Option<T>,
}

/// Entries that the circle has overtaken.
#[derive(Clone, Debug)]
struct Stragglers<T> {
    /// How many there were: the age of the next one.
    count: u64,
    by_id: BTreeMap<PacketId, Straggler<T>>,
}

#[derive(Clone, Debug)]
struct Straggler<T> {
    /// Ascends in the order of `PacketIds`.
    age: u64,
    value: T,
}

impl<T> Default for PacketIds<T> {
    fn default() -> Self {
        Self {
            ring: VecDeque::new(),
            gaps: 0,
            last: 0,
            stragglers: None,
        }
    }
}

impl<T> PacketIds<T> {
    /// How many identifiers are in use, 0 to 65,535.
    pub(crate) fn len(&self) -> usize {
        let stragglers = self.stragglers.as_ref().map_or(0, |s| s.by_id.len());
        self.ring.len() - self.gaps as usize + stragglers
    }

    /// Whether none is in use.
    pub(crate) fn is_empty(&self) -> bool {
        self.ring.is_empty() && self.stragglers.is_none()
    }

    /// Whether all 65,535 are in use.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.len() >= CIRCLE
    }

    /// Gives `value` an identifier that is not in use [MQTT-2.2.1-3].
    ///
    /// # Panics
    ///
    /// If all identifiers are in use: ask [`Self::is_exhausted`] first.
    pub(crate) fn insert(&mut self, value: T) -> PacketId {
        assert!(!self.is_exhausted(), "all packet identifiers are in use");
        let mut id = following(self.last);
        loop {
            if self.ring.front().is_some_and(|front| front.id == id) {
                self.move_front_to_stragglers();
            }
            if !self.is_straggler(id) {
                break;
            }
            id = following(id.get());
        }
        self.push(id, value);
        id
    }

    /// The value of an identifier in use.
    pub(crate) fn get(&self, id: PacketId) -> Option<&T> {
        if let Some(index) = self.index_in_ring(id)
            && let Some(value) = &self.ring[index].value
        {
            return Some(value);
        }
        let straggler = self.stragglers.as_ref()?.by_id.get(&id)?;
        Some(&straggler.value)
    }

    /// The value of an identifier in use, to change.
    pub(crate) fn get_mut(&mut self, id: PacketId) -> Option<&mut T> {
        if let Some(index) = self.index_in_ring(id)
            && self.ring[index].value.is_some()
        {
            return self.ring[index].value.as_mut();
        }
        let straggler = self.stragglers.as_mut()?.by_id.get_mut(&id)?;
        Some(&mut straggler.value)
    }

    /// Ends the use of an identifier and returns its value.
    pub(crate) fn remove(&mut self, id: PacketId) -> Option<T> {
        if let Some(index) = self.index_in_ring(id)
            && let Some(value) = self.ring[index].value.take()
        {
            self.gaps += 1;
            self.trim();
            return Some(value);
        }
        let stragglers = self.stragglers.as_mut()?;
        let straggler = stragglers.by_id.remove(&id)?;
        if stragglers.by_id.is_empty() {
            self.stragglers = None;
        }
        Some(straggler.value)
    }

    /// Identifiers in use with their values, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PacketId, &T)> {
        let mut stragglers: Vec<_> = self.stragglers.iter().flat_map(|s| &s.by_id).collect();
        stragglers.sort_unstable_by_key(|(_, straggler)| straggler.age);
        let ring = self.ring.iter();
        stragglers
            .into_iter()
            .map(|(&id, straggler)| (id, &straggler.value))
            .chain(ring.filter_map(|entry| Some((entry.id, entry.value.as_ref()?))))
    }

    /// Ends the use of all identifiers; the values, oldest first.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (PacketId, T)> + use<T> {
        let last = self.last;
        let taken = std::mem::replace(
            self,
            Self {
                last,
                ..Self::default()
            },
        );
        let mut stragglers: Vec<_> = taken.stragglers.into_iter().flat_map(|s| s.by_id).collect();
        stragglers.sort_unstable_by_key(|(_, straggler)| straggler.age);
        let ring = taken.ring.into_iter();
        stragglers
            .into_iter()
            .map(|(id, straggler)| (id, straggler.value))
            .chain(ring.filter_map(|entry| Some((entry.id, entry.value?))))
    }

    /// Values in use, to change, in no order.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let stragglers = self
            .stragglers
            .iter_mut()
            .flat_map(|s| s.by_id.values_mut());
        stragglers.map(|straggler| &mut straggler.value).chain(
            self.ring
                .iter_mut()
                .filter_map(|entry| entry.value.as_mut()),
        )
    }

    fn push(&mut self, id: PacketId, value: T) {
        self.last = id.get();
        self.ring.push_back(Entry {
            id,
            value: Some(value),
        });
    }

    fn index_in_ring(&self, id: PacketId) -> Option<usize> {
        let front = self.ring.front()?;
        let offset = distance(front.id, id);
        // It is there unless gaps were swept or stragglers skipped; then it is nearer to the front.
        if self.ring.get(offset).is_some_and(|entry| entry.id == id) {
            return Some(offset);
        }
        self.ring
            .binary_search_by_key(&offset, |entry| distance(front.id, entry.id))
            .ok()
    }

    fn is_straggler(&self, id: PacketId) -> bool {
        let stragglers = self.stragglers.as_ref();
        stragglers.is_some_and(|stragglers| stragglers.by_id.contains_key(&id))
    }

    fn move_front_to_stragglers(&mut self) {
        let Some(front) = self.ring.pop_front() else {
            return;
        };
        if let Some(value) = front.value {
            let stragglers = self.stragglers.get_or_insert_with(|| {
                Box::new(Stragglers {
                    count: 0,
                    by_id: BTreeMap::new(),
                })
            });
            let age = stragglers.count;
            stragglers.count += 1;
            stragglers.by_id.insert(front.id, Straggler { age, value });
        }
        self.trim();
    }

    /// Restores the invariants after a removal, and gives back memory that was for a burst.
    fn trim(&mut self) {
        while self.ring.front().is_some_and(|entry| entry.value.is_none()) {
            self.ring.pop_front();
            self.gaps -= 1;
        }
        while self.ring.back().is_some_and(|entry| entry.value.is_none()) {
            self.ring.pop_back();
            self.gaps -= 1;
        }
        if self.ring.len() >= SWEEP_ENTRIES_MIN && self.gaps as usize * 2 > self.ring.len() {
            self.ring.retain(|entry| entry.value.is_some());
            self.gaps = 0;
        }
        if self.ring.is_empty() && self.ring.capacity() > KEPT_ENTRIES_MAX {
            self.ring = VecDeque::new();
        }
    }
}

/// The identifier after `id` in the circle; after 0, the first.
fn following(id: u16) -> PacketId {
    let next = if id == u16::MAX { 1 } else { id + 1 };
    PacketId::new(next).expect("1 follows 65,535, so it is never 0")
}

/// Steps along the circle from `from` to `to`, 0 to 65,534.
fn distance(from: PacketId, to: PacketId) -> usize {
    let (from, to) = (usize::from(from.get()), usize::from(to.get()));
    if to >= from {
        to - from
    } else {
        CIRCLE + to - from
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: u16) -> PacketId {
        PacketId::new(value).unwrap()
    }

    /// None in use, and `last` given out last.
    fn after<T>(last: u16) -> PacketIds<T> {
        PacketIds {
            last,
            ..PacketIds::default()
        }
    }

    fn ids<T>(packet_ids: &PacketIds<T>) -> Vec<u16> {
        packet_ids.iter().map(|(id, _)| id.get()).collect()
    }

    /// Identifiers are 1 to 65,535, never 0 [MQTT-2.2.1-3].
    #[test]
    fn the_circle_leaves_out_0() {
        let mut packet_ids = after(65_533);

        let given = ['a', 'b', 'c'].map(|value| packet_ids.insert(value));

        assert_eq!(given, [id(65_534), id(65_535), id(1)]);
        assert_eq!(ids(&packet_ids), [65_534, 65_535, 1]);
        assert_eq!(packet_ids.get(id(1)), Some(&'c'));
    }

    /// One exchange that never ends neither blocks the others nor loses its identifier.
    #[test]
    fn an_identifier_in_use_is_passed_over_when_the_circle_comes_round() {
        let mut packet_ids = PacketIds::default();
        let stuck = packet_ids.insert("stuck");
        for _ in 0..65_534 {
            let id = packet_ids.insert("quick");
            packet_ids.remove(id);
        }

        let next = packet_ids.insert("next");

        assert_eq!(next, id(2));
        assert_eq!(ids(&packet_ids), [stuck.get(), 2]);
        assert_eq!(packet_ids.remove(stuck), Some("stuck"));
        assert_eq!(packet_ids.remove(next), Some("next"));
        assert!(packet_ids.is_empty());
    }

    /// There are 65,535 identifiers (§2.2.1).
    #[test]
    fn all_identifiers_can_be_in_use() {
        let mut packet_ids = PacketIds::default();
        while !packet_ids.is_exhausted() {
            packet_ids.insert(());
        }
        assert_eq!(packet_ids.len(), 65_535);

        packet_ids.remove(id(40_000));

        assert_eq!(packet_ids.insert(()), id(40_000));
        assert_eq!(packet_ids.iter().next(), Some((id(1), &())));
    }

    /// A burst must not cost an idle Session memory that is never freed.
    #[test]
    fn an_empty_ring_gives_back_the_memory_of_a_burst() {
        let mut packet_ids = PacketIds::default();
        let burst: Vec<_> = (0..100).map(|n| packet_ids.insert(n)).collect();

        for id in burst {
            packet_ids.remove(id);
        }

        assert!(packet_ids.ring.capacity() <= KEPT_ENTRIES_MAX);
    }

    mod against_a_naive_list {
        use super::*;
        use proptest::prelude::*;

        #[derive(Clone, Debug)]
        enum Action {
            Insert(u8),
            RemoveOldest,
            RemoveYoungest,
            RemoveAt(usize),
        }

        fn action() -> impl Strategy<Value = Action> {
            prop_oneof![
                4 => (1_u8..60).prop_map(Action::Insert),
                2 => Just(Action::RemoveOldest),
                1 => Just(Action::RemoveYoungest),
                6 => any::<usize>().prop_map(Action::RemoveAt),
            ]
        }

        proptest! {
            /// Whatever the order of insertions and removals, the order of what is left and
            /// every lookup are those of a plain list.
            #[test]
            fn order_and_lookups_agree(
                start in 65_400_u16..=65_535,
                actions in prop::collection::vec(action(), 1..200),
            ) {
                let mut packet_ids = after(start);
                let mut list: Vec<(PacketId, u32)> = Vec::new();
                let mut value = 0;
                for action in actions {
                    let victim = match action {
                        Action::Insert(count) => {
                            for _ in 0..count {
                                value += 1;
                                list.push((packet_ids.insert(value), value));
                            }
                            continue;
                        }
                        _ if list.is_empty() => continue,
                        Action::RemoveOldest => 0,
                        Action::RemoveYoungest => list.len() - 1,
                        Action::RemoveAt(index) => index % list.len(),
                    };
                    let (id, value) = list.remove(victim);
                    prop_assert_eq!(packet_ids.remove(id), Some(value));
                    prop_assert_eq!(packet_ids.remove(id), None);
                }
                let kept: Vec<_> = packet_ids.iter().map(|(id, &value)| (id, value)).collect();
                prop_assert_eq!(&kept, &list);
                prop_assert_eq!(packet_ids.len(), list.len());
                for (id, value) in &list {
                    prop_assert_eq!(packet_ids.get(*id), Some(value));
                }
                prop_assert_eq!(packet_ids.drain().collect::<Vec<_>>(), list);
                prop_assert!(packet_ids.is_empty());
            }
        }
    }
}
