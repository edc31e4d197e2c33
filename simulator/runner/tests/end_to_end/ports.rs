//! Local ports: a fleet that the plan says fits has enough of them, and one that does not is refused.
//!
//! The runs are in a network of their own (`unshare`), which has two hundred ports and keeps each for a
//! minute after its connection. Where such a network may not be made, the tests are skipped, which is
//! said on stderr.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use crate::{code_and_errors, run, text};

/// `squall`'s arguments are the script's, `URL` in them stands for the broker's address.
const SCRIPT: &str = r#"
ip link set lo up || exit 77
echo "40000 40199" > /proc/sys/net/ipv4/ip_local_port_range || exit 77
echo 0 > /proc/sys/net/ipv4/tcp_tw_reuse || exit 77
"$SQUALL" broker --port 18830 &
"$SQUALL" run "$1" --out "$2" --set target.url=mqtt://127.0.0.1:18830
code=$?
kill $!
exit $code
"#;

/// The exit code that says that there is no network of our own.
const NO_NETWORK: i32 = 77;

/// Runs `devices` whose Sessions are ended by connections of their own, before the run and at its end.
/// The exit code, and what was said on standard error; `None` if such a network may not be made.
fn run_with_200_ports(devices: u32) -> Option<(i32, String)> {
    run_from(devices, "")
}

/// As [`run_with_200_ports`], with this said of `[target]`.
fn run_from(devices: u32, target: &str) -> Option<(i32, String)> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("ports.toml");
    let scenario = format!(
        "version = 1\nname = \"ports\"\n{target}[run]\nduration = \"1s\"\ndrain = \"0s\"\n\
         [[group]]\nname = \"g\"\ncount = {devices}\nprotocol = \"3.1.1\"\n\
         clean_start = false\n[thresholds]\nschedule_lag = [\"max < 10m\"]\n"
    );
    fs::write(&file, scenario).expect("it can be written");
    let out = folder.path().join("out");
    let output = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--net",
            "sh",
            "-c",
            SCRIPT,
            "sh",
        ])
        .args([text(&file), text(&out)])
        .env("SQUALL", env!("CARGO_BIN_EXE_squall"))
        .output();
    let ended = output.map(|output| code_and_errors(&output));
    let has_network =
        |(code, errors): &(i32, String)| *code != NO_NETWORK && !errors.starts_with("unshare:");
    let ended = ended.ok().filter(has_network);
    if ended.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no network of our own may be made here, so no run had few ports"
        );
    }
    ended
}

/// 65 devices, 65 connections that ended Sessions before, as many at the end, and the probes: 199.
#[test]
fn a_fleet_that_fits_by_the_plan_does_not_run_out_of_ports() {
    let Some((code, errors)) = run_with_200_ports(65) else {
        return;
    };

    assert_eq!(code, 0, "{errors}");
}

/// One connection more than there are ports, of which most wait: refused in advance, with the remedy.
#[test]
fn ports_that_wait_are_counted_in_advance() {
    let Some((code, errors)) = run_with_200_ports(66) else {
        return;
    };

    assert_eq!(code, 2, "{errors}");
    for part in [
        "66 devices need 202 local ports (132 of them",
        "the range has 200",
        "tcp_tw_reuse",
    ] {
        assert!(errors.contains(part), "no {part} in {errors}");
    }
}

/// The same fleet from two addresses, each of which has two hundred ports: it runs to its end.
#[test]
fn a_second_address_has_ports_of_its_own() {
    let target = "[target]\nsource = \"127.0.0.1-127.0.0.2\"\n";
    let Some((code, errors)) = run_from(120, target) else {
        return;
    };

    assert_eq!(code, 0, "{errors}");
}

/// More devices than the ports of both addresses: refused in advance.
#[test]
fn ports_of_all_addresses_are_counted_in_advance() {
    let target = "[target]\nsource = \"127.0.0.1-127.0.0.2\"\n";
    let Some((code, errors)) = run_from(133, target) else {
        return;
    };

    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("the range has 400 at 2 addresses"),
        "{errors}"
    );
}

/// An address that no interface of this machine has is told before anything is started.
#[test]
fn an_address_of_another_machine_is_refused() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("source.toml");
    let scenario = "version = 1\nname = \"source\"\n[target]\nsource = \"192.0.2.1\"\n[[group]]\nname = \"g\"\ncount = 1\n";
    fs::write(&file, scenario).expect("it can be written");

    let (code, errors) = code_and_errors(&run(&["run", text(&file)]));

    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("192.0.2.1, which is not an address of this machine"),
        "{errors}"
    );
}
