//! Faults of a random scenario.

use crate::draw::Draw;
use crate::group::Group;

/// What a fault may do; the last ones need a link.
const ACTIONS: [&str; 10] = [
    "drop",
    "drop",
    "disconnect",
    "takeover",
    "takeover",
    "stall",
    "mute",
    "flap",
    "network",
    "partition",
];

/// Those of [`ACTIONS`] that need none.
const ACTIONS_WITHOUT_LINK: usize = 8;

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

/// What a will may take after each kind of drop.
const WITHIN: &str = "within = { silent = \"31s\", fin = \"1s\", rst = \"1s\", half_close = \"1s\", mid_packet = \"1s\", malformed = \"1s\" }";

/// One fault called `name` at devices of `group`, and what is claimed of it.
pub(crate) fn of_devices(
    draw: &mut Draw,
    name: &str,
    group: &Group,
    claims: &mut Vec<String>,
) -> String {
    let mut text = format!("[[fault]]\nname = \"{name}\"\ngroup = \"{}\"\n", group.name);
    when(draw, &mut text);
    if draw.chance(60) {
        text += &format!("select = {}\n", draw.number(1, group.count.min(2)));
    }
    let actions = match group.has_link {
        true => &ACTIONS[..],
        false => &ACTIONS[..ACTIONS_WITHOUT_LINK],
    };
    let action = match draw.one(actions) {
        "mute" if !group.has_keep_alive => "stall",
        action => action,
    };
    text += &format!("action = \"{action}\"\n");
    let wills = match action {
        "drop" => Some((1, drop(draw, &mut text, claims))),
        "disconnect" if group.speaks_v5 && draw.chance(40) => {
            text += "reason = \"with_will\"\n";
            Some((1, ""))
        }
        "disconnect" => Some((0, "")),
        "takeover" => {
            if draw.chance(30) {
                text += &format!("contenders = {}\n", draw.number(2, 4));
            }
            None
        }
        _ => {
            lasting(draw, &mut text, action, group);
            None
        }
    };
    if let Some((exactly, within)) = wills.filter(|_| group.has_will) {
        claims.push(format!(
            "check = \"will\"\nafter = \"{name}\"\nexactly = {exactly}\n{within}"
        ));
    }
    text
}

/// A fault called `name` of the broker itself.
pub(crate) fn of_broker(draw: &mut Draw, name: &str) -> String {
    let action = draw.one(&["kill_broker", "pause_broker", "restart_broker"]);
    let lasts = draw.one(&["100ms", "1s", "3s"]);
    format!(
        "[[fault]]\nname = \"{name}\"\nat = \"{}s\"\naction = \"{action}\"\nlasts = \"{lasts}\"\n",
        draw.number(1, 9)
    )
}

/// When it happens: at least six seconds before the end.
fn when(draw: &mut Draw, text: &mut String) {
    if draw.chance(50) {
        let every = draw.one(&["700ms", "1500ms", "3s"]);
        *text += &format!("every = \"{every}\"\nfor = \"{}s\"\n", draw.number(4, 9));
    } else {
        *text += &format!("at = \"{}s\"\n", draw.number(0, 8));
    }
}

fn drop(draw: &mut Draw, text: &mut String, claims: &mut Vec<String>) -> &'static str {
    let how = draw.one(&DROPS);
    *text += &format!("how = \"{how}\"\n");
    if how == "malformed" {
        claims
            .push("check = \"malformed\"\nclosed_within = \"1s\"\nreason = \"correct\"".to_owned());
    }
    WITHIN
}

/// What else belongs to a fault that lasts.
fn lasting(draw: &mut Draw, text: &mut String, action: &str, group: &Group) {
    let lasts = match action {
        // Each connection must end more than once.
        "flap" => draw.one(&["2s", "5s"]),
        _ => draw.one(&["300ms", "2s", "5s"]),
    };
    *text += &format!("lasts = \"{lasts}\"\n");
    match action {
        "network" => {
            let profile = draw.one(&["edge", "gprs", "satellite"]);
            *text += &format!("profile = \"{profile}\"\n");
        }
        "flap" => {
            let period = draw.one(&["100ms", "400ms", "900ms"]);
            *text += &format!("period = \"{period}\"\n");
            match draw.number(0, 3) {
                0 => *text += "how = \"rst\"\n",
                1 => *text += "reason = \"normal\"\n",
                2 if group.speaks_v5 => *text += "reason = \"with_will\"\n",
                _ => {}
            }
        }
        _ => {}
    }
}
