//! `[[network]]`: link profiles.

use std::time::Duration;

use squall_toml::at::At;
use squall_toml::mistake::Mistake;

use super::Resolver;
use crate::file::{LossFile, LossModelFile, NetworkFile};
use crate::{Bandwidth, Distribution, Loss, Network, Outages};

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
        let latency = self.resolve_distribution(file.latency.as_ref(), &at.key("latency"));
        let jitter = self.resolve_distribution(file.jitter.as_ref(), &at.key("jitter"));
        if matches!(jitter, Distribution::Constant { .. }) && !jitter.is_zero() {
            let what = "a jitter that is always the same is part of the latency".to_owned();
            let remedy =
                "a distribution, such as { dist = \"uniform\", min = \"0ms\", max = \"20ms\" }";
            self.contradiction(&at.key("jitter"), what, remedy.to_owned());
        }
        let bandwidth = Bandwidth {
            up_bits_per_second: file.bandwidth.up.map(|text| text.0),
            down_bits_per_second: file.bandwidth.down.map(|text| text.0),
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
            loss: resolve_loss(file.loss.as_ref()),
            retransmission_timeout: timeout.unwrap_or_else(|| default_timeout(&latency, &jitter)),
            latency,
            jitter,
            bandwidth,
            outages: self.resolve_outages(file, &at.key("outages")),
        }
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
