//! What is to be unsubscribed and never is.

use squall_run::duration_text;
use squall_scenario::Scenario;

/// One sentence for each block of subscriptions whose `until` is not before the end of the measured part.
pub(super) fn never(scenario: &Scenario) -> Vec<String> {
    let mut sentences = Vec::new();
    for group in &scenario.groups {
        for subscribe in &group.subscribes {
            let Some(until) = subscribe.times.until else {
                continue;
            };
            if until < scenario.run.duration {
                continue;
            }
            sentences.push(format!(
                "`until = \"{}\"` of filter `{}` of group `{}` is not before the end of the measured part, at {}: its devices \
                 stay subscribed and send no UNSUBSCRIBE for it; give an earlier `until`, a longer `run.duration`, or none",
                duration_text(until.as_secs_f64()).replace(' ', ""),
                subscribe.filter.source(),
                group.name,
                duration_text(scenario.run.duration.as_secs_f64())
            ));
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is due when the measured part ends does not happen: it is told before the run.
    #[test]
    fn an_until_at_the_end_of_the_measured_part_is_told_before_the_run() {
        let told = |until: &str| {
            let text = format!(
                "version = 1\nname = \"a\"\n[run]\nduration = \"8s\"\n[[group]]\nname = \"g\"\ncount = 1\n\
                 [[group.subscribe]]\nfilter = [\"a\", \"b/#\"]\nuntil = \"{until}\"\n"
            );
            never(&Scenario::parse("a.toml", &text, &[]).unwrap())
        };

        assert_eq!(told("7999ms"), [] as [&str; 0]);
        let at_the_end = told("8s");
        assert_eq!(at_the_end.len(), 2, "{at_the_end:?}");
        assert!(
            at_the_end[1].contains("filter `b/#` of group `g`"),
            "{at_the_end:?}"
        );
        assert_eq!(told("1m").len(), 2);
    }
}
