//! Streams that certainly no device subscribes to: their deliveries are none, whatever the broker does.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use squall_protocol::topic::{TopicFilter, TopicName};

use crate::id::GroupId;
use crate::{Group, Publish, Scenario, TemplateValues};

/// Devices of a group up to which all their topics and filters are compared: beyond, nothing is certain.
const DEVICES_MAX: u32 = 2_000;

/// A stream whose messages no subscription of the scenario matches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnheardStream<'s> {
    /// The group that publishes it.
    pub group: GroupId,
    /// The stream.
    pub publish: &'s Publish,
}

/// The streams that certainly no device subscribes to, in file order; none where no device subscribes to anything, or
/// where that cannot be told: topics that differ from message to message, or very many devices.
pub fn unheard_streams(scenario: &Scenario) -> Vec<UnheardStream<'_>> {
    unheard_by(scenario, &scenario.groups)
}

/// The same of the devices of one group.
pub fn unheard_streams_of(scenario: &Scenario, listener: GroupId) -> Vec<UnheardStream<'_>> {
    unheard_by(scenario, std::slice::from_ref(scenario.group(listener)))
}

fn unheard_by<'s>(scenario: &'s Scenario, listeners: &[Group]) -> Vec<UnheardStream<'s>> {
    let Some(filters) = all_filters(listeners).filter(|filters| !filters.is_empty()) else {
        return Vec::new();
    };
    let groups = (0..).map(GroupId).zip(&scenario.groups);
    let streams = groups.flat_map(|(id, group)| {
        let unheard = group.publishes.iter().filter(|publish| {
            all_topics(publish, group).is_some_and(|topics| {
                let is_heard = |topic| filters.iter().any(|filter| filter.matches(topic));
                !topics.iter().any(is_heard)
            })
        });
        unheard.map(move |publish| UnheardStream { group: id, publish })
    });
    streams.collect()
}

/// Every filter of every device of `listeners`; `None` if there are too many to tell.
fn all_filters(listeners: &[Group]) -> Option<Vec<TopicFilter<String>>> {
    let mut filters = Vec::new();
    for group in listeners {
        for subscribe in &group.subscribes {
            let count = match subscribe.filter.is_literal() {
                true => 1,
                false if group.count > DEVICES_MAX => return None,
                false => group.count,
            };
            filters.extend((0..count).filter_map(|index| {
                let text = subscribe.filter.render(index, &group.client_id_of(index));
                TopicFilter::for_version(text, group.version).ok()
            }));
        }
    }
    Some(filters)
}

/// The topic of each device; `None` if they are not always the same, or too many.
fn all_topics(publish: &Publish, group: &Group) -> Option<Vec<TopicName<String>>> {
    if !publish.topic.is_fixed_per_device() || group.count > DEVICES_MAX {
        return None;
    }
    // Nothing is drawn of a topic that is always the same.
    let mut rng = Pcg64Mcg::seed_from_u64(0);
    let topics = (0..group.count).map(|index| {
        let client_id = group.client_id_of(index);
        let values = TemplateValues {
            index,
            client_id: &client_id,
            seq: 0,
            now_ms: 0,
        };
        let mut topic = String::new();
        publish.topic.render(&values, &mut rng, &mut topic);
        TopicName::new(topic).ok()
    });
    topics.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unheard(topic: &str, filter: &str) -> Vec<String> {
        let text = format!(
            "version = 1\nname = \"a\"\n[[group]]\nname = \"homes\"\ncount = 5\n[[group.publish]]\ntopic = \"{topic}\"\n\
             every = \"1s\"\n[[group]]\nname = \"backend\"\ncount = 3\n[[group.subscribe]]\nfilter = \"{filter}\"\n"
        );
        let scenario = Scenario::parse("a.toml", &text, &[]);
        let scenario = scenario.unwrap_or_else(|errors| panic!("{errors}"));
        let streams = unheard_streams(&scenario).into_iter();
        streams
            .map(|stream| stream.publish.topic.source().to_owned())
            .collect()
    }

    /// A filter that matches no topic leaves a stream unheard; one that matches the topic of one device does not, and of
    /// topics that are drawn nothing is said.
    #[test]
    fn a_stream_that_no_filter_matches_is_found() {
        let topic = "home/{client_id}/temperature";

        assert_eq!(unheard(topic, "home/+/temp"), [topic]);
        assert_eq!(unheard(topic, "$share/app/home/+/temp"), [topic]);
        assert_eq!(unheard(topic, "home/homes-4/temperature"), [""; 0]);
        assert_eq!(unheard(topic, "$share/app/home/#"), [""; 0]);
        assert_eq!(unheard("for/{index}", "for/{index}"), [""; 0]);
        assert_eq!(unheard("a/{rand.int:0..9}", "b/#"), [""; 0]);
    }
}
