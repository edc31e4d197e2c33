//! Requests and responses that miss each other.

use squall_scenario::{Plan, Scenario};

/// Says which groups answer nothing that is published, and which streams get responses that no device hears.
pub(super) fn unheard(scenario: &Scenario) -> Vec<String> {
    let plan = Plan::of(scenario);
    let streams = || {
        let groups = plan.groups.iter();
        groups.flat_map(|group| group.streams.iter().map(move |stream| (group, stream)))
    };
    let mut sentences = Vec::new();
    if streams().all(|(_, stream)| stream.responses == 0.0) {
        let responding = plan
            .groups
            .iter()
            .filter(|group| !group.responds.is_empty());
        sentences.extend(responding.map(|group| {
            format!(
                "group `{}` answers nothing: no message that its `respond` takes has a `response_topic`, and the block has \
                 no `topic`, or nothing is published to its filter",
                group.name
            )
        }));
    }
    for (group, stream) in streams() {
        if stream.responses > 0.0 && stream.response_deliveries == 0.0 {
            sentences.push(format!(
                "no device hears the responses to topic `{}` of group `{}`: no `subscribe` matches its `response_topic`, and \
                 no request counts as answered",
                stream.topic, group.name
            ));
        }
    }
    sentences
}

/// Says which requests reach no device that answers, where others of their stream do.
pub(super) fn partly_unanswered(scenario: &Scenario) -> Vec<String> {
    let plan = Plan::of(scenario);
    let mut sentences = Vec::new();
    for group in &plan.groups {
        let streams = group.streams.iter();
        let partly = streams.filter(|stream| stream.responses > 0.0 && stream.unanswered > 0.0);
        sentences.extend(partly.map(|stream| {
            format!(
                "about {:.0} % of the requests to topic `{}` of group `{}` reach no device that answers: none subscribes to where they \
                 go, and no claim is about them",
                100.0 * stream.unanswered,
                stream.topic,
                group.name
            )
        }));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(publish: &str, subscribe: &str) -> Vec<String> {
        let text = format!(
            "version = 1\nname = \"a\"\n[[group]]\nname = \"asks\"\ncount = 1\n[[group.publish]]\ntopic = \"cmd\"\n\
             every = \"1s\"\n{publish}\n{subscribe}\n[[group]]\nname = \"answers\"\ncount = 2\n[[group.respond]]\n\
             filter = \"cmd\"\n"
        );
        let scenario = Scenario::parse("a.toml", &text, &[]);
        unheard(&scenario.unwrap_or_else(|errors| panic!("{errors}")))
    }

    /// Requests to a device that there is not are told.
    #[test]
    fn requests_to_no_device_are_told() {
        let to = |last: u32| {
            let text = format!(
                "version = 1\nname = \"a\"\n[[group]]\nname = \"asks\"\ncount = 1\n[[group.publish]]\n\
                 topic = \"cmd/{{rand.int:0..{last}}}\"\nevery = \"1s\"\nresponse_topic = \"answer\"\n\
                 [[group.subscribe]]\nfilter = \"answer\"\n[[group]]\nname = \"answers\"\ncount = 2\n\
                 [[group.respond]]\nfilter = \"cmd/{{index}}\"\n"
            );
            let scenario = Scenario::parse("a.toml", &text, &[]);
            partly_unanswered(&scenario.unwrap_or_else(|errors| panic!("{errors}")))
        };

        let told = to(3);

        assert!(
            told.len() == 1 && told[0].contains("of the requests to topic `cmd/{rand.int:0..3}`"),
            "{told:?}"
        );
        assert_eq!(to(1), [""; 0]);
    }

    /// Each of the two ways in which they miss each other is told; where they meet nothing is.
    #[test]
    fn requests_without_responses_are_told() {
        let subscribe = "[[group.subscribe]]\nfilter = \"answer\"";
        let response_topic = "response_topic = \"answer\"";

        let unanswered = sentences("", subscribe);
        let unheard = sentences(response_topic, "");

        assert_eq!(unanswered.len(), 1);
        assert!(
            unanswered[0].starts_with("group `answers` answers nothing"),
            "{unanswered:?}"
        );
        assert_eq!(unheard.len(), 1);
        assert!(
            unheard[0].starts_with("no device hears the responses"),
            "{unheard:?}"
        );
        assert_eq!(sentences(response_topic, subscribe), [""; 0]);
    }
}
