//! Size: many devices for a long time.

use std::rc::Rc;

use squall_core::{Broker, ClientIds, Config};
use squall_fleet::{
    ConnectionFact, Fact, Fleet, Observation, Phase, PublicationFact, RunTag, Sink,
};
use squall_protocol::Instant;
use squall_scenario::Scenario;
use squall_world::World;

/// Counts; keeps nothing.
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
        match observation.fact {
            Fact::Connection(ConnectionFact::Connected { .. }) => self.connected += 1,
            Fact::Publication(PublicationFact::Sent { .. }) => self.published += 1,
            Fact::Publication(PublicationFact::Acknowledged { .. }) => self.acknowledged += 1,
            Fact::Delivered(_) => self.delivered += 1,
            Fact::Connection(ConnectionFact::Ended { .. }) => self.ended += 1,
            _ => {}
        }
    }

    fn enter_phase(&mut self, _: Instant, _: Phase) {}
}

/// A day of ten thousand sensors on a mobile network, each with a message every four hours.
#[test]
fn ten_thousand_devices_live_through_a_day() {
    let text = r#"
        version = 1
        name = "day"
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
    let scenario = Scenario::parse("day.toml", text, &[]).unwrap_or_else(|e| panic!("{e}"));
    let config = Config {
        sys_interval: None,
        ..Config::default()
    };
    let broker = Broker::new(config, ClientIds::counted(), Instant::ZERO);
    let fleet = Fleet::new(Rc::new(scenario), RunTag::of_seed(1), Counts::default());

    let counts = World::new(fleet, broker).run().sink;

    assert_eq!(counts.connected, 10_001);
    assert_eq!(counts.published, 60_000);
    assert_eq!(counts.acknowledged, 60_000);
    assert_eq!(counts.delivered, 60_000);
    assert_eq!(counts.ended, 10_001);
}
