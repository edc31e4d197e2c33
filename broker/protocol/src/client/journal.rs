//! What a client is about to send, told while it is known.

use std::fmt;
use std::marker::PhantomData;

use crate::packet::{Packet, Publish};

/// Is told of each packet that a client queues, in order. It is given out with their bytes, and lost with them.
pub trait Journal: Default {
    /// What the client publishes.
    type Message;

    /// PUBLISH of `message` is queued. `publish` has its Topic Name, also where a Topic Alias stands for it in the bytes
    /// (§3.3.2.3.4).
    fn note_publish(&mut self, message: &Self::Message, publish: &Publish<'_>);

    /// Any other packet is queued.
    fn note(&mut self, packet: &Packet<'_>);
}

/// Remembers nothing.
pub struct NoJournal<M>(PhantomData<fn(M)>);

impl<M> Default for NoJournal<M> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<M> fmt::Debug for NoJournal<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NoJournal")
    }
}

impl<M> Journal for NoJournal<M> {
    type Message = M;

    fn note_publish(&mut self, _: &M, _: &Publish<'_>) {}

    fn note(&mut self, _: &Packet<'_>) {}
}
