//! Scenarios over TLS with client certificates, against Eclipse Mosquitto.

use std::fs;
use std::path::Path;

use crate::benches::bench;
use crate::peer::has_mosquitto;
use crate::secured::{Mosquitto, TLS, certificates, certificates_for};
use crate::{assert_held, code_and_errors, run, run_file, text};

/// Telemetry at QoS 1 and 2, doors that are reset, some that say goodbye.
const FLEET: &str = r#"
[run]
warmup = "1s"
duration = "2s"
drain = "1s"
[[group]]
name = "doors"
count = 20
client_id = "door-{index}"
[group.will]
topic = "status/{client_id}"
qos = 1
[[group.publish]]
topic = "doors/{client_id}"
qos = 1
rate = 100
payload = { size = "20KiB" }
[[group]]
name = "watcher"
count = 1
clean_start = false
session_expiry = "1m"
[[group.subscribe]]
filter = "doors/+"
qos = 2
[[group.subscribe]]
filter = "status/+"
qos = 1
[[fault]]
name = "crash"
at = "1s"
group = "doors"
select = 5
action = "drop"
how = "rst"
[[fault]]
name = "cut"
at = "1s"
group = "doors"
select = 5
action = "drop"
how = "tls_abort"
[[fault]]
name = "goodbye"
at = "1s"
group = "doors"
select = 5
action = "disconnect"
[[expect]]
check = "delivery"
qos = 1
lost = 0
misrouted = 0
[[expect]]
check = "will"
after = "crash"
exactly = 1
[[expect]]
check = "will"
after = "cut"
exactly = 1
[[expect]]
check = "will"
after = "goodbye"
exactly = 0
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

/// The fleet, on a broker at this port.
fn scenario(port: u16, tls: &str) -> String {
    format!(
        r#"
version = 1
name = "secured"
seed = 9
[target]
url = "mqtts://localhost:{port}"
tls = {tls}
{FLEET}"#
    )
}

/// Writes the scenario beside the certificates, so that their paths count from there.
fn written(broker: &Mosquitto, tls: &str) -> std::path::PathBuf {
    let file = broker.file("secured.toml");
    fs::write(&file, scenario(broker.port, tls)).expect("the scenario can be written");
    file
}

/// Everything that holds over TCP holds over TLS: deliveries, wills after resets, goodbyes, squall's own
/// clients. Messages are longer than a record of TLS.
#[test]
fn a_scenario_passes_over_tls_with_client_certificates() {
    if !has_mosquitto() {
        return;
    }
    let broker = Mosquitto::start(TLS, certificates);
    let tls = r#"{ ca = "ca.pem", cert = "client.pem", key = "client.key" }"#;
    let file = written(&broker, tls);
    let out = broker.file("out");

    let output = run(&["run", text(&file), "--out", text(&out)]);

    let run = run_file(&out);
    let (code, errors) = code_and_errors(&output);
    assert_held(code, &run);
    assert_eq!(run["measured"]["wills"][0]["seen"], 5, "{errors}");
    let url = run["target"]["url"].as_str().expect("it is text");
    assert!(url.starts_with("mqtts://"), "{url}");
    assert_eq!(run["settings"]["groups"][0]["transport"], "tls");
}

/// Each mistake ends the run before it begins, and says which it was and what to do.
#[test]
fn what_is_wrong_with_a_certificate_is_said_before_the_run() {
    if !has_mosquitto() {
        return;
    }
    let whole = Mosquitto::start(TLS, certificates);
    let expired = TLS
        .replace("broker.", "expired.")
        .replace("require_certificate true", "");
    let expired = Mosquitto::start(&expired, certificates);
    let identity = r#"cert = "client.pem", key = "client.key""#;
    for (broker, tls, said) in [
        (
            &whole,
            format!(r#"{{ ca = "client.pem", {identity} }}"#),
            "not signed by a CA that is trusted here: name the file of the CA that signed it with target.tls.ca",
        ),
        (
            &whole,
            r#"{ ca = "ca.pem" }"#.to_owned(),
            "give one with target.tls.cert and target.tls.key",
        ),
        (
            &whole,
            format!(r#"{{ ca = "ca.pem", sni = "elsewhere.example", {identity} }}"#),
            "not for this host name: use a name of the certificate in the URL, or name it with target.tls.sni",
        ),
        (
            &expired,
            r#"{ ca = "ca.pem" }"#.to_owned(),
            "has expired: renew the broker's certificate, or try with target.tls.insecure",
        ),
    ] {
        let file = written(broker, &tls);

        let (code, errors) = code_and_errors(&run_in(broker, &file));

        assert_eq!(code, 3, "{tls}: {errors}");
        assert!(errors.contains(said), "{tls}: {errors}");
    }
}

fn run_in(broker: &Mosquitto, file: &Path) -> std::process::Output {
    run(&["run", text(file), "--out", text(&broker.file("out"))])
}

/// Any certificate will do if the scenario says so; the terminal and the run file say it too.
#[test]
fn an_insecure_run_says_so() {
    if !has_mosquitto() {
        return;
    }
    let config = TLS
        .replace("broker.", "expired.")
        .replace("require_certificate true", "");
    let broker = Mosquitto::start(&config, certificates);
    let file = written(&broker, "{ insecure = true }");

    let (code, errors) = code_and_errors(&run_in(&broker, &file));

    let run = run_file(&broker.file("out"));
    assert_held(code, &run);
    assert!(
        errors.contains("warning: target.tls.insecure accepts any certificate"),
        "{errors}"
    );
    let settings = run["target"]["settings"]["tls"].as_str();
    assert!(
        settings.is_some_and(|text| text.contains("insecure")),
        "{run}"
    );
}

/// A broker knows some devices by their certificates and not others: those are counted by what kept them out.
/// squall's own clients show the certificate of the first group that has one.
#[test]
fn a_group_shows_the_certificate_of_its_own() {
    if !has_mosquitto() {
        return;
    }
    let broker = Mosquitto::start(TLS, certificates);
    let file = broker.file("groups.toml");
    let scenario = format!(
        r#"
version = 1
name = "groups"
[target]
url = "mqtts://localhost:{}"
tls = {{ ca = "ca.pem" }}
[run]
duration = "1s"
drain = "0s"
connect_timeout = "3s"
[[group]]
name = "known"
count = 2
tls = {{ cert = "client.pem", key = "client.key" }}
[[group]]
name = "strangers"
count = 3
tls = {{ cert = "stranger.pem", key = "stranger.key" }}
reconnect = {{ when = "never" }}
[thresholds]
schedule_lag = ["max < 10m"]
"#,
        broker.port
    );
    fs::write(&file, scenario).expect("it can be written");

    let (_, errors) = code_and_errors(&run_in(&broker, &file));

    let run = run_file(&broker.file("out"));
    let connections = &run["measured"]["connections"];
    let connected = |group: usize| &connections["groups"][group]["connected"];
    assert_eq!(
        (connected(0), connected(1)),
        (&2.into(), &0.into()),
        "{errors}"
    );
    let refusals = connections["refusals"].as_array().expect("a list");
    assert_eq!(refusals.len(), 1, "{connections}");
    assert_eq!(refusals[0]["count"], 3, "{connections}");
    let answer = refusals[0]["answer"].as_str().expect("it is text");
    assert!(answer.contains("for their client certificate"), "{answer}");
    let remedy = refusals[0]["remedy"].as_str().expect("it is text");
    assert!(remedy.contains("tls.cert and tls.key"), "{remedy}");
}

/// A broker that takes a client for whom its certificate names, and lets each publish below its own name only: all
/// messages come where each device shows its own.
#[test]
fn each_device_shows_a_certificate_of_its_own() {
    if !has_mosquitto() {
        return;
    }
    let names: Vec<String> = (0..3).map(|index| format!("door-{index}")).collect();
    let acl = "user client\ntopic read #\npattern write own/%u\n";
    let config = format!("{TLS}\nuse_identity_as_username true\nacl_file FOLDER/acl");
    let config = config.replace("allow_anonymous true", "allow_anonymous false");
    let broker = Mosquitto::start(&config, |folder| {
        certificates_for(folder, &[names.as_slice(), &["client".to_owned()]].concat());
        fs::write(folder.join("acl"), acl).expect("it can be written");
    });
    let file = broker.file("own.toml");
    let scenario = r#"
version = 1
name = "own"
[target]
url = "mqtts://localhost:PORT"
tls = { ca = "ca.pem", cert = "client.pem", key = "client.key" }
[run]
duration = "2s"
drain = "1s"
[[group]]
name = "doors"
count = 3
client_id = "door-{index}"
tls = { cert = "{client_id}.pem", key = "door-{index}.key" }
[[group.publish]]
topic = "own/{client_id}"
qos = 1
every = "200ms"
[[group]]
name = "watcher"
count = 1
[[group.subscribe]]
filter = "own/+"
qos = 1
[[expect]]
check = "delivery"
lost = 0
"#;
    fs::write(&file, scenario.replace("PORT", &broker.port.to_string()))
        .expect("it can be written");
    let out = broker.file("out");

    let output = run(&["run", text(&file), "--out", text(&out)]);
    fs::remove_file(broker.file("door-2.key")).expect("it is there");
    let missing = run(&["validate", text(&file)]);

    let run = run_file(&out);
    let (code, errors) = code_and_errors(&output);
    assert_held(code, &run);
    let row = &run["measured"]["accounting"]["deliveries"][0];
    assert!(row["delivered"].as_u64() > Some(0), "{errors}{row}");
    assert_eq!(row["delivered"], row["expected"], "{row}");
    let (code, errors) = code_and_errors(&missing);
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("door-2.key"), "{errors}");
}

/// A bench under TLS accounts for each message, as one over TCP does, and ends Sessions through TLS too.
#[test]
fn a_bench_speaks_tls_with_client_certificates() {
    if !has_mosquitto() {
        return;
    }
    let broker = Mosquitto::start(TLS, certificates);
    let url = format!("mqtts://localhost:{}", broker.port);
    let (ca, cert, key) = (
        broker.file("ca.pem"),
        broker.file("client.pem"),
        broker.file("client.key"),
    );
    let identity = [
        "--ca",
        text(&ca),
        "--cert",
        text(&cert),
        "--key",
        text(&key),
    ];
    let load = ["-q", "1", "-c", "4", "--window", "8", "--protocol", "3.1.1"];
    for pattern in ["pairs", "durable"] {
        let target = ["--target", &url];
        let (code, result) = bench(pattern, &[&target, &load[..], &identity].concat());

        assert_eq!(code, 0, "{result}");
        let account = &result["targets"][0]["repeats"][0]["account"];
        assert!(account["published"].as_u64() > Some(0), "{result}");
        assert_eq!(account["delivered"], account["published"], "{result}");
    }
    let output = run(&[
        &["bench", "pairs", "--target", &url, "--ca", text(&ca)],
        &load[..],
    ]
    .concat());
    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("--cert and --key"), "{errors}");
}
