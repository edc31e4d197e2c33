//! What is concluded from a run depends on its scenario alone.

use squall_ledger::Judgement;
use squall_run::MetricName;

use crate::run::run;

/// Two groups that have nothing to do with each other; both draw times of publishing and of the link.
fn scenario(count_of_others: u32) -> String {
    let group = |name: &str, count: u32| {
        format!(
            r#"
[[group]]
name = "{name}"
count = {count}
network = "poor"
[group.reconnect]
when = "always"
[[group.publish]]
topic = "{name}/{{client_id}}"
qos = 1
rate_per_device = 2
arrival = "poisson"
[[group.subscribe]]
filter = "{name}/+"
qos = 1
"#
        )
    };
    format!(
        r#"
[run]
duration = "20s"
[[network]]
name = "poor"
latency = {{ dist = "exponential", mean = "50ms" }}
loss = {{ model = "gilbert_elliott", good_to_bad = 0.02, bad_to_good = 0.25 }}
{}{}
[[fault]]
name = "cut"
every = "3s"
group = "observed"
select = {{ count = 2 }}
action = "drop"
how = "rst"
[[expect]]
check = "delivery"
qos = 1
lost = 0
[thresholds]
e2e_latency = ["p50 < 10s"]
"#,
        group("observed", 10),
        group("others", count_of_others)
    )
}

fn json(judgement: &Judgement) -> String {
    serde_json::to_string(&(&judgement.measured, &judgement.reasons))
        .expect("no map has keys that are not text")
}

/// The distributions of one group, as JSON.
fn figures(judgement: &Judgement, group: &str) -> Vec<String> {
    let cells = judgement.measured.metrics.cells.iter();
    let of_group = cells.filter(|cell| {
        cell.name != MetricName::ScheduleLag
            && cell.tags.get("group").is_some_and(|name| name == group)
    });
    let json = |cell| serde_json::to_string(cell).expect("no map has keys that are not text");
    of_group.map(json).collect()
}

/// The same scenario gives the same report, bit for bit.
#[test]
fn the_same_seed_gives_the_same_judgement() {
    let text = scenario(5);

    let (first, second) = (run(&text), run(&text));

    assert!(json(&first).len() > 10_000, "{}", json(&first));
    assert_eq!(json(&first), json(&second));
}

/// Another size of one group leaves what the others draw alone: their figures stay as they were.
#[test]
fn a_group_of_another_size_changes_no_other_group() {
    let (few, more) = (run(&scenario(5)), run(&scenario(9)));

    assert!(!figures(&few, "observed").is_empty());
    assert_eq!(figures(&few, "observed"), figures(&more, "observed"));
    assert_ne!(figures(&few, "others"), figures(&more, "others"));
}
