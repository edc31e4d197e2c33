//! What a run found, in a sentence or two, from what was judged.

use crate::{
    ClaimResult, Latency, LatencyPart, Outcome, Percentile, Run, SpentBy, Summary, Value,
    count_text, duration_text,
};

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
            broken(self),
            messages(self, &summary),
            wills(self),
            times(self, &summary),
        ];
        let sentences: Vec<String> = sentences.into_iter().flatten().collect();
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}

/// The thresholds that are broken: claims about messages are told with those.
fn broken(run: &Run) -> Option<String> {
    let lines = run.measured.thresholds.iter();
    let lines = lines.filter(|threshold| threshold.claim_result() == ClaimResult::Broken);
    let parts: Vec<String> = lines
        .filter_map(|threshold| {
            let actual = threshold.actual.as_ref()?;
            let of = match threshold.tags.get("group") {
                Some(group) => format!(" of {group}"),
                None => String::new(),
            };
            Some(format!(
                "{}{of}, {}, is {actual} and not {} {}",
                threshold.metric.in_words(),
                threshold.aggregate,
                threshold.comparison.symbol(),
                threshold.limit
            ))
        })
        .collect();
    (!parts.is_empty()).then(|| format!("{}.", capital(&parts.join("; "))))
}

/// What was claimed of deliveries and judged: `0 lost, 0 duplicated and 0 reordered of 1,886 owed.`
fn messages(run: &Run, summary: &Summary) -> Option<String> {
    let checks = run.measured.checks.iter();
    let claims: Vec<_> = checks
        .filter(|check| check.check == "delivery")
        .flat_map(|check| &check.claims)
        .filter(|claim| claim.result() != ClaimResult::NotJudged)
        .collect();
    let keys = ["lost", "duplicated", "reordered", "corrupted", "misrouted"];
    let parts: Vec<(u64, String)> = keys
        .into_iter()
        .filter_map(|key| {
            let found = claims.iter().filter(|claim| claim.key == key);
            let counts: Vec<u64> = found
                .filter_map(|claim| match claim.actual {
                    Some(Value::Count(count)) => Some(count),
                    _ => None,
                })
                .collect();
            let sum: u64 = counts.iter().sum();
            (!counts.is_empty()).then(|| (sum, format!("{} {key}", count_text(sum))))
        })
        .collect();
    let owed = summary.expected - summary.excused;
    if parts.is_empty() || owed == 0 {
        return None;
    }
    let (wrong, clean): (Vec<_>, Vec<_>) = parts.into_iter().partition(|&(sum, _)| sum > 0);
    let texts: Vec<String> = wrong
        .into_iter()
        .chain(clean)
        .map(|(_, text)| text)
        .collect();
    let deliveries = match owed {
        1 => "delivery",
        _ => "deliveries",
    };
    Some(format!(
        "{} of {} {deliveries} owed.",
        list(&texts),
        count_text(owed)
    ))
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
    let missing: u64 = wills.iter().map(|will| will.missing).sum();
    (is_judged && due > 0).then(|| {
        let came = count_text(due.saturating_sub(missing));
        format!("{came} of {} Last Wills came.", count_text(due))
    })
}

/// How long deliveries took, and where, if they are of one kind.
fn times(run: &Run, summary: &Summary) -> Option<String> {
    let latency = summary.e2e_latency.as_ref()?;
    let at = |percentile| Some(text(latency.percentile_us(percentile)?));
    let half = at(Percentile::P50)?;
    let most = match at(Percentile::P99) {
        Some(p99) => format!("99 % within {p99}"),
        None => format!("all within {}", text(latency.max_us)),
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

        assert!(answer.starts_with("0 lost"), "{answer}");
        assert!(answer.contains("Last Wills came."), "{answer}");
    }

    /// What is broken comes first, with the limit that it broke.
    #[test]
    fn what_is_broken_comes_first() {
        let answer = sample::failing().answer().expect("it failed");

        assert!(answer.contains("and not <"), "{answer}");
        assert!(answer.find("and not <") < answer.find("lost"), "{answer}");
    }

    /// Where nothing follows from a run, nothing is answered.
    #[test]
    fn a_run_without_a_verdict_answers_nothing() {
        assert_eq!(sample::empty().answer(), None);
    }
}
