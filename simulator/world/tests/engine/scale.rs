//! Size: many devices for a long time.

use squall_fleet::{
    ConnectionFact, Fact, Fleet, Observation, Phase, PublicationFact, RunTag, Sink,
};
use squall_protocol::Instant;
use squall_world::World;

use crate::harness::scenario;
use crate::recording::quiet_broker;

/// Counts facts and stores none of them.
#[derive(Debug, Default)]
struct Counts {
    connected: u64,
    published: u64,
    acknowledged: u64,
    delivered: u64,
    ended: u64,
}

impl Sink for Counts {
    fn observe(&mut self, _: Instant, observation: &Observation<'_>) {
        let counts = [
            (
                matches!(
                    observation.fact,
                    Fact::Connection(ConnectionFact::Connected { .. })
                ),
                &mut self.connected,
            ),
            (
                matches!(
                    observation.fact,
                    Fact::Publication(PublicationFact::Sent { .. })
                ),
                &mut self.published,
            ),
            (
                matches!(
                    observation.fact,
                    Fact::Publication(PublicationFact::Acknowledged { .. })
                ),
                &mut self.acknowledged,
            ),
            (
                matches!(observation.fact, Fact::Delivered(_)),
                &mut self.delivered,
            ),
            (
                matches!(observation.fact, Fact::Connection(ConnectionFact::Ended(_))),
                &mut self.ended,
            ),
        ];
        for (is_one, count) in counts {
            *count += u64::from(is_one);
        }
    }

    fn enter_phase(&mut self, _: Instant, _: Phase) {}
}

/// A day of ten thousand sensors on a mobile network, each with a message every four hours.
#[test]
fn ten_thousand_devices_live_through_a_day() {
    let text = r#"
        [run]
        duration = "24h"
        drain = "1m"
        [[network]]
        name = "mobile"
        latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
        [[group]]
        name = "sensors"
        count = 10000
        keep_alive = "2h"
        network = "mobile"
        [[group.publish]]
        topic = "fleet/{client_id}/telemetry"
        qos = 1
        every = "4h"
        [[group]]
        name = "backend"
        count = 1
        [[group.subscribe]]
        filter = "fleet/+/telemetry"
        qos = 1
    "#;
    let fleet = Fleet::new(scenario(text), RunTag::of_seed(1), Counts::default());

    let counts = World::new(fleet, quiet_broker()).run().sink;

    assert_eq!(counts.connected, 10_001);
    assert_eq!(counts.published, 60_000);
    assert_eq!(counts.acknowledged, 60_000);
    assert_eq!(counts.delivered, 60_000);
    assert_eq!(counts.ended, 10_001);
}
