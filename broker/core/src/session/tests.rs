//! The rules of one Session that hold whatever the broker does around it.

use squall_protocol::packet::{Puback, Publish, PublishProperties, WillProperties};
use squall_protocol::topic::{TopicFilter, TopicName};
use squall_protocol::{QoS, ReasonCode};

use super::*;
use crate::config::{QueueLimits, QueuePolicy};
use crate::connection::Connection;
use crate::keys::{FilterKey, GroupKey};
use crate::message::{CopyOptions, Message};
use crate::queue::Pushed;
use crate::retained::RetainedStore;

const LIMITS: QueueLimits = QueueLimits {
    messages_max: 10,
    bytes_max: 1000,
    policy: QueuePolicy::DropOldest,
};

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

fn new() -> Session {
    Session::new("c".into())
}

/// A CONNECT without a will whose client takes two messages at once.
fn connected(expiry_interval: u32) -> Connected {
    Connected {
        connection: ConnectionId {
            slot: 0,
            generation: 0,
        },
        will: None,
        expiry_interval,
        outbound_max: 2,
        inbound_max: 2,
    }
}

fn connected_with_will(expiry_interval: u32, delay: u32) -> Connected {
    let will = Will {
        topic: TopicName::new(Box::from("w")).unwrap(),
        payload: Vec::new(),
        qos: QoS::AtMostOnce,
        retain: false,
        properties: WillProperties {
            will_delay_interval: Some(delay),
            ..WillProperties::default()
        },
    };
    Connected {
        will: Some(Box::new(will)),
        ..connected(expiry_interval)
    }
}

fn copied(payload: &[u8], qos: QoS, group: Option<GroupKey>) -> Copied {
    let publish = Publish {
        dup: false,
        qos,
        retain: false,
        topic: TopicName::new("t").unwrap(),
        packet_id: None,
        properties: PublishProperties::default(),
        payload,
    };
    Copied {
        message: Rc::new(Message::new(&publish, Instant::ZERO)),
        options: CopyOptions::new(qos, false, None),
        group,
    }
}

fn payloads(messages: &[Copied]) -> Vec<Vec<u8>> {
    let payload = |copied: &Copied| copied.message.to_publish(Instant::ZERO).payload.to_vec();
    messages.iter().map(payload).collect()
}

fn group() -> Option<GroupKey> {
    Some(GroupKey(1.try_into().unwrap()))
}

/// What an idle client costs the core, beside its name and its slots in tables.
#[test]
fn an_idle_session_and_its_connection_are_small() {
    let bytes = size_of::<Option<Session>>() + size_of::<Connection>();

    assert!(bytes <= 448, "{bytes} bytes");
}

/// The Session ends its expiry interval after its connection, not sooner [MQTT-3.1.2-23].
#[test]
fn a_session_expires_after_its_interval_without_a_connection() {
    let mut session = new();
    session.handle_connected(connected(10));
    assert_eq!(session.needs_timer(), None);

    let afterwards = session.handle_connection_lost(at(5));

    assert_eq!(afterwards, Afterwards::Kept);
    assert_eq!(session.needs_timer(), Some(at(15)));
    session.timer_set(at(15));
    assert_eq!(session.handle_timer(at(15)), Due::End);
}

/// Interval 0 ends with the connection, 0xFFFFFFFF never ends (§3.1.2.11.2).
#[test]
fn the_smallest_and_the_largest_interval_are_special() {
    let mut shortest = new();
    shortest.handle_connected(connected(0));
    let mut endless = new();
    endless.handle_connected(connected(u32::MAX));

    let afterwards = [
        shortest.handle_connection_lost(at(5)),
        endless.handle_connection_lost(at(5)),
    ];

    assert_eq!(afterwards, [Afterwards::Ends, Afterwards::Kept]);
    assert_eq!(endless.needs_timer(), None);
}

/// The interval of DISCONNECT replaces that of CONNECT (§3.14.2.2.2).
#[test]
fn the_interval_of_disconnect_counts() {
    let mut session = new();
    session.handle_connected(connected(10));

    session.set_expiry_interval(3);

    assert_eq!(session.handle_connection_lost(at(5)), Afterwards::Kept);
    assert_eq!(session.needs_timer(), Some(at(8)));
}

/// A client that is back in time keeps its Session, and its delayed will is not sent
/// [MQTT-3.1.3-9].
#[test]
fn a_new_connection_stops_expiry_and_will() {
    let mut session = new();
    session.handle_connected(connected_with_will(10, 5));
    session.handle_connection_lost(at(0));
    assert_eq!(session.needs_timer(), Some(at(5)));
    session.timer_set(at(5));

    session.handle_connected(connected(10));

    assert_eq!(session.needs_timer(), None);
    assert_eq!(session.handle_timer(at(20)), Due::Nothing);
    assert_eq!(session.take_will(), None);
}

/// In a takeover the old connection leaves before the new one begins [MQTT-3.1.4-3].
#[test]
#[should_panic(expected = "a session has one connection")]
fn a_second_connection_waits_for_the_first_to_leave() {
    let mut session = new();
    session.handle_connected(connected(10));

    session.handle_connected(connected(10));
}

/// A will comes after its delay, once.
#[test]
fn a_will_is_due_once() {
    let mut session = new();
    session.handle_connected(connected_with_will(10, 5));
    session.handle_connection_lost(at(0));
    session.timer_set(at(5));
    assert!(!session.is_will_due(at(4)));
    assert_eq!(session.handle_timer(at(5)), Due::Will);

    let taken = session.take_will();

    assert!(taken.is_some());
    assert!(!session.is_will_due(at(9)));
    assert_eq!(session.take_will(), None);
    assert_eq!(session.needs_timer(), Some(at(10)));
}

/// A will whose delay is longer than the Session's life comes with its end [MQTT-3.1.2-8].
#[test]
fn a_will_comes_no_later_than_the_end() {
    let mut session = new();
    session.handle_connected(connected_with_will(10, 60));
    session.handle_connection_lost(at(0));
    session.timer_set(at(10));

    assert_eq!(session.handle_timer(at(10)), Due::End);

    assert!(session.end().will.is_some());
}

/// A client that says goodbye leaves no will behind [MQTT-3.14.4-3].
#[test]
fn a_will_that_is_withdrawn_is_never_due() {
    let mut session = new();
    session.handle_connected(connected_with_will(10, 0));

    session.withdraw_will();
    session.handle_connection_lost(at(0));

    assert!(!session.is_will_due(at(10)));
    assert!(session.end().will.is_none());
}

/// A timer is a question: one that was set for an earlier deadline changes nothing.
#[test]
fn an_older_timer_leaves_the_newer_one_set() {
    let mut session = new();
    session.handle_connected(connected(10));
    session.handle_connection_lost(at(0));
    session.timer_set(at(10));

    let due = session.handle_timer(at(7));

    assert_eq!(due, Due::Outdated);
    assert_eq!(session.needs_timer(), None);
}

/// A Session that ends gives its groups what others may get: not what was sent at QoS 2
/// [MQTT-4.8.2-5]. Its own messages are lost.
#[test]
fn the_end_splits_messages_into_shared_and_lost() {
    let mut session = new();
    session.handle_connected(connected(10));
    session.message_sent(QoS::AtLeastOnce, copied(b"1", QoS::AtLeastOnce, group()));
    session.message_sent(QoS::ExactlyOnce, copied(b"2", QoS::ExactlyOnce, group()));
    session.enqueue(copied(b"3", QoS::AtLeastOnce, None), &LIMITS);
    session.enqueue(copied(b"4", QoS::ExactlyOnce, group()), &LIMITS);
    session.handle_connection_lost(at(0));

    let ended = session.end();

    assert_eq!(payloads(&ended.shared), [b"1", b"4"]);
    assert_eq!(ended.queued, 2);
    assert_eq!(ended.lost, 2);
}

/// Only what is named and what never was sent goes back to a group; the rest stays in order.
#[test]
fn what_is_released_is_gone_from_the_session() {
    let mut session = new();
    session.handle_connected(connected(10));
    let first = session.message_sent(QoS::AtLeastOnce, copied(b"1", QoS::AtLeastOnce, group()));
    session.message_sent(QoS::AtLeastOnce, copied(b"2", QoS::AtLeastOnce, group()));
    session.enqueue(copied(b"3", QoS::AtLeastOnce, group()), &LIMITS);
    session.enqueue(copied(b"4", QoS::AtLeastOnce, None), &LIMITS);
    session.handle_connection_lost(at(0));

    let released = session.release_shared(&[first]);

    assert_eq!(payloads(&released), [b"1", b"3"]);
    let in_flight: Vec<Copied> = session.in_flight().map(|(.., c)| c.clone()).collect();
    assert_eq!(payloads(&in_flight), [b"2"]);
    assert_eq!(session.queued(), 1);
}

/// A queued message waits for the send quota (§4.9), and goes when an acknowledgement returns it.
#[test]
fn a_queued_message_waits_for_quota() {
    let mut session = new();
    session.handle_connected(connected(10));
    let id = session.message_sent(QoS::AtLeastOnce, copied(b"1", QoS::AtLeastOnce, None));
    session.message_sent(QoS::AtLeastOnce, copied(b"2", QoS::AtLeastOnce, None));
    let pushed = session.enqueue(copied(b"3", QoS::AtLeastOnce, None), &LIMITS);
    assert_eq!(pushed, Pushed::Queued);
    assert!(matches!(session.poll_queued(at(0)), Polled::Blocked));

    let puback = Puback::new(id, ReasonCode::Success);
    session.handle_puback(&puback).unwrap();

    assert!(matches!(session.poll_queued(at(0)), Polled::Message(_)));
}

/// A backlog that is empty holds nothing back.
#[test]
fn an_empty_backlog_is_freed() {
    let mut session = new();
    session.handle_connected(connected(10));
    session.enqueue(copied(b"1", QoS::AtLeastOnce, None), &LIMITS);
    assert!(session.holds_back());
    assert_eq!(session.poll_waiting(), Waiting::Queued);
    session.poll_queued(at(0));

    let waiting = session.poll_waiting();

    assert_eq!(waiting, Waiting::Nothing);
    assert!(!session.holds_back());
}

/// Retained messages that are not sent when their subscription ends stay away [MQTT-3.10.4-2].
#[test]
fn a_replay_ends_with_its_subscription() {
    let mut session = new();
    let subscription = SubscriptionKey::Filter(FilterKey(1));
    let filter = TopicFilter::new(Box::from("#")).unwrap();
    let behind = session.queue_end();
    let replay = RetainedStore::default().replay(filter, QoS::AtMostOnce, None, behind);
    session.add_subscription(subscription);
    session.add_replay(subscription, replay);
    assert!(session.is_replaying());

    session.remove_subscription(subscription);

    assert!(!session.is_replaying());
    assert_eq!(session.subscriptions(), []);
}

/// A Session stands in the line of those that let others go first at most once.
#[test]
fn a_session_waits_for_one_turn() {
    let mut session = new();
    assert!(session.wait_for_turn());
    assert!(!session.wait_for_turn());

    session.handle_turn();

    assert!(session.wait_for_turn());
}
