//! Differences as a person reads them.

use squall_run::{Difference, FigureUnit, Scale, digits};

/// What lies between two medians: `+12.3 %`, `× 2.40`, `−7`.
pub(crate) fn change(difference: &Difference, unit: FigureUnit) -> String {
    text(difference.median, difference.scale, unit)
}

/// The interval that noise may fill: `−3.10 % … × 2.40`; `None` where noise is not known.
pub(crate) fn band(difference: &Difference, unit: FigureUnit) -> Option<String> {
    let [low, high] =
        [difference.low?, difference.high?].map(|end| text(end, difference.scale, unit));
    Some(format!("{low} … {high}"))
}

fn text(number: f64, scale: Scale, unit: FigureUnit) -> String {
    match scale {
        // Per cent of what is more than double or less than half are hard to read.
        Scale::Ratio if !(0.5..2.0).contains(&number) => format!("× {}", factor(number)),
        Scale::Ratio => match digits((number - 1.0).abs() * 100.0) {
            zero if zero.parse() == Ok(0.0) => "0 %".to_owned(),
            share => format!("{}{share} %", sign(number - 1.0)),
        },
        Scale::Difference if number == 0.0 => "0".to_owned(),
        Scale::Difference => format!("{}{}", sign(number), unit.text(whole(number.abs(), unit))),
    }
}

/// A ratio; what is beyond a thousand says no more than that.
fn factor(number: f64) -> String {
    match number {
        large if large >= 1e3 => "> 1,000".to_owned(),
        small if small < 1e-3 => "< 0.001".to_owned(),
        other => digits(other),
    }
}

const fn sign(number: f64) -> &'static str {
    if number < 0.0 { "−" } else { "+" }
}

/// The ends of an interval of counts are whole things.
fn whole(number: f64, unit: FigureUnit) -> f64 {
    match unit {
        FigureUnit::Count => number.round(),
        FigureUnit::Micros
        | FigureUnit::PerSecond
        | FigureUnit::Cores
        | FigureUnit::Bytes
        | FigureUnit::Seconds
        | FigureUnit::PerMessage => number,
    }
}

#[cfg(test)]
mod tests {
    use squall_run::Finding;

    use super::*;

    fn difference(scale: Scale, median: f64, low: f64, high: f64) -> Difference {
        Difference {
            scale,
            median,
            low: Some(low),
            high: Some(high),
            finding: Finding::WithinNoise,
        }
    }

    /// Small ratios are per cent, great ones factors, and counts are what lies between.
    #[test]
    fn differences_are_read_without_a_calculator() {
        let ratio = difference(Scale::Ratio, 1.123, 0.97, 2.4);
        let lost = difference(Scale::Difference, -7.0, -20.4, 0.0);
        let huge = difference(Scale::Ratio, 0.9999999, 1e-9, 5e6);

        let both = |difference: &Difference, unit| {
            (change(difference, unit), band(difference, unit).unwrap())
        };

        assert_eq!(
            both(&ratio, FigureUnit::Micros),
            ("+12.3 %".to_owned(), "−3.00 % … × 2.40".to_owned())
        );
        assert_eq!(
            both(&lost, FigureUnit::Count),
            ("−7".to_owned(), "−20 … 0".to_owned())
        );
        assert_eq!(
            both(&huge, FigureUnit::Bytes),
            ("0 %".to_owned(), "× < 0.001 … × > 1,000".to_owned())
        );
    }
}
