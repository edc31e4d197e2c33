//! The engine against a broker that breaks its promises in one way each: it must tell which.

mod broker;
mod going_on;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use broker::{Broker, Habit};
use squall_protocol::topic::{TopicFilter, TopicName};
use squall_protocol::{QoS, Version};
use squall_saturate::{
    Account, Engine, Load, LoadError, OpenLayers, Pace, PublisherSpec, Sessions, Share,
    SubscriberSpec,
};
use squall_transport::Transport;

/// Long enough that every habit shows; nothing depends on how long it is.
const LOAD: Duration = Duration::from_millis(200);

/// MQTT straight on TCP.
#[derive(Debug)]
struct Plain;

impl OpenLayers for Plain {
    fn open(&self) -> Option<Transport> {
        None
    }
}

fn publisher(place: u32) -> PublisherSpec {
    PublisherSpec {
        client_id: format!("p{place}"),
        topic: TopicName::new(format!("t/{place}")).expect("it is one"),
    }
}

fn subscriber(place: u32, filter: &str, share: Share) -> SubscriberSpec {
    SubscriberSpec {
        client_id: format!("s{place}"),
        filter: TopicFilter::new(filter.to_owned()).expect("it is one"),
        share,
    }
}

fn load(qos: QoS, publishers: u32, subscribers: Vec<SubscriberSpec>) -> Load {
    Load {
        version: Version::V5,
        qos,
        payload_bytes: 20,
        pace: Pace::Window(8),
        unacknowledged_max: 8,
        publishers: (0..publishers).map(publisher).collect(),
        subscribers,
        sessions: Sessions::Clean,
        user_name: None,
        password: None,
    }
}

fn pairs(qos: QoS) -> Load {
    let subscribers =
        (0..2).map(|place| subscriber(place, &format!("t/{place}"), Share::Of(place)));
    load(qos, 2, subscribers.collect())
}

/// What the engine concludes of `load` on a broker with `habit`, and how often that did what it does wrong.
fn told(load: Load, habit: Habit) -> (Account, u64) {
    let broker = Broker::start(habit);
    let account = account_on(&broker, load).expect("it goes on");
    assert!(broker.wrongs() > 0, "{habit:?}");
    (account, broker.wrongs())
}

fn account(load: Load, habit: Habit) -> Result<Account, LoadError> {
    account_on(&Broker::start(habit), load)
}

fn account_on(broker: &Broker, load: Load) -> Result<Account, LoadError> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut engine = Engine::connect(load, broker.address, Arc::new(Plain), stop)?;
    engine.run(LOAD)?;
    engine.drain()?;
    let account = engine.account();
    engine.leave();
    Ok(account)
}

fn honest(load: Load) -> Account {
    let account = account(load, Habit::Honest).expect("nothing is wrong");
    assert!(account.published > 0);
    assert_eq!(account.lost, 0);
    assert_eq!((account.duplicated, account.reordered), (0, 0));
    assert_eq!((account.misrouted, account.corrupted), (0, 0));
    assert_eq!(account.unclear, 0);
    account
}

#[test]
fn an_honest_broker_is_called_one_at_every_qos() {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        for version in [Version::V3_1_1, Version::V5] {
            let account = honest(Load {
                version,
                ..pairs(qos)
            });

            assert_eq!(account.delivered, account.published, "{qos:?}");
            let acknowledged = match qos {
                QoS::AtMostOnce => 0,
                QoS::AtLeastOnce | QoS::ExactlyOnce => account.published,
            };
            assert_eq!(account.acknowledged, acknowledged, "{qos:?}");
        }
    }
}

#[test]
fn each_subscriber_of_a_fan_out_is_owed_each_message() {
    let subscribers = (0..3).map(|place| subscriber(place, "t/+", Share::All));

    let account = honest(load(QoS::AtMostOnce, 2, subscribers.collect()));

    assert_eq!(account.delivered, 3 * account.published);
}

#[test]
fn one_of_a_shared_subscription_is_owed_each_message() {
    let subscribers = (0..3).map(|place| subscriber(place, "$share/g/t/+", Share::One));

    let account = honest(load(QoS::AtLeastOnce, 2, subscribers.collect()));

    assert_eq!(account.delivered, account.published);
}

/// Without a subscriber the window is of acknowledgements.
#[test]
fn publishers_alone_are_acknowledged() {
    let account = honest(load(QoS::AtLeastOnce, 2, Vec::new()));

    assert_eq!(account.acknowledged, account.published);
    assert_eq!(account.owed, 0);
}

/// What another load publishes is counted, and none of it is owed.
#[test]
fn what_others_publish_is_counted() {
    let broker = Broker::start(Habit::Honest);
    let listening = vec![subscriber(9, "t/+", Share::Others)];
    let listening = load(QoS::AtLeastOnce, 0, listening);
    let mut listener = Engine::connect(listening, broker.address, Arc::new(Plain), Arc::default())
        .expect("it connects");

    let published = account_on(&broker, pairs(QoS::AtLeastOnce)).expect("nothing is wrong");
    while listener.counters().delivered < published.published {
        listener.run(LOAD).expect("it goes on");
    }
    listener.drain().expect("it goes on");

    let account = listener.account();
    assert_eq!(account.delivered, published.published);
    assert_eq!((account.lost, account.corrupted), (0, 0));
}

/// An open loop sends what is due, and no more.
#[test]
fn an_open_loop_sends_what_is_due() {
    let account = honest(Load {
        pace: Pace::Rate(500.0),
        ..pairs(QoS::AtMostOnce)
    });

    assert!(account.published <= 100, "{account:?}");
}

/// The loop goes on after what was lost, and each loss is counted.
#[test]
fn what_is_dropped_is_lost() {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let (account, dropped) = told(pairs(qos), Habit::Drops(7));

        assert_eq!(account.lost, dropped, "{account:?}");
        assert_eq!(account.delivered, account.published - dropped);
        assert_eq!((account.duplicated, account.reordered), (0, 0));
    }
}

/// A broker that delivers nothing at all does not hold the load up for good.
#[test]
fn a_loop_without_any_delivery_goes_on() {
    let broker = Broker::start(Habit::Drops(1));
    let mut engine = Engine::connect(
        pairs(QoS::AtMostOnce),
        broker.address,
        Arc::new(Plain),
        Arc::default(),
    )
    .expect("it connects");

    while engine.counters().stalls == 0 {
        engine.run(LOAD).expect("it goes on");
    }
    engine.run(LOAD).expect("it goes on");
    engine.drain().expect("it goes on");

    let account = engine.account();
    assert!(account.published > 16, "{account:?}");
    assert_eq!((account.lost, account.delivered), (broker.wrongs(), 0));
}

#[test]
fn what_is_doubled_is_told() {
    let (account, doubled) = told(pairs(QoS::AtMostOnce), Habit::Doubles(5));

    assert_eq!(account.duplicated, doubled, "{account:?}");
    assert_eq!(account.delivered, account.published);
    assert_eq!((account.lost, account.reordered), (0, 0));
}

/// Two neighbours change places: the older one is late.
#[test]
fn what_is_reordered_is_told() {
    let (account, swapped) = told(pairs(QoS::AtMostOnce), Habit::Swaps(4));

    assert_eq!(account.reordered, swapped, "{account:?}");
    assert_eq!(account.duplicated, 0);
}

#[test]
fn what_is_changed_or_goes_elsewhere_is_told() {
    let (cut, cuts) = told(pairs(QoS::AtMostOnce), Habit::Cuts(5));
    let (astray, misrouted) = told(pairs(QoS::AtMostOnce), Habit::Misroutes(5));

    assert_eq!((cut.corrupted, cut.lost), (cuts, cuts), "{cut:?}");
    assert_eq!(astray.misrouted, misrouted, "{astray:?}");
    assert_eq!(astray.lost, misrouted, "{astray:?}");
}

/// A message that waits for the acknowledgement of the one before it is late by the broker, and not by the generator.
#[test]
fn what_waits_for_the_broker_is_not_the_generators_lag() {
    let broker = Broker::start(Habit::Honest);
    let load = Load {
        pace: Pace::Rate(1e6),
        unacknowledged_max: 1,
        ..pairs(QoS::AtLeastOnce)
    };
    let mut engine = Engine::connect(load, broker.address, Arc::new(Plain), Arc::default())
        .expect("it connects");
    engine.run(LOAD).expect("it goes on");
    engine.drain().expect("it goes on");

    let (lags, account) = (engine.take_lags(), engine.account());

    assert!(account.published > 100, "{account:?}");
    assert!(lags.count() < account.published / 10, "{}", lags.count());
}

/// What a broker owes that stands still may come yet: it is not called lost.
#[test]
fn a_broker_that_hangs_has_no_account() {
    let hung = account(pairs(QoS::AtLeastOnce), Habit::Hangs(20));

    assert!(
        matches!(hung, Err(LoadError::Unanswered { connections: 2, .. })),
        "{hung:?}"
    );
}

#[test]
fn a_broker_that_ends_or_refuses_has_no_account() {
    let closed = account(pairs(QoS::AtMostOnce), Habit::Closes(20));
    let refused = account(pairs(QoS::AtMostOnce), Habit::Refuses);
    let denied = account(pairs(QoS::AtLeastOnce), Habit::GrantsLess);

    assert!(
        matches!(
            closed,
            Err(LoadError::Closed(_) | LoadError::Connection { .. })
        ),
        "{closed:?}"
    );
    assert!(
        matches!(refused, Err(LoadError::Refused { .. })),
        "{refused:?}"
    );
    assert!(
        matches!(denied, Err(LoadError::NotSubscribed { .. })),
        "{denied:?}"
    );
}

/// A port on which nothing listens.
#[test]
fn nothing_that_listens_is_an_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);

    let connected = Engine::connect(
        pairs(QoS::AtMostOnce),
        address,
        Arc::new(Plain),
        Arc::default(),
    );

    assert!(
        matches!(connected, Err(LoadError::Connection { .. })),
        "{connected:?}"
    );
}

/// Whoever asks for the end gets it.
#[test]
fn a_load_that_is_stopped_ends() {
    let broker = Broker::start(Habit::Honest);
    let stop = Arc::new(AtomicBool::new(false));
    let engine = Engine::connect(
        pairs(QoS::AtMostOnce),
        broker.address,
        Arc::new(Plain),
        Arc::clone(&stop),
    );
    let mut engine = engine.expect("it connects");

    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let ran = engine.run(Duration::from_secs(600));

    assert!(matches!(ran, Err(LoadError::Stopped)), "{ran:?}");
}

/// Sessions that outlive their connections are ended when the load leaves, and publishers have none.
#[test]
fn kept_sessions_end_with_the_load() {
    for version in [Version::V3_1_1, Version::V5] {
        let broker = Broker::start(Habit::Honest);
        let load = Load {
            version,
            sessions: Sessions::Kept,
            ..pairs(QoS::AtLeastOnce)
        };

        let account = account_on(&broker, load).expect("nothing is wrong");

        assert!(account.delivered > 0);
        assert_eq!(account.lost, 0);
        assert_eq!(broker.kept_at_the_end(), (0, 2), "{version:?}");
    }
}
