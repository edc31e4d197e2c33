//! What runs leave for other programs: results of tests, the page of a job, a page that opens, old run files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::{code_and_errors, run, squall, text};

/// A scenario that claims only that the machine is not slower than ten minutes.
fn scenario(folder: &Path) -> PathBuf {
    let file = folder.join("small.toml");
    let written = "version = 1\nname = \"small\"\nseed = 40\n[run]\nduration = \"1s\"\ndrain = \"0s\"\n\
         [[group]]\nname = \"g\"\ncount = 2\n[[group.publish]]\ntopic = \"t\"\nrate = 20\n\
         [thresholds]\nschedule_lag = [\"max < 10m\"]\n";
    fs::write(&file, written).expect("it can be written");
    file
}

/// Runs the scenario as a step of a job whose page is `page`.
fn as_a_step(folder: &Path, out: &str, page: &Path, options: &[&str]) -> Output {
    let file = scenario(folder);
    let out = folder.join(out);
    squall()
        .args(["run", text(&file), "--out", text(&out)])
        .args(options)
        .env("GITHUB_STEP_SUMMARY", page)
        .output()
        .expect("squall can be started")
}

/// Each run is appended to the page of the job once, behind what is there; without a verdict, why there is none.
#[test]
fn each_run_is_appended_to_the_page_of_the_job() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let page = folder.path().join("page.md");
    fs::write(&page, "# Before\n").expect("it can be written");

    let judged = as_a_step(folder.path(), "out", &page, &["--repeat", "2"]);
    let nowhere = ["--set", "target.url=mqtt://127.0.0.1:1"];
    let unreachable = as_a_step(folder.path(), "other", &page, &nowhere);

    assert_eq!(code_and_errors(&unreachable).0, 3);
    let (_, errors) = code_and_errors(&judged);
    let written = fs::read_to_string(&page).expect("it is there");
    let heads: Vec<&str> = written
        .lines()
        .filter(|line| line.starts_with("# "))
        .collect();
    assert_eq!(heads.len(), 4, "{written} {errors}");
    assert_eq!((heads[0], heads[3]), ("# Before", "# small: no verdict"));
    assert!(
        heads[1..3].iter().all(|head| head.starts_with("# small: ")),
        "{written}"
    );
    for number in ["1", "2"] {
        let own = folder
            .path()
            .join("out")
            .join(format!("run-{number}/summary.md"));
        let own = fs::read_to_string(own).expect("each run has its summary");
        assert!(written.contains(own.trim_end()), "{written}");
    }
}

/// A page that cannot be written is told and changes nothing else.
#[test]
fn a_page_that_cannot_be_written_changes_no_exit_code() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let missing = folder.path().join("no/such/folder/page.md");

    let (code, errors) = code_and_errors(&as_a_step(folder.path(), "out", &missing, &["--quiet"]));

    let verdict = crate::run_file(&folder.path().join("out"))["verdict"]["exit_code"].clone();
    assert_eq!(verdict, code);
    assert_eq!(
        errors
            .matches("warning: the summary cannot be appended to")
            .count(),
        1,
        "{errors}"
    );
    assert!(errors.contains("GITHUB_STEP_SUMMARY"), "{errors}");
}

/// Several runs are several suites of one file, under the names that the table has.
#[test]
fn several_runs_have_one_file_of_results() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = scenario(folder.path());
    let out = folder.path().join("out");

    run(&["run", text(&file), "--repeat", "2", "--out", text(&out)]);

    let all = fs::read_to_string(out.join("junit.xml")).expect("it is beside the page");
    for name in ["name=\"run 1\"", "name=\"run 2\""] {
        let suites = all.lines().filter(|line| line.contains("<testsuite "));
        assert_eq!(
            suites.filter(|line| line.contains(name)).count(),
            1,
            "{all}"
        );
    }
    let case = "classname=\"run 2\" name=\"schedule_lag max\"";
    assert_eq!(all.matches(case).count(), 1, "{all}");
    assert!(out.join("run-2/junit.xml").exists());
}

/// `--open` hands the page to the program that opens pages; where there is none, that is told and changes no exit code.
#[test]
fn the_report_is_opened() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (programs, opened) = (folder.path().join("bin"), folder.path().join("opened"));
    fs::create_dir(&programs).expect("it can be made");
    let opener = programs.join("xdg-open");
    let script = format!("#!/bin/sh\necho \"$1\" >> {}\n", opened.display());
    fs::write(&opener, script).expect("it can be written");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&opener, executable).expect("it is ours");
    let old = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../reports/run/tests/run-v1.json"
    );
    let report = |out: &str, path: &Path| {
        let out = folder.path().join(out);
        let output = squall()
            .args(["report", old, "--open", "--out", text(&out)])
            .env("PATH", path)
            .output()
            .expect("squall can be started");
        (code_and_errors(&output), out.join("report.html"))
    };

    let ((code, errors), page) = report("a", &programs);
    let ((same_code, told), other) = report("b", &folder.path().join("empty"));

    assert_eq!(
        (code, same_code),
        (98, 98),
        "the verdict of the old run: {errors}"
    );
    let named = fs::read_to_string(&opened).expect("the opener ran");
    assert_eq!(named.trim_end(), text(&page));
    assert!(
        told.contains("warning: there is no xdg-open here"),
        "{told}"
    );
    assert!(
        told.contains(&format!("open {} yourself", other.display())),
        "{told}"
    );
}
