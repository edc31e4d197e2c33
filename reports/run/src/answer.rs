//! What a run found, in a sentence or two, from what was judged.

use crate::{
    CheckOutcome, ClaimResult, Latency, LatencyPart, Outcome, Percentile, Run, SpentBy, Summary,
    Value, count_text, duration_text,
};

/// Keys of the check `delivery` that are told.
const KEYS: [&str; 5] = ["lost", "duplicated", "reordered", "corrupted", "misrouted"];

impl Run {
    /// What the run found, for who asks its question: what is broken, what the messages came to, how long they took and where.
    /// `None` where nothing follows from it.
    pub fn answer(&self) -> Option<String> {
        match self.verdict.outcome {
            Outcome::Pass | Outcome::Fail => {}
            Outcome::Invalid | Outcome::NoClaims => return None,
        }
        let summary = Summary::of(self);
        let sentences = [
            broken_checks(self),
            broken(self),
            messages(self, &summary),
            wills(self),
            times(self, &summary),
        ];
        let sentences: Vec<String> = sentences.into_iter().flatten().collect();
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}

/// The checks that are broken, those about deliveries apart, which are told with what was found.
fn broken_checks(run: &Run) -> Option<String> {
    let lines = run.claim_lines().into_iter();
    let lines = lines.filter(|line| line.result == ClaimResult::Broken && line.limit.is_none());
    let lines = lines.filter(|line| !line.about.starts_with("delivery"));
    let texts: Vec<String> = lines
        .map(|line| format!("{}: {}", line.about, line.found))
        .collect();
    (!texts.is_empty()).then(|| format!("Broken: {}.", texts.join("; ")))
}

/// The thresholds that are broken: claims about messages are told with those.
fn broken(run: &Run) -> Option<String> {
    let lines = run.measured.thresholds.iter();
    let lines = lines.filter(|threshold| threshold.claim_result() == ClaimResult::Broken);
    let parts: Vec<String> = lines
        .filter_map(|threshold| {
            let actual = threshold.actual.as_ref()?;
            Some(format!(
                "{} ({}), {}, is {actual} and not {} {}",
                threshold.metric.in_words(),
                threshold.selector(),
                threshold.aggregate,
                threshold.comparison.symbol(),
                threshold.limit
            ))
        })
        .collect();
    (!parts.is_empty()).then(|| format!("{}.", capital(&parts.join("; "))))
}

/// What was claimed of deliveries and judged: `0 lost and 0 reordered of 1,886 deliveries owed.`, or of a part of them, which
/// may overlap with another: `QoS 1: 0 lost and 0 reordered.`
fn messages(run: &Run, summary: &Summary) -> Option<String> {
    let checks = run.measured.checks.iter();
    let sentences = checks
        .filter(|check| check.check == "delivery")
        .filter_map(|check| {
            let counts = counts(check)?;
            Some(match check.selected().as_slice() {
                [] => format!("{counts}{}.", of_owed(check, summary)),
                parts => format!("{}: {counts}.", capital(&parts.join(", "))),
            })
        });
    let sentences: Vec<String> = sentences.collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// The counts of a check on deliveries, those above zero first; `None` if none was judged.
fn counts(check: &CheckOutcome) -> Option<String> {
    let claims = check.claims.iter();
    let judged = claims.filter(|claim| claim.result() != ClaimResult::NotJudged);
    let counts = judged.filter_map(|claim| match claim.actual {
        Some(Value::Count(count)) if KEYS.contains(&claim.key.as_str()) => {
            Some((count, format!("{} {}", count_text(count), claim.key)))
        }
        _ => None,
    });
    let (wrong, clean): (Vec<_>, Vec<_>) = counts.partition(|&(count, _)| count > 0);
    let texts = wrong.into_iter().chain(clean).map(|(_, text)| text);
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| list(&texts))
}

/// ` of 1,886 deliveries owed`, where all claims are about all of them.
fn of_owed(check: &CheckOutcome, summary: &Summary) -> String {
    let is_of_all = check.claims.iter().all(|claim| claim.of.is_none());
    let owed = summary.expected - summary.excused;
    match (is_of_all, owed) {
        (false, _) | (_, 0) => String::new(),
        (true, 1) => " of 1 delivery owed".to_owned(),
        (true, owed) => format!(" of {} deliveries owed", count_text(owed)),
    }
}

/// `10 of 10 wills came.`
fn wills(run: &Run) -> Option<String> {
    let checks = run.measured.checks.iter();
    let mut claims = checks
        .filter(|check| check.check == "will")
        .flat_map(|check| &check.claims);
    let is_judged = claims.any(|claim| claim.result() != ClaimResult::NotJudged);
    let wills = &run.measured.wills;
    let due: u64 = wills.iter().map(|will| will.expected).sum();
    let seen: u64 = wills.iter().map(|will| will.seen).sum();
    (is_judged && due > 0).then(|| {
        format!(
            "{} of {} Last Wills came.",
            count_text(seen),
            count_text(due)
        )
    })
}

/// How long deliveries took, and where, if they are of one kind.
fn times(run: &Run, summary: &Summary) -> Option<String> {
    let latency = summary.e2e_latency.as_ref()?;
    let at = |percentile| Some(text(latency.percentile_us(percentile)?));
    let half = at(Percentile::P50)?;
    let most = match at(Percentile::P99) {
        Some(p99) => format!("99 % within {p99}"),
        None => format!("the slowest within {}", text(latency.max_us)),
    };
    Some(format!(
        "Half arrive within {half}, {most}{}.",
        share_of_links(run, latency)
    ))
}

/// Where simulated links make the most of the median: what is left for the broker.
fn share_of_links(run: &Run, latency: &Latency) -> String {
    let [spent] = &run.measured.spent[..] else {
        return String::new();
    };
    let row = spent.rows.iter().find(|row| row.of == SpentBy::Median);
    let Some(row) = row.filter(|_| latency.count > 0) else {
        return String::new();
    };
    let links = row.part_us(LatencyPart::LinkUp) + row.part_us(LatencyPart::LinkDown);
    let broker = row.part_us(LatencyPart::Broker);
    match links > row.latency_us / 2.0 {
        true => format!(
            "; of the median the simulated links are {} and the broker {}",
            duration_text(links / 1e6),
            duration_text(broker / 1e6)
        ),
        false => String::new(),
    }
}

fn text(us: u64) -> String {
    duration_text(us as f64 / 1e6)
}

/// `one, two and three`
fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `text` with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use crate::sample;

    /// A run that passed says what was counted and how long it took.
    #[test]
    fn a_run_that_passed_says_what_it_found() {
        let answer = sample::passing().answer().expect("it passed");

        assert!(answer.starts_with("QoS 1: 0 lost"), "{answer}");
        assert!(answer.contains("Last Wills came."), "{answer}");
    }

    /// What is broken comes first, with the limit that it broke.
    #[test]
    fn what_is_broken_comes_first() {
        let answer = sample::failing().answer().expect("it failed");

        assert!(answer.contains("and not <"), "{answer}");
        assert!(answer.starts_with("Broken: will"), "{answer}");
        assert!(answer.find("and not <") < answer.find("lost"), "{answer}");
    }

    /// Where nothing follows from a run, nothing is answered.
    #[test]
    fn a_run_without_a_verdict_answers_nothing() {
        assert_eq!(sample::empty().answer(), None);
    }
}
