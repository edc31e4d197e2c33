//! The Sessions that subscribed to one filter: a dense list for the fan-out, found by Session.
//!
//! A short list is searched; a long one gets an index, so that thousands of Sessions that share
//! a filter can leave it without a search each.
//!
//! Invariant: a Session is in the list at most once, and `positions`, if it is there, names the
//! place of every member.

use hashbrown::HashMap;
use squall_protocol::QoS;
use squall_protocol::packet::{SubscriptionIdentifier, SubscriptionOptions};

use crate::keys::SessionKey;

/// Members above which the list gets an index.
const SEARCHED_MAX: usize = 32;

/// One Session's subscription to a filter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Member {
    pub(crate) session: SessionKey,
    pub(crate) identifier: Option<SubscriptionIdentifier>,
    pub(crate) qos: QoS,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
}

impl Member {
    pub(crate) fn new(
        session: SessionKey,
        options: SubscriptionOptions,
        identifier: Option<SubscriptionIdentifier>,
    ) -> Self {
        Self {
            session,
            identifier,
            qos: options.qos,
            no_local: options.no_local,
            retain_as_published: options.retain_as_published,
        }
    }
}

/// The members of one filter or of one shared group.
#[derive(Debug, Default)]
pub(crate) struct Members {
    list: Vec<Member>,
    positions: Option<Box<HashMap<SessionKey, u32>>>,
}

/// What [`Members::insert`] found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Inserted {
    New,
    /// The Session had a subscription here, which the new one replaced [MQTT-3.8.4-3].
    Replaced,
}

impl Members {
    pub(crate) fn as_slice(&self) -> &[Member] {
        &self.list
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn get(&self, session: SessionKey) -> Option<Member> {
        self.position(session).map(|position| self.list[position])
    }

    /// Adds a member, or replaces the subscription of the same Session.
    pub(crate) fn insert(&mut self, member: Member) -> Inserted {
        if let Some(position) = self.position(member.session) {
            self.list[position] = member;
            return Inserted::Replaced;
        }
        let position = self.list.len() as u32;
        self.list.push(member);
        if let Some(positions) = &mut self.positions {
            positions.insert(member.session, position);
        } else if self.list.len() > SEARCHED_MAX {
            let places = self.list.iter().zip(0..).map(|(m, p)| (m.session, p));
            self.positions = Some(Box::new(places.collect()));
        }
        Inserted::New
    }

    /// Removes a Session; `None` if it was not a member.
    pub(crate) fn remove(&mut self, session: SessionKey) -> Option<Member> {
        let position = self.position(session)?;
        let member = self.list.swap_remove(position);
        if let Some(positions) = &mut self.positions {
            positions.remove(&session);
            if let Some(moved) = self.list.get(position) {
                positions.insert(moved.session, position as u32);
            }
            if self.list.len() <= SEARCHED_MAX / 2 {
                self.positions = None;
            }
        }
        Some(member)
    }

    fn position(&self, session: SessionKey) -> Option<usize> {
        match &self.positions {
            Some(positions) => positions.get(&session).map(|&position| position as usize),
            None => self.list.iter().position(|m| m.session == session),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn member(session: u32, identifier: u32) -> Member {
        Member::new(
            SessionKey(session),
            SubscriptionOptions::default(),
            SubscriptionIdentifier::new(identifier),
        )
    }

    proptest! {
        /// Long or short, the list holds what a map would hold.
        #[test]
        fn members_are_a_map_by_session(
            steps in proptest::collection::vec((any::<bool>(), 0_u32..80, 1_u32..1000), 0..400),
        ) {
            let mut members = Members::default();
            let mut model = BTreeMap::new();

            for (joins, session, identifier) in steps {
                let member = member(session, identifier);
                if joins {
                    let expected = match model.insert(session, member) {
                        None => Inserted::New,
                        Some(_) => Inserted::Replaced,
                    };
                    prop_assert_eq!(members.insert(member), expected);
                } else {
                    prop_assert_eq!(members.remove(member.session), model.remove(&session));
                }
                prop_assert_eq!(members.as_slice().len(), model.len());
            }

            let mut list = members.as_slice().to_vec();
            list.sort_by_key(|member| member.session);
            prop_assert_eq!(list, model.into_values().collect::<Vec<_>>());
        }
    }
}
