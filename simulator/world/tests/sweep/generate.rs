//! A random scenario: small groups, random features of the format, and every claim that a broker must keep.

use crate::draw::Draw;
use crate::faults;
use crate::group::{Group, NAMES, Setting};

/// What no broker may break, whatever the scenario does.
const CLAIMS: [&str; 14] = [
    "check = \"delivery\"\nqos = 0\nlost = 0\nmisrouted = 0\nreordered = 0\nduplicated = 0",
    "check = \"delivery\"\nqos = 1\nlost = 0\nmisrouted = 0\nreordered = 0\nduplicated = 0\nlate = 0",
    "check = \"delivery\"\nqos = 2\nlost = 0\nmisrouted = 0\nreordered = 0\nduplicated = 0\nlate = 0",
    "check = \"connections\"\nrefused = 0\nunexpected_disconnects = 0",
    "check = \"session\"\npresent = \"correct\"\nbacklog = \"complete\"",
    "check = \"quota\"\nreceive_maximum = \"kept\"",
    "check = \"shared\"\nexactly_one = true\nredistributed = true",
    "check = \"expiry\"\nnever_after = true\nremaining = \"correct\"\ntolerance = \"500ms\"",
    "check = \"qos2_handshake\"\nincomplete = 0\ndup_answered_with_pubrec = true\nno_publish_after_pubrel = true",
    "check = \"retained\"\nfilter = \"t/#\"\nequals = \"last_publish\"",
    "check = \"retained\"\nfilter = \"s/#\"\nequals = \"last_will\"",
    "check = \"response\"\nanswered = true\nmisdirected = 0",
    "check = \"keep_alive\"\nclosed_within = \"1s\"",
    "check = \"takeover\"\nalive_per_client_id = 1\ndisplaced_closed_within = \"1s\"\nreason = \"session_taken_over\"\n\
     session_present = \"correct\"",
];

/// The scenario of `seed`, without `version` and `name`. Its claims stand in blocks that end with an empty line: one
/// that is refused here (no group speaks 5.0, nothing is shared) may be left out.
pub(crate) fn scenario(seed: u64) -> Generated {
    let mut draw = Draw::new(seed);
    let mut text = format!("seed = {seed}\n");
    run(&mut draw, &mut text);
    let setting = Setting {
        networks: networks(&mut draw, &mut text),
        is_all_v5: draw.chance(40),
    };
    let groups = draw.number(1, NAMES.len() as u64);
    let mut faults = Vec::new();
    let mut claims: Vec<String> = CLAIMS.iter().map(|&claim| claim.to_owned()).collect();
    for &name in NAMES
        .iter()
        .take(usize::try_from(groups).expect("four at most"))
    {
        let group = Group::draw(&mut draw, name, &setting);
        text += &group.text;
        for _ in 0..draw.one(&[0, 0, 1, 1, 2]) {
            let name = format!("f{}", faults.len());
            faults.push(faults::of_devices(&mut draw, &name, &group, &mut claims));
        }
    }
    if draw.chance(20) {
        let name = format!("f{}", faults.len());
        faults.push(faults::of_broker(&mut draw, &name));
        if draw.chance(50) {
            text.insert_str(0, MEMORY_KEPT);
        }
    }
    if draw.chance(60) {
        text += WATCHER;
    }
    for fault in faults {
        text += &fault;
    }
    Generated { text, claims }
}

/// A device that sees wills and births; without one, a claim about wills is about nothing.
const WATCHER: &str =
    "[[group]]\nname = \"white\"\ncount = 1\n[[group.subscribe]]\nfilter = \"s/+\"\nqos = 1\n";

/// The first line of a scenario whose broker knows everything when it comes back; without it, nothing.
pub(crate) const MEMORY_KEPT: &str = "# the broker keeps everything\n";

/// A random scenario.
pub(crate) struct Generated {
    /// All but the claims.
    pub(crate) text: String,
    /// The body of each `[[expect]]`.
    pub(crate) claims: Vec<String>,
}

fn run(draw: &mut Draw, text: &mut String) {
    let duration = draw.number(15, 18);
    let timeout = draw.one(&["2s", "4s", "10s"]);
    *text += &format!(
        "[run]\nduration = \"{duration}s\"\ndrain = \"12s\"\nconnect_timeout = \"{timeout}\"\n"
    );
    if draw.chance(30) {
        *text += "begin = \"at_once\"\n";
    }
    if draw.chance(30) {
        *text += "warmup = \"2s\"\n";
    }
}

/// Link profiles, and their names.
fn networks(draw: &mut Draw, text: &mut String) -> Vec<&'static str> {
    if draw.chance(40) {
        return Vec::new();
    }
    let names = ["near", "far"];
    for name in names {
        *text += &format!("[[network]]\nname = \"{name}\"\n");
        let latency = draw.one(&[
            "\"1ms\"",
            "\"50ms\"",
            "\"300ms\"",
            "{ dist = \"lognormal\", median = \"60ms\", p99 = \"450ms\" }",
        ]);
        *text += &format!("latency = {latency}\n");
        if draw.chance(40) {
            *text += "jitter = { dist = \"uniform\", min = \"0ms\", max = \"200ms\" }\n";
        }
        if draw.chance(40) {
            let loss = draw.one(&[
                "0.02",
                "0.3",
                "{ model = \"gilbert_elliott\", good_to_bad = 0.01, bad_to_good = 0.3 }",
            ]);
            *text += &format!("loss = {loss}\n");
        }
        if draw.chance(30) {
            let down = draw.one(&["20kbit/s", "100kbit/s", "1mbit/s"]);
            *text += &format!("bandwidth = {{ up = \"100kbit/s\", down = \"{down}\" }}\n");
        }
        if draw.chance(50) {
            let every = draw.one(&[
                "\"3s\"",
                "{ dist = \"exponential\", mean = \"4s\" }",
                "{ dist = \"uniform\", min = \"1s\", max = \"8s\" }",
            ]);
            let lasts = draw.one(&[
                "\"500ms\"",
                "\"3s\"",
                "{ dist = \"exponential\", mean = \"2s\" }",
            ]);
            *text += &format!("outages = {{ every = {every}, lasts = {lasts} }}\n");
        }
    }
    names.to_vec()
}
