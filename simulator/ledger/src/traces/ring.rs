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
    /// The place of the next one.
    next: usize,
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
            next: 0,
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
            self.packets[self.next] = linked;
        }
        self.count += 1;
        self.next += 1;
        if self.next == self.most {
            self.next = 0;
        }
    }

    fn place(&self, number: u64) -> usize {
        usize::try_from(number % self.most as u64).expect("it is less than a length")
    }

    /// The packets of a device that are kept, newest first, each with its number in the run.
    pub(super) fn of_device(&self, device: DeviceId) -> impl Iterator<Item = (u64, &PacketSeen)> {
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
            Some((number, &linked.packet))
        })
    }

    /// When the oldest packet passed that is kept; `None` if none was forgotten.
    pub(super) fn kept_from(&self) -> Option<Instant> {
        let has_forgotten = self.count > self.packets.len() as u64;
        let oldest = self.packets.get(self.next)?;
        has_forgotten.then_some(oldest.packet.at)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use squall_fleet::{PacketState, ShortTopic, SocketId, Way};
    use squall_protocol::codec::PublishFlags;

    use super::*;

    /// Packet number `number` of the run, of a device.
    pub(in crate::traces) fn packet(device: u32, number: u64) -> PacketSeen {
        PacketSeen {
            at: Instant::from_nanos(number),
            socket: SocketId(device.into()),
            way: Way::Up,
            packet: None,
            state: PacketState::Whole,
            id: None,
            flags: PublishFlags::default(),
            reason: None,
            message: None,
            payload_bytes: 0,
            topic: ShortTopic::default(),
        }
    }

    /// Whatever is put in, each device's packets are the last of all that are its own: compared with a list of all.
    #[test]
    fn a_device_has_its_part_of_the_last_packets() {
        for most in [1, 2, 7, 16] {
            let mut ring = Ring::new(most);
            let mut all: Vec<PacketSeen> = Vec::new();
            let mut draw = 1_u64;
            for number in 0..200 {
                draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let next = packet((draw >> 60) as u32 % 5, number);
                ring.push(&next);
                all.push(next);

                let kept = &all[all.len().saturating_sub(most)..];
                for device in (0..6).map(DeviceId) {
                    let expected: Vec<&PacketSeen> = kept
                        .iter()
                        .rev()
                        .filter(|packet| packet.device() == Some(device))
                        .collect();
                    let found = ring.of_device(device).map(|(_, packet)| packet);
                    let found: Vec<&PacketSeen> = found.collect();
                    assert_eq!(found, expected, "{most} kept, {number}");
                }
                let forgotten = all.len() > most;
                assert_eq!(ring.kept_from(), forgotten.then(|| kept[0].at));
            }
        }
    }

    /// All that is kept fits 6 MiB.
    #[test]
    fn the_ring_is_small() {
        assert!(size_of::<Linked>() <= 88, "{}", size_of::<Linked>());
    }
}
