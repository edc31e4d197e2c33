//! `[[network]]`: link profiles.

use std::time::Duration;

use squall_toml::at::At;
use squall_toml::mistake::Mistake;

use super::Resolver;
use crate::file::{LossFile, LossModelFile, NetworkFile, PresetWord};
use crate::{Bandwidth, Distribution, Loss, Network, NetworkId, Outages, Preset};

/// The least that TCP on Linux adds to the round trip before it sends again: `TCP_RTO_MIN`.
const RETRANSMISSION_MARGIN: Duration = Duration::from_millis(200);

impl Resolver<'_> {
    /// Resolves every link profile, in order.
    pub(super) fn resolve_networks(&mut self, files: &[NetworkFile], at: &At<'_>) {
        for (index, file) in files.iter().enumerate() {
            let network = self.resolve_network(file, &at.item(index));
            self.networks.push(network);
        }
    }

    fn resolve_network(&mut self, file: &NetworkFile, at: &At<'_>) -> Network {
        let names: Vec<String> = self.networks.iter().map(|n| n.name.clone()).collect();
        self.check_unique("network", &file.name, names.iter(), &at.key("name"));
        let preset = file.preset.map(PresetWord::preset);
        self.check_preset_name(file, preset, &at.key("name"));
        let latency = match (preset, &file.latency) {
            (Some(preset), None) => preset.latency(),
            (_, written) => self.resolve_distribution(written.as_ref(), &at.key("latency")),
        };
        let jitter = self.resolve_distribution(file.jitter.as_ref(), &at.key("jitter"));
        if matches!(jitter, Distribution::Constant { .. }) && !jitter.is_zero() {
            let what = "a jitter that is always the same is part of the latency".to_owned();
            let remedy =
                "a distribution, such as { dist = \"uniform\", min = \"0ms\", max = \"20ms\" }";
            self.contradiction(&at.key("jitter"), what, remedy.to_owned());
        }
        let shipped = preset.map(Preset::bandwidth).unwrap_or_default();
        let [up, down] =
            [file.bandwidth.up, file.bandwidth.down].map(|text| text.map(|text| text.0));
        let bandwidth = Bandwidth {
            up_bits_per_second: up.or(shipped.up_bits_per_second),
            down_bits_per_second: down.or(shipped.down_bits_per_second),
        };
        for (key, rate) in [
            ("up", bandwidth.up_bits_per_second),
            ("down", bandwidth.down_bits_per_second),
        ] {
            if rate == Some(0) {
                let problem = Mistake::OutOfRange {
                    value: "0bit/s".to_owned(),
                    range: "above 0bit/s".to_owned(),
                };
                self.diagnostics
                    .value(&at.key("bandwidth").key(key), problem);
            }
        }
        let timeout = file.retransmission_timeout.map(|text| text.0);
        if let Some(timeout) = timeout {
            self.check_above_zero(timeout, &at.key("retransmission_timeout"));
        }
        Network {
            name: file.name.clone(),
            preset,
            loss: resolve_loss(file.loss.as_ref()),
            retransmission_timeout: timeout.unwrap_or_else(|| default_timeout(&latency, &jitter)),
            latency,
            jitter,
            bandwidth,
            outages: self.resolve_outages(file, &at.key("outages")),
        }
    }

    /// A block with the name of a shipped profile that is another one would mislead its reader.
    fn check_preset_name(&mut self, file: &NetworkFile, preset: Option<Preset>, at: &At<'_>) {
        let Some(named) = Preset::named(&file.name) else {
            return;
        };
        if preset != Some(named) {
            let name = named.name();
            let what = format!("`{name}` is a link profile that squall ships, and this is another");
            let remedy = format!("`preset = {name:?}` to begin with it, or another name");
            self.contradiction(at, what, remedy);
        }
    }

    /// The network that a file calls `name`: one of its blocks, or a shipped profile, which is then one of the
    /// scenario's networks.
    pub(super) fn network_named(&mut self, name: &str, at: &At<'_>) -> Option<NetworkId> {
        let mut known: Vec<String> = self.networks.iter().map(|n| n.name.clone()).collect();
        if let Some(preset) = Preset::named(name)
            && !known.iter().any(|known| known == name)
        {
            self.networks.push(shipped(preset));
            known.push(name.to_owned());
        }
        // What comes behind the networks is never found: it tells what else there would have been.
        for preset in Preset::ALL.map(Preset::name) {
            if !known.iter().any(|known| known == preset) {
                known.push(preset.to_owned());
            }
        }
        self.look_up("network", name, &known, at).map(NetworkId)
    }

    fn resolve_outages(&mut self, file: &NetworkFile, at: &At<'_>) -> Option<Outages> {
        let file = file.outages.as_ref()?;
        let outages = Outages {
            every: self.resolve_distribution(Some(&file.every), &at.key("every")),
            lasts: self.resolve_distribution(Some(&file.lasts), &at.key("lasts")),
        };
        for (key, distribution) in [("every", &outages.every), ("lasts", &outages.lasts)] {
            if distribution.is_zero() {
                self.check_above_zero(Duration::ZERO, &at.key(key));
            }
        }
        Some(outages)
    }
}

/// The network that a shipped profile is without a block of its own.
fn shipped(preset: Preset) -> Network {
    let (latency, jitter) = (preset.latency(), Distribution::zero());
    Network {
        name: preset.name().to_owned(),
        preset: Some(preset),
        loss: Loss::Independent(0.0),
        retransmission_timeout: default_timeout(&latency, &jitter),
        latency,
        jitter,
        bandwidth: preset.bandwidth(),
        outages: None,
    }
}

fn resolve_loss(file: Option<&LossFile>) -> Loss {
    match file {
        None => Loss::Independent(0.0),
        Some(LossFile::Independent(probability)) => Loss::Independent(*probability),
        Some(&LossFile::Model(LossModelFile::GilbertElliott {
            good_to_bad,
            bad_to_good,
        })) => Loss::GilbertElliott {
            good_to_bad,
            bad_to_good,
        },
    }
}

/// The mean round trip plus what Linux adds. A mean that is infinite counts as the median.
fn default_timeout(latency: &Distribution, jitter: &Distribution) -> Duration {
    let mean =
        |distribution: &Distribution| distribution.mean().unwrap_or_else(|| distribution.median());
    let timeout = (mean(latency) + mean(jitter)) * 2 + RETRANSMISSION_MARGIN;
    // In whole milliseconds, so that it reads well.
    Duration::from_millis(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
}
