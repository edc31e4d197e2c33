//! When the messages of a stream are due, written out.

use squall_toml::quote::quote;

use super::text::{Text, array, duration, float, pair, table};
use crate::{Arrival, Pacing, Points, Rate, Share};

/// The keys of `[[group.publish]]` that say when its messages are due.
pub(super) fn write(text: &mut Text, pacing: &Pacing) {
    if let Some(window) = pacing.window {
        text.pair("arrival", format!("{{ window = {window} }}"));
    } else {
        text.pair("rate_per_device", rate(&pacing.rate_per_device));
        let arrival = match pacing.arrival {
            Arrival::Even => "even",
            Arrival::Poisson => "poisson",
        };
        text.pair("arrival", quote(arrival));
        text.pair("burst", pacing.burst);
    }
    match pacing.count {
        Some(count) => text.pair("count", count),
        None => text.comment("any number of messages"),
    }
    match pacing.start {
        Some(start) => text.pair("start", duration(start)),
        None => text.comment("begins with the warm-up"),
    }
    match pacing.until {
        Some(until) => text.pair("until", duration(until)),
        None => text.comment("goes on to the end of the measured part"),
    }
}

/// The rate as one value.
fn rate(rate: &Rate) -> String {
    profile(rate, "rate")
}

/// The share as one value.
pub(super) fn share(share: &Share) -> String {
    profile(share.profile(), "share")
}

/// A profile over time whose points name their value `key`.
fn profile(profile: &Rate, key: &str) -> String {
    let pairs = match profile {
        Rate::Constant(value) => return float(*value),
        Rate::Points(of_profile) => return points(of_profile, key),
        Rate::Repeat {
            period,
            points: of_period,
        } => vec![
            pair("repeat", duration(*period)),
            pair("points", points(of_period, key)),
        ],
        Rate::Day { low, high, peak } => {
            let day = [
                pair("low", float(*low)),
                pair("high", float(*high)),
                pair("peak", duration(*peak)),
            ];
            vec![pair("day", table(day.into_iter()).unwrap_or_default())]
        }
    };
    table(pairs.into_iter()).unwrap_or_default()
}

fn points(points: &Points, key: &str) -> String {
    array(points.iter().map(|point| {
        let pairs = [pair("at", duration(point.at)), pair(key, float(point.rate))];
        table(pairs.into_iter()).unwrap_or_default()
    }))
}
