//! How often equal sides are called different, and what it takes for two that are not.

use super::*;

/// Figures of a page.
const FIGURES: usize = 30;
/// Pages with nothing different, for each kind of noise.
const PAGES: usize = 400;
/// What is allowed of them: `FAMILY_ERROR` and 3 standard deviations of what chance makes of it.
const CALLED_MAX: usize = 10;

const LATENCY: Rule = Rule {
    better: Better::Lower,
    grain: Grain {
        share: 0.02,
        step: 1.0,
        of: GrainOf::Measure,
    },
};

const LOST: Rule = Rule {
    better: Better::Lower,
    grain: Grain {
        share: 0.0,
        step: 0.0,
        of: GrainOf::Count,
    },
};

/// A seeded generator (xorshift64*, Vigna 2016): another one than that of the bootstrap.
struct Chance(u64);

impl Chance {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11;
        (drawn as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.unit(), self.unit());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

type Noise = fn(&mut Chance) -> f64;

/// What a figure may do from run to run, around 1,000.
const NOISES: [(&str, Noise); 7] = [
    ("normal", |chance| 1_000.0 + 100.0 * chance.normal()),
    ("normal and faint", |chance| 1_000.0 + chance.normal()),
    ("skewed: lognormal", |chance| {
        1_000.0 * chance.normal().exp()
    }),
    ("skewed: exponential", |chance| {
        1.0 - 1_000.0 * chance.unit().ln()
    }),
    ("heavy tails: Student's t, 2 degrees", |chance| {
        1_000.0 * (0.1 * chance.normal() / (-chance.unit().ln()).sqrt()).exp()
    }),
    ("heavy tails: Cauchy", |chance| {
        1_000.0 * (0.1 * chance.normal() / chance.normal()).exp()
    }),
    ("one of two values", |chance| match chance.unit() < 0.5 {
        true => 1_000.0,
        false => 1_050.0,
    }),
];

/// Whether `other` is called different, as [`difference`] does: what Welch's interval does not leave, the wider one does not.
fn is_called(base: &[f64], other: &[f64], rule: Rule) -> bool {
    let error = FAMILY_ERROR / FIGURES as f64;
    let (low, high) = welch(base, other, Scale::Ratio, rule.grain, error);
    let may_be = low > 0.0 || high < 0.0;
    may_be
        && difference(base, other, rule, error)
            .finding
            .is_beyond_noise()
}

/// Of pages of 30 figures on which nothing differs at most one in a hundred calls anything different, whatever the noise is
/// like: with 2, 3, 5 and 10 runs on a side.
#[test]
fn equal_sides_are_hardly_ever_called_different() {
    for runs in [2, 3, 5, 10] {
        for (name, noise) in NOISES {
            let mut chance = Chance(0x5EED ^ runs);
            let mut side = || -> Vec<f64> { (0..runs).map(|_| noise(&mut chance)).collect() };
            let called = (0..PAGES)
                .filter(|_| {
                    let mut page = (0..FIGURES)
                        .map(|_| (side(), side()))
                        .collect::<Vec<_>>()
                        .into_iter();
                    page.any(|(base, other)| is_called(&base, &other, LATENCY))
                })
                .count();

            println!("{runs} runs, {name}: {called} of {PAGES} pages");
            assert!(
                called <= CALLED_MAX,
                "{runs} runs, {name}: {called} of {PAGES}"
            );
        }
    }
}

/// Twenty comparisons of equal sides, whose 30 figures of a run move together as those of a busy machine do: at most one
/// calls anything different, and of a hundred such series of twenty hardly a further one.
#[test]
fn of_twenty_comparisons_at_most_one_is_called_different() {
    let mut chance = Chance(20);
    let mut series_with_more = 0;
    for _ in 0..100 {
        let called = (0..20).filter(|_| {
            let shared: Vec<f64> = (0..6).map(|_| 0.1 * chance.normal()).collect();
            (0..FIGURES).any(|_| {
                let runs: Vec<f64> = shared
                    .iter()
                    .map(|shared| 1_000.0 * (shared + 0.05 * chance.normal()).exp())
                    .collect();
                is_called(&runs[..3], &runs[3..], LATENCY)
            })
        });
        series_with_more += usize::from(called.count() > 1);
    }

    assert!(series_with_more <= 2, "{series_with_more} of 100");
}

/// Plain percentile bootstrap intervals of three runs, at the same level, would not do: this is why they are widened.
#[test]
fn the_bootstrap_alone_is_too_narrow_for_three_runs() {
    let error = FAMILY_ERROR / FIGURES as f64;
    let mut chance = Chance(3);
    let mut side = || -> Vec<f64> { (0..3).map(|_| 1_000.0 + 100.0 * chance.normal()).collect() };
    let left = (0..200)
        .filter(|_| {
            let (low, high) = bootstrap::interval(&side(), &side(), Scale::Ratio, 1.0 - error);
            low > 0.0 || high < 0.0
        })
        .count();

    // Two sides of three runs are apart by chance with 2 / (6 over 3), one time in ten.
    assert!((10..=32).contains(&left), "{left} of 200");
}

/// What differs by far more than the runs of a side do is called so, the right way round.
#[test]
fn a_real_difference_is_found() {
    let of = |base: &[f64], other: &[f64], rule| {
        difference(base, other, rule, FAMILY_ERROR / FIGURES as f64)
    };
    let (base, twice) = ([100.0, 101.0, 103.0], [204.0, 199.0, 202.0]);
    let higher = Rule {
        better: Better::Higher,
        ..LATENCY
    };
    let neither = Rule {
        better: Better::Neither,
        ..LATENCY
    };

    let worse = of(&base, &twice, LATENCY);

    assert_eq!(worse.finding, Finding::Worse);
    assert_eq!(worse.scale, Scale::Ratio);
    assert!((worse.median - 2.0).abs() < 1e-9, "{worse:?}");
    assert!(worse.low > Some(1.3) && worse.high < Some(3.0), "{worse:?}");
    assert_eq!(of(&twice, &base, LATENCY).finding, Finding::Better);
    assert_eq!(of(&base, &twice, higher).finding, Finding::Better);
    assert_eq!(of(&twice, &base, higher).finding, Finding::Worse);
    assert_eq!(of(&base, &twice, neither).finding, Finding::Differs);
}

/// Five repeats find a fourth more where three do not: repeats are what narrows the band.
#[test]
fn more_repeats_find_less() {
    let error = FAMILY_ERROR / FIGURES as f64;
    let base = [1_000.0, 1_020.0, 990.0, 1_010.0, 985.0];
    let other = base.map(|number| number * 1.25);

    let of = |runs: usize| difference(&base[..runs], &other[..runs], LATENCY, error).finding;

    assert_eq!(of(3), Finding::WithinNoise);
    assert_eq!(of(5), Finding::Worse);
}

/// With one run on a side nothing is called anything, however far they lie apart.
#[test]
fn with_one_run_noise_is_unknown() {
    for (base, other) in [(&[1.0][..], &[100.0][..]), (&[1.0], &[100.0, 101.0, 102.0])] {
        let found = difference(base, other, LATENCY, 0.01);

        assert_eq!(found.finding, Finding::NoiseUnknown);
        assert_eq!((found.low, found.high), (None, None));
        assert!(found.median > 50.0);
    }
}

/// Counts have the noise of counts at least, and zero has no logarithm.
#[test]
fn counts_are_compared_by_what_lies_between() {
    let of = |base: &[f64], other: &[f64]| difference(base, other, LOST, 0.01 / 30.0);

    let few = of(&[0.0, 0.0, 0.0], &[4.0, 4.0, 4.0]);
    let many = of(&[0.0, 0.0, 0.0], &[1_500.0, 1_480.0, 1_510.0]);

    assert_eq!(few.finding, Finding::WithinNoise);
    assert_eq!(
        (many.finding, many.scale),
        (Finding::Worse, Scale::Difference)
    );
    assert_eq!(many.median, 1_500.0);
    assert_eq!(of(&[0.0, 0.0], &[0.0, 0.0]).finding, Finding::Same);
}

/// What lies between the medians is within its interval, whatever the runs are.
#[test]
fn the_difference_is_within_its_interval() {
    let mut chance = Chance(7);
    for _ in 0..50 {
        let mut side =
            |runs: usize| -> Vec<f64> { (0..runs).map(|_| chance.normal().exp()).collect() };
        let (base, other) = (side(3), side(4));

        let found = difference(&base, &other, LATENCY, 0.05);

        let (low, high) = (found.low.unwrap(), found.high.unwrap());
        assert!(low <= found.median && found.median <= high, "{found:?}");
    }
}
