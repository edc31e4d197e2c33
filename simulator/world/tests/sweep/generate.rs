//! A random scenario: small groups, random features of the format, and every claim that a broker must keep.

use crate::draw::Draw;
use crate::group::{Group, NAMES};

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
    let networks = networks(&mut draw, &mut text);
    let groups = draw.number(1, NAMES.len() as u64);
    let mut faults = Vec::new();
    let mut claims: Vec<String> = CLAIMS.iter().map(|&claim| claim.to_owned()).collect();
    for &name in NAMES
        .iter()
        .take(usize::try_from(groups).expect("four at most"))
    {
        let group = Group::draw(&mut draw, name, &networks);
        text += &group.text;
        for _ in 0..draw.one(&[0, 0, 1, 1, 2]) {
            let name = format!("f{}", faults.len());
            faults.push(fault(&mut draw, &name, &group, &mut claims));
        }
    }
    for fault in faults {
        text += &fault;
    }
    Generated { text, claims }
}

/// A random scenario.
pub(crate) struct Generated {
    /// All but the claims.
    pub(crate) text: String,
    /// The body of each `[[expect]]`.
    pub(crate) claims: Vec<String>,
}

fn run(draw: &mut Draw, text: &mut String) {
    let duration = draw.number(14, 18);
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

/// What a fault may do; the last ones need a link.
const ACTIONS: [&str; 8] = [
    "drop",
    "drop",
    "disconnect",
    "takeover",
    "takeover",
    "stall",
    "network",
    "partition",
];

/// Those of [`ACTIONS`] that need none.
const ACTIONS_WITHOUT_LINK: usize = 6;

/// How a device is dropped; silently more often.
const DROPS: [&str; 7] = [
    "silent",
    "silent",
    "fin",
    "rst",
    "half_close",
    "mid_packet",
    "malformed",
];

/// One fault called `name` at devices of `group`, and what is claimed of it.
fn fault(draw: &mut Draw, name: &str, group: &Group, claims: &mut Vec<String>) -> String {
    let mut text = format!("[[fault]]\nname = \"{name}\"\ngroup = \"{}\"\n", group.name);
    if draw.chance(50) {
        let every = draw.one(&["700ms", "1500ms", "3s"]);
        text += &format!("every = \"{every}\"\n");
    } else {
        text += &format!("at = \"{}s\"\n", draw.number(0, 8));
    }
    if draw.chance(60) {
        text += &format!("select = {}\n", draw.number(1, group.count.min(2)));
    }
    let actions = match group.has_link {
        true => &ACTIONS[..],
        false => &ACTIONS[..ACTIONS_WITHOUT_LINK],
    };
    let action = draw.one(actions);
    text += &format!("action = \"{action}\"\n");
    let lasts = draw.one(&["300ms", "2s", "5s"]);
    let wills = match action {
        "drop" => {
            let how = draw.one(&DROPS);
            text += &format!("how = \"{how}\"\n");
            if how == "malformed" {
                claims.push(
                    "check = \"malformed\"\nclosed_within = \"1s\"\nreason = \"correct\""
                        .to_owned(),
                );
            }
            Some((
                1,
                "within = { silent = \"31s\", fin = \"1s\", rst = \"1s\", half_close = \"1s\", mid_packet = \"1s\", malformed = \"1s\" }",
            ))
        }
        "disconnect" if group.speaks_v5 && draw.chance(40) => {
            text += "reason = \"with_will\"\n";
            Some((1, ""))
        }
        "disconnect" => Some((0, "")),
        "stall" | "partition" => {
            text += &format!("lasts = \"{lasts}\"\n");
            None
        }
        "network" => {
            let profile = draw.one(&["near", "far", "gprs", "satellite"]);
            text += &format!("lasts = \"{lasts}\"\nprofile = \"{profile}\"\n");
            None
        }
        _ => None,
    };
    if let Some((exactly, within)) = wills.filter(|_| group.has_will) {
        claims.push(format!(
            "check = \"will\"\nafter = \"{name}\"\nexactly = {exactly}\n{within}"
        ));
    }
    text
}
