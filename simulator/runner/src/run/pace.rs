//! When the messages of a stream are due, in words.

use squall_run::{count_text, duration_text, rate_text};
use squall_scenario::{Pacing, RunSettings};

/// `500/s`, `50/s to 500/s, from 5 s, until 30 s, bursts of 20, at most 10 of each device`, of a group of `devices`.
pub fn pace_text(pacing: &Pacing, devices: u32, run: &RunSettings) -> String {
    let (low, high) = pacing.range(run);
    let group = |rate: f64| rate_text(rate * f64::from(devices));
    let mut text = match pacing.window {
        Some(window) => format!(
            "as fast as the broker answers, {} unanswered of each device at most",
            count_text(window.into())
        ),
        None if (high - low).abs() <= high * 1e-9 => group(high),
        None => format!("{} to {}", group(low), group(high)),
    };
    if pacing.burst > 1 {
        text.push_str(&format!(
            " in bursts of {}",
            count_text(pacing.burst.into())
        ));
    }
    if let Some(start) = pacing.start {
        text.push_str(&format!(", from {}", duration_text(start.as_secs_f64())));
    }
    if let Some(until) = pacing.until {
        text.push_str(&format!(", until {}", duration_text(until.as_secs_f64())));
    }
    if let Some(count) = pacing.count {
        text.push_str(&format!(", {} of each device", count_text(count)));
    }
    text
}
