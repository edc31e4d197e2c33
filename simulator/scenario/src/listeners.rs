//! Which devices hear what is published: an estimate from a sample, because topics may be random.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use squall_protocol::packet::SubscriptionOptions;
use squall_protocol::topic::{TopicFilter, TopicName};

use crate::id::{GroupId, NetworkId};
use crate::{
    Group, Publish, Respond, RunSettings, Scenario, Subscribe, SubscribeTimes, TemplateValues,
};

/// Messages of each stream that are looked at to estimate how many devices hear one.
const SAMPLE_MESSAGES: u32 = 16;

/// Devices of each group that are looked at for the same purpose.
const SAMPLE_DEVICES: u32 = 500;

/// A link that carries less towards its device than the group's subscriptions ask for.
///
/// What is beyond the link waits, in the broker and on the link, for as long as the run lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct OverloadedLink {
    /// The group whose devices are behind it.
    pub group: GroupId,
    /// Its profile.
    pub network: NetworkId,
    /// Bits per second that a device is sent, on average over the group: an estimate, without what
    /// comes through shared subscriptions.
    pub offered_bits_per_second: f64,
    /// Bits per second that the link carries.
    pub carried_bits_per_second: u64,
}

/// The links that are too slow for what their devices subscribe to, in file order.
pub fn overloaded_links(scenario: &Scenario) -> Vec<OverloadedLink> {
    let ids = (0..).map(GroupId);
    let links = ids.zip(&scenario.groups).filter_map(|(id, group)| {
        let network = group.network?;
        let carried = scenario.network(network).bandwidth.down_bits_per_second?;
        let offered = sent_to(group, scenario);
        (offered > carried as f64).then_some(OverloadedLink {
            group: id,
            network,
            offered_bits_per_second: offered,
            carried_bits_per_second: carried,
        })
    });
    links.collect()
}

/// Bits per second that a device of `group` is sent, on average.
fn sent_to(group: &Group, scenario: &Scenario) -> f64 {
    let mut bits = 0.0;
    for sender in &scenario.groups {
        for publish in &sender.publishes {
            let messages = publish.pacing.mean_rate(&scenario.run) * f64::from(sender.count);
            let heard: f64 = sample(publish, sender, scenario.seed)
                .iter()
                .map(|sent| Audience::of(sent, group, &scenario.run).devices)
                .sum();
            let share = heard / f64::from(SAMPLE_MESSAGES) / f64::from(group.count);
            bits += messages * share * 8.0 * publish.known_bytes();
        }
    }
    bits
}

/// Devices that hear a message of `publish`, on average over a sample of messages. A shared
/// subscription counts once.
pub(crate) fn fan_out(publish: &Publish, group: &Group, scenario: &Scenario) -> f64 {
    let sample = sample(publish, group, scenario.seed);
    let heard: f64 = sample.iter().map(|sent| heard_by(sent, scenario)).sum();
    heard / f64::from(SAMPLE_MESSAGES)
}

/// The devices of each group that hear a message of `publish`, as in [`fan_out`]; a shared subscription counts once for each
/// group that has a part of it.
pub(crate) fn fan_out_by_group(publish: &Publish, group: &Group, scenario: &Scenario) -> Vec<f64> {
    let sample = sample(publish, group, scenario.seed);
    let heard_by = |listener: &Group| {
        let heard = sample.iter().map(|sent| {
            let audience = Audience::of(sent, listener, &scenario.run);
            audience.devices + audience.shares.len() as f64
        });
        heard.sum::<f64>() / f64::from(SAMPLE_MESSAGES)
    };
    scenario.groups.iter().map(heard_by).collect()
}

/// Whether two streams, each with the group that publishes it, have a topic in common: by the first message of each device of
/// a sample.
pub fn share_a_topic(one: (&Group, &Publish), other: (&Group, &Publish)) -> bool {
    let [one, other] = [one, other].map(|(group, publish)| first_topics(group, publish));
    !one.is_disjoint(&other)
}

fn first_topics(group: &Group, publish: &Publish) -> BTreeSet<String> {
    let mut rng = Pcg64Mcg::seed_from_u64(0);
    let indices = 0..group.count.min(SAMPLE_DEVICES);
    let topics = indices.map(|index| {
        let client_id = group.client_id_of(index);
        let values = TemplateValues {
            index,
            client_id: &client_id,
            seq: 0,
            now_ms: 0,
        };
        let mut topic = String::new();
        publish.topic.render(&values, &mut rng, &mut topic);
        topic
    });
    topics.collect()
}

/// Whether a device of `listener` hears messages of `publish`, which devices of `sender` publish.
pub(crate) fn hears(
    listener: &Group,
    publish: &Publish,
    sender: &Group,
    run: &RunSettings,
    seed: u64,
) -> bool {
    sample(publish, sender, seed)
        .iter()
        .any(|sent| !Audience::of(sent, listener, run).is_empty())
}

/// Whether a device of `responder` answers messages of `publish` that ask for no response, on a topic of its own.
pub(crate) fn answers_unasked(
    responder: &Group,
    publish: &Publish,
    sender: &Group,
    run: &RunSettings,
    seed: u64,
) -> bool {
    let mut blocks = responder.responds.iter().filter(|it| it.topic.is_some());
    blocks.any(|respond| {
        let sample = sample(publish, sender, seed);
        let mut audiences = sample
            .iter()
            .map(|sent| Audience::of_block(sent, responder, respond, run));
        audiences.any(|audience| !audience.is_empty())
    })
}

/// What a message of a stream brings about on average: responses, and devices that hear them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Answers {
    pub(crate) responses: f64,
    pub(crate) deliveries: f64,
    /// The share of the messages that bring about none.
    pub(crate) unanswered: f64,
}

/// What a message of `publish` brings about, on average over a sample of messages.
pub(crate) fn answers(publish: &Publish, group: &Group, scenario: &Scenario) -> Answers {
    let mut sum = Answers::default();
    let responding = scenario.groups.iter();
    let responding: Vec<&Group> = responding
        .filter(|group| !group.responds.is_empty())
        .collect();
    if responding.is_empty() {
        return sum;
    }
    for sent in sample(publish, group, scenario.seed) {
        let wanted = sent.response_topic.clone();
        let before = sum.responses;
        for &group in &responding {
            for respond in &group.responds {
                let own = || respond.topic.as_ref().map(|_| String::new());
                let Some(topic) = wanted.clone().or_else(own) else {
                    continue;
                };
                let audience = Audience::of_block(&sent, group, respond, &scenario.run);
                let responses = audience.devices + audience.shares.len() as f64;
                sum.responses += responses;
                // Who hears what goes to a topic of the block depends on the device: one is a guess.
                let heard = TopicName::new(topic).map_or(1.0, |topic| {
                    heard_by(
                        &Sent {
                            topic,
                            ..sent.clone()
                        },
                        scenario,
                    )
                });
                sum.deliveries += responses * heard;
            }
        }
        if sum.responses == before {
            sum.unanswered += 1.0;
        }
    }
    Answers {
        responses: sum.responses / f64::from(SAMPLE_MESSAGES),
        deliveries: sum.deliveries / f64::from(SAMPLE_MESSAGES),
        unanswered: sum.unanswered / f64::from(SAMPLE_MESSAGES),
    }
}

/// Devices that hear a message; a shared subscription counts once.
fn heard_by(sent: &Sent, scenario: &Scenario) -> f64 {
    let mut shares: BTreeSet<String> = BTreeSet::new();
    let mut devices = 0.0;
    for group in &scenario.groups {
        let audience = Audience::of(sent, group, &scenario.run);
        devices += audience.devices;
        shares.extend(audience.shares);
    }
    devices + shares.len() as f64
}

/// A message as one of its listeners sees it.
#[derive(Clone)]
struct Sent {
    topic: TopicName<String>,
    /// Client Identifier of its publisher.
    by: String,
    /// Where its response is wanted.
    response_topic: Option<String>,
}

/// A few messages of `publish`, by devices drawn from `group`.
fn sample(publish: &Publish, group: &Group, seed: u64) -> Vec<Sent> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    // Its own: what is drawn for a Response Topic changes no topic.
    let mut rng_of_responses = Pcg64Mcg::seed_from_u64(!seed);
    let topics = (0..SAMPLE_MESSAGES).filter_map(|_| {
        let index = rng.random_range(0..group.count);
        let client_id = group.client_id_of(index);
        let values = TemplateValues {
            index,
            client_id: &client_id,
            seq: u64::from(rng.random::<u32>()),
            now_ms: 0,
        };
        let mut topic = String::new();
        publish.topic.render(&values, &mut rng, &mut topic);
        let topic = TopicName::new(topic).ok()?;
        let wanted = publish.properties.response_topic.as_ref();
        let response_topic = wanted.map(|template| {
            let mut text = String::new();
            template.render(&values, &mut rng_of_responses, &mut text);
            text
        });
        Some(Sent {
            topic,
            by: client_id,
            response_topic,
        })
    });
    topics.collect()
}

/// Those who hear a message, of one group.
struct Audience {
    /// Devices with a subscription of their own, from a sample of the group.
    devices: f64,
    /// Shared subscriptions of its devices.
    shares: BTreeSet<String>,
}

impl Audience {
    fn of(sent: &Sent, group: &Group, run: &RunSettings) -> Self {
        Self::to(sent, group, &group.subscribes, run)
    }

    /// Those of `group` by the subscription of one of its blocks alone.
    fn of_block(sent: &Sent, group: &Group, respond: &Respond, run: &RunSettings) -> Self {
        let subscribe = Subscribe {
            filter: respond.filter.clone(),
            options: SubscriptionOptions::default(),
            identifier: None,
            times: SubscribeTimes::default(),
        };
        Self::to(sent, group, &[subscribe], run)
    }

    fn is_empty(&self) -> bool {
        self.devices == 0.0 && self.shares.is_empty()
    }

    /// Those of `group` who have `subscribes` alone.
    fn to(sent: &Sent, group: &Group, subscribes: &[Subscribe], run: &RunSettings) -> Self {
        let sampled = group.count.min(SAMPLE_DEVICES);
        let step = group.count / sampled.max(1);
        let weight = f64::from(group.count) / f64::from(sampled.max(1));
        let mut shares: BTreeSet<String> = BTreeSet::new();
        // Devices that fight over a Client Identifier share one Session, and hear once.
        let mut sessions: BTreeMap<String, f64> = BTreeMap::new();
        for index in (0..sampled).map(|n| n * step) {
            let client_id = group.client_id_of(index);
            let is_own = client_id == sent.by;
            let asking = subscribes.iter();
            let asking = asking.filter(|subscribe| !(is_own && subscribe.options.no_local));
            let filters = asking.filter_map(|subscribe| {
                let text = subscribe.filter.render(index, &client_id);
                let filter = TopicFilter::for_version(text, group.version).ok()?;
                Some((filter, subscribe.times.share(run)))
            });
            // The share of the time in which it hears.
            let mut hears: f64 = 0.0;
            for (filter, share) in filters.filter(|(filter, _)| filter.matches(&sent.topic)) {
                match filter.share() {
                    Some(_) => {
                        shares.insert(filter.as_str().to_owned());
                    }
                    None => hears = hears.max(share),
                }
            }
            if hears > 0.0 {
                let known = sessions.entry(client_id).or_default();
                *known = known.max(hears);
            }
        }
        Self {
            devices: sessions.values().sum::<f64>() * weight,
            shares,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overloaded(down: &str, filter: &str) -> Vec<OverloadedLink> {
        let text = format!(
            "version = 1\nname = \"a\"\n\
             [[network]]\nname = \"slow\"\nbandwidth = {{ down = \"{down}\" }}\n\
             [[group]]\nname = \"senders\"\ncount = 10\n\
             [[group.publish]]\ntopic = \"t/{{index}}\"\nrate = 100\npayload = {{ size = \"93B\" }}\n\
             [[group]]\nname = \"listeners\"\ncount = 4\nnetwork = \"slow\"\n\
             [[group.subscribe]]\nfilter = \"{filter}\"\n"
        );
        let scenario = Scenario::parse("a.toml", &text, &[]);
        overloaded_links(&scenario.unwrap_or_else(|errors| panic!("{errors}")))
    }

    /// 100 messages a second of 100 bytes are 80 kbit/s for each device that hears all of them.
    #[test]
    fn a_link_that_carries_less_than_its_device_is_sent_is_found() {
        let found = overloaded("79kbit/s", "t/#");

        assert_eq!(
            found,
            [OverloadedLink {
                group: GroupId(1),
                network: NetworkId(0),
                offered_bits_per_second: 80_000.0,
                carried_bits_per_second: 79_000,
            }]
        );
        assert_eq!(overloaded("80kbit/s", "t/#"), []);
        assert_eq!(overloaded("1kbit/s", "other/#"), []);
        assert_eq!(overloaded("1kbit/s", "$share/g/t/#"), []);
    }
}
