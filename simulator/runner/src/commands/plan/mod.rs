//! `squall plan`: what a scenario would do, drawn as text, and what it needs of this machine.

mod load;
mod sheet;
mod sweep;

use std::io;
use std::time::Duration;

use squall_fleet::drain_max;
use squall_ledger::{advice, never_judged};
use squall_run::{count_text, duration_text, rate_text};
use squall_scenario::{
    Attendance, Distribution, GroupPlan, GrowingBackoff, Jitter, Measure as _, Plan, RunSettings,
    Scenario, Sizes, StreamPlan, SubscribeTimes,
};
use squall_toml::quantity::format_bit_rate;

use self::load::draw_load;
use self::sheet::{INDENT, Sheet};
use crate::cli::PlanArgs;
use crate::exit::Failure;
use crate::machine::limits::Limits;
use crate::output::{columns, fitted, print};
use crate::run::pace::pace_text;
use crate::scenario_file::ScenarioFile;
use crate::scenario_runs::ScenarioRuns;

/// Prints the plan, and whether it fits here; fails if it does not.
pub fn plan(args: &PlanArgs) -> Result<u8, Failure> {
    let runs = ScenarioRuns::read(args.file.clone(), &args.overrides)?;
    match runs.combinations.as_slice() {
        [only] => plan_one(only, &runs, args),
        _ => sweep::plan(&runs, args),
    }
}

/// Prints the plan of one scenario, which may be run several times.
fn plan_one(file: &ScenarioFile, runs: &ScenarioRuns, args: &PlanArgs) -> Result<u8, Failure> {
    let plan = Plan::of(&file.scenario);
    let limits = file.check_limits(Limits::raise_and_read(args.workers.count()));
    let fits = limits.and_then(|()| file.check_command());
    let verdict = match &fits {
        Ok(()) => format!("yes, with {}", file.need()),
        Err(_) => "no".to_owned(),
    };
    print(&draw(&file.scenario, &plan, columns(io::stdout())))?;
    if runs.repeat > 1 {
        print(&fitted(&format!("all of it: {}", runs.in_words()), INDENT))?;
    }
    print(&fitted(&format!("fits on this machine: {verdict}"), INDENT))?;
    let short = file.address().and_then(|target| file.ports_short(target));
    let short = short.map(|short| short.to_string());
    let same_name = file.same_name.iter().cloned();
    let skipped = file.skipped().map(|skipped| skipped.to_string());
    for sentence in same_name
        .chain(skipped)
        .chain(never_judged(&file.scenario))
        .chain(advice(&file.scenario))
        .chain(short)
    {
        print(&fitted(&format!("note: {sentence}"), INDENT))?;
    }
    fits.map(|()| 0)
}

fn draw(scenario: &Scenario, plan: &Plan, columns: Option<usize>) -> String {
    let mut sheet = Sheet {
        text: String::new(),
        columns,
    };
    let (name, total) = (&scenario.name, seconds(plan.total()));
    sheet.line(&format!("{name}: {}, {total}", devices(plan.devices)));
    sheet.line(&format!(
        "connecting {} or longer, warm-up {}, measured {}, drain {}",
        seconds(plan.start),
        seconds(plan.run.warmup),
        seconds(plan.run.duration),
        drain(scenario),
    ));
    sheet.line("");
    draw_groups(&mut sheet, plan);
    draw_links(&mut sheet, scenario);
    draw_load(&mut sheet, plan);
    draw_faults(&mut sheet, plan);
    draw_claims(&mut sheet, scenario);
    sheet.line(&format!(
        "{}, {}",
        about(plan.messages(), "message", "messages"),
        about(plan.deliveries(), "delivery", "deliveries")
    ));
    if plan.has_closed_loops() {
        sheet.line("and as many as the broker answers in a closed loop");
    }
    sheet.text
}

/// `5.00 s`, or `5.00 s (up to 125 s, for what links hold)`.
fn drain(scenario: &Scenario) -> String {
    let (planned, most) = (scenario.run.drain, drain_max(scenario));
    if most == planned {
        return seconds(planned);
    }
    format!(
        "{} (up to {}, for what links hold)",
        seconds(planned),
        seconds(most)
    )
}

/// `no messages`, `about 1 message`, `about 650,000 messages`; little is not rounded to nothing.
fn about(number: f64, one: &str, many: &str) -> String {
    match number.round() as u64 {
        0 if number <= 0.0 => format!("no {many}"),
        0 => format!("less than 1 {one}"),
        1 => format!("about 1 {one}"),
        rounded => format!("about {} {many}", count_text(rounded)),
    }
}

fn devices(count: u32) -> String {
    match count {
        1 => "1 device".to_owned(),
        many => format!("{many} devices"),
    }
}

/// `1 subscriber`, `50 subscribers`, `2.5 subscribers`: on average, where groups differ.
fn subscribers(fan_out: f64) -> String {
    let whole = (fan_out - fan_out.round()).abs() < 0.05;
    match fan_out.round() as u64 {
        1 if whole => "1 subscriber".to_owned(),
        rounded if whole => format!("{} subscribers", count_text(rounded)),
        _ => format!("{fan_out:.1} subscribers"),
    }
}

/// `waits to reconnect: up to 1.00 s, 2.00 s, 4.00 s … 120 s (jitter full), anew after a CONNACK`
fn waits(backoff: &GrowingBackoff) -> String {
    let first: Vec<String> = (0..3).map(|n| seconds(backoff.longest(n))).collect();
    let up_to = match backoff.jitter {
        Jitter::Full | Jitter::Equal => "up to ",
        Jitter::None => "",
    };
    format!(
        "waits to reconnect: {up_to}{} … {} (jitter {}), anew after a CONNACK",
        first.join(", "),
        seconds(backoff.cap),
        backoff.jitter.name()
    )
}

/// `connects from 10.0 s on, up 5.00 s, away 2.00 s (rst), leaves at 25.0 s`; `None` for a group that stays.
fn attendance(attendance: &Attendance, run: &RunSettings) -> Option<String> {
    let start = attendance
        .start
        .map(|at| format!("connects from {} on", seconds(at)));
    let between = attendance.availability.as_ref().map(|availability| {
        format!(
            "each device up for {} and away for {} ({}) on average",
            mean(&availability.up),
            mean(&availability.down),
            availability.how.name()
        )
    });
    let online = attendance.online.as_ref().map(|share| {
        let (low, high) = share.range(-run.warmup.as_secs_f64(), run.duration.as_secs_f64());
        let [low, high] = [low, high].map(|share| share * 100.0);
        match low == high {
            true => format!("{low:.0} % of the devices connected"),
            false => format!("{low:.0} % to {high:.0} % of the devices connected"),
        }
    });
    let leave = attendance
        .leave
        .map(|at| format!("leaves at {}", seconds(at)));
    let parts = [start, between, online, leave].into_iter();
    let parts: Vec<String> = parts.flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `from 5.00 s until 25.0 s, on for 5.00 s and off for 5.00 s on average`
fn subscription_times(times: &SubscribeTimes) -> String {
    let start = times.start.map(|at| format!("from {}", seconds(at)));
    let until = times.until.map(|at| format!("until {}", seconds(at)));
    let churn = times.churn.as_ref().map(|churn| {
        let (on, off) = (mean(&churn.on), mean(&churn.off));
        format!("on for {on} and off for {off} on average")
    });
    let span: Vec<String> = start.into_iter().chain(until).collect();
    let span = (!span.is_empty()).then(|| span.join(" "));
    let parts: Vec<String> = span.into_iter().chain(churn).collect();
    parts.join(", ")
}

/// Of a distribution without a mean, the median.
fn mean(distribution: &Distribution) -> String {
    seconds(distribution.mean().unwrap_or_else(|| distribution.median()))
}

/// `payloads 16B to 64KiB, 453 bytes on average; a device publishes 3,750 bit/s, its link carries 64kbit/s up`
fn sizes_text(sizes: &Sizes, stream: &StreamPlan, group: &GroupPlan) -> String {
    let mean = count_text(sizes.mean().round() as u64);
    let (min, max) = (sizes.min.text(), sizes.max.text());
    let bits = count_text(stream.bits_per_second.round() as u64);
    let link = match group.up_bits_per_second {
        Some(carried) => format!(", its link carries {} up", format_bit_rate(carried)),
        None => String::new(),
    };
    format!(
        "payloads {min} to {max}, {mean} bytes on average; a device publishes {bits} bit/s{link}"
    )
}

fn draw_groups(sheet: &mut Sheet, plan: &Plan) {
    for group in &plan.groups {
        let connects = rate_text(group.connect_rate);
        let header = format!(
            "group {}: {}, {connects} connects",
            group.name,
            devices(group.devices)
        );
        sheet.line(&header);
        if let Some(text) = attendance(&group.attendance, &plan.run) {
            sheet.line(&format!("    {text}"));
        }
        if let Some(backoff) = &group.backoff {
            sheet.line(&format!("    {}", waits(backoff)));
        }
        if let Some(birth) = &group.birth {
            let (topic, qos) = (&birth.topic, birth.qos as u8);
            sheet.line(&format!(
                "    {topic}  QoS {qos}  birth, once on each connection"
            ));
        }
        for stream in &group.streams {
            let (topic, qos) = (&stream.topic, stream.qos as u8);
            let pace = pace_text(&stream.pacing, stream.devices, &plan.run);
            let fan_out = stream.fan_out;
            sheet.line(&format!(
                "    {topic}  QoS {qos}  {pace}, each to {}",
                subscribers(fan_out)
            ));
            if let Some(sizes) = &stream.sizes {
                sheet.line(&format!("        {}", sizes_text(sizes, stream, group)));
            }
            if let Some(command) = &stream.command {
                sheet.line(&format!(
                    "        payloads are lines of `{command}`, one process for the group; the seed does not repeat them"
                ));
            }
        }
        for subscribe in &group.subscribes {
            let (filter, times) = (&subscribe.filter, subscription_times(&subscribe.times));
            sheet.line(&format!("    subscribes to {filter}  {times}"));
        }
        for respond in &group.responds {
            sheet.line(&format!(
                "    answers {}  QoS {}  after {} (median)",
                respond.filter,
                respond.qos as u8,
                seconds(respond.delay)
            ));
        }
    }
    sheet.line("");
}

/// The links that groups are on, and where the figures of a shipped one are from.
fn draw_links(sheet: &mut Sheet, scenario: &Scenario) {
    for network in &scenario.networks {
        let median = seconds(network.latency.quantile(0.5));
        let p99 = seconds(network.latency.quantile(0.99));
        let rate = |rate: Option<u64>| rate.map_or_else(|| "any rate".to_owned(), format_bit_rate);
        let (up, down) = (
            rate(network.bandwidth.up_bits_per_second),
            rate(network.bandwidth.down_bits_per_second),
        );
        sheet.line(&format!(
            "network {}: {median} one way (p99 {p99}), {up} up, {down} down",
            network.name
        ));
        if let Some(preset) = network.preset {
            sheet.line(&format!("    from: {}", preset.source()));
        }
    }
    if !scenario.networks.is_empty() {
        sheet.line("");
    }
}

fn draw_faults(sheet: &mut Sheet, plan: &Plan) {
    for fault in &plan.faults {
        let when = match fault.times {
            1 => format!("at {}", seconds(fault.first)),
            times => {
                format!(
                    "{times} times from {} to {}",
                    seconds(fault.first),
                    seconds(fault.last)
                )
            }
        };
        let who = match (&fault.group, fault.devices) {
            (Some(group), Some(devices)) => format!("{devices} of {group}"),
            (Some(group), None) => format!("some of {group}"),
            (None, _) => "the broker".to_owned(),
        };
        sheet.line(&format!(
            "fault {}: {} {when}, {who}",
            fault.name, fault.action
        ));
    }
    if !plan.faults.is_empty() {
        sheet.line("");
    }
}

/// What the run will be judged by.
fn draw_claims(sheet: &mut Sheet, scenario: &Scenario) {
    for expectation in &scenario.expectations {
        let claims = scenario.claims_text(expectation);
        sheet.line(&format!("expects {}: {claims}", expectation.check_name()));
    }
    for threshold in &scenario.thresholds {
        let conditions = threshold.conditions.iter();
        let conditions: Vec<&str> = conditions.map(|condition| &*condition.text).collect();
        let metric = &threshold.selector.text;
        sheet.line(&format!("threshold {metric}: {}", conditions.join(", ")));
    }
    if scenario.expectations.is_empty() && scenario.thresholds.is_empty() {
        sheet.line("claims nothing: the run measures, and passes whatever it finds");
    }
    sheet.line("");
}

fn seconds(duration: Duration) -> String {
    duration_text(duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where devices have links, the drain may last longer than the file says, and the plan says how long.
    #[test]
    fn a_drain_that_may_wait_for_links_says_up_to_when() {
        let without = "version = 1\nname = \"a\"\n[[group]]\nname = \"g\"\ncount = 1\n";
        let with = "version = 1\nname = \"a\"\n[[network]]\nname = \"n\"\nlatency = \"1s\"\n\
            [[group]]\nname = \"g\"\ncount = 1\nnetwork = \"n\"\n";
        let of = |text| drain(&Scenario::parse("a.toml", text, &[]).unwrap());

        assert_eq!(of(without), "5.00 s");
        assert_eq!(of(with), "5.00 s (up to 2 min 5 s, for what links hold)");
    }

    /// The load is drawn from left to right, and a fault stands below its time.
    #[test]
    fn the_load_and_the_faults_are_drawn_in_time() {
        let scenario = "version = 1\nname = \"a\"\n[run]\nwarmup = \"30s\"\nduration = \"30s\"\n\
            [[group]]\nname = \"g\"\ncount = 4\n[[group.publish]]\ntopic = \"t\"\nrate = 8\n\
            start = \"0s\"\n\
            [[fault]]\nname = \"f\"\nat = \"15s\"\ngroup = \"g\"\nselect = { count = 1 }\n\
            action = \"drop\"\nhow = \"rst\"\n";
        let scenario = Scenario::parse("a.toml", scenario, &[]).unwrap();

        let text = draw(&scenario, &Plan::of(&scenario), None);

        let load = format!("    {}{}\n", " ".repeat(30), "█".repeat(30));
        assert!(text.contains(&load), "{text}");
        let marks = format!("    {}^  f\n", " ".repeat(45));
        assert!(text.contains(&marks), "{text}");
    }

    /// In a narrow terminal the drawing is narrower, and words go on in the next line.
    #[test]
    fn a_plan_fits_a_narrow_terminal() {
        let scenario = "version = 1\nname = \"a\"\n[run]\nduration = \"30s\"\n[[group]]\nname = \"g\"\n\
            count = 4\n[[group.publish]]\ntopic = \"a/rather/long/topic\"\nrate = 8\n";
        let scenario = Scenario::parse("a.toml", scenario, &[]).unwrap();

        let text = draw(&scenario, &Plan::of(&scenario), Some(40));

        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(40), "{text}");
        assert!(text.contains(&"█".repeat(36)), "{text}");
    }

    /// A scenario that publishes nothing is not said to send a negative zero, nor one that
    /// publishes little to send nothing.
    #[test]
    fn numbers_of_messages_are_words_where_they_are_small() {
        assert_eq!(about(-0.0, "message", "messages"), "no messages");
        assert_eq!(about(0.2, "message", "messages"), "less than 1 message");
        assert_eq!(subscribers(1.0), "1 subscriber");
        assert_eq!(subscribers(50.0), "50 subscribers");
        assert_eq!(subscribers(2.5), "2.5 subscribers");
        assert_eq!(about(1.0, "delivery", "deliveries"), "about 1 delivery");
        assert_eq!(
            about(650_000.0, "message", "messages"),
            "about 650,000 messages"
        );
    }
}
