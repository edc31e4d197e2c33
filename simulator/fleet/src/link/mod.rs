//! The network between a device and the broker, simulated inside the device.

mod report;

pub use report::{DirectionReport, LinkReport};
