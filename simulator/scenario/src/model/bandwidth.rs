//! How fast a link is.

/// Bit rates of a link; `None` means unlimited.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bandwidth {
    /// From the device to the broker, in bits per second, above 0.
    pub up_bits_per_second: Option<u64>,
    /// From the broker to the device, in bits per second, above 0.
    pub down_bits_per_second: Option<u64>,
}
