//! The table of Sessions, by key and by Client Identifier. What changes in one is in `session`.
//!
//! Invariant: a Session is in the table under its Client Identifier for as long as it exists; its
//! key is used again only after it ended.

use std::rc::Rc;

use hashbrown::HashMap;

use crate::keys::SessionKey;
use crate::session::Session;

/// All Sessions, by key and by Client Identifier.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    slots: Vec<Option<Session>>,
    free: Vec<SessionKey>,
    by_client_id: HashMap<Rc<str>, SessionKey>,
}

impl Sessions {
    pub(crate) fn len(&self) -> usize {
        self.by_client_id.len()
    }

    pub(crate) fn find(&self, client_id: &str) -> Option<SessionKey> {
        self.by_client_id.get(client_id).copied()
    }

    /// Makes a Session for a client that has none.
    pub(crate) fn create(&mut self, client_id: &str) -> SessionKey {
        let client_id: Rc<str> = client_id.into();
        let key = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            SessionKey(self.slots.len() as u32 - 1)
        });
        let replaced = self.by_client_id.insert(Rc::clone(&client_id), key);
        assert!(replaced.is_none(), "a client has one session");
        self.slots[key.0 as usize] = Some(Session::new(client_id));
        key
    }

    pub(crate) fn get(&self, key: SessionKey) -> Option<&Session> {
        self.slots.get(key.0 as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: SessionKey) -> Option<&mut Session> {
        self.slots.get_mut(key.0 as usize)?.as_mut()
    }

    /// The Session of a client whose CONNECT was accepted and whose connection is not closed.
    ///
    /// # Panics
    ///
    /// If it does not exist.
    pub(crate) fn of_connected(&mut self, key: SessionKey) -> &mut Session {
        self.get_mut(key)
            .expect("a Session lasts at least as long as its connection")
    }

    /// Takes a Session out. Its key is not used again until [`Self::release`].
    pub(crate) fn take(&mut self, key: SessionKey) -> Option<Session> {
        let session = self.slots.get_mut(key.0 as usize)?.take()?;
        self.by_client_id.remove(session.client_id());
        Some(session)
    }

    /// Makes the key of a Session that was taken out free again: nothing refers to it now.
    pub(crate) fn release(&mut self, key: SessionKey) {
        self.free.push(key);
    }

    /// Sessions with a connection, counted one by one.
    pub(crate) fn connected(&self) -> usize {
        let sessions = self.slots.iter().flatten();
        sessions
            .filter(|session| session.connection().is_some())
            .count()
    }

    /// Messages that wait in queues, counted Session by Session.
    pub(crate) fn queued(&self) -> usize {
        self.slots.iter().flatten().map(Session::queued).sum()
    }
}
