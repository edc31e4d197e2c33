//! The last packets of a run, those of each device chained, in memory that a run cannot outgrow.

use squall_fleet::PacketSeen;
use squall_protocol::Instant;
use squall_scenario::DeviceId;

/// The last packets of a run. A packet costs one write; one device's are found without looking at others'.
#[derive(Debug)]
pub(super) struct Ring {
    packets: Vec<Linked>,
    /// Packets that were ever put in.
    count: u64,
    /// By device: how many packets there were when its last one was in.
    last: Vec<u64>,
    most: usize,
}

#[derive(Clone, Copy, Debug)]
struct Linked {
    packet: PacketSeen,
    /// How many packets before it is the device's packet before; 0 if that is not kept.
    back: u32,
}

impl Ring {
    pub(super) fn new(most: usize) -> Self {
        Self {
            packets: Vec::new(),
            count: 0,
            last: Vec::new(),
            most,
        }
    }

    /// Puts a packet in, in place of the oldest once it is full.
    pub(super) fn push(&mut self, packet: &PacketSeen) {
        let Some(device) = packet.device() else {
            return;
        };
        let device = device.0 as usize;
        if self.last.len() <= device {
            self.last.resize(device + 1, 0);
        }
        let before = std::mem::replace(&mut self.last[device], self.count + 1);
        // `before` is one more than the number of that packet, or 0 if there is none.
        let back = match before {
            0 => 0,
            before => u32::try_from(self.count + 1 - before).unwrap_or(0),
        };
        let linked = Linked {
            packet: *packet,
            back,
        };
        if self.packets.len() < self.most {
            self.packets.push(linked);
        } else {
            let place = self.place(self.count);
            self.packets[place] = linked;
        }
        self.count += 1;
    }

    fn place(&self, number: u64) -> usize {
        usize::try_from(number % self.most as u64).expect("it is less than a length")
    }

    /// The packets of a device that are kept, newest first.
    pub(super) fn of_device(&self, device: DeviceId) -> impl Iterator<Item = &PacketSeen> {
        let last = self.last.get(device.0 as usize).copied().unwrap_or(0);
        let oldest = self.count - self.packets.len() as u64;
        let mut next = last.checked_sub(1).filter(|&number| number >= oldest);
        std::iter::from_fn(move || {
            let number = next?;
            let linked = &self.packets[self.place(number)];
            let back = u64::from(linked.back);
            next = number
                .checked_sub(back)
                .filter(|&before| back > 0 && before >= oldest);
            Some(&linked.packet)
        })
    }

    /// When the oldest packet passed that is kept; `None` if none was forgotten.
    pub(super) fn kept_from(&self) -> Option<Instant> {
        let has_forgotten = self.count > self.packets.len() as u64;
        let oldest = self.packets.get(self.place(self.count))?;
        has_forgotten.then_some(oldest.packet.at)
    }
}
