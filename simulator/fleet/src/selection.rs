//! Which devices a firing of a fault takes.

use rand::RngExt;
use squall_scenario::{DeviceId, Select, fits_pattern};

use crate::firing::Firing;
use crate::random::{Draws, Purpose};

/// The devices that one firing of a fault takes, in the order of their ids.
///
/// `candidates` are the devices of the fault's group, which has `count`, that a fault may take, in
/// the order of their ids, each with its Client Identifier. A firing that asks for more than there
/// are takes them all. `draws` are the fault's.
pub(crate) fn select<'a>(
    select: &Select,
    count: u32,
    draws: Draws,
    firing: Firing,
    candidates: impl Iterator<Item = (DeviceId, &'a str)>,
) -> Vec<DeviceId> {
    if let Select::Match(pattern) = select {
        return candidates
            .filter(|&(_, client_id)| fits_pattern(pattern, client_id))
            .map(|(device, _)| device)
            .collect();
    }
    let mut devices: Vec<DeviceId> = candidates.map(|(device, _)| device).collect();
    let wanted = select.wanted(count).unwrap_or(count) as usize;
    if wanted < devices.len() {
        let mut rng = draws.generator(Purpose::FaultSelection, firing.number);
        // The first steps of a Fisher-Yates shuffle: every subset is as likely as any other.
        for place in 0..wanted {
            let other = rng.random_range(place..devices.len());
            devices.swap(place, other);
        }
        devices.truncate(wanted);
        devices.sort_unstable();
    }
    devices
}

#[cfg(test)]
mod tests {
    use squall_protocol::Instant;
    use squall_scenario::FaultId;

    use super::*;

    fn firing(number: u64) -> Firing {
        Firing {
            at: Instant::ZERO,
            fault: FaultId(0),
            number,
        }
    }

    /// The devices that `select` takes of a group of 100 of which the first `alive` are not gone.
    fn selected(select: Select, number: u64, alive: u32) -> Vec<DeviceId> {
        let draws = Draws::of_fault(7, "test");
        let candidates = (0..alive).map(|device| (DeviceId(device), "dev"));
        super::select(&select, 100, draws, firing(number), candidates)
    }

    /// A fraction is one of the group, not of those that are left.
    #[test]
    fn a_fraction_takes_that_share_of_the_group() {
        let select = Select::Fraction(0.2);

        assert_eq!(selected(select.clone(), 0, 100).len(), 20);
        assert_eq!(selected(select.clone(), 0, 50).len(), 20);
        assert_eq!(selected(select.clone(), 0, 10).len(), 10);
    }

    /// The seed decides, and each firing draws afresh.
    #[test]
    fn a_selection_is_repeatable_and_differs_between_firings() {
        let select = Select::Count(10);

        assert_eq!(
            selected(select.clone(), 3, 100),
            selected(select.clone(), 3, 100)
        );
        assert_ne!(
            selected(select.clone(), 3, 100),
            selected(select.clone(), 4, 100)
        );
    }

    /// Every device is as likely to be taken as any other.
    #[test]
    fn a_selection_favours_no_device() {
        let select = Select::Count(10);
        let mut taken = [0_u32; 100];

        for number in 0..2_000 {
            for device in selected(select.clone(), number, 100) {
                taken[device.0 as usize] += 1;
            }
        }

        // 200 on average, with a standard deviation of 13.
        assert!(
            taken.iter().all(|&count| (130..270).contains(&count)),
            "{taken:?}"
        );
    }
}
