//! The server stops (§4.13, §3.1.2.5).

use squall_protocol::{ReasonCode, Version};

use crate::harness::Harness;
use crate::packets::*;

/// 5.0 clients are told 0x8B, all connections are closed.
#[test]
fn all_connections_are_closed_and_5_0_clients_are_told() {
    let mut world = Harness::new();
    let new = world.join(v5("new"));
    let old = world.join(v4("old"));
    let silent = world.open(Version::V5);

    world.shut_down();

    let reason = world.receive(new).disconnect_reason();
    assert_eq!(reason, ReasonCode::ServerShuttingDown);
    for client in [old, silent] {
        assert!(world.receive(client).is_empty());
    }
    for client in [new, old, silent] {
        assert!(world.is_closed(client));
    }
    assert_eq!(world.broker.counters().connections, 0);
}

/// Wills are deferred when the server stops (§3.1.2.5).
#[test]
fn wills_are_not_published() {
    let mut world = Harness::new();
    let watcher = world.join(v5_kept("watcher"));
    world.send(watcher, &subscribe(&[("will", QOS1)]));
    world.join(with_will(v4("c"), will("will")));

    world.shut_down();

    assert_eq!(world.broker.counters().wills_published, 0);
    assert_eq!(world.broker.counters().queued_messages, 0);
}
