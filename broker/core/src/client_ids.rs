//! The Client Identifiers that the broker assigns [MQTT-3.1.3-6].
//!
//! A client that knows a Client Identifier can take over the Session behind it, so no identifier may
//! be computed from another: a shell draws each from the system's generator. A simulated world counts
//! instead, so that a run repeats.

use std::fmt;

/// Draws 128 bits for each Client Identifier that is assigned.
pub struct ClientIds(Box<dyn FnMut() -> Option<u128>>);

impl ClientIds {
    /// Draws with `draw`, which gives `None` if the system has no random bits: the client is
    /// refused then.
    pub fn drawn_by(draw: impl FnMut() -> Option<u128> + 'static) -> Self {
        Self(Box::new(draw))
    }

    /// The numbers from 0 on, which any client can guess: for simulated worlds only.
    pub fn counted() -> Self {
        let mut next = 0;
        Self::drawn_by(move || {
            let number = next;
            next += 1;
            Some(number)
        })
    }

    /// The next Client Identifier.
    pub(crate) fn draw(&mut self) -> Option<String> {
        (self.0)().map(|bits| format!("squall-{bits:032x}"))
    }
}

impl fmt::Debug for ClientIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIds")
    }
}
