//! Why the claims of a scenario may not be judged, or not hold: said before it runs.

mod at_most_once;
mod hindrance;
mod identities;
mod percentiles;
mod publishers;
mod responses;
mod unheard;
mod unstamped;
mod unsubscribed;

use std::time::Duration;

use squall_run::{MetricName, duration_text};
use squall_scenario::{
    DropKind, Expectation, Fault, FaultTarget, OverloadedLink, Plan, Scenario, overloaded_links,
};

use crate::books::noticing_time;

/// One sentence for each claim that the end of the run may leave without a verdict, for each stream that sends
/// nothing, for each link that is too slow for what its devices subscribe to, and for each group whose messages a lost
/// connection leaves in doubt, for each group with one Client Identifier, for each stream that no device
/// subscribes to, for each subscription that is to end with the load, for a broker that keeps nothing while a fault ends its process, for requests and responses that miss each other, and
/// for claims that counts of messages without a stamp may not judge. What is certain to have no verdict is in
/// [`never_judged`].
///
/// They are not errors: a broker that is quicker than it has to be gives such a claim its verdict.
pub fn advice(scenario: &Scenario) -> Vec<String> {
    let mut advice = Vec::new();
    for expectation in &scenario.expectations {
        let Expectation::Will(claim) = expectation else {
            continue;
        };
        for &fault in &claim.after {
            let fault = scenario.fault(fault);
            let has_limit = fault
                .drop_kind()
                .is_some_and(|how| claim.within.contains_key(&how));
            if !has_limit {
                advice.extend(too_short_for_wills(scenario, fault));
            }
        }
    }
    advice.dedup();
    advice.extend(keeps_nothing(scenario));
    advice.extend(silent_streams(scenario));
    let links = overloaded_links(scenario);
    advice.extend(links.iter().map(|link| too_slow(scenario, link)));
    advice.extend(publishers::forgetful(scenario));
    advice.extend(identities::shared(scenario));
    advice.extend(unheard::streams(scenario));
    advice.extend(unsubscribed::never(scenario));
    advice.extend(responses::partly_unanswered(scenario));
    advice.extend(unstamped::doubtful(scenario));
    if !claims_responses(scenario) {
        advice.extend(responses::unheard(scenario));
    }
    advice
}

/// One sentence for each claim and threshold that cannot be judged whatever the broker does: a run of the scenario is
/// invalid. They are not among [`advice`].
pub fn never_judged(scenario: &Scenario) -> Vec<String> {
    let mut sentences = percentiles::out_of_reach(scenario);
    sentences.extend(unheard::claims(scenario));
    sentences.extend(at_most_once::claims(scenario));
    sentences.extend(unstamped::claims(scenario));
    if claims_responses(scenario) {
        sentences.extend(responses::unheard(scenario));
    }
    sentences
}

/// Says so if a fault ends the process of a broker that keeps nothing on disk.
fn keeps_nothing(scenario: &Scenario) -> Option<String> {
    let mut faults = scenario.faults.iter();
    let ends_process = faults.any(|fault| match &fault.target {
        FaultTarget::Broker(action) => action.ends_process(),
        FaultTarget::Devices(_) => false,
    });
    let traits = &scenario.traits;
    let keeps = traits.keeps.filter(|_| ends_process)?;
    keeps.remark(traits.name.as_deref())
}

fn claims_responses(scenario: &Scenario) -> bool {
    let mut claims = scenario.expectations.iter();
    let mut thresholds = scenario.thresholds.iter();
    claims.any(|claim| matches!(claim, Expectation::Response(_)))
        || thresholds.any(|threshold| threshold.selector.metric == MetricName::RoundTrip)
}

/// Says which streams send nothing: a message that is due just when the load ends is not sent.
fn silent_streams(scenario: &Scenario) -> Vec<String> {
    let load = scenario.run.warmup + scenario.run.duration;
    let plan = Plan::of(scenario);
    let mut sentences = Vec::new();
    for group in &plan.groups {
        for stream in group.streams.iter().filter(|stream| stream.begins >= load) {
            sentences.push(format!(
                "topic `{}` of group `{}` is never published: its `start` is {}, when the measured part is over; \
                 no claim and no threshold is judged of it",
                stream.topic,
                group.name,
                duration_text((stream.begins - scenario.run.warmup).as_secs_f64())
            ));
        }
    }
    sentences
}

/// Says what waits behind a link that is too slow.
fn too_slow(scenario: &Scenario, link: &OverloadedLink) -> String {
    format!(
        "each device of group `{}` is sent about {:.0} bit/s, and network `{}` carries {} bit/s down: what is beyond \
         it waits in the broker and on the link for as long as the run lasts",
        scenario.group(link.group).name,
        link.offered_bits_per_second,
        scenario.network(link.network).name,
        link.carried_bits_per_second
    )
}

/// Says so if the broker may need longer to notice what a fault did than the run goes on after it.
fn too_short_for_wills(scenario: &Scenario, fault: &Fault) -> Option<String> {
    let devices = fault.devices()?;
    let is_silent = fault.drop_kind() == Some(DropKind::Silent) || fault.is_mute();
    let keep_alive = Duration::from_secs(scenario.group(devices.group).keep_alive.into());
    let needs = noticing_time(is_silent.then_some(keep_alive))?;
    let has = (scenario.run.duration + scenario.run.drain).saturating_sub(fault.timing.last());
    let drain = scenario.run.drain + needs.saturating_sub(has);
    (has < needs).then(|| {
        format!(
            "wills after fault `{}` may come {} after it, and the run goes on for {} only: without `run.drain = \"{}s\"`, or a \
             limit in `within`, those that are not there by then are not judged",
            fault.name,
            duration_text(needs.as_secs_f64()),
            duration_text(has.as_secs_f64()),
            drain.as_secs_f64().ceil()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broker that keeps nothing on disk forgets by the end of its process what it might keep otherwise: who asks what a
    /// crash costs is told before the run.
    #[test]
    fn a_broker_that_keeps_nothing_is_told_of_where_a_fault_ends_its_process() {
        let told = |target: &str, action: &str| {
            let text = format!(
                "version = 1\nname = \"crash\"\n[run]\nduration = \"30s\"\n[target]\n{target}\n\
                 [[group]]\nname = \"d\"\ncount = 1\n\
                 [[fault]]\nname = \"crash\"\nat = \"10s\"\naction = \"{action}\"\nlasts = \"1s\"\n"
            );
            let advice = super::advice(
                &Scenario::parse("a.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}")),
            );
            advice
                .iter()
                .any(|line| line.contains("keeps nothing on disk"))
        };
        let spawn = |keeps: &str| format!("spawn = \"broker {{port}}\"\n{keeps}");

        assert!(told(&spawn("keeps = \"nothing\""), "kill_broker"));
        assert!(told("", "restart_broker"), "squall's own");
        assert!(!told(&spawn("keeps = \"nothing\""), "pause_broker"));
        assert!(!told(&spawn("keeps = \"disk\""), "kill_broker"));
        assert!(!told(&spawn(""), "kill_broker"), "not known");
    }

    fn advice_on(drain: &str, how: &str, claim: &str) -> Vec<String> {
        let text = format!(
            "version = 1\nname = \"a\"\n[run]\nduration = \"10s\"\ndrain = \"{drain}\"\n\
             [[group]]\nname = \"g\"\ncount = 1\nkeep_alive = \"4s\"\n[group.will]\ntopic = \"w\"\n\
             [[group.subscribe]]\nfilter = \"w\"\n\
             [[fault]]\nname = \"f\"\nat = \"9s\"\ngroup = \"g\"\naction = \"drop\"\nhow = \"{how}\"\n\
             [[expect]]\ncheck = \"will\"\nafter = [\"f\"]\n{claim}\n"
        );
        let scenario =
            Scenario::parse("a.toml", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        advice(&scenario)
    }

    /// A reset is noticed within 5 s, silence within 1.5 times Keep Alive and 2 s more.
    #[test]
    fn a_drain_that_is_shorter_than_noticing_takes_is_told_before_the_run() {
        for (how, enough, too_short) in [("rst", "4s", "3s"), ("silent", "7s", "6s")] {
            assert_eq!(advice_on(enough, how, "exactly = 1"), [] as [&str; 0]);

            let advice = advice_on(too_short, how, "exactly = 1");

            let wanted = format!("`run.drain = \"{enough}\"`");
            assert!(
                advice.len() == 1 && advice[0].contains(&wanted),
                "{advice:?}"
            );
        }
    }

    /// The load is over at the moment at which its only message would be due.
    #[test]
    fn a_stream_that_begins_when_the_load_ends_is_told_before_the_run() {
        let of = |start: &str| {
            let text = format!(
                "version = 1\nname = \"a\"\n[run]\nwarmup = \"1s\"\nduration = \"1s\"\n[[group]]\nname = \"g\"\n\
                 count = 1\n[[group.publish]]\ntopic = \"t\"\nevery = \"10s\"\nstart = \"{start}\"\n"
            );
            advice(&Scenario::parse("a.toml", &text, &[]).unwrap())
        };

        assert_eq!(of("999ms"), [] as [&str; 0]);
        let told = of("1s");
        assert!(
            told.len() == 1 && told[0].contains("topic `t` of group `g` is never published"),
            "{told:?}"
        );
    }

    /// A limit of its own says when a will is missing.
    #[test]
    fn a_claim_with_a_limit_needs_no_longer_drain() {
        assert_eq!(
            advice_on("1s", "rst", "within = { rst = \"500ms\" }"),
            [] as [&str; 0]
        );
    }

    /// More than a link carries towards a device is told before the run; it may be what the
    /// scenario is about.
    #[test]
    fn a_link_that_is_too_slow_for_its_subscriptions_is_told_before_the_run() {
        let text = "version = 1\nname = \"a\"\n\
             [[network]]\nname = \"slow\"\nbandwidth = { down = \"1kbit/s\" }\n\
             [[group]]\nname = \"g\"\ncount = 1\nnetwork = \"slow\"\n\
             [[group.publish]]\ntopic = \"t\"\nrate = 10\n\
             [[group.subscribe]]\nfilter = \"t\"\n";
        let scenario = Scenario::parse("a.toml", text, &[]).unwrap();

        let advice = advice(&scenario);

        // 10 messages a second of 4 + 1 + 16 bytes.
        assert_eq!(
            advice,
            [
                "each device of group `g` is sent about 1680 bit/s, and network `slow` carries 1000 bit/s down: what \
                 is beyond it waits in the broker and on the link for as long as the run lasts"
            ]
        );
    }
}
