//! What messages carry, over real sockets, on squall and on Mosquitto where that is installed.

use std::fs;

use serde_json::Value;

use crate::peer::has_mosquitto;
use crate::{ON_MOSQUITTO, assert_held, run_scenario};

/// Five devices publish `payload` for a second, and `claims` are made.
fn scenario(payload: &str, claims: &str) -> String {
    format!(
        "version = 1\nname = \"payloads\"\n[run]\nduration = \"1s\"\ndrain = \"5s\"\n\
         [[group]]\nname = \"devices\"\ncount = 5\n[[group.publish]]\ntopic = \"data/{{client_id}}\"\nqos = 1\nrate = 100\n\
         {payload}\n[[group]]\nname = \"backend\"\ncount = 1\nsubscribe = [{{ filter = \"data/+\", qos = 1 }}]\n\
         [[expect]]\ncheck = \"delivery\"\n{claims}\n"
    )
}

/// Runs `scenario` in a folder that has `files`, on each broker that is here, and looks at the code and the run file.
pub(crate) fn on_each_broker(scenario: &str, files: &[(&str, &[u8])], judge: impl Fn(i32, &Value)) {
    let mut targets: Vec<&[&str]> = vec![&[]];
    targets.extend(has_mosquitto().then_some(ON_MOSQUITTO));
    for target in targets {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).expect("it can be written");
        }

        let (code, run) = run_scenario(folder.path(), scenario, target);

        judge(code, &run);
    }
}

/// Twelve bytes from a file have no room for a stamp: it is in a property, and each message is told from the others.
#[test]
fn twelve_bytes_of_a_file_are_told_apart_by_a_property() {
    let payload = "payload = { file = \"reading.bin\" }\nstamp = \"property\"";
    let scenario = scenario(
        payload,
        "qos = 1\nlost = 0\nreordered = 0\ncorrupted = 0\nmisrouted = 0",
    );
    let reading = *b"\x00\x01\x02\x03\xf0\xf1\xf2\xf3 \"}\0";

    on_each_broker(&scenario, &[("reading.bin", &reading)], |code, run| {
        assert_held(code, run);
        assert_eq!(
            run["measured"]["accounting"]["deliveries"][0]["delivered"], 100,
            "{run}"
        );
    });
}

/// Each message is whole, however large it is.
#[test]
fn sizes_of_a_distribution_arrive_whole() {
    let payload =
        "payload = { size = { dist = \"pareto\", min = \"16B\", alpha = 0.7, max = \"256KiB\" } }";
    let scenario = scenario(payload, "lost = 0\ncorrupted = 0");

    on_each_broker(&scenario, &[], assert_held);
}

/// What a base says, a file beside it has and a seed draws comes together on the wire: each device has the client id, the
/// topic and the payload that are its own.
#[test]
fn devices_take_their_texts_from_a_base_a_feed_and_the_seed() {
    let base = scenario(
        "payload = { size = \"16B\" }",
        "qos = 1\nlost = 0\nreordered = 0",
    );
    let over = "extends = \"base.toml\"\n[vars]\nrate = 50\n[[group]]\nname = \"devices\"\ncount = 3\n\
                feed = { csv = \"vans.csv\" }\nclient_id = \"{csv.plate}-{rand.hex:8}\"\n[[group.publish]]\n\
                topic = \"data/{csv.plate}\"\nqos = 1\nrate = \"{vars.rate}\"\n\
                payload = { json = { at = \"{now_iso}\", id = \"{uuid}\", t = \"{rand.normal:20:2}\", on = \"{rand.bool}\", who = \"{pick:a|b}\" } }\n";
    let files = [
        ("base.toml", base.as_bytes()),
        ("vans.csv", b"plate\nB-1\nB-2\nB-3\n"),
    ];

    on_each_broker(over, &files, |code, run| {
        assert_held(code, run);
        let publications = &run["measured"]["accounting"]["publications"][0];
        assert_eq!(publications["sent"], 50, "{publications}");
    });
}
