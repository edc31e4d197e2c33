//! The network between a device and the broker, simulated inside the device.
//!
//! A [`Link`] belongs to one device; each Network Connection has a [`Lane`] each way on it. A
//! segment of at most [`SEGMENT_BYTES`] is clocked out at the bandwidth, waits for the end of an
//! outage, is sent again if it is lost, and arrives one latency later, never before the segment
//! ahead of it: TCP loses and reorders nothing, so every fault of the network is time.
//!
//! Loss costs the sender's retransmission timeout, doubled with each further loss of the segment
//! (RFC 6298 §5.5) up to [`TIMEOUT_MAX`]. Fast retransmit is left out: it needs three later
//! segments within a round trip, which a device that sends now and then does not have.
//! Acknowledgements of TCP cost nothing, and the bytes that count are the payload of TCP.

mod lane;
mod loss;
mod outage;
mod report;

use std::rc::Rc;
use std::time::Duration;

use loss::LossProcess;
use outage::OutageTrack;
use squall_protocol::Instant;
use squall_scenario::{Network, NetworkId};

use crate::random::{Draws, Generator, Purpose};

pub(crate) use lane::{Arrived, Entry, Lane};
pub use report::{DirectionReport, LinkReport};

/// Largest segment in bytes: Ethernet's 1,500 without the headers of IPv4 and TCP.
const SEGMENT_BYTES: usize = 1460;
/// Longest retransmission timeout, as Linux has it.
const TIMEOUT_MAX: Duration = Duration::from_secs(120);
/// After this many retransmissions a segment gets through whatever the channel does: Linux gives
/// up there (`tcp_retries2`).
const RETRANSMISSIONS_MAX: u32 = 15;
const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// The link of one device.
#[derive(Debug)]
pub(crate) struct Link {
    id: NetworkId,
    network: Rc<Network>,
    outages: OutageTrack,
    up: Channel,
    down: Channel,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// From the device to the broker.
    Up,
    /// From the broker to the device.
    Down,
}

/// What one direction of a link remembers between segments.
#[derive(Debug)]
struct Channel {
    /// When the last bit of the last segment was clocked out.
    free_at: Instant,
    latency: Generator,
    losses: LossProcess,
}

impl Link {
    /// The link of a device on `network`, from the start of the run.
    pub(crate) fn new(id: NetworkId, network: Rc<Network>, draws: Draws) -> Self {
        let channel = |way: Way| {
            let index = way as u64;
            Channel {
                free_at: Instant::ZERO,
                latency: draws.generator(Purpose::Latency, index),
                losses: LossProcess::new(draws.generator(Purpose::Loss, index)),
            }
        };
        let rng = draws.generator(Purpose::Outages, 0);
        Self {
            id,
            outages: OutageTrack::new(network.outages.clone(), rng),
            up: channel(Way::Up),
            down: channel(Way::Down),
            network,
        }
    }

    /// The network that it is on.
    pub(crate) fn network(&self) -> NetworkId {
        self.id
    }

    /// Sends `bytes`, in as many segments as they need.
    pub(crate) fn send<C>(&mut self, entry: Entry, direction: Direction<'_, C>, bytes: &[u8]) {
        let Direction { way, lane, report } = direction;
        for segment in bytes.chunks(SEGMENT_BYTES) {
            let due = self.carry(entry.at, way, segment.len(), report);
            lane.push_bytes(entry, due, segment);
        }
    }

    /// Sends something that takes no bandwidth: the opening or the end of a connection.
    pub(crate) fn send_control<C>(
        &mut self,
        entry: Entry,
        direction: Direction<'_, C>,
        control: C,
    ) {
        let Direction { way, lane, report } = direction;
        let due = self.carry(entry.at, way, 0, report);
        lane.push_control(entry, due, control);
    }

    /// When a segment of `length` bytes that is handed over at `now` arrives at the other end.
    fn carry(
        &mut self,
        now: Instant,
        way: Way,
        length: usize,
        report: &mut DirectionReport,
    ) -> Instant {
        let network = &*self.network;
        let (channel, bandwidth) = match way {
            Way::Up => (&mut self.up, network.bandwidth.up_bits_per_second),
            Way::Down => (&mut self.down, network.bandwidth.down_bits_per_second),
        };
        self.outages.forget(now);
        let outages = &mut self.outages;

        let start = outages.clear_from(now.max(channel.free_at));
        let serialisation = serialisation(length, bandwidth);
        let sent = start + serialisation;
        channel.free_at = sent;

        let mut at = sent;
        let mut timeout = network.retransmission_timeout;
        let losses = channel.losses.losses(&network.loss, sent, |losses| {
            let before = at;
            at = outages.clear_from(at + timeout);
            timeout = (2 * timeout).min(TIMEOUT_MAX);
            (losses < RETRANSMISSIONS_MAX).then(|| at.saturating_since(before))
        });

        let latency = network.latency.sample(&mut channel.latency)
            + network.jitter.sample(&mut channel.latency);
        report.sent(length, serialisation, losses, latency);
        at + latency
    }

    /// Adds what only the end of the run knows: how long the link existed and was out.
    pub(crate) fn finish(&mut self, now: Instant, report: &mut LinkReport) {
        let (outages, outage_time) = self.outages.total(now);
        report.outages += outages;
        report.outage_time += outage_time;
        report.link_time += now.since_start();
    }
}

/// One direction of one Network Connection on a link.
#[derive(Debug)]
pub(crate) struct Direction<'a, C> {
    /// Which direction it is.
    pub(crate) way: Way,
    /// What the connection has on its way in this direction.
    pub(crate) lane: &'a mut Lane<C>,
    /// Counts the segments of all links of the network in this direction.
    pub(crate) report: &'a mut DirectionReport,
}

/// Time to clock out `length` bytes; none without a limit.
fn serialisation(length: usize, bits_per_second: Option<u64>) -> Duration {
    let Some(bits_per_second) = bits_per_second else {
        return Duration::ZERO;
    };
    let nanos = length as u128 * 8 * NANOS_PER_SECOND / u128::from(bits_per_second);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use squall_scenario::{Bandwidth, Distribution, Loss, Outages};

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn at_ms(at: u64) -> Instant {
        Instant::ZERO + ms(at)
    }

    fn network() -> Network {
        Network {
            name: "test".to_owned(),
            preset: None,
            latency: Distribution::constant(ms(50)),
            jitter: Distribution::zero(),
            loss: Loss::Independent(0.0),
            retransmission_timeout: ms(200),
            bandwidth: Bandwidth::default(),
            outages: None,
        }
    }

    struct Wire {
        link: Link,
        lane: Lane<()>,
        report: LinkReport,
    }

    impl Wire {
        fn new(network: Network) -> Self {
            Self {
                link: Link::new(NetworkId(0), Rc::new(network), Draws::of_device(42, "g", 0)),
                lane: Lane::default(),
                report: LinkReport::new(NetworkId(0)),
            }
        }

        fn send(&mut self, now: Instant, bytes: usize) {
            let direction = Direction {
                way: Way::Up,
                lane: &mut self.lane,
                report: &mut self.report.up,
            };
            let entry = Entry {
                at: now,
                waited: None,
            };
            self.link.send(entry, direction, &vec![0; bytes]);
        }

        /// Takes everything that is on its way, each at its due time; returns those times.
        fn arrivals(&mut self) -> Vec<Instant> {
            let mut times = Vec::new();
            while let Some(due) = self.lane.next_due() {
                self.lane.poll(due, &mut self.report.up, &mut Vec::new());
                times.push(due);
            }
            times
        }
    }

    /// Latency is one way, per segment.
    #[test]
    fn a_segment_arrives_one_latency_later() {
        let mut wire = Wire::new(network());

        wire.send(at_ms(10), 100);

        assert_eq!(wire.arrivals(), [at_ms(60)]);
        assert_eq!(wire.report.up.segments, 1);
        assert_eq!(wire.report.up.bytes, 100);
    }

    /// 125 bytes at 10 kbit/s are 100 ms; the next segment waits for the first.
    #[test]
    fn bandwidth_is_time_per_bit_and_a_queue() {
        let mut network = network();
        network.bandwidth.up_bits_per_second = Some(10_000);
        let mut wire = Wire::new(network);

        wire.send(at_ms(0), 125);
        wire.send(at_ms(10), 125);

        assert_eq!(wire.arrivals(), [at_ms(150), at_ms(250)]);
        assert_eq!(wire.report.up.serialisation, ms(200));
    }

    /// More than a segment is several, which follow each other.
    #[test]
    fn a_long_packet_is_sent_in_segments() {
        let mut wire = Wire::new(network());

        wire.send(at_ms(0), 3 * SEGMENT_BYTES + 1);

        assert_eq!(wire.report.up.segments, 4);
        assert_eq!(wire.arrivals(), [at_ms(50)]);
    }

    /// An outage holds what is sent in it and loses none of it.
    #[test]
    fn an_outage_delays_until_it_is_over() {
        let mut network = network();
        network.outages = Some(Outages {
            every: Distribution::constant(ms(1_000)),
            lasts: Distribution::constant(ms(500)),
        });
        let mut wire = Wire::new(network);

        wire.send(at_ms(999), 1);
        wire.send(at_ms(1_200), 1);

        assert_eq!(wire.arrivals(), [at_ms(1_049), at_ms(1_550)]);
    }

    /// RFC 6298 §5.5: each further loss of a segment doubles what it costs.
    #[test]
    fn losses_cost_a_doubling_timeout() {
        let mut network = network();
        network.loss = Loss::Independent(0.5);
        let mut wire = Wire::new(network);

        let mut delays = std::collections::BTreeSet::new();
        for n in 0..400_u64 {
            let now = Instant::ZERO + Duration::from_secs(10_000 * n);
            wire.send(now, 1);
            let arrived = wire.arrivals()[0];
            delays.insert(arrived.saturating_since(now).as_millis());
        }

        let first: Vec<u128> = delays.into_iter().take(4).collect();
        assert_eq!(first, [50, 250, 650, 1_450]);
        let share = wire.report.up.lost as f64 / wire.report.up.segments as f64;
        assert!((share - 0.5).abs() < 0.1, "{share}");
        assert!(wire.report.up.retransmissions > wire.report.up.lost);
    }

    /// What the `network` check compares: measured against configured.
    #[test]
    fn measured_latency_has_the_configured_distribution() {
        let mut network = network();
        network.latency = Distribution::Lognormal {
            median: ms(60),
            p99: ms(450),
        };
        let mut wire = Wire::new(network.clone());

        for n in 0..50_000_u64 {
            wire.send(Instant::ZERO + Duration::from_secs(100 * n), 50);
            wire.arrivals();
        }

        for q in [0.5, 0.9, 0.99] {
            let configured = network.latency.quantile(q).as_nanos() as f64;
            for histogram in [&wire.report.up.latency, &wire.report.up.transit] {
                let measured = histogram.value_at_quantile(q) as f64;
                assert!(
                    (measured / configured - 1.0).abs() < 0.05,
                    "quantile {q}: {measured} of {configured}"
                );
            }
        }
    }

    /// The seed decides: same device, same fate; another device, another.
    #[test]
    fn a_link_is_repeatable_from_seed_and_device() {
        let mut network = network();
        network.latency = Distribution::Exponential { mean: ms(10) };
        let fate = |device| {
            let mut link = Link::new(
                NetworkId(0),
                Rc::new(network.clone()),
                Draws::of_device(1, "g", device),
            );
            let mut report = LinkReport::new(NetworkId(0));
            (0..20)
                .map(|n| link.carry(at_ms(1_000 * n), Way::Up, 1, &mut report.up))
                .collect::<Vec<_>>()
        };

        assert_eq!(fate(1), fate(1));
        assert_ne!(fate(1), fate(2));
    }
}
