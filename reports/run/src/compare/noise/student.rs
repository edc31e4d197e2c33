//! Quantiles of Student's t distribution.

use std::f64::consts::FRAC_PI_2;

/// Halvings of the stretch in which the quantile lies: past the resolution of an `f64`.
const HALVINGS: u32 = 100;
/// No quantile that is asked for is beyond: of one degree of freedom it belongs to an `outside` of 6 in 10^13.
const BEYOND_ALL: f64 = 1e12;

/// The value that a t with so many degrees of freedom (at least 1) exceeds, in either direction, with the chance `outside`
/// (between 0 and 1). Between two whole numbers of degrees its logarithm is taken on the line over 1 / degrees, on which it
/// all but lies.
pub(super) fn quantile(outside: f64, degrees: f64) -> f64 {
    // A sum in floating point may be a hair below a whole number.
    let fewer = (degrees + 1e-9).floor().max(1.0);
    let value = |degrees: f64| quantile_of_whole(outside, degrees as u32);
    if degrees <= fewer {
        return value(fewer);
    }
    let share = (1.0 / fewer - 1.0 / degrees) / (1.0 / fewer - 1.0 / (fewer + 1.0));
    let (most, least) = (value(fewer).ln(), value(fewer + 1.0).ln());
    (most + share * (least - most)).exp()
}

fn quantile_of_whole(outside: f64, degrees: u32) -> f64 {
    let (mut low, mut high) = (0.0, BEYOND_ALL);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if outside_of(middle, degrees) > outside {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The chance that a t is farther from 0 than `t`.
///
/// Source: M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 1964, 26.7.3 (odd) and 26.7.4 (even
/// degrees of freedom): finite sums in the angle atan(t / √degrees).
fn outside_of(t: f64, degrees: u32) -> f64 {
    let angle = t.atan2(f64::from(degrees).sqrt());
    let (sine, cosine) = angle.sin_cos();
    let is_odd = degrees % 2 == 1;
    let (mut term, first) = if is_odd { (cosine, 3) } else { (1.0, 2) };
    let mut sum = if degrees == 1 { 0.0 } else { term };
    for next in (first..degrees.saturating_sub(1)).step_by(2) {
        term *= cosine * cosine * f64::from(next - 1) / f64::from(next);
        sum += term;
    }
    if is_odd {
        1.0 - (angle + sine * sum) / FRAC_PI_2
    } else {
        1.0 - sine * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed tables have the same values (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2).
    #[test]
    fn quantiles_are_those_of_printed_tables() {
        for (outside, degrees, expected) in [
            (0.05, 1, 12.706),
            (0.05, 2, 4.303),
            (0.05, 4, 2.776),
            (0.01, 5, 4.032),
            (0.002, 3, 10.215),
            (0.002, 8, 4.501),
            (0.1, 30, 1.697),
            (0.05, 100, 1.984),
        ] {
            let found = quantile(outside, f64::from(degrees));

            assert!((found - expected).abs() < 6e-4, "{degrees}: {found}");
        }
    }

    /// Between whole numbers it lies between theirs, and is that of a whole number next to it.
    #[test]
    fn between_whole_numbers_it_lies_between_theirs() {
        let of = |degrees| quantile(0.001, degrees);

        assert!(of(3.0) > of(3.5) && of(3.5) > of(4.0));
        assert!((of(3.999_999) - of(4.0)).abs() < 1e-4);
        assert_eq!(of(4.0 - 1e-12), of(4.0));
    }
}
