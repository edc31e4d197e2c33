//! Link profiles that squall ships, each from a published source.
//!
//! Sources give round trips; a link has its delay one way, so each half of a round trip is half of it. Where a source
//! gives one figure and no percentiles, the spread is squall's own, and [`Preset::source`] says so. Losses that a source
//! does not tell from the delay that they cause are left out: they are in its percentiles already.

use std::time::Duration;

use super::bandwidth::Bandwidth;
use super::distribution::Distribution;

/// A link profile that squall ships.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Preset {
    /// GSM packet data: `gprs`.
    Gprs,
    /// Enhanced GSM packet data: `edge`.
    Edge,
    /// UMTS with HSPA: `3g`.
    ThirdGeneration,
    /// LTE: `lte`.
    Lte,
    /// A wireless LAN, up to its access point: `wifi`.
    Wifi,
    /// ADSL: `dsl`.
    Dsl,
    /// A constellation in low orbit: `starlink`.
    Starlink,
    /// A satellite in geostationary orbit: `satellite`.
    Satellite,
}

impl Preset {
    /// All of them, from slow to far.
    pub const ALL: [Self; 8] = [
        Self::Gprs,
        Self::Edge,
        Self::ThirdGeneration,
        Self::Lte,
        Self::Wifi,
        Self::Dsl,
        Self::Starlink,
        Self::Satellite,
    ];

    /// The name that a file gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gprs => "gprs",
            Self::Edge => "edge",
            Self::ThirdGeneration => "3g",
            Self::Lte => "lte",
            Self::Wifi => "wifi",
            Self::Dsl => "dsl",
            Self::Starlink => "starlink",
            Self::Satellite => "satellite",
        }
    }

    /// The preset that a file calls `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// Where its figures are from, and which of them are squall's own.
    pub fn source(self) -> &'static str {
        match self {
            Self::Gprs => {
                "bandwidth: 4 slots down and 1 up of 13.4 kbit/s each (coding scheme CS-2, 3GPP TS 43.064 and TS 45.002); \
                 round trip above 1 s and highly variable, losses rare: R. Chakravorty, J. Cartwright, I. Pratt, \
                 \"Practical experience with TCP over GPRS\", IEEE GLOBECOM 2002; p99 = 3 medians is squall's own"
            }
            Self::Edge => {
                "bandwidth and a round trip of 840 ms: connectivity profile \"Mobile Edge\" of WebPageTest (WPO Foundation); \
                 p99 = 3 medians is squall's own"
            }
            Self::ThirdGeneration => {
                "bandwidth and a round trip of 300 ms: connectivity profile \"3G\" of WebPageTest (WPO Foundation); \
                 p99 = 3 medians is squall's own"
            }
            Self::Lte => {
                "median bandwidth: J. Huang et al., \"A Close Examination of Performance and Power Characteristics of 4G LTE \
                 Networks\", ACM MobiSys 2012; round trip of 70 ms: connectivity profile \"LTE\" of WebPageTest (WPO \
                 Foundation); p99 = 3 medians is squall's own"
            }
            Self::Wifi => {
                "delay of the wireless hop, median 3 ms and p99 250 ms: K. Sui et al., \"Characterizing and Improving WiFi \
                 Latency in Large-Scale Operational Networks\", ACM MobiSys 2016; bandwidth: throttling profile \"Wi-Fi\" of \
                 the Firefox developer tools"
            }
            Self::Dsl => {
                "bandwidth and a round trip of 50 ms: connectivity profile \"DSL\" of WebPageTest (WPO Foundation)"
            }
            Self::Starlink => {
                "median bandwidth, and round trips of 47 ms (median) and 72 ms (slowest tenth): Ookla, \"Above Maine, Starlink \
                 Twinkles\", December 2024; p99 from these two as a log-normal distribution"
            }
            Self::Satellite => {
                "239.6 to 279.0 ms for one hop: RFC 2488, 1999, section 2; a round trip of about 600 ms and a plan of 100 and \
                 10 Mbit/s: F. Michel et al., \"A First Look at Starlink Performance\", ACM IMC 2022"
            }
        }
    }

    /// Delay of a segment one way.
    pub(crate) fn latency(self) -> Distribution {
        let tailed = |median_us: u64, p99_us: u64| Distribution::Lognormal {
            median: Duration::from_micros(median_us),
            p99: Duration::from_micros(p99_us),
        };
        match self {
            Self::Gprs => tailed(500_000, 1_500_000),
            Self::Edge => tailed(420_000, 1_260_000),
            Self::ThirdGeneration => tailed(150_000, 450_000),
            Self::Lte => tailed(35_000, 105_000),
            Self::Wifi => tailed(1_500, 125_000),
            Self::Dsl => Distribution::constant(Duration::from_millis(25)),
            Self::Starlink => tailed(23_500, 51_000),
            Self::Satellite => Distribution::constant(Duration::from_millis(300)),
        }
    }

    /// Bit rates of the link.
    pub(crate) fn bandwidth(self) -> Bandwidth {
        let (up, down) = match self {
            Self::Gprs => (13_400, 53_600),
            Self::Edge => (200_000, 240_000),
            Self::ThirdGeneration => (768_000, 1_600_000),
            Self::Lte => (6_000_000, 13_000_000),
            Self::Wifi => (15_000_000, 30_000_000),
            Self::Dsl => (384_000, 1_500_000),
            Self::Starlink => (18_000_000, 117_000_000),
            Self::Satellite => (10_000_000, 100_000_000),
        };
        Bandwidth {
            up_bits_per_second: Some(up),
            down_bits_per_second: Some(down),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 90th percentile of the standard normal distribution.
    const NORMAL_P90: f64 = 1.281_551_565_544_600_4;
    /// The 99th.
    const NORMAL_P99: f64 = 2.326_347_874_040_840_8;

    /// The tail of `starlink` follows from the two percentiles that its source measured.
    #[test]
    fn the_tail_of_starlink_is_that_of_its_measured_percentiles() {
        let sigma = (72.0_f64 / 47.0).ln() / NORMAL_P90;
        let p99 = 47.0 * (sigma * NORMAL_P99).exp() / 2.0;

        let found = Preset::Starlink.latency().quantile(0.99);

        let found = found.as_secs_f64() * 1e3;
        assert!((found - p99).abs() < 0.5, "{found} ms of {p99} ms");
    }

    /// A file finds each by the name that it has.
    #[test]
    fn every_preset_is_found_by_its_name() {
        for preset in Preset::ALL {
            assert_eq!(Preset::named(preset.name()), Some(preset));
        }
        assert_eq!(Preset::named("5g"), None);
    }
}
