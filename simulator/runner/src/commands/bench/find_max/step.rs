//! One step of a search: what was found at a rate, whether that holds, and why not.

use serde::Serialize;
use squall_run::bench::{BUSY, Figures, Latency, REACHED};
use squall_run::{count_text, duration_text, share_text};

use super::search::Ended;
use crate::bound::{Bound, Slowest};
use crate::commands::bench::plan::BenchPlan;

/// Messages or times that many deliveries that may be missing at the ends of a step, however short it is.
const AT_THE_ENDS: f64 = 2.0;

/// What a step has found.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Messages a second of all publishers that were asked for.
    pub rate: f64,
    /// 2 if the step before failed at the same rate.
    pub attempt: u32,
    /// Whether all that a step must do held.
    pub holds: bool,
    /// What did not, in words; empty if it holds.
    pub why: Vec<String>,
    /// What the broker did that it may not do, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
    /// The latency that is bound, in microseconds; left out with too few samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_us: Option<u64>,
    /// Whether it failed where the generator had no room left and the broker had, or may have had.
    pub generator_is_the_limit: bool,
    /// Whether the generator's own lag is beyond the bound.
    #[serde(skip)]
    generator_is_too_late: bool,
    /// Whether it failed by its latency alone: all was sent, and all came.
    #[serde(skip)]
    pub is_late_only: bool,
    /// What was measured. Where it failed, this is not what the broker carries.
    pub figures: Figures,
}

impl Step {
    /// Of a step that was made as `plan` says, at the QoS that the target has.
    pub fn of(plan: &BenchPlan, bound: &Bound, rate: f64, qos: u8, figures: Figures) -> Self {
        let broken = figures.account.broken(qos);
        let bound_us = actual_us(bound.of, &figures.latency);
        let mut why = Vec::new();
        match bound_us {
            Some(us) if bound.holds(us) => {}
            Some(us) => why.push(format!(
                "{} is {}, not {}",
                bound.of.name(),
                duration_text(us as f64 / 1e6),
                bound.limit_text()
            )),
            None => why.push(format!(
                "{} samples are too few for {}",
                count_text(figures.latency.samples),
                bound.of.name()
            )),
        }
        let mut others = of_account(&figures, &broken);
        others.extend(of_rate(&figures, rate, plan.copies()));
        // As many messages were late by it alone as the bound allows to be late.
        let lag_us = figures
            .generator_lag
            .as_ref()
            .and_then(|lag| actual_us(bound.of, lag));
        let generator_is_too_late = lag_us.is_some_and(|us| !bound.holds(us));
        let is_late_only = !why.is_empty() && bound_us.is_some() && others.is_empty();
        why.extend(others);
        Self {
            rate,
            attempt: 1,
            holds: why.is_empty(),
            generator_is_the_limit: !why.is_empty()
                && (generator_is_too_late || generator_is_the_limit(&figures)),
            generator_is_too_late,
            why,
            broken,
            bound_us,
            is_late_only,
            figures,
        }
    }

    /// For the search.
    pub fn ended(&self) -> Ended {
        match (self.holds, self.broken.is_empty()) {
            (true, _) => Ended::Held,
            (false, true) => Ended::Failed,
            (false, false) => Ended::Broken,
        }
    }

    /// A line for a person who watches.
    pub fn line(&self, bound: &Bound) -> String {
        let again = match self.attempt {
            1 => "",
            _ => " again",
        };
        let latency = self.bound_us.map_or("-".to_owned(), |us| {
            format!("{} {}", bound.of.name(), duration_text(us as f64 / 1e6))
        });
        let ended = match self.holds {
            true => "held".to_owned(),
            false => format!("failed: {}", self.why.join("; ")),
        };
        let broker = self.figures.broker_cores;
        let broker = broker.map_or(String::new(), |cores| format!("broker {cores:.2}, "));
        format!(
            "  {} messages/s{again}: {} sent, {latency}, {broker}generator {:.2} cores: {ended}{}",
            per_second(self.rate),
            per_second(self.figures.published_per_s),
            self.figures.generator_cores,
            match self.generator_is_the_limit {
                true if self.figures.held_up_text().is_some() => " (the generator was held up)",
                true => " (the generator is the limit)",
                false => "",
            }
        )
    }

    /// Why the generator is taken for the limit, if it is.
    pub fn limit_text(&self) -> String {
        if let Some(held_up) = self.figures.held_up_text() {
            return format!("the generator was held up there: {held_up}");
        }
        if self.generator_is_too_late {
            return "the generator was late there: messages were given to their connections later than the bound allows".to_owned();
        }
        let generator = share_text(self.figures.generator_cores);
        match self.figures.broker_cores {
            Some(broker) => format!(
                "the generator was the limit there, not the broker: its core was busy for {generator}, the broker's for {}",
                share_text(broker)
            ),
            None => format!(
                "the generator may have been the limit there: its core was busy for {generator}, and what the broker used is not known"
            ),
        }
    }
}

/// In microseconds; `None` with too few samples.
fn actual_us(of: Slowest, latency: &Latency) -> Option<u64> {
    match of {
        Slowest::P50 => latency.p50_us,
        Slowest::P90 => latency.p90_us,
        Slowest::P95 => latency.p95_us,
        Slowest::P99 => latency.p99_us,
        Slowest::P999 => latency.p999_us,
        Slowest::Max => latency.max_us,
    }
}

/// What became of messages that may not.
fn of_account(figures: &Figures, broken: &[String]) -> Vec<String> {
    let account = &figures.account;
    if !broken.is_empty() {
        return vec![format!(
            "of {} messages {}",
            count_text(account.published),
            broken.join(", ")
        )];
    }
    let counts = [
        (account.lost, "deliveries were lost"),
        (
            account.unclear,
            "deliveries came too late to be told from a copy",
        ),
    ];
    let told = counts.into_iter().filter(|(count, _)| *count > 0);
    told.map(|(count, what)| format!("{} {what}", count_text(count)))
        .collect()
}

/// Whether as much was sent as was asked for, and as much came as was sent: else a backlog grows, in front of the broker or in
/// it, and a longer step would find a higher latency.
fn of_rate(figures: &Figures, rate: f64, copies: u32) -> Vec<String> {
    let is_missing = |actual: f64, wanted: f64, at_the_ends: f64| {
        let missing = (wanted - actual) * figures.seconds;
        missing > at_the_ends && actual < wanted * REACHED
    };
    let sent = figures.published_per_s;
    let copies = f64::from(copies);
    let mut told = Vec::new();
    if is_missing(sent, rate, AT_THE_ENDS) {
        told.push(format!(
            "the rate was not reached: {} messages/s of {} were sent",
            per_second(sent),
            per_second(rate)
        ));
    }
    if is_missing(figures.messages_per_s, sent * copies, AT_THE_ENDS * copies) {
        told.push(format!(
            "the broker fell behind: {} deliveries/s of {} came",
            per_second(figures.messages_per_s),
            per_second(sent * copies)
        ));
    }
    told
}

fn generator_is_the_limit(figures: &Figures) -> bool {
    if figures.held_up_text().is_some() {
        return true;
    }
    match figures.broker_cores {
        Some(_) => figures.is_limited_by_generator(),
        None => figures.generator_cores > BUSY,
    }
}

/// A rate: whole numbers where they tell enough.
pub fn per_second(rate: f64) -> String {
    match rate < 100.0 {
        true => format!("{rate:.1}"),
        false => count_text(rate.round() as u64),
    }
}

#[cfg(test)]
pub mod tests {
    use squall_run::Histogram;
    use squall_run::bench::Counted;
    use squall_saturate::{Account, Pace};

    use super::*;
    use crate::bench_args::Pattern;
    use crate::commands::bench::figures::account_of;
    use crate::connect_args::ProtocolVersion;

    pub fn plan() -> BenchPlan {
        BenchPlan {
            pattern: Pattern::Pairs,
            publishers: 1,
            subscribers: 1,
            pace: Pace::Rate(1000.0),
            bound: None,
            qos: 1,
            payload_bytes: 16,
            topic: "t".to_owned(),
            duration: std::time::Duration::from_secs(1),
            warmup: std::time::Duration::ZERO,
            repeat: 1,
            protocol: ProtocolVersion::V5,
            access: Vec::new(),
        }
    }

    /// Of a step of a second at 1,000 messages a second, with a latency of 2 ms.
    pub fn figures() -> Figures {
        let mut latencies = Histogram::new();
        for _ in 0..10_000 {
            latencies.record_us(2000);
        }
        let account = Account {
            published: 1000,
            acknowledged: 1000,
            delivered: 1000,
            ..Account::default()
        };
        Figures {
            seconds: 1.0,
            counted: Counted::Delivered,
            messages: 1000,
            messages_per_s: 1000.0,
            published_per_s: 1000.0,
            broker_cpu_us_per_message: Some(5.0),
            broker_cores: Some(0.5),
            broker_rss_bytes: None,
            broker_bytes_per_connection: None,
            broker_switches_per_message: None,
            broker_syscalls_per_message: None,
            broker_syscalls_missing: None,
            broker_written_bytes_per_message: None,
            generator_cpu_us_per_message: Some(1.0),
            generator_cores: 0.5,
            generator_waited: None,
            generator_waited_for_broker: false,
            generator_lag: None,
            unacknowledged_max: None,
            latency: Latency::of(&latencies),
            account: account_of(&account),
            longest_pause_s: 0.0,
            stalls: 0,
            backlog_max: 0,
        }
    }

    /// A step at `rate` and `qos` for `p99 < 5ms`.
    pub fn step(rate: f64, qos: u8, figures: Figures) -> Step {
        let bound = Bound::parse("p99 < 5ms").expect("it is one");
        Step::of(&plan(), &bound, rate, qos, figures)
    }

    /// Makes one thing wrong.
    type Change = fn(&mut Figures);

    /// Each thing that a step must do is needed, and the reason names it.
    #[test]
    fn each_thing_must_hold() {
        let held = step(1000.0, 1, figures());
        assert!(held.holds && held.why.is_empty(), "{:?}", held.why);
        assert_eq!((held.ended(), held.bound_us), (Ended::Held, Some(2000)));

        let fails = |rate: f64, qos: u8, change: Change| {
            let mut figures = figures();
            change(&mut figures);
            let step = step(rate, qos, figures);
            assert!(!step.holds);
            (step.ended(), step.why.join("; "))
        };
        let cases: [(f64, u8, Change, Ended, &str); 6] = [
            (
                1000.0,
                0,
                |figures| figures.latency.p99_us = Some(5000),
                Ended::Failed,
                "p99 is 5.00 ms, not < 5ms",
            ),
            (
                1000.0,
                0,
                |figures| figures.latency.p99_us = None,
                Ended::Failed,
                "too few for p99",
            ),
            (
                1000.0,
                0,
                |figures| figures.account.lost = 1,
                Ended::Failed,
                "1 deliveries were lost",
            ),
            (
                1000.0,
                1,
                |figures| figures.account.lost = 1,
                Ended::Broken,
                "of 1,000 messages 1 lost",
            ),
            (
                1030.0,
                0,
                |_| {},
                Ended::Failed,
                "the rate was not reached: 1,000 messages/s of 1,030",
            ),
            (
                1000.0,
                0,
                |figures| figures.messages_per_s = 970.0,
                Ended::Failed,
                "the broker fell behind: 970 deliveries/s of 1,000",
            ),
        ];
        for (rate, qos, change, ended, words) in cases {
            let (found, why) = fails(rate, qos, change);

            assert_eq!(found, ended, "{why}");
            assert!(why.contains(words), "{why}");
        }
    }

    /// A short step at a low rate is not failed for the message that is under way at its end.
    #[test]
    fn what_is_at_the_ends_of_a_step_is_not_missing() {
        let mut figures = figures();
        figures.published_per_s = 19.0;
        figures.messages_per_s = 18.0;

        assert!(step(20.0, 0, figures).holds);
    }

    /// Where the generator's core is full and the broker's is not, or is not known, a failure is not the broker's.
    #[test]
    fn a_generator_that_is_the_limit_is_told() {
        let is_limit = |rate: f64, generator: f64, broker: Option<f64>| {
            let mut figures = figures();
            (figures.generator_cores, figures.broker_cores) = (generator, broker);
            step(rate, 0, figures).generator_is_the_limit
        };
        let held_up = |rate: f64, waited: f64| {
            let mut figures = figures();
            figures.generator_waited = Some(waited);
            let step = step(rate, 0, figures);
            (
                step.generator_is_the_limit,
                step.limit_text().contains("held up"),
            )
        };
        let late = |us: u64| {
            let mut lags = Histogram::new();
            lags.record_us_times(us, 10_000);
            let mut figures = figures();
            figures.generator_lag = Some(Latency::of(&lags));
            step(2000.0, 0, figures).generator_is_the_limit
        };
        assert!(late(9000) && !late(4000), "the bound is 5 ms");
        assert_eq!(held_up(2000.0, 0.2), (true, true));
        assert_eq!(held_up(2000.0, 0.01), (false, false));

        assert!(is_limit(2000.0, 0.97, Some(0.5)));
        assert!(is_limit(2000.0, 0.97, None));
        assert!(!is_limit(2000.0, 0.97, Some(0.97)));
        assert!(!is_limit(2000.0, 0.5, Some(0.5)));
        assert!(!is_limit(1000.0, 0.97, Some(0.5)), "it holds");
    }
}
