//! Suites: what they run, how they are scaled to the machine, and the table that they end with.

use std::fs;
use std::process::Command;

use crate::{code_and_errors, run, run_file, squall};

/// A process that may open 900 files runs the same scenarios with fewer devices, and says so; the table has a row
/// for each.
#[test]
fn a_suite_is_scaled_to_what_the_machine_holds() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let program = squall().get_program().to_owned();
    let mut limited = Command::new("sh");
    limited
        .current_dir(folder.path())
        .args(["-c", "ulimit -n 900; exec \"$0\" \"$@\""])
        .arg(program)
        .args(["suite", "mqttbs-basic", "--short", "--out", "out"])
        .args(["--set", "run.warmup=0s", "--set", "run.duration=1s"])
        .args(["--set", "run.drain=1s"]);

    let output = limited.output().expect("sh can be started");

    let (_, errors) = code_and_errors(&output);
    let note = "note: conn-tcp-10k-100: 833 of 10,000 devices, every group divided by 12, because";
    assert!(errors.contains(note), "{errors}");
    let out = folder.path().join("out");
    let table = fs::read_to_string(out.join("suite.md")).expect("there is a table");
    for (scenario, devices) in [
        ("conn-tcp-10k-100", 833),
        ("fanout-1-1k-1-1k", 501),
        ("p2p-1k-1k-1k-1k", 666),
        ("sharedsub-1k-5-1k-1k", 502),
    ] {
        let row = format!("| [{scenario}]({scenario}/report.html) | ");
        assert!(table.contains(&row), "{table}");
        let run = run_file(&out.join(scenario));
        let groups = run["settings"]["groups"].as_array().expect("it is a list");
        let counts = groups.iter().filter_map(|group| group["count"].as_u64());
        assert_eq!(counts.sum::<u64>(), devices, "{scenario}");
    }
    assert!(errors.contains("of 4 scenarios passed"), "{errors}");
}

/// A slip is met with the suite that was meant; the list names every member.
#[test]
fn suites_are_listed_and_slips_are_met() {
    let list = run(&["suite"]);
    let said = String::from_utf8_lossy(&list.stdout);
    let (code, errors) = code_and_errors(&run(&["suite", "mqttbs-basc"]));

    assert!(said.contains("mqttbs-basic\n"), "{said}");
    assert!(said.contains("sharedsub-1k-5-1k-1k"), "{said}");
    assert_eq!(code, 2);
    assert!(errors.contains("did you mean `mqttbs-basic`?"), "{errors}");
}
