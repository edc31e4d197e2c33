//! Links: what devices see of their network, and what the report says of it.

use squall_fleet::EndCause;

use crate::recording::{What, run, secs, world};

/// A round trip over the link is two latencies; both sides of the report agree.
#[test]
fn a_connack_takes_the_round_trip_of_the_link() {
    let outcome = run(r#"
        [run]
        duration = "5s"
        [[network]]
        name = "slow"
        latency = "100ms"
        [[group]]
        name = "devices"
        count = 1
        network = "slow"
        "#);
    let recording = outcome.sink;

    let sent = recording.times(0, |what| *what == What::ConnectSent)[0];
    let connected = recording.times(0, |what| matches!(what, What::Connected { .. }))[0];
    let round_trip = connected.saturating_since(sent).as_secs_f64();
    assert!((0.2..0.2002).contains(&round_trip), "{round_trip}");
    assert_eq!(outcome.links.len(), 1);
    let up = &outcome.links[0].up;
    assert_eq!(up.lost, 0);
    assert_eq!(
        up.latency.value_at_quantile(0.5),
        up.latency.highest_equivalent(100_000_000)
    );
}

/// What is measured over many devices is what was configured.
#[test]
fn a_poor_network_is_as_poor_as_configured() {
    let outcome = run(r#"
        [run]
        duration = "2m"
        drain = "30s"
        [[network]]
        name = "poor"
        latency = { dist = "lognormal", median = "60ms", p99 = "450ms" }
        loss = { model = "gilbert_elliott", good_to_bad = 0.002, bad_to_good = 0.25 }
        bandwidth = { up = "256kbit/s", down = "1mbit/s" }
        outages = { every = { dist = "exponential", mean = "45s" }, lasts = "3s" }
        [[group]]
        name = "devices"
        count = 100
        keep_alive = "30s"
        network = "poor"
        [[group.publish]]
        topic = "t/{client_id}"
        qos = 1
        rate = 200
        arrival = "poisson"
        [[group]]
        name = "backend"
        count = 1
        [[group.subscribe]]
        filter = "t/+"
        qos = 1
        "#);
    let recording = outcome.sink;
    let link = &outcome.links[0];

    for direction in [&link.up, &link.down] {
        for (quantile, expected) in [(0.5, 60e6), (0.99, 450e6)] {
            let measured = direction.latency.value_at_quantile(quantile) as f64;
            assert!(
                (measured / expected - 1.0).abs() < 0.05,
                "{quantile}: {measured}"
            );
        }
        let lost = direction.lost as f64 / direction.segments as f64;
        assert!((lost / (0.002 / 0.252) - 1.0).abs() < 0.15, "{lost}");
        // The world is never late.
        assert_eq!(direction.lateness.max(), 0);
    }
    let out = link.outage_time.as_secs_f64() / link.link_time.as_secs_f64();
    assert!((out / (3.0 / 48.0) - 1.0).abs() < 0.15, "{out}");

    // TCP loses nothing, so nothing is lost; and no connection was closed.
    let published = recording.count(|what| matches!(what, What::Published(..)));
    let delivered = recording.count(|what| matches!(what, What::Delivered { .. }));
    assert_eq!(published, delivered);
    let ends = recording.count(|what| matches!(what, What::Ended(_)));
    let polite = recording.count(|what| *what == What::Ended(EndCause::RunEnded));
    assert_eq!((ends, polite), (101, 101));
}

/// A drop crosses the link like everything else: what was sent before it arrives.
#[test]
fn a_reset_comes_after_what_was_sent_before_it() {
    let outcome = run(r#"
        [run]
        duration = "5s"
        [[network]]
        name = "slow"
        latency = "500ms"
        [[group]]
        name = "devices"
        count = 1
        network = "slow"
        [group.will]
        topic = "status"
        [[group.publish]]
        topic = "t"
        qos = 0
        rate = 10
        [[group]]
        name = "watcher"
        count = 1
        [[group.subscribe]]
        filter = "+"
        [[fault]]
        at = "2.05s"
        group = "devices"
        action = "drop"
        how = "rst"
        "#);
    let recording = outcome.sink;

    let published = recording.count(|what| matches!(what, What::Published(..)));
    assert_eq!(recording.deliveries_on("t").len(), published);
    let fault = recording.times(0, |what| matches!(what, What::FaultApplied(_)))[0];
    let will = recording.deliveries_on("status")[0];
    let time = will.saturating_since(fault).as_secs_f64();
    assert!((0.5..0.501).contains(&time), "{time}");
}

/// What a link does not carry does not pile up in the simulator: from 1 MiB on its way on, messages
/// of QoS 0 are skipped, and accounted for as never sent.
#[test]
fn a_link_takes_no_more_than_its_limit() {
    const MESSAGE_BYTES: usize = 10_000;
    let outcome = run(r#"
        [run]
        duration = "8s"
        drain = "1s"
        [[network]]
        name = "tunnel"
        outages = { every = "1s", lasts = "1h" }
        [[group]]
        name = "camera"
        count = 1
        network = "tunnel"
        [[group.publish]]
        topic = "pictures"
        rate = 100
        payload = { size = "10KB" }
        "#);

    let recording = outcome.sink;
    let sent = recording.count(|what| matches!(what, What::Published(..)));
    let skipped = recording.count(|what| matches!(what, What::Skipped(_)));
    assert_eq!(sent + skipped, 800);
    // Those before the outage, and as many as may wait.
    let may_wait = 1024 * 1024 / MESSAGE_BYTES;
    assert!(sent <= 100 + may_wait + 1, "{sent}");
    assert!(skipped > 500, "{skipped}");
}

/// 800 pictures of 10 KB in 8 s for a screen, whose link has `network`.
fn pictures_over(network: &str, drain: &str) -> String {
    format!(
        r#"
        [run]
        duration = "8s"
        drain = "{drain}"
        [[network]]
        name = "down"
        {network}
        [[group]]
        name = "cameras"
        count = 1
        [[group.publish]]
        topic = "pictures"
        rate = 100
        payload = {{ size = "10KB" }}
        [[group]]
        name = "screens"
        count = 1
        network = "down"
        [[group.subscribe]]
        filter = "pictures"
        "#
    )
}

/// What comes for a device that its link does not carry does not pile up in the simulator either: from 1 MiB
/// on its way on, the rest stays unread, and the broker has to keep it.
#[test]
fn a_link_down_takes_no_more_than_its_limit() {
    const MESSAGE_BYTES: u64 = 10_000;
    let outcome = run(&pictures_over(
        "outages = { every = \"1s\", lasts = \"1h\" }",
        "1s",
    ));

    let recording = outcome.sink;
    let delivered = recording.count(|what| matches!(what, What::Delivered { .. })) as u64;
    // Without a limit it has taken all 800.
    let taken = outcome.links[0].down.bytes - delivered * MESSAGE_BYTES;
    assert!(taken >= 1024 * 1024, "{taken}");
    // Beside the message that passes the limit, the heads of those delivered and what else came.
    assert!(taken <= 1024 * 1024 + 2 * MESSAGE_BYTES, "{taken}");
}

/// A link that was full takes more once it has carried half: everything comes, in order, at the speed of
/// the link, and what stayed unread meanwhile did not wait for the generator.
#[test]
fn a_link_down_that_was_full_goes_on() {
    let outcome = run(&pictures_over("bandwidth = { down = \"4mbit/s\" }", "20s"));

    let recording = &outcome.sink;
    let delivered = recording.deliveries_on("pictures");
    assert_eq!(delivered.len(), 800);
    let published = recording.stamps(|what| {
        if let What::Published(stamp, _) = what {
            Some(*stamp)
        } else {
            None
        }
    });
    let came = recording.stamps(|what| {
        if let What::Delivered { stamp, .. } = what {
            *stamp
        } else {
            None
        }
    });
    assert_eq!(came, published);
    // 8 MB at 4 Mbit/s are 16 s; the link was never idle.
    let took = delivered[799].saturating_since(delivered[0]).as_secs_f64();
    assert!((16.0..16.1).contains(&took), "{took}");
    // 1 MiB takes the link 2.1 s: nothing was in it for longer.
    let longest = outcome.links[0].down.transit.max();
    assert!(longest < 2_200_000_000, "{longest}");
}

/// What the broker has delivered and a link still holds at the end of the drain is waited for: a lossy
/// link may need seconds for its retransmissions.
#[test]
fn the_drain_waits_for_what_the_links_hold() {
    let recording = run(r#"
        [run]
        duration = "20s"
        drain = "1s"
        [[network]]
        name = "lossy"
        latency = "10ms"
        loss = 0.15
        [[group]]
        name = "sensors"
        count = 5
        network = "lossy"
        [[group.publish]]
        topic = "t"
        rate = 20
        [[group]]
        name = "readers"
        count = 20
        network = "lossy"
        [[group.subscribe]]
        filter = "t"
    "#)
    .sink;

    let published = recording.count(|what| matches!(what, What::Published(..)));
    let delivered = recording.count(|what| matches!(what, What::Delivered { .. }));
    assert_eq!(delivered, published * 20);
    assert_eq!(published, 400);
}

/// A drain that goes on for what links hold says so while it does, and how long that was and for how many.
#[test]
fn a_drain_that_waits_for_links_says_for_how_many_and_how_long() {
    let text = r#"
        [run]
        duration = "2s"
        drain = "1s"
        connect_timeout = "1m"
        [[network]]
        name = "far"
        latency = "3s"
        [[group]]
        name = "sensors"
        count = 4
        network = "far"
        keep_alive = "60s"
        [[group.publish]]
        topic = "data"
        qos = 1
        rate = 40
        "#;
    let mut world = world(text);
    let mut awaited = Vec::new();
    while world.step() {
        let progress = world.fleet().progress(world.now());
        if awaited.last() != Some(&progress.links_awaited) {
            awaited.push(progress.links_awaited);
        }
    }

    let drain = world.run().drain;

    // PUBACK of what was published last comes 6 s after it, of which 1 s is the drain's.
    assert_eq!(awaited, [0, 4, 0]);
    assert_eq!(drain.links, 4);
    assert!(
        drain.for_links > secs(4.0) && drain.for_links < secs(6.0),
        "{drain:?}"
    );
    assert_eq!(drain.for_generator, secs(0.0));
}
