//! What the scenario's claims say about a figure.

use squall_run::{Aggregate, ClaimResult, MetricName, Run, Tags, ThresholdOutcome};

use super::{Limit, Tile};

/// What became of the claims of `check` about one of `keys`. A key that ends with a point stands for all that
/// begin with it.
pub(super) fn of_check(run: &Run, check: &str, keys: &[&str]) -> Vec<ClaimResult> {
    let is_meant = |key: &str| {
        keys.iter()
            .any(|meant| *meant == key || (meant.ends_with('.') && key.starts_with(meant)))
    };
    let checks = run.measured.checks.iter();
    checks
        .filter(|outcome| outcome.check == check)
        .flat_map(|outcome| &outcome.claims)
        .filter(|claim| is_meant(&claim.key))
        .map(|claim| claim.result())
        .collect()
}

/// What became of the thresholds on `metric` that may be about samples of these tags: none of their own
/// tags has another value there.
pub(super) fn of_metric(run: &Run, metric: MetricName, tags: &Tags) -> Vec<ClaimResult> {
    of_aggregates(run, metric, tags, |_| true)
}

/// The same of those that are about just these samples: a figure of more or fewer is another one.
pub(super) fn of_population(
    run: &Run,
    metric: MetricName,
    tags: &Tags,
    samples: u64,
) -> Vec<ClaimResult> {
    thresholds_on(run, metric, tags)
        .filter(|threshold| threshold.samples == samples)
        .map(ThresholdOutcome::claim_result)
        .collect()
}

/// The threshold with an upper limit that is about the samples of several of these populations, which have tags and a number of
/// samples each; of several such the one whose limit is used up most.
pub(super) fn over_several<'a>(
    run: &'a Run,
    metric: MetricName,
    populations: &[(&Tags, u64)],
) -> Option<&'a ThresholdOutcome> {
    let is_of_one = |threshold: &ThresholdOutcome| {
        let mut of = populations.iter();
        of.any(|(tags, samples)| {
            let mut own = threshold.tags.iter();
            threshold.samples == *samples && own.all(|(tag, value)| tags.get(tag) == Some(value))
        })
    };
    let thresholds = run.measured.thresholds.iter();
    let of_it = thresholds.filter(|threshold| threshold.metric == metric && !is_of_one(threshold));
    let limited = of_it.filter_map(|threshold| Some((threshold, threshold.used()?)));
    let tightest = limited.max_by(|(_, one), (_, other)| one.total_cmp(other));
    tightest.map(|(threshold, _)| threshold)
}

/// The same of the thresholds on those of its aggregates that are meant.
pub(super) fn of_aggregates(
    run: &Run,
    metric: MetricName,
    tags: &Tags,
    is_meant: impl Fn(Aggregate) -> bool,
) -> Vec<ClaimResult> {
    thresholds_on(run, metric, tags)
        .filter(|threshold| is_meant(threshold.aggregate))
        .map(ThresholdOutcome::claim_result)
        .collect()
}

fn thresholds_on<'a>(
    run: &'a Run,
    metric: MetricName,
    tags: &'a Tags,
) -> impl Iterator<Item = &'a ThresholdOutcome> {
    let thresholds = run.measured.thresholds.iter();
    let of_it = thresholds.filter(move |threshold| threshold.metric == metric);
    of_it.filter(|threshold| {
        let mut own = threshold.tags.iter();
        own.all(|(tag, value)| tags.get(tag).is_none_or(|other| other == value))
    })
}

/// The upper limit that a threshold sets to the very figure that has these tags; of several the one that is used up most.
pub(super) fn limit(
    run: &Run,
    metric: MetricName,
    tags: &Tags,
    aggregate: Aggregate,
) -> Option<Limit> {
    let thresholds = thresholds_on(run, metric, tags);
    let same = thresholds.filter(|threshold| {
        let mut own = threshold.tags.iter();
        threshold.aggregate == aggregate && own.all(|(tag, value)| tags.get(tag) == Some(value))
    });
    tightest(same)
}

/// The same of a figure of so many samples.
pub(super) fn limit_of_population(
    run: &Run,
    metric: MetricName,
    tags: &Tags,
    (aggregate, samples): (Aggregate, u64),
) -> Option<Limit> {
    let thresholds = thresholds_on(run, metric, tags);
    tightest(
        thresholds
            .filter(|threshold| threshold.aggregate == aggregate && threshold.samples == samples),
    )
}

fn tightest<'a>(thresholds: impl Iterator<Item = &'a ThresholdOutcome>) -> Option<Limit> {
    let limits = thresholds.filter_map(limit_of);
    limits.max_by(|one, other| one.used.total_cmp(&other.used))
}

/// The upper limit of a threshold, if it has one and something was measured.
pub(super) fn limit_of(threshold: &ThresholdOutcome) -> Option<Limit> {
    let used = threshold.used()?;
    let headroom = threshold.claim_line().headroom()?;
    Some(Limit {
        used,
        text: format!("{headroom} {}", threshold.limit),
    })
}

impl Tile {
    /// Shows the limit of the very figure, if there is one.
    pub(super) fn limited(self, limit: Option<Limit>) -> Self {
        Self { limit, ..self }
    }

    /// Takes the worst of what claims about its figure came to, and of what it says by itself.
    pub(super) fn claimed(self, results: impl IntoIterator<Item = ClaimResult>) -> Self {
        let held = results.into_iter().chain(self.held).max_by_key(gravity);
        Self { held, ..self }
    }
}

const fn gravity(result: &ClaimResult) -> u8 {
    match result {
        ClaimResult::Held => 0,
        ClaimResult::NotJudged => 1,
        ClaimResult::Broken => 2,
    }
}
