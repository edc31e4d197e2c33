//! Claims about losses where nothing is published that a broker must not lose.

use squall_protocol::QoS;
use squall_scenario::{Expectation, Scenario};

/// One sentence if a claim about losses has no message at QoS 1 or 2 to be about.
pub(super) fn claims(scenario: &Scenario) -> Option<String> {
    let mut claims = scenario.expectations.iter();
    let claims_losses = claims.any(|expectation| {
        matches!(expectation, Expectation::Delivery(claim) if claim.lost.is_some() && claim.qos.is_none())
    });
    let groups = &scenario.groups;
    let mut levels = groups.iter().flat_map(|group| {
        let publishes = group.publishes.iter().map(|publish| publish.qos);
        let births = group.birth.iter().map(|birth| birth.qos);
        let responds = group.responds.iter().map(|respond| respond.qos);
        publishes.chain(births).chain(responds)
    });
    let first = levels.next();
    let is_all_at_most_once =
        first == Some(QoS::AtMostOnce) && levels.all(|qos| qos == QoS::AtMostOnce);
    (claims_losses && is_all_at_most_once).then(|| {
        "`lost` of `check = \"delivery\"` cannot be judged, and the run will be invalid: without `qos` it is about messages at \
         QoS 1 and 2, and all are published at QoS 0; publish at `qos = 1`, or add `qos = 0` to the claim, which judges \
         messages with a stamp"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(qos: u8, claim: &str) -> bool {
        let text = format!(
            "version = 1\nname = \"a\"\n[[group]]\nname = \"homes\"\ncount = 5\n[[group.publish]]\ntopic = \"t\"\nqos = {qos}\n\
             every = \"1s\"\n[[group.subscribe]]\nfilter = \"t\"\nqos = 1\n[[expect]]\ncheck = \"delivery\"\n{claim}\n"
        );
        let scenario = Scenario::parse("a.toml", &text, &[]);
        claims(&scenario.unwrap_or_else(|errors| panic!("{errors}"))).is_some()
    }

    /// Losses are claimed of what is published at QoS 1 and 2, or else of QoS 0 by name.
    #[test]
    fn a_claim_about_losses_at_no_level_is_told() {
        assert!(told(0, "lost = 0"));
        assert!(!told(0, "qos = 0\nlost = 0"));
        assert!(!told(1, "lost = 0"));
        assert!(!told(0, "misrouted = 0"));
    }
}
