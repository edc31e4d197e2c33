//! A group of a random scenario.

use crate::draw::Draw;

/// A `[[group]]` as text, and what claims and faults must know of it.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) count: u64,
    pub(crate) has_link: bool,
    pub(crate) has_will: bool,
    pub(crate) speaks_v5: bool,
}

/// Names of the groups of a scenario.
pub(crate) const NAMES: [&str; 4] = ["red", "green", "blue", "grey"];

/// Topics that streams, wills, births and subscriptions share.
const TOPICS: [&str; 6] = [
    "t/{client_id}",
    "t/{index % 2}",
    "t/0",
    "u/{client_id}",
    "u/{seq % 3}",
    "u/v",
];
const FILTERS: [&str; 8] = [
    "t/#",
    "t/+",
    "t/0",
    "u/#",
    "u/v",
    "s/+",
    "b/+",
    "u/{client_id}",
];
const SHARED: [&str; 4] = [
    "$share/a/t/#",
    "$share/a/u/+",
    "$share/b/t/#",
    "$share/{index % 2}/t/+",
];

impl Group {
    /// The group called `name`, whose links are one of `networks`.
    pub(crate) fn draw(draw: &mut Draw, name: &'static str, networks: &[&'static str]) -> Self {
        let mut text = format!("[[group]]\nname = \"{name}\"\n");
        let count = draw.number(1, 5);
        text += &format!("count = {count}\n");
        let speaks_v5 = draw.chance(75);
        if !speaks_v5 {
            text += "protocol = \"3.1.1\"\n";
        }
        if draw.chance(15) {
            text += "client_id = \"{group}-twin-{index % 2}\"\n";
        }
        let has_link = !networks.is_empty() && draw.chance(60);
        if has_link {
            text += &format!("network = \"{}\"\n", draw.one(networks));
        }
        connection(draw, &mut text, speaks_v5);
        attendance(draw, &mut text);
        if draw.chance(60) {
            reconnect(draw, &mut text);
        }
        let has_will = draw.chance(40);
        if has_will {
            will(draw, &mut text);
        }
        if draw.chance(20) {
            birth(draw, &mut text);
        }
        let mut streams = String::new();
        add_streams(draw, &mut streams, speaks_v5);
        let mut subscriptions = String::new();
        add_subscriptions(draw, &mut subscriptions, speaks_v5);
        if draw.chance(20) {
            respond(draw, &mut subscriptions, speaks_v5);
        }
        if draw.chance(40) {
            qos2(draw, &mut text, [&streams, &subscriptions]);
        }
        text += &streams;
        text += &subscriptions;
        Self {
            name,
            text,
            count,
            has_link,
            has_will,
            speaks_v5,
        }
    }
}

fn connection(draw: &mut Draw, text: &mut String, speaks_v5: bool) {
    if draw.chance(55) {
        *text += "clean_start = false\n";
    }
    if speaks_v5 && draw.chance(60) {
        let expiry = draw.one(&["1s", "3s", "10s", "5m"]);
        *text += &format!("session_expiry = \"{expiry}\"\n");
    }
    if draw.chance(70) {
        let keep_alive = draw.one(&["0s", "1s", "2s", "5s", "20s"]);
        *text += &format!("keep_alive = \"{keep_alive}\"\n");
    }
    if speaks_v5 && draw.chance(30) {
        let maximum = draw.one(&[1, 2, 5, 20]);
        *text += &format!("receive_maximum = {maximum}\n");
    }
    if draw.chance(30) {
        let rate = draw.one(&["0.5", "2", "20"]);
        *text += &format!("connect_rate = {rate}\n");
    }
}

fn attendance(draw: &mut Draw, text: &mut String) {
    if draw.chance(12) {
        *text += &format!("start = \"{}s\"\n", draw.number(0, 4));
    }
    if draw.chance(12) {
        *text += &format!("leave = \"{}s\"\n", draw.number(5, 9));
    }
    if draw.chance(25) {
        let up = draw.one(&[
            "\"2s\"",
            "{ dist = \"exponential\", mean = \"3s\" }",
            "{ dist = \"uniform\", min = \"500ms\", max = \"4s\" }",
        ]);
        let down = draw.one(&[
            "\"500ms\"",
            "\"4s\"",
            "{ dist = \"exponential\", mean = \"1s\" }",
        ]);
        let how = draw.one(&["disconnect", "fin", "rst"]);
        *text += &format!("availability = {{ up = {up}, down = {down}, how = \"{how}\" }}\n");
    }
}

fn reconnect(draw: &mut Draw, text: &mut String) {
    let when = draw.one(&["always", "always", "unexpected", "never"]);
    let backoff = draw.one(&[
        "\"200ms\"",
        "\"2s\"",
        "{ dist = \"uniform\", min = \"50ms\", max = \"600ms\" }",
        "{ initial = \"300ms\", cap = \"3s\" }",
    ]);
    *text += &format!("[group.reconnect]\nwhen = \"{when}\"\nbackoff = {backoff}\n");
}

/// The faults of QoS 2 that go with these streams and subscriptions.
fn qos2(draw: &mut Draw, text: &mut String, [streams, subscriptions]: [&str; 2]) {
    let publishes = streams.contains("qos = 2");
    let subscribes = subscriptions.contains("subscribe]]") && subscriptions.contains("qos = 2");
    if !publishes && !subscribes {
        return;
    }
    *text += "[group.qos2]\n";
    if publishes && draw.chance(50) {
        *text += "cut_after = { publish = 0.03, pubrec = 0.03, pubrel = 0.03 }\n";
    }
    if publishes && draw.chance(50) {
        *text += "delay_pubrel = { dist = \"exponential\", mean = \"200ms\" }\n";
    }
    if subscribes && draw.chance(50) {
        *text += "withhold = { pubrec = 0.03, pubcomp = 0.03 }\n";
    }
}

fn will(draw: &mut Draw, text: &mut String) {
    let topic = draw.one(&["s/{client_id}", "s/{client_id}", "s/all", "t/0"]);
    let (qos, retain) = (draw.number(0, 2), draw.chance(40));
    *text += &format!("[group.will]\ntopic = \"{topic}\"\nqos = {qos}\nretain = {retain}\n");
    if text.contains("session_expiry") && draw.chance(40) {
        *text += &format!("delay = \"{}s\"\n", draw.number(1, 5));
    }
}

fn birth(draw: &mut Draw, text: &mut String) {
    let topic = draw.one(&["b/{client_id}", "s/{client_id}"]);
    let (qos, retain) = (draw.number(0, 2), draw.chance(60));
    *text += &format!("[group.birth]\ntopic = \"{topic}\"\nqos = {qos}\nretain = {retain}\n");
}

fn add_streams(draw: &mut Draw, text: &mut String, speaks_v5: bool) {
    for _ in 0..draw.number(0, 2) {
        let topic = draw.one(&TOPICS);
        let qos = draw.number(0, 2);
        *text += &format!("[[group.publish]]\ntopic = \"{topic}\"\nqos = {qos}\n");
        let is_closed_loop = qos > 0 && draw.chance(20);
        pacing(draw, text, is_closed_loop);
        if draw.chance(20) {
            *text += "retain = true\n";
        }
        if draw.chance(15) {
            *text += &format!("start = \"{}s\"\n", draw.number(0, 4));
        }
        if draw.chance(15) {
            *text += &format!("until = \"{}s\"\n", draw.number(5, 9));
        }
        if !is_closed_loop && draw.chance(10) {
            *text += &format!("count = {}\n", draw.number(1, 20));
        }
        if speaks_v5 && draw.chance(25) {
            *text += &format!("message_expiry = \"{}s\"\n", draw.number(1, 5));
        }
        if speaks_v5 && draw.chance(15) {
            *text += "response_topic = \"r/{client_id}\"\n";
            *text += "[[group.subscribe]]\nfilter = \"r/{client_id}\"\nqos = 1\n";
        }
    }
}

fn pacing(draw: &mut Draw, text: &mut String, is_closed_loop: bool) {
    if is_closed_loop {
        // Without a link a window sends thousands of messages a second.
        *text += &format!(
            "arrival = {{ window = {} }}\ncount = {}\n",
            draw.number(1, 10),
            draw.number(1, 300)
        );
        return;
    }
    let rate = draw.one(&[
        "2",
        "10",
        "40",
        "[{ at = \"0s\", rate = 1 }, { at = \"8s\", rate = 40 }]",
        "[{ at = \"3s\", rate = 0 }, { at = \"3s\", rate = 30 }, { at = \"6s\", rate = 0 }]",
        "{ repeat = \"4s\", points = [{ at = \"0s\", rate = 0 }, { at = \"2s\", rate = 30 }, { at = \"4s\", rate = 0 }] }",
    ]);
    *text += &format!("rate = {rate}\n");
    if draw.chance(30) {
        *text += "arrival = \"poisson\"\n";
    }
    if draw.chance(15) {
        *text += &format!("burst = {}\n", draw.number(2, 12));
    }
}

fn add_subscriptions(draw: &mut Draw, text: &mut String, speaks_v5: bool) {
    for _ in 0..draw.number(0, 2) {
        // Of two shared subscriptions of one Session it cannot be seen for which a copy is.
        let is_shared = !text.contains("$share") && draw.chance(25);
        let filter = draw.one(if is_shared { &SHARED[..] } else { &FILTERS[..] });
        let qos = draw.number(0, 2);
        *text += &format!("[[group.subscribe]]\nfilter = \"{filter}\"\nqos = {qos}\n");
        if speaks_v5 && !is_shared && draw.chance(20) {
            *text += "no_local = true\n";
        }
        if speaks_v5 && draw.chance(20) {
            *text += "retain_as_published = true\n";
        }
        if speaks_v5 && !is_shared && draw.chance(20) {
            *text += &format!("retain_handling = {}\n", draw.number(1, 2));
        }
        if speaks_v5 && draw.chance(15) {
            *text += &format!("subscription_identifier = {}\n", draw.number(1, 3));
        }
    }
}

fn respond(draw: &mut Draw, text: &mut String, speaks_v5: bool) {
    let filter = draw.one(&["t/{client_id}", "u/+", "$share/r/t/+", "t/0"]);
    let filter = match text.contains("$share") {
        true => filter.trim_start_matches("$share/r/"),
        false => filter,
    };
    let qos = draw.number(0, 2);
    *text += &format!("[[group.respond]]\nfilter = \"{filter}\"\nqos = {qos}\n");
    if !speaks_v5 || draw.chance(50) {
        *text += "topic = \"r/all\"\n";
    }
    if draw.chance(40) {
        *text += "delay = { dist = \"exponential\", mean = \"100ms\" }\n";
    }
}
