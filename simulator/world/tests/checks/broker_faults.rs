//! Faults of the broker itself: it is killed, restarted or paused. What is the scenario's is excused, and what the broker
//! still owes is not.

use squall_ledger::{Judgement, judge};
use squall_run::{AnomalyKind, Resources};
use squall_world::Memory;

use crate::harness;
use crate::run::{broken, broker, verdict};

/// All three faults beside faults of devices, with persistent and clean Sessions, with and without links, and claims about
/// everything that they may touch.
const EVERYTHING: &str = r#"
[run]
warmup = "2s"
duration = "60s"
drain = "20s"
connect_timeout = "4s"
[[network]]
name = "mobile"
latency = { dist = "lognormal", median = "40ms", p99 = "300ms" }
loss = { model = "gilbert_elliott", good_to_bad = 0.01, bad_to_good = 0.25 }
[[group]]
name = "readers"
count = 4
receive_maximum = 20
clean_start = false
session_expiry = "10m"
keep_alive = "4s"
reconnect = { when = "always", backoff = { dist = "uniform", min = "50ms", max = "900ms" } }
[[group.subscribe]]
filter = ["at/0", "at/1", "at/2/+"]
qos = 2
[[group]]
name = "visitors"
count = 4
keep_alive = "4s"
network = "mobile"
reconnect = { when = "always", backoff = "300ms" }
[[group.subscribe]]
filter = ["at/+", "will/+"]
qos = 1
[[group]]
name = "workers"
count = 3
clean_start = false
session_expiry = "10m"
reconnect = { when = "always", backoff = "200ms" }
[[group.subscribe]]
filter = "$share/crew/at/1"
qos = 1
[[group]]
name = "sensors"
count = 6
clean_start = false
session_expiry = "10m"
keep_alive = "4s"
receive_maximum = 10
reconnect = { when = "always", backoff = { initial = "100ms", factor = 2, cap = "2s", jitter = "full" } }
[[group.publish]]
topic = "at/0"
qos = 0
rate = 20
[[group.publish]]
topic = "at/1"
qos = 1
rate = 40
[[group.publish]]
topic = "at/2/{client_id}"
qos = 2
rate = 40
[[group]]
name = "mortals"
count = 20
keep_alive = "4s"
network = "mobile"
reconnect = { when = "always", backoff = { dist = "uniform", min = "200ms", max = "3s" } }
[group.will]
topic = "will/{client_id}"
payload = "gone"
qos = 1
[[group.subscribe]]
filter = "cmd/{client_id}"
qos = 1
[[group]]
name = "boss"
count = 1
clean_start = false
session_expiry = "10m"
reconnect = { when = "always", backoff = "300ms" }
[[group.publish]]
topic = "cmd/mortals-{seq % 20}"
qos = 1
rate = 20
message_expiry = "3s"
[[fault]]
name = "crash"
at = "10s"
action = "kill_broker"
lasts = { dist = "uniform", min = "100ms", max = "3s" }
[[fault]]
name = "freeze"
at = "25s"
action = "pause_broker"
lasts = { dist = "uniform", min = "200ms", max = "8s" }
[[fault]]
name = "upgrade"
at = "45s"
action = "restart_broker"
lasts = "1s"
[[fault]]
name = "silent"
every = "2900ms"
group = "mortals"
select = 2
action = "drop"
how = "silent"
[[fault]]
name = "reset"
every = "1700ms"
group = "mortals"
select = 2
action = "drop"
how = "rst"
[[fault]]
name = "polite"
every = "2300ms"
group = "mortals"
select = 1
action = "disconnect"
[[fault]]
name = "fight"
every = "700ms"
group = "sensors"
select = 1
action = "takeover"
[[fault]]
name = "nonsense"
every = "3100ms"
group = "mortals"
select = 1
action = "drop"
how = "malformed"
[[expect]]
check = "delivery"
qos = 0
duplicated = 0
misrouted = 0
[[expect]]
check = "delivery"
qos = 1
duplicated = 0
reordered = 0
misrouted = 0
corrupted = 0
[[expect]]
check = "delivery"
qos = 2
duplicated = 0
reordered = 0
misrouted = 0
[[expect]]
check = "qos2_handshake"
incomplete = 0
dup_answered_with_pubrec = true
no_publish_after_pubrel = true
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
[[expect]]
check = "takeover"
alive_per_client_id = 1
displaced_closed_within = "1s"
reason = "session_taken_over"
[[expect]]
check = "will"
after = ["silent", "reset"]
exactly = 1
within = { silent = "8s", rst = "2s" }
[[expect]]
check = "will"
after = ["polite"]
exactly = 0
[[expect]]
check = "keep_alive"
closed_within = "1s"
closed_early = 0
[[expect]]
check = "malformed"
closed_within = "1s"
[[expect]]
check = "expiry"
never_after = true
[[expect]]
check = "quota"
receive_maximum = "kept"
[[expect]]
check = "shared"
exactly_one = true
"#;

/// Claims that a broker breaks which forgets what it had acknowledged.
const KEPT: &str = r#"
[[expect]]
check = "delivery"
qos = 1
lost = 0
[[expect]]
check = "delivery"
qos = 2
lost = 0
[[expect]]
check = "session"
present = "correct"
"#;

/// Runs `text` with a broker that comes back with this memory.
fn run_with(text: &str, memory: Memory) -> Judgement {
    let scenario = harness::scenario(text);
    let world = squall_world::recorded(&scenario, broker()).with_memory(memory);
    judge(&scenario, world.run(), &Resources::default())
}

/// A broker that keeps all that it acknowledged breaks nothing, whatever faults do to it and to its clients.
#[test]
fn a_broker_that_keeps_everything_breaks_nothing() {
    for seed in 1..=24 {
        let text = format!("seed = {seed}\n{EVERYTHING}{KEPT}");

        let judgement = run_with(&text, Memory::Kept);

        let found = (broken(&judgement), verdict(&judgement).exit_code);
        let anomalies = &judgement.measured.anomalies;
        assert_ne!(found.1, 98, "seed {seed}: {:?} {anomalies:#?}", found.0);
    }
}

/// One that forgets everything breaks no other promise by that.
#[test]
fn a_broker_that_forgets_breaks_nothing_else() {
    for seed in 1..=24 {
        let text = format!("seed = {seed}\n{EVERYTHING}");

        let judgement = run_with(&text, Memory::Lost);

        let found = (broken(&judgement), verdict(&judgement).exit_code);
        let anomalies = &judgement.measured.anomalies;
        assert_ne!(found.1, 98, "seed {seed}: {:?} {anomalies:#?}", found.0);
    }
}

/// Readers that are back a second after their publishers.
const LATE_READERS: &str = r#"
seed = 1
[run]
duration = "20s"
drain = "5s"
[[group]]
name = "readers"
count = 2
clean_start = false
session_expiry = "10m"
reconnect = { when = "always", backoff = "3500ms" }
[[group.subscribe]]
filter = "at/+"
qos = 1
[[group]]
name = "sensors"
count = 3
clean_start = false
session_expiry = "10m"
reconnect = { when = "always", backoff = "500ms" }
[[group.publish]]
topic = "at/{client_id}"
qos = 1
every = "1s"
[[fault]]
name = "crash"
at = "8s"
action = "kill_broker"
lasts = "2s"
[[expect]]
check = "delivery"
qos = 1
lost = 0
"#;

fn count_of(judgement: &Judgement, what: &str) -> u64 {
    let mut effects = judgement.measured.faults[0].effects.iter();
    let found = effects.find(|effect| effect.what.contains(what));
    found.map_or(0, |effect| effect.count)
}

/// A broker that comes back without Sessions loses what it takes until its subscribers are back: that is told apart from
/// what it had taken before its end.
#[test]
fn messages_lost_to_a_forgotten_session_are_told_from_those_lost_by_the_end() {
    let judgement = run_with(LATE_READERS, Memory::Lost);

    let lost = judgement
        .measured
        .accounting
        .deliveries
        .iter()
        .map(|entry| entry.lost)
        .sum::<u64>();
    let before = count_of(&judgement, "before the broker's end");
    let afterwards = count_of(&judgement, "after it was back");
    assert!(afterwards > 0, "{:#?}", judgement.measured.faults);
    assert_eq!((before, afterwards), (0, lost));
    let anomalies = judgement.measured.anomalies.iter();
    let mut lost = anomalies.filter(|anomaly| anomaly.kind == AnomalyKind::Lost);
    let told = "it took this message afterwards, when it had forgotten the Session of readers-";
    assert!(lost.all(|anomaly| anomaly.explanation.contains(told)));
    let sessions = ["Sessions that the broker had to have", "Sessions forgotten"];
    assert_eq!(sessions.map(|what| count_of(&judgement, what)), [5, 5]);
}
