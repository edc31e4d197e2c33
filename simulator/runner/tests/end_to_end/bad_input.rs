//! What a user can get wrong: each has its exit code, and a message that names place and remedy.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;

use crate::{Broker, code_and_errors, run, squall, text};

/// A scenario that is right, with `devices` devices. The machine may be slow.
fn scenario(devices: u32) -> String {
    format!(
        "version = 1\nname = \"small\"\nseed = 1\n[run]\nduration = \"1s\"\n\
         [[group]]\nname = \"devices\"\ncount = {devices}\n\
         [thresholds]\nschedule_lag = [\"max < 10m\"]\n"
    )
}

/// A scenario file in a folder of its own.
fn write_scenario(content: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("small.toml");
    fs::write(&file, content).expect("the scenario can be written");
    (folder, file)
}

/// Exit code 2: the file is named.
#[test]
fn a_missing_file_is_named() {
    let (code, errors) = code_and_errors(&run(&["run", "no/such.toml"]));

    assert_eq!(code, 2);
    assert!(errors.contains("no/such.toml"), "{errors}");
}

/// Exit code 2, for `run` as for `validate`: line, column and what was meant.
#[test]
fn a_mistake_in_the_scenario_is_shown_in_place() {
    let (_folder, file) = write_scenario(&scenario(1).replace("count", "cuont"));

    for command in ["run", "validate"] {
        let (code, errors) = code_and_errors(&run(&[command, text(&file)]));

        assert_eq!(code, 2);
        assert!(errors.starts_with("error: unknown key"), "{errors}");
        assert!(errors.contains("small.toml:8:1"), "{errors}");
        assert!(
            errors.contains("did you mean") && errors.contains("count"),
            "{errors}"
        );
    }
}

/// A claim that no run can judge is a note with exit code 0, and with `--strict` an error with exit code 2.
#[test]
fn a_claim_that_can_never_be_judged_is_an_error_if_that_is_asked_for() {
    let unheard = "version = 1\nname = \"slip\"\n[[group]]\nname = \"homes\"\ncount = 5\n[[group.publish]]\n\
                   topic = \"home/{client_id}/temperature\"\nqos = 1\nevery = \"1s\"\n[[group]]\nname = \"backend\"\n\
                   count = 1\n[[group.subscribe]]\nfilter = \"home/+/temp\"\nqos = 1\n[[expect]]\ncheck = \"delivery\"\nlost = 0\n";
    let (_folder, file) = write_scenario(unheard);
    let (_other_folder, right) = write_scenario(&unheard.replace("+/temp", "+/temperature"));

    let plain = run(&["validate", text(&file)]);
    let (code, errors) = code_and_errors(&run(&["validate", "--strict", text(&file)]));
    let (right_code, _) = code_and_errors(&run(&["validate", "--strict", text(&right)]));

    let said = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert_eq!(plain.status.code(), Some(0));
    assert!(
        said.contains("note: `check = \"delivery\"` cannot be judged"),
        "{said}"
    );
    assert_eq!(code, 2);
    assert!(
        errors.contains("`check = \"delivery\"` cannot be judged"),
        "{errors}"
    );
    assert_eq!(right_code, 0);
}

/// So is one that is narrowed to messages which bear no stamp, and that counts cannot judge.
#[test]
fn a_claim_on_messages_without_a_stamp_is_told_where_counts_cannot_judge_it() {
    let scenario = |claims: &str| {
        format!(
            "version = 1\nname = \"counted\"\n[[group]]\nname = \"meters\"\ncount = 5\n[[group.publish]]\n\
             topic = \"meters/{{client_id}}\"\nqos = 1\nevery = \"1s\"\nstamp = \"none\"\n[[group.publish]]\ntopic = \"alarms\"\n\
             qos = 2\nevery = \"1s\"\n[[group]]\nname = \"back\"\ncount = 1\nsubscribe = [{{ filter = \"#\", qos = 1 }}]\n{claims}\n"
        )
    };
    let delivery = |keys: &str| scenario(&format!("[[expect]]\ncheck = \"delivery\"\n{keys}"));
    for (wrong, said, right) in [
        (
            delivery("qos = 1\nreordered = 0"),
            "`reordered` of `check = \"delivery\"` cannot be judged",
            delivery("qos = 2\nreordered = 0"),
        ),
        (
            scenario("[thresholds]\n\"e2e_latency{qos=1}\" = [\"max < 1s\"]"),
            "threshold `e2e_latency{qos=1}` cannot be judged",
            scenario("[thresholds]\n\"e2e_latency{qos=2}\" = [\"max < 1s\"]"),
        ),
        (
            delivery("duplicated = 0\n[target]\nurl = \"mqtt://127.0.0.1\""),
            "come from a broker that has other clients",
            delivery("duplicated = 0"),
        ),
    ] {
        let (_folder, wrong) = write_scenario(&wrong);
        let (_other_folder, right) = write_scenario(&right);

        let (code, errors) = code_and_errors(&run(&["validate", "--strict", text(&wrong)]));
        let (right_code, right_errors) =
            code_and_errors(&run(&["validate", "--strict", text(&right)]));

        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains(said), "{errors}");
        assert_eq!(right_code, 0, "{right_errors}");
    }
}

/// Exit code 2: a target whose program this machine does not have does not fit it.
#[test]
fn a_plan_says_that_the_targets_program_is_missing() {
    let target = "[target]\nspawn = \"mosquito-of-no-machine -p {port}\"\n[[group]]";
    let (_folder, file) = write_scenario(&scenario(1).replacen("[[group]]", target, 1));

    let output = run(&["plan", text(&file)]);

    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 2);
    assert!(said.contains("fits on this machine: no"), "{said}");
    assert!(
        errors.contains(
            "`target.spawn` starts `mosquito-of-no-machine`, which this machine does not have"
        ),
        "{errors}"
    );
}

/// Exit code 2: all mistakes of the broker's config file, framed as those of a scenario are.
#[test]
fn mistakes_in_the_config_file_are_shown_in_place() {
    let (_folder, file) = write_scenario("[listen]\nprot = 1\n[queue]\nbytes_max = 64\n");

    let broker = ["broker", "--check", "--config", text(&file)];
    let (code, errors) = code_and_errors(&run(&broker));

    assert_eq!(code, 2);
    assert!(errors.starts_with("error: unknown key `prot`"), "{errors}");
    assert!(errors.contains("small.toml:2:1"), "{errors}");
    assert!(errors.contains("did you mean `port`?"), "{errors}");
    assert!(errors.contains("small.toml:4:13"), "{errors}");
    assert!(
        errors.contains("= example: bytes_max = \"16MiB\""),
        "{errors}"
    );
}

/// Exit code 2: a file in another encoding is named with the place and the remedy.
#[test]
fn a_scenario_that_is_not_utf_8_is_shown_in_place() {
    let (_folder, file) = write_scenario("");
    fs::write(&file, b"version = 1\nname = \"caf\xE9\"\n").expect("the file can be written");

    let (code, errors) = code_and_errors(&run(&["validate", text(&file)]));

    assert_eq!(code, 2);
    assert!(errors.contains("small.toml:2:12"), "{errors}");
    assert!(
        errors.contains("save the file in the encoding UTF-8"),
        "{errors}"
    );
}

/// Exit code 2: a file that never ends is not read to its end.
#[test]
fn a_scenario_without_end_is_refused() {
    let (code, errors) = code_and_errors(&run(&["validate", "/dev/zero"]));

    assert_eq!(code, 2);
    assert!(errors.contains("/dev/zero is not a scenario"), "{errors}");
}

/// Exit code 2: what was written is repeated, with what it should look like.
#[test]
fn a_malformed_override_is_named() {
    let (_folder, file) = write_scenario(&scenario(1));

    let (code, errors) = code_and_errors(&run(&["run", text(&file), "--set", "nonsense"]));

    assert_eq!(code, 2);
    assert!(errors.starts_with("error: --set nonsense: "), "{errors}");
}

/// Exit code 2: an override is checked like the file.
#[test]
fn an_override_of_a_group_that_is_not_there_is_refused() {
    let (_folder, file) = write_scenario(&scenario(1));

    let set = ["run", text(&file), "--set", "group.sensors.count=2"];
    let (code, errors) = code_and_errors(&run(&set));

    assert_eq!(code, 2);
    assert!(errors.contains("sensors"), "{errors}");
}

/// Exit code 3: no broker listens there, and the address is named.
#[test]
fn an_unreachable_target_is_named() {
    let (folder, file) = write_scenario(&scenario(1));
    let unused = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        listener.local_addr().expect("it listens")
    };
    let url = format!("target.url=mqtt://{unused}");
    let out = folder.path().join("out");

    let output = run(&["run", text(&file), "--set", &url, "--out", text(&out)]);

    let (code, errors) = code_and_errors(&output);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains(&unused.to_string()), "{errors}");
    assert!(
        !out.join("run.json").exists(),
        "a run that did not begin left a run file"
    );
}

/// Exit code 3: a target that cannot be started, and one that ends at once.
#[test]
fn a_target_that_does_not_start_is_named() {
    let (folder, file) = write_scenario(&scenario(1));
    let out = folder.path().join("out");

    for (command, said) in [
        ("no-such-broker {port}", "no-such-broker"),
        ("false {port}", "ended"),
    ] {
        let spawn = format!("target.spawn={command}");
        let output = run(&["run", text(&file), "--set", &spawn, "--out", text(&out)]);

        let (code, errors) = code_and_errors(&output);
        assert_eq!(code, 3, "{errors}");
        assert!(errors.contains(said), "{errors}");
    }
}

/// Exit code 2: a port that is taken is named, with the remedy.
#[test]
fn a_port_in_use_is_named() {
    let broker = Broker::start();
    let port = broker.address.port().to_string();

    let (code, errors) = code_and_errors(&run(&["broker", "--port", &port]));

    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains(&port) && errors.contains("in use"),
        "{errors}"
    );
}

/// Exit code 2, before anything is started: more devices than there are local ports.
#[test]
fn too_many_devices_are_refused_in_advance_with_the_remedy() {
    let (folder, file) = write_scenario(&scenario(1_000_000));
    let out = folder.path().join("out");

    let (code, errors) = code_and_errors(&run(&["run", text(&file), "--out", text(&out)]));

    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("--set group."), "{errors}");
    assert!(
        !errors.contains("target "),
        "a target was started: {errors}"
    );
}

/// Exit code 2: a folder that takes no files is found before the run, not after it.
#[test]
fn a_folder_that_takes_no_files_is_refused_in_advance() {
    let (folder, file) = write_scenario(&scenario(1));
    let in_the_way = folder.path().join("a-file");
    fs::write(&in_the_way, "").expect("a file can be written");
    let out = in_the_way.join("out");

    let (code, errors) = code_and_errors(&run(&["run", text(&file), "--out", text(&out)]));

    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("a-file") && errors.contains("--out"),
        "{errors}"
    );
}

/// Exit code 2: a run file of another kind or version is not half understood.
#[test]
fn a_file_that_is_not_a_run_file_is_refused() {
    let (_folder, file) = write_scenario("{}");

    let (code, errors) = code_and_errors(&run(&["report", text(&file)]));

    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("run file"), "{errors}");
}

/// The results of a run are not replaced unless it is said so, and then they are.
#[test]
fn results_are_replaced_only_by_force() {
    let (folder, file) = write_scenario(&scenario(1));
    let out = folder.path().join("out");
    let arguments = ["run", text(&file), "--quiet", "--out", text(&out)];
    assert_eq!(code_and_errors(&run(&arguments)).0, 0);
    let first = fs::read(out.join("run.json")).expect("there is a run file");

    let refused = run(&arguments);
    let kept = fs::read(out.join("run.json")).expect("it is still there");
    let forced = run(&[&arguments[..], &["--force"]].concat());

    let (code, errors) = code_and_errors(&refused);
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("--force"), "{errors}");
    assert!(kept == first, "the run file was touched");
    assert_eq!(code_and_errors(&forced).0, 0);
    assert!(fs::read(out.join("run.json")).expect("a new one") != first);
}

/// Exit code 2: a folder that another run is going to write into, with its process; that run is not
/// disturbed.
#[test]
fn a_folder_that_another_run_writes_into_is_refused() {
    let (folder, file) = write_scenario(&scenario(1));
    let out = folder.path().join("out");
    let arguments = ["run", text(&file), "--out", text(&out)];
    let mut first = squall()
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("squall can be started");
    let stderr = first.stderr.take().expect("it is a pipe");
    let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
    assert!(
        lines.any(|line| line.contains("target ")),
        "it ended by itself"
    );

    let second = run(&[&arguments[..], &["--force"]].concat());

    let (code, errors) = code_and_errors(&second);
    assert_eq!(code, 2, "{errors}");
    let holder = format!("another squall (process {})", first.id());
    assert!(
        errors.contains(&holder) && errors.contains("--out"),
        "{errors}"
    );
    lines.for_each(drop);
    assert_eq!(first.wait().expect("it ends").code(), Some(0));
    assert!(out.join("run.json").exists());
}
