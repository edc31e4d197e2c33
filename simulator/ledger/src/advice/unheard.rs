//! What is published and no device subscribes to.

use squall_scenario::{Expectation, Scenario, unheard_streams};

/// One sentence for each stream that no subscription matches.
pub(super) fn streams(scenario: &Scenario) -> Vec<String> {
    let unheard = unheard_streams(scenario).into_iter();
    let sentences = unheard.map(|stream| {
        format!(
            "no device subscribes to topic `{}` of group `{}`: nothing of it is delivered, and no claim about delivery and no \
             latency is about it",
            stream.publish.topic.source(),
            scenario.group(stream.group).name
        )
    });
    sentences.collect()
}

/// One sentence if a claim about delivery has no message that it could be about.
pub(super) fn claims(scenario: &Scenario) -> Option<String> {
    let mut claims = scenario.expectations.iter();
    let claims_delivery = claims.any(|claim| matches!(claim, Expectation::Delivery(_)));
    let streams: usize = scenario
        .groups
        .iter()
        .map(|group| group.publishes.len())
        .sum();
    let mut groups = scenario.groups.iter();
    let has_other_messages =
        groups.any(|group| group.birth.is_some() || !group.responds.is_empty());
    let is_unheard = streams > 0 && unheard_streams(scenario).len() == streams;
    (claims_delivery && is_unheard && !has_other_messages).then(|| {
        "`check = \"delivery\"` cannot be judged, and the run will be invalid: no device subscribes to anything that is published"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(filter: &str, more: &str) -> Scenario {
        let text = format!(
            "version = 1\nname = \"a\"\n[[group]]\nname = \"homes\"\ncount = 5\n[[group.publish]]\n\
             topic = \"home/{{client_id}}/temperature\"\nevery = \"1s\"\n{more}\n[[group]]\nname = \"backend\"\ncount = 1\n\
             [[group.subscribe]]\nfilter = \"{filter}\"\n[[expect]]\ncheck = \"delivery\"\nlost = 0\n"
        );
        let scenario = Scenario::parse("a.toml", &text, &[]);
        scenario.unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// A filter that is a slip is told before the run, and that the claim cannot be judged if nothing else is heard.
    #[test]
    fn a_filter_that_matches_nothing_is_told_before_the_run() {
        let slip = scenario("home/+/temp", "");
        let partly = scenario(
            "home/+/temp",
            "[[group.publish]]\ntopic = \"home/temp\"\nevery = \"1s\"\n",
        );
        let other = scenario(
            "home/+/temp",
            "[[group.publish]]\ntopic = \"home/a/temp\"\nevery = \"1s\"\n",
        );

        let told = streams(&slip);
        assert!(
            told.len() == 1
                && told[0].contains("topic `home/{client_id}/temperature` of group `homes`"),
            "{told:?}"
        );
        assert!(claims(&slip).is_some());
        assert_eq!(streams(&partly).len(), 2);
        assert!(claims(&partly).is_some());
        assert_eq!((streams(&other).len(), claims(&other)), (1, None));
        let right = scenario("home/+/temperature", "");
        assert_eq!((streams(&right).len(), claims(&right)), (0, None));
    }
}
