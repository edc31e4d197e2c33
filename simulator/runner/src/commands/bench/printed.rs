//! A bench as the scenario file that does the same.

use std::fmt::Write as _;

use squall_protocol::Version;
use squall_saturate::Pace;
use squall_scenario::Override;
use squall_toml::quantity::format_duration;
use squall_toml::quote::quote;

use super::plan::BenchPlan;
use crate::bench_args::Pattern;

/// Messages or connects a second in a file whose bench has no rate, and no window that a scenario could have.
const RATE_IN_PLACE: u32 = 10_000;

/// The file, for `targets`.
pub fn scenario(plan: &BenchPlan, targets: &[Override]) -> String {
    let BenchPlan {
        pattern,
        publishers,
        subscribers,
        qos,
        payload_bytes,
        topic,
        ..
    } = plan;
    let name = pattern.name();
    let topic = quote(topic);
    let protocol = plan.protocol.name();
    let mut text = format!(
        "#:schema ./scenario.schema.json\n#\n# Question: how many messages does the broker carry, and how long does each take?\n#\n\
         # What `squall bench {name}` does, by devices that may be given links, faults and claims. A device costs the generator\n\
         # more than a connection of a bench does: for a broker's limit, measure with the bench.\n\n\
         version = 1\nname = \"bench-{name}\"\n{}\n{}[run]\nwarmup = \"{}\"\nduration = \"{}\"\ndrain = \"2s\"\n",
        needs(plan),
        target(targets, &plan.access),
        format_duration(plan.warmup),
        format_duration(plan.duration),
    );
    if plan.repeat > 1 {
        // A String takes all that is written.
        let _ = writeln!(text, "repeat = {}", plan.repeat);
    }
    let pace = pace(plan);
    if *pattern == Pattern::Conn {
        let _ = write!(
            text,
            "\n[[group]]\nname = \"clients\"\ncount = {publishers}\nprotocol = \"{protocol}\"\n\
             # The bench connects as fast as the broker answers, 64 clients at a time.\nconnect_rate = {RATE_IN_PLACE}\n"
        );
    } else if *publishers > 0 {
        let _ = write!(
            text,
            "\n[[group]]\nname = \"publishers\"\ncount = {publishers}\nprotocol = \"{protocol}\"\n[[group.publish]]\n\
             topic = {topic}\nqos = {qos}\npayload = {{ size = \"{payload_bytes}B\" }}\n{pace}"
        );
    }
    if *subscribers > 0 {
        let _ = write!(
            text,
            "\n[[group]]\nname = \"subscribers\"\ncount = {subscribers}\nprotocol = \"{protocol}\"\n{}[[group.subscribe]]\n\
             filter = {}\nqos = {qos}\n",
            sessions(plan),
            quote(&plan.filter())
        );
        if *qos > 0 && *publishers > 0 {
            let _ = write!(
                text,
                "\n[[expect]]\ncheck = \"delivery\"\nqos = {qos}\nlost = 0\nreordered = 0\n"
            );
        }
    }
    text.push_str(&bound(plan));
    text
}

/// The bound of a search, as the threshold that it is at one rate.
fn bound(plan: &BenchPlan) -> String {
    plan.bound.as_ref().map_or_else(String::new, |bound| {
        format!(
            "\n# The bench searches the highest rate at which this holds and nothing is lost. A run has one rate: the first that the\n\
             # bench tries.\n[thresholds]\ne2e_latency = [\"{}\"]\n",
            bound.text()
        )
    })
}

/// How long the Sessions of subscribers live, where they outlive their connections.
fn sessions(plan: &BenchPlan) -> &'static str {
    match (plan.has_kept_sessions(), Version::from(plan.protocol)) {
        (false, Version::V3_1_1 | Version::V5) => "",
        (true, Version::V3_1_1) => "clean_start = false\n",
        (true, Version::V5) => "clean_start = false\nsession_expiry = \"1h\"\n",
    }
}

/// How fast, as far as a scenario can say it.
fn pace(plan: &BenchPlan) -> String {
    match (plan.pace, plan.qos) {
        (Pace::Rate(rate), _) => format!("rate = {rate}\n"),
        (Pace::Window(_), 0) => format!(
            "# The bench has a window of messages that are not delivered yet. A scenario has windows of messages without PUBACK\n\
             # or PUBCOMP, which QoS 0 does not have: in its place stands a rate, of all publishers. Set it to what the bench found.\n\
             rate = {RATE_IN_PLACE}\n"
        ),
        (Pace::Window(window), _) => format!(
            "# Messages without PUBACK or PUBCOMP; in the bench also those that are not delivered yet.\n\
             arrival = {{ window = {window} }}\n"
        ),
    }
}

/// Figures of another QoS, or of another kind of subscription, would not be those that were asked for.
fn needs(plan: &BenchPlan) -> String {
    let qos2 = (plan.qos == 2).then_some("\"qos2\"");
    let shared = (plan.pattern == Pattern::Shared).then_some("\"shared_subscriptions\"");
    let needs: Vec<&str> = qos2.into_iter().chain(shared).collect();
    match needs.is_empty() {
        true => String::new(),
        false => format!("needs = [{}]\n", needs.join(", ")),
    }
}

/// What is said of the target: which it is, if it is one, and how it lets clients in.
fn target(targets: &[Override], access: &[String]) -> String {
    let key = |target: &Override| target.key.trim_start_matches("target.").to_owned();
    let mut lines = Vec::new();
    let mut around = String::new();
    match targets {
        [] => {}
        [one] => lines.push(format!("{} = {}", key(one), one.value)),
        [first, others @ ..] if others.iter().all(|other| other.key == first.key) => {
            let values: Vec<&str> = targets.iter().map(|one| one.value.as_str()).collect();
            around = format!("[matrix]\n\"{}\" = [{}]\n\n", first.key, values.join(", "));
        }
        [first, others @ ..] => {
            let others: Vec<&str> = others.iter().map(|other| other.value.as_str()).collect();
            around = format!(
                "# The bench has more targets: {}. A file has either names or URLs; run it once more with --target for those.\n",
                others.join(", "),
            );
            lines.push(format!("{} = {}", key(first), first.value));
        }
    }
    lines.extend(access.iter().cloned());
    match lines.is_empty() {
        true => around,
        false => format!("{around}[target]\n{}\n\n", lines.join("\n")),
    }
}
