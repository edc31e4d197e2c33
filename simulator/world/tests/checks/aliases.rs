//! Topic Aliases: what is owed goes by the Topic Names that they stand for, and a broker that mixes them up is found.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use squall_fleet::SocketId;
use squall_protocol::packet::{Packet, Publish};
use squall_protocol::topic::TopicName;
use squall_world::{Direction, Passing, Tampered};

use crate::run::{assert_broken, broken, run_tampered};
use crate::tampering::{Outcome, publish_bytes, script, to_device};

/// More topics of each device than aliases, so that some go without and all are told apart.
const SCENARIO: &str = r##"
[run]
duration = "10s"
drain = "5s"
[[group]]
name = "meters"
count = 5
topic_alias = 3
reconnect = { when = "always", backoff = "100ms" }
[[group.publish]]
topic = "m/{client_id}/{seq % 5}"
qos = 1
rate = 100
[[group]]
name = "readers"
count = 2
topic_alias = 10
[[group.subscribe]]
filter = "m/#"
qos = 1
[[fault]]
name = "cut"
every = "3s"
group = "meters"
select = 2
action = "drop"
how = "rst"
[[group]]
name = "other"
count = 1
[[expect]]
check = "delivery"
qos = 1
lost = 0
duplicated = 0
misrouted = 0
reordered = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"##;

/// PUBLISHes of meters that have an alias and no Topic Name.
fn is_by_alias<'a>(passing: &'a Passing<'_>) -> Option<&'a Publish<'a>> {
    match (passing.direction, passing.packet) {
        (Direction::ToBroker, Packet::Publish(publish)) => {
            let is_alone = publish.topic.as_str().is_empty();
            (is_alone && publish.properties.topic_alias.is_some()).then_some(publish)
        }
        (Direction::ToBroker | Direction::ToDevice, _) => None,
    }
}

/// Devices use their aliases, those of a broken connection are made anew, and nothing is lost by them.
#[test]
fn messages_by_alias_are_accounted_for_by_their_topic_names() {
    let by_alias = Rc::new(Cell::new(0));
    let seen = Rc::clone(&by_alias);
    let count = script(move |passing, _| {
        seen.set(seen.get() + u32::from(is_by_alias(passing).is_some()));
        Outcome::Pass
    });

    let judgement = run_tampered(SCENARIO, count);

    assert_broken(&judgement, &[]);
    // Three of five topics have an alias; the first message of each connection introduces it.
    let by_alias = by_alias.get();
    assert!((500..=600).contains(&by_alias), "{by_alias}");
}

/// A broker that takes one alias for another delivers to a topic that the message was not published to.
#[test]
fn a_broker_that_mixes_aliases_up_misroutes() {
    let mut seen = 0;
    let mix = script(move |passing, tampered| {
        let Some(publish) = is_by_alias(passing) else {
            return Outcome::Pass;
        };
        seen += 1;
        if seen != 40 {
            return Outcome::Pass;
        }
        let mut changed = publish.clone();
        changed.properties.topic_alias = publish.properties.topic_alias.map(|alias| alias % 3 + 1);
        tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
        Outcome::Done
    });

    let broken = broken(&run_tampered(SCENARIO, mix));

    assert!(
        broken.contains(&"delivery(1).misrouted".to_owned()),
        "{broken:?}"
    );
    assert!(
        broken.contains(&"delivery(1).lost".to_owned()),
        "{broken:?}"
    );
}

/// Sends what comes to readers by aliases: the Topic Name with the first message, the alias alone with those after it.
fn by_alias(
    known: &mut HashMap<(SocketId, String), u16>,
    passing: &Passing<'_>,
    tampered: &mut Tampered,
) -> Option<u16> {
    let publish = to_device(passing)?;
    let name = publish.topic.as_str().to_owned();
    let next = u16::try_from(
        known
            .keys()
            .filter(|(socket, _)| *socket == passing.socket)
            .count(),
    );
    let next = next.ok()? + 1;
    let mut changed = publish.clone();
    match known.get(&(passing.socket, name.clone())) {
        Some(&alias) => {
            let alone = publish_without_name(publish, alias, passing);
            tampered.forward(passing.direction, &alone);
            Some(alias)
        }
        None if next <= 10 => {
            known.insert((passing.socket, name), next);
            changed.properties.topic_alias = Some(next);
            tampered.forward(passing.direction, &publish_bytes(&changed, passing.version));
            Some(next)
        }
        None => None,
    }
}

fn publish_without_name(publish: &Publish<'_>, alias: u16, passing: &Passing<'_>) -> Vec<u8> {
    let mut alone = publish.clone();
    alone.properties.topic_alias = Some(alias);
    alone.topic = TopicName::ALIASED;
    publish_bytes(&alone, passing.version)
}

/// A broker may use aliases as well, up to the Topic Alias Maximum of the device.
#[test]
fn what_comes_by_alias_is_what_is_owed() {
    let mut known = HashMap::new();
    let aliases = script(
        move |passing, tampered| match by_alias(&mut known, passing, tampered) {
            Some(_) => Outcome::Done,
            None => Outcome::Pass,
        },
    );

    assert_broken(&run_tampered(SCENARIO, aliases), &[]);
}

/// A broker that uses an alias that it never gave a name breaks the protocol [MQTT-3.3.2-12].
#[test]
fn a_broker_that_forgets_to_name_an_alias_ends_the_connection() {
    let mut seen = 0;
    let forgets = script(move |passing, tampered| {
        let Some(publish) = to_device(passing).filter(|_| passing.client_id == "readers-0") else {
            return Outcome::Pass;
        };
        seen += 1;
        if seen != 20 {
            return Outcome::Pass;
        }
        let alone = publish_without_name(publish, 7, passing);
        tampered.forward(passing.direction, &alone);
        Outcome::Done
    });

    let broken = broken(&run_tampered(SCENARIO, forgets));

    assert!(
        broken.contains(&"connections().unexpected_disconnects".to_owned()),
        "{broken:?}"
    );
}
