//! What devices of a random scenario publish, subscribe to and answer.

use crate::draw::Draw;
use crate::group::Setting;

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

/// Made for each message.
const PROPERTIES: &str = "content_type = \"a/{rand.choice:b|c}\"\n\
    user_properties = { n = \"{seq}\", \"id-{seq % 2}\" = \"{uuid}\", at = \"{now_iso}\" }\n";

/// What brings the responses to them.
const RESPONSES: &str = "[[group.subscribe]]\nfilter = \"r/{client_id}/#\"\nqos = 1\n";

/// Adds what devices of a group publish.
pub(crate) fn add_streams(draw: &mut Draw, text: &mut String, setting: &Setting, speaks_v5: bool) {
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
            *text += PROPERTIES;
        }
        if setting.is_all_v5 && draw.chance(15) {
            *text += "stamp = \"property\"\n";
        }
        if draw.chance(15) {
            *text += "payload = { size = { dist = \"uniform\", min = \"32B\", max = \"2KiB\" } }\n";
        }
        if speaks_v5 && draw.chance(15) {
            let topic = match topic.contains("seq") {
                true => "r/{client_id}/{seq % 2}",
                false => "r/{client_id}",
            };
            *text += &format!("response_topic = \"{topic}\"\n");
            if !text.contains(RESPONSES) {
                *text += RESPONSES;
            }
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

/// Adds what devices of a group subscribe to.
pub(crate) fn add_subscriptions(draw: &mut Draw, text: &mut String, speaks_v5: bool) {
    for _ in 0..draw.number(0, 2) {
        // Of two shared subscriptions of one Session it cannot be seen for which a copy is.
        let is_shared = !text.contains("$share") && draw.chance(25);
        let filter = draw.one(if is_shared { &SHARED[..] } else { &FILTERS[..] });
        if text.contains(&format!("\"{filter}\"")) {
            // The broker has one subscription for it, whose options are those of the last SUBSCRIBE.
            continue;
        }
        let qos = draw.number(0, 2);
        *text += &format!("[[group.subscribe]]\nfilter = \"{filter}\"\nqos = {qos}\n");
        if draw.chance(15) {
            *text += &format!("start = \"{}s\"\n", draw.number(0, 4));
        }
        if draw.chance(15) {
            *text += &format!("until = \"{}s\"\n", draw.number(6, 12));
        }
        if draw.chance(15) {
            let on = draw.one(&["500ms", "2s"]);
            let off = draw.one(&["300ms", "3s"]);
            *text += &format!("churn = {{ on = \"{on}\", off = \"{off}\" }}\n");
        }
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

/// Adds what devices of a group answer.
pub(crate) fn respond(draw: &mut Draw, text: &mut String, speaks_v5: bool) {
    let filter = draw.one(&["t/{client_id}", "u/+", "$share/r/t/+", "t/0"]);
    let filter = match text.contains("$share") {
        true => filter.trim_start_matches("$share/r/"),
        false => filter,
    };
    let qos = draw.number(0, 2);
    let mut block = format!("[[group.respond]]\nfilter = \"{filter}\"\nqos = {qos}\n");
    if !speaks_v5 || draw.chance(50) {
        block += "topic = \"r/all\"\n";
    }
    if draw.chance(40) {
        block += "delay = { dist = \"exponential\", mean = \"100ms\" }\n";
    }
    // A device subscribes to each filter once.
    if !text.contains(&format!("filter = \"{filter}\"")) {
        *text += &block;
    }
}
