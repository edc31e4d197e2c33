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
//! Acknowledgements of TCP cost nothing, and the bytes that count are those of MQTT. The handshakes of TCP, TLS and
//! WebSocket cost a round trip each and no bandwidth.

mod conditions;
mod lane;
mod loss;
mod outage;
mod report;

use std::rc::Rc;
use std::time::Duration;

use conditions::Conditions;
use squall_protocol::Instant;
use squall_scenario::{Network, NetworkId};

use crate::firing::Firing;
use crate::random::Draws;

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
    draws: Draws,
    /// The profile of its group.
    own: Conditions,
    /// The profile that a fault gives it meanwhile, and the firing that did.
    other: Option<Box<(Firing, Conditions)>>,
    /// Times that a fault has given it another one.
    changes: u64,
    /// The partition that goes on, or was the last one.
    partition: Option<Partition>,
    /// When the last bit of the last segment was clocked out, each way.
    up_free_at: Instant,
    down_free_at: Instant,
}

/// A time in which nothing passes, and nothing is closed.
#[derive(Clone, Copy, Debug)]
struct Partition {
    by: Firing,
    from: Instant,
    until: Instant,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// From the device to the broker.
    Up,
    /// From the broker to the device.
    Down,
}

impl Link {
    /// The link of a device on `network`, from the start of the run.
    pub(crate) fn new(id: NetworkId, network: Rc<Network>, draws: Draws) -> Self {
        Self {
            draws,
            own: Conditions::new((id, network), draws, 0, Instant::ZERO),
            other: None,
            changes: 0,
            partition: None,
            up_free_at: Instant::ZERO,
            down_free_at: Instant::ZERO,
        }
    }

    /// Nothing that is sent passes from `now` until `until`, unless a partition that goes on lasts longer.
    pub(crate) fn partition(&mut self, by: Firing, now: Instant, until: Instant) {
        let going_on = self.partition.filter(|partition| partition.until > now);
        let from = going_on.map_or(now, |partition| partition.from);
        if going_on.is_none_or(|partition| partition.until < until) {
            self.partition = Some(Partition { by, from, until });
            self.impose_partition();
        }
    }

    /// The partition of this firing is over at `now`: until when it was to last, unless another one goes on.
    pub(crate) fn heal(&mut self, by: Firing, now: Instant) -> Option<Instant> {
        let partition = self
            .partition
            .as_mut()
            .filter(|partition| partition.by == by)?;
        let planned = partition.until;
        partition.until = planned.min(now);
        self.impose_partition();
        Some(planned)
    }

    fn impose_partition(&mut self) {
        if let Some(Partition { from, until, .. }) = self.partition {
            self.conditions().outages.impose(from, until);
        }
    }

    /// Has another profile from `now` on; `report` is that of the one it had.
    pub(crate) fn change(
        &mut self,
        by: Firing,
        now: Instant,
        profile: (NetworkId, Rc<Network>),
        report: &mut LinkReport,
    ) {
        self.conditions().count_until(now, report);
        self.changes += 1;
        let conditions = Conditions::new(profile, self.draws, self.changes, now);
        self.other = Some(Box::new((by, conditions)));
        self.impose_partition();
    }

    /// Has its own profile again from `now` on, unless another firing has changed it since; `report` is that of
    /// the one it had. False if nothing was changed.
    pub(crate) fn restore(&mut self, by: Firing, now: Instant, report: &mut LinkReport) -> bool {
        let Some(mut other) = self.other.take_if(|other| other.0 == by) else {
            return false;
        };
        other.1.count_until(now, report);
        self.own.resume(now);
        self.impose_partition();
        true
    }

    /// What it is like now.
    fn conditions(&mut self) -> &mut Conditions {
        match &mut self.other {
            Some(other) => &mut other.1,
            None => &mut self.own,
        }
    }

    /// The network that it is on.
    pub(crate) fn network(&self) -> NetworkId {
        self.other.as_ref().map_or(self.own.id, |other| other.1.id)
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
        let free_at = match way {
            Way::Up => self.up_free_at,
            Way::Down => self.down_free_at,
        };
        let Conditions {
            network,
            outages,
            up,
            down,
            ..
        } = self.conditions();
        let (chance, bandwidth) = match way {
            Way::Up => (up, network.bandwidth.up_bits_per_second),
            Way::Down => (down, network.bandwidth.down_bits_per_second),
        };
        outages.forget(now);

        let start = outages.clear_from(now.max(free_at));
        let serialisation = serialisation(length, bandwidth);
        let sent = start + serialisation;
        let mut at = sent;
        let mut timeout = network.retransmission_timeout;
        let losses = chance.losses.losses(&network.loss, sent, |losses| {
            let before = at;
            at = outages.clear_from(at + timeout);
            timeout = (2 * timeout).min(TIMEOUT_MAX);
            (losses < RETRANSMISSIONS_MAX).then(|| at.saturating_since(before))
        });

        let latency = network.latency.sample(&mut chance.latency)
            + network.jitter.sample(&mut chance.latency);
        report.sent(length, serialisation, losses, latency);
        match way {
            Way::Up => self.up_free_at = sent,
            Way::Down => self.down_free_at = sent,
        }
        at + latency
    }

    /// Adds what only the end of the run knows: how long the link existed and was out.
    pub(crate) fn finish(&mut self, now: Instant, report: &mut LinkReport) {
        self.conditions().count_until(now, report);
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
