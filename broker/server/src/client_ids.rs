//! Client Identifiers from the system's generator.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use squall_core::ClientIds;

/// Client Identifiers of 128 bits each, drawn independently of each other.
pub(crate) fn from_system() -> ClientIds {
    ClientIds::drawn_by(|| match draw() {
        Ok(bits) => Some(bits),
        Err(error) => {
            tracing::error!(%error, "the system has no random bits for a client identifier");
            None
        }
    })
}

fn draw() -> Result<u128, Errno> {
    let mut bytes = [0; size_of::<u128>()];
    let mut filled = 0;
    while filled < bytes.len() {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(length) => filled += length,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(u128::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Over some draws every one of the 128 bits is once 0 and once 1: with an honest generator
    /// this fails once in 2^120 runs.
    #[test]
    fn every_bit_is_drawn() {
        let draws: Vec<u128> = (0..128).map(|_| draw().unwrap()).collect();

        let ever_one = draws.iter().fold(0, |all, bits| all | bits);
        let ever_zero = draws.iter().fold(0, |all, bits| all | !bits);
        assert_eq!((ever_one, ever_zero), (u128::MAX, u128::MAX));
    }
}
