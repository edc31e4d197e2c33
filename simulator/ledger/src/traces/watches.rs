//! Whose packets are waited for.

use squall_scenario::DeviceId;

use super::capture::Capture;

/// By device: how many captures wait for packets of it. Most packets are of devices that none waits for.
#[derive(Debug, Default)]
pub(super) struct Watches(Vec<u16>);

impl Watches {
    /// Whether a capture waits for packets of `device`.
    pub(super) fn has(&self, device: DeviceId) -> bool {
        self.0
            .get(device.0 as usize)
            .is_some_and(|&count| count > 0)
    }

    /// A capture is kept from now on.
    pub(super) fn begin(&mut self, capture: &Capture) {
        for device in capture.awaited() {
            let place = device.0 as usize;
            if self.0.len() <= place {
                self.0.resize(place + 1, 0);
            }
            self.0[place] += 1;
        }
    }

    /// A capture is given up.
    pub(super) fn end(&mut self, capture: &Capture) {
        for device in capture.awaited() {
            self.end_of(device);
        }
    }

    /// A capture has all that it waited for of `device`.
    pub(super) fn end_of(&mut self, device: DeviceId) {
        self.0[device.0 as usize] -= 1;
    }
}
