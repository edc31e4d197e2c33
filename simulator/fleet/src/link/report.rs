//! What the links of one network did to the bytes that crossed them.
//!
//! Links of devices that share a `[[network]]` write into one report, so that what was measured
//! can be compared with what was configured.

use std::time::Duration;

use hdrhistogram::Histogram;
use squall_protocol::Instant;

use squall_scenario::NetworkId;

/// Significant decimal digits of the histograms.
const DIGITS: u8 = 3;

/// What all links of one network did.
#[derive(Clone, Debug)]
pub struct LinkReport {
    /// The network whose links these are.
    pub network: NetworkId,
    /// What happened from the devices to the broker.
    pub up: DirectionReport,
    /// What happened from the broker to the devices.
    pub down: DirectionReport,
    /// Outages that began.
    pub outages: u64,
    /// Time in which a link was out, summed over links.
    pub outage_time: Duration,
    /// Time in which links existed, summed over links.
    pub link_time: Duration,
}

/// What happened in one direction.
#[derive(Clone, Debug)]
pub struct DirectionReport {
    /// Segments that were handed over, those that carry no bytes included.
    pub segments: u64,
    /// Bytes of payload in these segments.
    pub bytes: u64,
    /// Time spent clocking bytes out at the configured bandwidth; zero without one.
    pub serialisation: Duration,
    /// Segments whose first transmission was lost.
    pub lost: u64,
    /// Transmissions beyond the first, of all segments.
    pub retransmissions: u64,
    /// Propagation delay drawn for each segment, jitter included, in nanoseconds.
    pub latency: Histogram<u64>,
    /// Time from the hand-over of a segment to its release, by the clock of the run, in
    /// nanoseconds: bandwidth, queue, losses and outages included.
    pub transit: Histogram<u64>,
    /// Time by which a segment was released later than planned, in nanoseconds: the error of the
    /// simulator, not of the network.
    pub lateness: Histogram<u64>,
}

impl LinkReport {
    /// A report of links that nothing has crossed yet.
    pub fn new(network: NetworkId) -> Self {
        Self {
            network,
            up: DirectionReport::new(),
            down: DirectionReport::new(),
            outages: 0,
            outage_time: Duration::ZERO,
            link_time: Duration::ZERO,
        }
    }
}

impl DirectionReport {
    fn new() -> Self {
        let histogram = || Histogram::new(DIGITS).expect("3 digits are within 0 to 5");
        Self {
            segments: 0,
            bytes: 0,
            serialisation: Duration::ZERO,
            lost: 0,
            retransmissions: 0,
            latency: histogram(),
            transit: histogram(),
            lateness: histogram(),
        }
    }

    /// A segment was handed over, and its losses and its latency were drawn.
    pub(super) fn sent(
        &mut self,
        bytes: usize,
        serialisation: Duration,
        losses: u32,
        latency: Duration,
    ) {
        self.segments += 1;
        self.bytes += bytes as u64;
        self.serialisation += serialisation;
        self.lost += u64::from(losses > 0);
        self.retransmissions += u64::from(losses);
        record(&mut self.latency, latency);
    }

    /// A segment that was handed over at `entered` and planned for `due` was released at `now`.
    pub(super) fn arrived(&mut self, entered: Instant, due: Instant, now: Instant) {
        record(&mut self.transit, now.saturating_since(entered));
        record(&mut self.lateness, now.saturating_since(due));
    }
}

fn record(histogram: &mut Histogram<u64>, time: Duration) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    histogram
        .record(nanos)
        .expect("the histogram resizes itself to any value");
}
