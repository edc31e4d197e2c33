//! What devices publish must fit their links.

use squall_toml::at::At;

use super::Resolver;
use crate::{NetworkId, RunSettings};

impl Resolver<'_> {
    /// Notes each group that publishes more than its link carries, on average while its streams go on: the rest
    /// would wait for as long as the run lasts, and the latency would grow without end. Templates count with the
    /// bytes that do not change, sizes from a distribution with their mean.
    pub(super) fn check_bandwidths(&mut self, run: &RunSettings, at: &At<'_>) {
        for index in 0..self.groups.len() {
            let group = &self.groups[index];
            let network = group
                .network
                .map(|NetworkId(id)| &self.networks[usize::from(id)]);
            let Some(network) = network else { continue };
            let Some(carried) = network.bandwidth.up_bits_per_second else {
                continue;
            };
            let streams = group.publishes.iter();
            let offered: f64 = streams.map(|publish| publish.bits_per_second(run)).sum();
            if offered > carried as f64 {
                let what = format!(
                    "a device of group {:?} publishes {offered:.0} bit/s and network {:?} carries \
                     {carried} bit/s up",
                    group.name, network.name
                );
                let remedy = "a lower rate, a smaller payload or more bandwidth".to_owned();
                self.contradiction(&at.item(index).key("publish"), what, remedy);
            }
        }
    }
}
