//! Shared subscriptions (§4.8.2): one member of the group gets each message.
//!
//! It is the connected member with the fewest messages in flight and queued; members with equally
//! many take turns. While no member is connected, messages of QoS 1 and 2 wait in the group, and the
//! member that connects first takes them. What a lost member had not acknowledged comes back here
//! through the broker, as far as §4.8.2 allows it.

use std::num::NonZeroU32;

use hashbrown::HashMap;
use squall_protocol::QoS;

use super::members::{Inserted, Member, Members};
use crate::keys::{FilterKey, GroupKey, SessionKey};
use crate::queue::Queue;

/// The members of one `$share/name/filter`, and what waits for them.
#[derive(Debug)]
pub(crate) struct Group {
    /// What the group subscribes to.
    pub(crate) filter: FilterKey,
    /// Share name, the part between the slashes.
    pub(crate) name: Box<str>,
    /// Messages for the member that connects first; empty while a member is connected.
    pub(crate) waiting: Queue,
    members: Members,
    /// Where the next turn among equals starts.
    next: usize,
}

impl Group {
    /// The member that gets the next message. `load` tells how many messages a member has in flight
    /// and queued, `None` if it cannot get this one.
    pub(crate) fn choose(
        &mut self,
        mut load: impl FnMut(&Member) -> Option<usize>,
    ) -> Option<Member> {
        let members = self.members.as_slice();
        let mut best: Option<(usize, usize)> = None;
        for turn in 0..members.len() {
            let place = (self.next + turn) % members.len();
            let Some(load) = load(&members[place]) else {
                continue;
            };
            if best.is_none_or(|(_, least)| load < least) {
                best = Some((place, load));
            }
            if load == 0 {
                break;
            }
        }
        let (place, _) = best?;
        self.next = (place + 1) % members.len();
        Some(members[place])
    }

    /// The member's subscription, if the Session is a member.
    pub(crate) fn member(&self, session: SessionKey) -> Option<Member> {
        self.members.get(session)
    }

    /// Highest QoS that a member asked for.
    pub(crate) fn granted_qos(&self) -> QoS {
        let members = self.members.as_slice().iter();
        members.map(|member| member.qos).max().unwrap_or_default()
    }

    /// Every member, to see whether one is connected.
    pub(crate) fn members(&self) -> &[Member] {
        self.members.as_slice()
    }
}

/// Every group of every filter.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: HashMap<GroupKey, Group>,
    last: u32,
}

impl Groups {
    pub(crate) fn get(&self, key: GroupKey) -> Option<&Group> {
        self.groups.get(&key)
    }

    pub(crate) fn get_mut(&mut self, key: GroupKey) -> Option<&mut Group> {
        self.groups.get_mut(&key)
    }

    /// Messages that wait in all groups.
    pub(super) fn waiting(&self) -> usize {
        self.groups.values().map(|group| group.waiting.len()).sum()
    }

    /// A new group without members.
    pub(super) fn create(&mut self, filter: FilterKey, name: &str) -> GroupKey {
        let key = self.unused_key();
        let group = Group {
            filter,
            name: name.into(),
            waiting: Queue::default(),
            members: Members::default(),
            next: 0,
        };
        self.groups.insert(key, group);
        key
    }

    pub(super) fn join(&mut self, key: GroupKey, member: Member) -> Inserted {
        match self.groups.get_mut(&key) {
            Some(group) => group.members.insert(member),
            None => unreachable!("a filter names only groups that exist"),
        }
    }

    /// Takes a member out, and the group with it if it was the last one.
    pub(super) fn leave(&mut self, key: GroupKey, session: SessionKey) -> Left {
        let Some(group) = self.groups.get_mut(&key) else {
            return Left::NotThere;
        };
        if group.members.remove(session).is_none() {
            return Left::NotThere;
        }
        if !group.members.is_empty() {
            return Left::OthersRemain;
        }
        match self.groups.remove(&key) {
            Some(group) => Left::Ended(Box::new(group)),
            None => Left::NotThere,
        }
    }

    fn unused_key(&mut self) -> GroupKey {
        loop {
            self.last = self.last.wrapping_add(1);
            let Some(key) = NonZeroU32::new(self.last).map(GroupKey) else {
                continue;
            };
            if !self.groups.contains_key(&key) {
                return key;
            }
        }
    }
}

/// What [`Groups::leave`] came to.
#[derive(Debug)]
pub(super) enum Left {
    NotThere,
    OthersRemain,
    /// This was the last member.
    Ended(Box<Group>),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use squall_protocol::packet::SubscriptionOptions;

    use super::*;

    fn session(index: u32) -> SessionKey {
        SessionKey(index)
    }

    fn group(members: u32) -> Group {
        let mut groups = Groups::default();
        let key = groups.create(FilterKey(0), "g");
        for index in 0..members {
            let options = SubscriptionOptions::default();
            groups.join(key, Member::new(session(index), options, None));
        }
        groups.groups.remove(&key).unwrap()
    }

    fn choose(group: &mut Group, loads: &BTreeMap<SessionKey, usize>) -> Option<SessionKey> {
        let load = |member: &Member| loads.get(&member.session).copied();
        group.choose(load).map(|member| member.session)
    }

    /// Members with equally much to do take turns.
    #[test]
    fn equals_take_turns() {
        let mut group = group(3);
        let loads = (0..3).map(|index| (session(index), 0)).collect();

        let chosen: Vec<_> = (0..6).map(|_| choose(&mut group, &loads)).collect();

        let expected = [0, 1, 2, 0, 1, 2].map(|index| Some(session(index)));
        assert_eq!(chosen, expected);
    }

    /// The member with the least in flight is chosen, whichever member's turn it is.
    #[test]
    fn the_least_loaded_member_is_chosen() {
        let mut group = group(3);
        let loads = [(session(0), 5), (session(1), 2), (session(2), 3)].into();

        assert_eq!(choose(&mut group, &loads), Some(session(1)));
        assert_eq!(choose(&mut group, &loads), Some(session(1)));
    }

    /// A member without a Network Connection is passed over; without any there is no choice.
    #[test]
    fn offline_members_are_not_chosen() {
        let mut group = group(3);

        assert_eq!(
            choose(&mut group, &[(session(2), 9)].into()),
            Some(session(2))
        );
        assert_eq!(choose(&mut group, &BTreeMap::new()), None);
    }
}
