//! What messages without a stamp cannot tell.

use squall_protocol::QoS;
use squall_run::MetricName;
use squall_scenario::{
    DeliveryClaim, Expectation, GroupId, MetricTags, Publish, Scenario, StampPlace, UnheardStream,
    unheard_streams, unheard_streams_of,
};

use super::hindrance::{Certainty, Hindrance, Kind, Question};
use crate::checks::TOLD_BY_STAMPS;

/// What a claim or a threshold is narrowed down to.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    /// The group that hears the messages.
    group: Option<GroupId>,
    /// The QoS that they are published with.
    qos: Option<QoS>,
}

/// One sentence for each claim and threshold that the messages it is about cannot judge, since they bear no stamp.
pub(super) fn claims(scenario: &Scenario) -> Vec<String> {
    let mut sentences = Vec::new();
    for expectation in &scenario.expectations {
        if let Expectation::Delivery(claim) = expectation {
            sentences.extend(of_delivery(scenario, claim));
        } else if has_no_stamps(scenario, Part::default()) {
            let check = expectation.check_name();
            let keys = keys_by_stamps(expectation).into_iter();
            sentences.extend(keys.map(|key| unknown(&of_check(key, check))));
        }
    }
    for threshold in &scenario.thresholds {
        let selector = &threshold.selector;
        if is_of_unstamped(scenario, selector.metric, selector.tags) {
            sentences.push(unknown(&format!("threshold `{}`", selector.text)));
        }
    }
    sentences
}

/// Whether a metric tells messages apart, and none that `tags` leave bears a stamp.
pub(super) fn is_of_unstamped(scenario: &Scenario, metric: MetricName, tags: MetricTags) -> bool {
    let part = Part {
        group: tags.group,
        qos: tags.qos,
    };
    let tells_apart = matches!(
        metric,
        MetricName::E2eLatency | MetricName::ServiceLatency | MetricName::BrokerTime
    );
    tells_apart && has_no_stamps(scenario, part)
}

fn of_delivery(scenario: &Scenario, claim: &DeliveryClaim) -> Vec<String> {
    let part = Part {
        group: claim.group,
        qos: claim.qos,
    };
    let limits = [
        claim.reordered,
        claim.misrouted,
        claim.corrupted,
        claim.mislabelled,
        claim.late,
    ];
    let keys = TOLD_BY_STAMPS.into_iter().zip(limits);
    let mut keys: Vec<&str> = keys.filter_map(|(key, limit)| limit.map(|_| key)).collect();
    if claim.lost.is_some() && claim.qos == Some(QoS::AtMostOnce) {
        keys.insert(0, "lost");
    }
    if !has_no_stamps(scenario, part) {
        keys.clear();
    }
    let check = "delivery";
    let mut sentences: Vec<String> = keys
        .into_iter()
        .map(|key| unknown(&of_check(key, check)))
        .collect();
    let hindrances = hindrances_of(scenario, claim).into_iter();
    let certain = hindrances.filter(|(_, it)| it.certainty == Certainty::Certain);
    sentences.extend(certain.map(|(key, it)| {
        let of = of_check(key, check);
        format!("{of} cannot be judged, and the run will be invalid: {it}")
    }));
    sentences
}

/// One sentence for each claim that counts of messages without a stamp may not judge, by what the run brings.
pub(super) fn doubtful(scenario: &Scenario) -> Vec<String> {
    let claims = scenario.expectations.iter();
    let hindrances = claims.flat_map(|expectation| {
        if let Expectation::Delivery(claim) = expectation {
            hindrances_of(scenario, claim)
        } else {
            Vec::new()
        }
    });
    let likely = hindrances.filter(|(_, it)| it.certainty == Certainty::Likely);
    likely
        .map(|(key, it)| format!("{} may not be judged: {it}", of_check(key, "delivery")))
        .collect()
}

/// What keeps counts from judging a claim: the first that certainly does, or else that may.
fn hindrances_of(scenario: &Scenario, claim: &DeliveryClaim) -> Vec<(&'static str, Hindrance)> {
    let of = |limit| Question {
        group: claim.group,
        qos: claim.qos,
        limit,
    };
    let lost = claim.lost.map(|limit| ("lost", of(limit), Kind::Losses));
    let copies = claim
        .duplicated
        .map(|limit| ("duplicated", of(limit), Kind::Copies));
    let asked = [lost, copies].into_iter().flatten();
    let found = asked.filter_map(|(key, question, kind)| {
        Some((key, Hindrance::find(scenario, question, kind)?))
    });
    found.collect()
}

fn of_check(key: &str, check: &str) -> String {
    format!("`{key}` of `check = \"{check}\"`")
}

fn unknown(what: &str) -> String {
    format!(
        "{what} cannot be judged, and the run will be invalid: all messages that it is about are published with \
         `stamp = \"none\"`, and so counted, not told apart"
    )
}

/// The keys of a claim that are about messages with a stamp.
fn keys_by_stamps(expectation: &Expectation) -> Vec<&'static str> {
    let keys = match expectation {
        Expectation::Expiry(claim) => vec![
            ("never_after", claim.never_after),
            ("remaining", claim.remaining_correct),
        ],
        Expectation::Shared(claim) => vec![
            ("exactly_one", claim.exactly_one),
            ("redistributed", claim.redistributed),
        ],
        Expectation::Session(claim) => vec![("backlog", claim.backlog_complete)],
        // Responses bear stamps, and requests must.
        Expectation::Delivery(_)
        | Expectation::Will(_)
        | Expectation::Retained(_)
        | Expectation::Takeover(_)
        | Expectation::Qos2Handshake(_)
        | Expectation::Network(_)
        | Expectation::Connections(_)
        | Expectation::KeepAlive(_)
        | Expectation::Response(_)
        | Expectation::Quota(_)
        | Expectation::Malformed(_) => Vec::new(),
    };
    let made = keys.into_iter().filter(|(_, is_made)| *is_made);
    made.map(|(key, _)| key).collect()
}

/// Whether there are messages of this part, and certainly none of them bears a stamp. Births and responses do.
fn has_no_stamps(scenario: &Scenario, part: Part) -> bool {
    let unheard = match part.group {
        Some(group) => unheard_streams_of(scenario, group),
        None => unheard_streams(scenario),
    };
    let mut streams = scenario
        .groups
        .iter()
        .flat_map(|group| &group.publishes)
        .filter(|stream| part.qos.is_none_or(|qos| qos == stream.qos))
        .filter(|stream| !is_among(stream, &unheard))
        .peekable();
    let mut groups = scenario.groups.iter();
    streams.peek().is_some()
        && streams.all(|stream| stream.stamp == StampPlace::None)
        && groups.all(|group| group.birth.is_none() && group.responds.is_empty())
}

fn is_among(stream: &Publish, unheard: &[UnheardStream<'_>]) -> bool {
    let mut unheard = unheard.iter();
    unheard.any(|unheard| std::ptr::eq(unheard.publish, stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader of messages at QoS 1 without a stamp, and a group whose messages bear one.
    fn told(reader: &str, claims: &str) -> Vec<String> {
        let text = format!(
            "version = 1\nname = \"a\"\n{claims}\n[[network]]\nname = \"far\"\nlatency = \"50ms\"\n\
             [[group]]\nname = \"meters\"\ncount = 2\n[[group.publish]]\ntopic = \"meters/{{index}}\"\nqos = 1\n\
             every = \"1s\"\nstamp = \"none\"\n[[group.publish]]\ntopic = \"meters/zero\"\nqos = 0\nevery = \"1s\"\nstamp = \"none\"\n\
             [[group]]\nname = \"others\"\ncount = 1\n[[group.publish]]\ntopic = \"marked\"\nqos = 2\nevery = \"1s\"\n\
             [[group]]\nname = \"reader\"\ncount = 1\n{reader}\n\
             [[group]]\nname = \"all\"\ncount = 1\n[[group.subscribe]]\nfilter = \"marked\"\nqos = 2\n"
        );
        let scenario =
            Scenario::parse("a.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        super::claims(&scenario)
    }

    const OWN: &str = "[[group.subscribe]]\nfilter = \"meters/#\"\nqos = 1\n";

    fn expect(keys: &str) -> String {
        format!("[[expect]]\ncheck = \"delivery\"\n{keys}\n")
    }

    /// What needs a stamp is told before the run where no message that it is about has one, by group and by QoS; what counts
    /// tell is not, nor what other messages judge.
    #[test]
    fn a_claim_that_needs_stamps_is_told_before_the_run() {
        for key in TOLD_BY_STAMPS {
            assert_eq!(told(OWN, &expect(&format!("{key} = 0"))), [""; 0]);
            for narrowed in ["group = \"reader\"", "qos = 1", "qos = 0"] {
                let told = told(OWN, &expect(&format!("{narrowed}\n{key} = 0")));
                assert!(
                    told.len() == 1 && told[0].contains(&format!("`{key}` of")),
                    "{told:?}"
                );
            }
            for other in ["group = \"all\"", "qos = 2"] {
                let claims = expect(&format!("{other}\n{key} = 0"));
                assert_eq!(told(OWN, &claims), [""; 0]);
            }
        }
        let counted = expect("group = \"reader\"\nqos = 1\nlost = 0\nduplicated = 0");
        assert_eq!(told(OWN, &counted), [""; 0]);
        assert_eq!(told(OWN, &expect("qos = 0\nlost = 0")).len(), 1);
    }

    /// The time that a message took is not known without a stamp.
    #[test]
    fn a_threshold_that_needs_stamps_is_told_before_the_run() {
        let limit = |selector: &str| format!("[thresholds]\n\"{selector}\" = [\"max < 1s\"]\n");

        for selector in [
            "e2e_latency{group=reader}",
            "e2e_latency{qos=1}",
            "service_latency{qos=0}",
        ] {
            let told = told(OWN, &limit(selector));
            assert!(
                told.len() == 1 && told[0].contains(&format!("threshold `{selector}`")),
                "{told:?}"
            );
        }
        for selector in ["e2e_latency", "e2e_latency{qos=2}", "ack_latency{qos=1}"] {
            assert_eq!(told(OWN, &limit(selector)), [""; 0], "{selector}");
        }
    }

    /// Where counts prove nothing, whatever the broker does, that is told with its reason.
    #[test]
    fn counts_that_can_prove_nothing_are_told_before_the_run() {
        let shared = OWN.replace("meters/#", "$share/a/meters/#");
        let far = format!("network = \"far\"\n{OWN}");
        let old = format!("protocol = \"3.1.1\"\n{OWN}");
        let by_url = "[target]\nurl = \"mqtt://broker\"\n";
        let lost = expect("lost = 0");
        let copies = expect("duplicated = 0");
        for (reader, claims, why) in [
            (&shared, lost.clone(), "shares its subscriptions"),
            (&shared, copies.clone(), "shares its subscriptions"),
            (&far, lost.clone(), "on the links"),
            (&old, copies.clone(), "MQTT 3.1.1"),
            (&OWN.to_owned(), format!("{by_url}{copies}"), "by `url`"),
        ] {
            let told = told(reader, &claims);

            assert!(told.len() == 1 && told[0].contains(why), "{why}: {told:?}");
        }
        for (reader, claims) in [
            (&far, copies.clone()),
            (&old, lost.clone()),
            (&OWN.to_owned(), format!("{by_url}{lost}")),
        ] {
            assert_eq!(told(reader, &claims), [""; 0], "{reader}");
        }
    }
}
