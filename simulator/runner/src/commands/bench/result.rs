//! What a bench found, judged: which trials have figures, and what is to be said of them.

use squall_run::bench::{BenchResult, Figures, REACHED, Repeat, TargetResult, stalls_text};
use squall_run::{Keeps, count_text, duration_text, share_text, worst_exit_code};
use squall_saturate::Pace;

use super::plan::BenchPlan;
use super::trial::Trial;
use super::{IsPinned, about};
use crate::bench_args::Pattern;
use crate::exit::Failure;

/// Connects that took less time in all are too few for a rate, in seconds.
const CONNECTS_SECONDS_MIN: f64 = 0.1;
/// The exit code of a broker that broke what MQTT promises.
pub const BROKEN: u8 = 98;

/// Notes how a trial ended. A broker that broke a promise has no figures: how fast it does that is not a throughput.
pub fn add(result: &mut TargetResult, ended: Result<Trial, Failure>) {
    let repeat = match ended {
        Ok(trial) => {
            result.software = trial.target.software;
            result.changes = trial.target.changes;
            result.keeps = trial.target.keeps;
            let broken = trial.figures.account.broken(trial.qos);
            match broken.is_empty() {
                true => Repeat::Measured(Box::new(trial.figures)),
                false => Repeat::Failed {
                    error: format!(
                        "of {} messages at QoS {}, the broker's deliveries are broken: {}{}",
                        count_text(trial.figures.account.published),
                        trial.qos,
                        broken.join(", "),
                        stalls_text(trial.figures.stalls)
                            .map_or(String::new(), |told| format!("; {told}"))
                    ),
                    exit_code: BROKEN,
                },
            }
        }
        Err(Failure::Skipped { because, .. }) => Repeat::Skipped { skipped: because },
        Err(failure) => Repeat::Failed {
            exit_code: failure.code(),
            error: if let Failure::Internal(error) = &failure {
                format!("{error:#}")
            } else {
                failure.to_string()
            },
        },
    };
    result.repeats.push(repeat);
}

/// Of what was found, with the sentences that belong to it.
pub fn of(plan: &BenchPlan, targets: Vec<TargetResult>, is_pinned: IsPinned) -> BenchResult {
    let repeats = targets.iter().flat_map(|target| &target.repeats);
    let about_targets = targets
        .iter()
        .flat_map(|target| warnings(target, plan, is_pinned));
    let about_all = at_the_limit_text(plan, &targets);
    BenchResult {
        about: about::of(plan, is_pinned),
        exit_code: worst_exit_code(repeats.map(Repeat::exit_code)),
        warnings: about_targets.chain(about_all).collect(),
        targets,
    }
}

/// What the latency of a closed loop is, if there is one.
fn at_the_limit_text(plan: &BenchPlan, targets: &[TargetResult]) -> Option<String> {
    let mut figures = targets.iter().flat_map(TargetResult::figures);
    let has_latency =
        figures.any(|figures| figures.latency.samples > 0 && !figures.has_room_on_both_sides());
    let text = "note: with a window the broker has as much to do as it can, and the latency is how long a message waits for that; -R \
                measures the latency at a rate";
    match plan.pace {
        Pace::Window(_) if has_latency => Some(text.to_owned()),
        Pace::Window(_) | Pace::Rate(_) => None,
    }
}

/// Notes that a signal ended the bench before all of its `repeats`: what was measured is kept, and nothing is judged by it.
pub fn add_stop(result: &mut BenchResult, stopped: &Failure, repeats: u32) {
    let made = result.targets.iter().map(|target| target.repeats.len());
    let all = result.targets.len() * repeats as usize;
    result.warnings.push(format!(
        "warning: {stopped}: {} of {all} trials were made, and what they found is here",
        made.sum::<usize>()
    ));
    result.exit_code = worst_exit_code([result.exit_code, stopped.code()]);
}

/// What a reader must know of the figures of a target, a sentence each.
fn warnings(target: &TargetResult, plan: &BenchPlan, is_pinned: IsPinned) -> Vec<String> {
    let name = &target.name;
    let mut told = Vec::new();
    for (number, repeat) in (1..).zip(&target.repeats) {
        let Repeat::Measured(figures) = repeat else {
            continue;
        };
        let about = of_figures(figures, plan, is_pinned).into_iter();
        told.extend(about.map(|text| format!("warning: {name}, repeat {number}: {text}")));
    }
    if plan.has_kept_sessions() && target.figures().count() > 0 {
        told.extend(match target.keeps {
            Some(Keeps::Nothing) => Some(format!(
                "warning: {name} keeps nothing on a disk as it is set up: what is measured is Sessions in memory"
            )),
            Some(Keeps::Disk) => None,
            None => Some(format!(
                "note: {name}: whether it keeps Sessions on a disk, and how often it waits for that, is its own setting"
            )),
        });
    }
    let changes = target.changes.iter();
    told.extend(changes.map(|change| format!("note: {name}: changed for the target: {change}")));
    told
}

fn of_figures(figures: &Figures, plan: &BenchPlan, is_pinned: IsPinned) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(held_up) = figures.held_up_text() {
        told.push(format!(
            "{held_up}: rates and latencies are theirs too, and this trial will not do for a --baseline; use a quieter machine{}",
            match is_pinned {
                IsPinned::Yes => "",
                IsPinned::No => ", or --pin where others leave a core alone",
            }
        ));
    }
    told.extend(figures.crowded_out_text());
    let is_too_short = plan.pattern == Pattern::Conn && figures.seconds < CONNECTS_SECONDS_MIN;
    if is_too_short {
        told.push(format!(
            "all clients were connected after {}, which is too short for rates and processor time: -c takes more of them",
            duration_text(figures.seconds)
        ));
    }
    if figures.is_limited_by_generator() && !is_too_short {
        told.push(format!(
            "the generator is the limit, not the broker: its core is busy for {}, the broker's for {}",
            share_text(figures.generator_cores),
            share_text(figures.broker_cores.unwrap_or_default())
        ));
    }
    if figures.broker_cores.is_none() {
        let busy = share_text(figures.generator_cores);
        told.push(format!(
            "squall did not start this broker, so what it used is not known, nor whether it or the generator ({busy} of a core) \
             was the limit: --target-pid N names its process"
        ));
    }
    if let Pace::Window(window) = plan.pace
        && !matches!(plan.pattern, Pattern::Conn | Pattern::Sub)
        && figures.has_room_on_both_sides()
        && figures.held_up_text().is_none()
    {
        told.push(format!(
            "neither the broker ({} of a core) nor the generator ({}) was busy, so this is not the most that the broker carries: the window \
             of {} messages or a wait of the broker held the load back",
            share_text(figures.broker_cores.unwrap_or_default()),
            share_text(figures.generator_cores),
            count_text(window.into())
        ));
    }
    told.extend(of_messages(figures, plan));
    told.extend(figures.lag_text());
    told.extend(figures.pause_text());
    if let Pace::Rate(rate) = plan.pace
        && figures.published_per_s < rate * REACHED
    {
        told.push(format!(
            "the rate was not reached: {} messages/s of {} were sent",
            count_text(figures.published_per_s.round() as u64),
            count_text(rate.round() as u64)
        ));
    }
    told
}

/// What became of the messages, as far as it is not a broken promise.
fn of_messages(figures: &Figures, plan: &BenchPlan) -> Vec<String> {
    let mut told = Vec::new();
    if figures.messages == 0 {
        told.push(match plan.pattern {
            Pattern::Sub => {
                "no message came: another client must publish meanwhile, as `squall bench pub` does"
                    .to_owned()
            }
            Pattern::Pairs
            | Pattern::Fanout
            | Pattern::Fanin
            | Pattern::Shared
            | Pattern::Pub
            | Pattern::Conn
            | Pattern::Durable
            | Pattern::Latency => "no message came through in the measured time".to_owned(),
        });
    }
    if figures.account.lost > 0 {
        told.push(format!(
            "{} of {} deliveries were lost, which QoS 0 allows",
            count_text(figures.account.lost),
            count_text(figures.account.lost + figures.account.delivered)
        ));
    }
    if let (Pace::Window(window), Some(allowed)) = (plan.pace, figures.unacknowledged_max)
        && allowed < window
    {
        told.push(format!(
            "the broker allows {allowed} unacknowledged messages (Receive Maximum), so the window is {allowed} and not {window}; \
             with --protocol 3.1.1 there is no such limit"
        ));
    }
    if figures.account.unclear > 0 {
        told.push(format!(
            "{} deliveries came too late to be told from a copy",
            count_text(figures.account.unclear)
        ));
    }
    told.extend(stalls_text(figures.stalls));
    told
}

#[cfg(test)]
mod tests {
    use squall_saturate::Account;

    use super::*;
    use crate::commands::bench::figures::account_of;
    use crate::connect_args::ProtocolVersion;

    fn plan(pace: Pace) -> BenchPlan {
        BenchPlan {
            pattern: Pattern::Pairs,
            publishers: 1,
            subscribers: 1,
            pace,
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

    fn figures(generator: f64, broker: f64, account: Account) -> Figures {
        let latencies = squall_run::Histogram::new();
        Figures {
            seconds: 1.0,
            counted: squall_run::bench::Counted::Delivered,
            messages: 1000,
            messages_per_s: 1000.0,
            published_per_s: 1000.0,
            broker_cpu_us_per_message: Some(1.0),
            broker_cores: Some(broker),
            broker_rss_bytes: None,
            broker_bytes_per_connection: None,
            broker_switches_per_message: None,
            broker_syscalls_per_message: None,
            broker_syscalls_missing: None,
            broker_written_bytes_per_message: None,
            generator_cpu_us_per_message: Some(1.0),
            generator_cores: generator,
            generator_waited: None,
            generator_waited_for_broker: false,
            generator_lag: None,
            unacknowledged_max: Some(20),
            latency: squall_run::bench::Latency::of(&latencies),
            account: account_of(&account),
            longest_pause_s: 0.0,
            stalls: 0,
            backlog_max: 0,
        }
    }

    /// What has become of one trial at `qos` with `account`.
    fn told(qos: u8, account: Account) -> TargetResult {
        let mut result = TargetResult::new("broker".to_owned());
        let target = squall_run::Target {
            kind: squall_run::TargetKind::Url,
            url: "mqtt://127.0.0.1:1".to_owned(),
            command: None,
            software: None,
            pid: None,
            name: None,
            keeps: None,
            changes: Vec::new(),
            settings: Default::default(),
        };
        add(
            &mut result,
            Ok(Trial {
                target,
                qos,
                figures: figures(0.5, 0.9, account),
            }),
        );
        result
    }

    /// A loss is a figure at QoS 0 and a broken promise above; no order may be broken at all.
    #[test]
    fn a_broken_promise_has_no_figures() {
        let lost = Account {
            published: 9,
            acknowledged: 9,
            delivered: 8,
            lost: 1,
            ..Account::default()
        };
        let reordered = Account {
            reordered: 3,
            ..Account::default()
        };

        assert_eq!(told(0, lost).figures().count(), 1);
        assert_eq!(told(1, lost).figures().count(), 0);
        assert_eq!(told(0, reordered).figures().count(), 0);
        let result = of(&plan(Pace::Window(1)), vec![told(1, lost)], IsPinned::No);
        assert_eq!(result.exit_code, BROKEN);
        let errors = result.targets[0].errors();
        assert!(errors[0].contains("1 lost"), "{errors:?}");
    }

    /// It is the generator that is the limit if its core is full while the broker's is not.
    #[test]
    fn a_generator_that_is_the_limit_is_told() {
        let told = |generator, broker| {
            let figures = figures(generator, broker, Account::default());
            of_figures(&figures, &plan(Pace::Window(1)), IsPinned::No).join(" ")
        };

        let waited = |share| {
            let mut figures = figures(0.5, 0.5, Account::default());
            figures.generator_waited = Some(share);
            of_figures(&figures, &plan(Pace::Window(8)), IsPinned::No).join("\n")
        };
        assert!(
            waited(0.2).contains("had no processor for 20"),
            "{}",
            waited(0.2)
        );
        assert!(!waited(0.01).contains("had no processor"));
        assert!(told(0.95, 0.5).contains("the generator is the limit"));
        assert!(!told(0.95, 0.99).contains("the generator is the limit"));
        assert!(!told(0.5, 0.5).contains("the generator is the limit"));
    }

    /// A closed loop in which broker and generator both have room says nothing of what the broker carries.
    #[test]
    fn a_loop_that_is_held_back_is_told() {
        let told = |generator, broker, pace| {
            let figures = figures(generator, broker, Account::default());
            of_figures(&figures, &plan(pace), IsPinned::No).join(" ")
        };

        let both = told(0.2, 0.3, Pace::Window(4));
        assert!(both.contains("window of 4 messages"), "{both}");
        assert!(!told(0.2, 0.95, Pace::Window(4)).contains("neither"));
        assert!(!told(0.2, 0.3, Pace::Rate(1000.0)).contains("neither"));
    }

    /// Of a latency that is the generator's own for a good part, this is told.
    #[test]
    fn a_late_generator_is_told() {
        let told = |lag_us: u64| {
            let of = |us: u64| {
                let mut histogram = squall_run::Histogram::new();
                histogram.record_us_times(us, 10_000);
                squall_run::bench::Latency::of(&histogram)
            };
            let mut figures = figures(0.2, 0.3, Account::default());
            (figures.latency, figures.generator_lag) = (of(1000), Some(of(lag_us)));
            of_figures(&figures, &plan(Pace::Rate(1000.0)), IsPinned::No).join(" ")
        };

        assert!(told(400).contains("which is 40"), "{}", told(400));
        assert_eq!(told(100), "");
    }

    /// What was measured before a signal is kept, and its exit code says that it is not all.
    #[test]
    fn a_bench_that_was_stopped_keeps_what_it_found() {
        let mut result = of(
            &plan(Pace::Window(1)),
            vec![told(0, Account::default())],
            IsPinned::No,
        );

        add_stop(
            &mut result,
            &Failure::Stopped("stopped by SIGINT".to_owned()),
            3,
        );

        assert_eq!(result.exit_code, 4);
        let last = result.warnings.last().expect("there is one");
        assert!(last.contains("stopped by SIGINT: 1 of 3 trials"), "{last}");
    }

    /// The window that was asked for is not the one that was measured.
    #[test]
    fn a_smaller_window_is_told() {
        let told = |window| {
            let figures = figures(0.1, 0.1, Account::default());
            of_figures(&figures, &plan(Pace::Window(window)), IsPinned::No).join(" ")
        };

        assert!(told(21).contains("the window is 20 and not 21"));
        assert!(!told(20).contains("Receive Maximum"));
    }

    /// A rate that was not reached is not a rate.
    #[test]
    fn a_rate_that_was_not_reached_is_told() {
        let told = |rate| {
            let figures = figures(0.1, 0.1, Account::default());
            of_figures(&figures, &plan(Pace::Rate(rate)), IsPinned::No).join(" ")
        };

        assert!(told(2000.0).contains("1,000 messages/s of 2,000"));
        assert!(!told(1000.0).contains("not reached"));
    }
}
