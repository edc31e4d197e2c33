//! A group of a random scenario.

use crate::draw::Draw;
use crate::streams::{add_streams, add_subscriptions, respond};

/// A `[[group]]` as text, and what claims and faults must know of it.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) count: u64,
    pub(crate) has_link: bool,
    pub(crate) has_will: bool,
    pub(crate) has_keep_alive: bool,
    pub(crate) speaks_v5: bool,
}

/// What holds for all groups of a scenario.
pub(crate) struct Setting {
    /// Link profiles that it has.
    pub(crate) networks: Vec<&'static str>,
    /// Whether all devices speak 5.0: what User Properties carry, each must see.
    pub(crate) is_all_v5: bool,
}

/// Names of the groups of a scenario.
pub(crate) const NAMES: [&str; 4] = ["red", "green", "blue", "grey"];

impl Group {
    /// The group called `name`.
    pub(crate) fn draw(draw: &mut Draw, name: &'static str, setting: &Setting) -> Self {
        let networks = &setting.networks;
        let mut text = format!("[[group]]\nname = \"{name}\"\n");
        let count = draw.number(1, 5);
        text += &format!("count = {count}\n");
        let speaks_v5 = setting.is_all_v5 || draw.chance(65);
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
        let has_will = draw.chance(60);
        if has_will {
            will(draw, &mut text);
        }
        if draw.chance(20) {
            birth(draw, &mut text);
        }
        let mut streams = String::new();
        add_streams(draw, &mut streams, setting, speaks_v5);
        let mut subscriptions = String::new();
        add_subscriptions(draw, &mut subscriptions, speaks_v5);
        if draw.chance(20) {
            respond(draw, &mut subscriptions, speaks_v5);
        }
        if draw.chance(40) {
            qos2(draw, &mut text, [&streams, &subscriptions]);
        }
        let has_keep_alive = !text.contains("keep_alive = \"0s\"");
        text += &streams;
        text += &subscriptions;
        Self {
            name,
            text,
            count,
            has_link,
            has_will,
            has_keep_alive,
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
    if speaks_v5 && draw.chance(25) {
        *text += &format!("topic_alias = {}\n", draw.number(1, 4));
    }
    if draw.chance(30) {
        let rate = draw.one(&["0.5", "2", "20"]);
        *text += &format!("connect_rate = {rate}\n");
    }
}

fn attendance(draw: &mut Draw, text: &mut String) {
    let has_curve = draw.chance(12);
    if !has_curve && draw.chance(12) {
        *text += &format!("start = \"{}s\"\n", draw.number(0, 4));
    }
    if !has_curve && draw.chance(12) {
        *text += &format!("leave = \"{}s\"\n", draw.number(5, 9));
    }
    if has_curve {
        let online = draw.one(&[
            "0.5",
            "[{ at = \"2s\", share = 0.2 }, { at = \"6s\", share = 1 }]",
            "{ repeat = \"6s\", points = [{ at = \"0s\", share = 1 }, { at = \"3s\", share = 0.2 }, { at = \"6s\", share = 1 }] }",
        ]);
        *text += &format!("online = {online}\n");
    } else if draw.chance(25) {
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
