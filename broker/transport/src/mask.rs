//! What a client's frames are masked with (RFC 6455, section 5.3).

/// A masking key and the place in it (section 5.3).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mask {
    key: [u8; 4],
    at: usize,
}

impl Mask {
    /// One that begins.
    pub(crate) fn new(key: [u8; 4]) -> Self {
        Self { key, at: 0 }
    }

    /// Masks what follows, or takes the mask off it.
    pub(crate) fn apply(&mut self, bytes: &mut [u8]) {
        let mut key = self.key;
        key.rotate_left(self.at);
        for (byte, key) in bytes.iter_mut().zip(key.iter().cycle()) {
            *byte ^= key;
        }
        self.at = (self.at + bytes.len()) % key.len();
    }
}
