//! `target.kill`: how a broker that squall starts is told to end where SIGTERM does not do.

use std::fs;
use std::path::Path;

use crate::{code_and_errors, run, squall, text};

/// A broker that notes in `told` by which signal it is told to end, and what tells it otherwise.
struct Noting {
    folder: tempfile::TempDir,
}

impl Noting {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let program = squall().get_program().to_string_lossy().into_owned();
        let (told, pid) = (path("told"), path("pid"));
        let broker = format!(
            "trap 'echo term >> {told}' TERM\ntrap 'echo int >> {told}' INT\n\
             {program} broker --port \"$1\" &\necho $! > {pid}\n\
             while kill -0 $! 2> /dev/null; do wait $!; done\n"
        );
        let stop = format!("echo \"command $1\" >> {told}\nkill -TERM $(cat {pid})\n");
        fs::write(path("broker.sh"), broker).expect("it can be written");
        fs::write(path("stop.sh"), stop).expect("it can be written");
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a scenario with `kill` and `faults` on it: what it was told, and what squall said.
    fn run(&self, kill: &str, faults: &str) -> (Vec<String>, String) {
        let file = self.path().join("scenario.toml");
        let scenario = format!(
            "version = 1\nname = \"told\"\n[target]\nspawn = \"sh {}/broker.sh {{port}}\"\nkill = {kill:?}\n\
             [run]\nduration = \"2s\"\ndrain = \"0s\"\n[[group]]\nname = \"g\"\ncount = 1\n\
             reconnect = {{ when = \"always\", backoff = \"100ms\" }}\n{faults}\n\
             [thresholds]\nschedule_lag = [\"max < 10m\"]\n",
            self.path().display()
        );
        fs::write(&file, scenario).expect("it can be written");

        let out = self.path().join("out");
        let output = run(&["run", text(&file), "--out", text(&out)]);

        let (_, errors) = code_and_errors(&output);
        assert!(out.join("run.json").exists(), "{errors}");
        assert!(!errors.contains("was killed"), "{errors}");
        let told = fs::read_to_string(self.path().join("told")).unwrap_or_default();
        (told.lines().map(str::to_owned).collect(), errors)
    }
}

/// A signal that the file names goes to the broker in place of SIGTERM.
#[test]
fn a_broker_is_told_to_end_by_another_signal() {
    let (told, errors) = Noting::new().run("SIGINT", "");

    assert_eq!(told, ["int"], "{errors}");
}

/// A command ends the broker, with the port filled in, at the end of the run and in a fault that restarts it; no signal is
/// sent.
#[test]
fn a_broker_is_told_to_end_by_a_command() {
    let broker = Noting::new();
    let command = format!("sh {}/stop.sh {{port}}", broker.path().display());
    let fault = "[[fault]]\nname = \"upgrade\"\nat = \"500ms\"\naction = \"restart_broker\"\nlasts = \"200ms\"";

    let (told, errors) = broker.run(&command, fault);

    assert_eq!(told.len(), 2, "{told:?}: {errors}");
    for line in &told {
        let port = line
            .strip_prefix("command ")
            .expect("it was told by the command");
        assert!(port.parse::<u16>().is_ok(), "{line}");
    }
    assert!(!errors.contains("target.kill:"), "{errors}");
}

/// A command that fails, or is not there, is told, and SIGTERM takes its place: nothing is left behind.
#[test]
fn a_command_that_does_not_end_the_broker_is_told() {
    for (command, why) in [
        ("sh -c 'exit 7'", "ended with exit status: 7"),
        ("no-such-program-of-squall", "cannot start"),
    ] {
        let (told, errors) = Noting::new().run(command, "");

        assert_eq!(told, ["term"], "{errors}");
        let line = errors.lines().find(|line| line.contains("target.kill: "));
        let line = line.unwrap_or_else(|| panic!("{errors}"));
        assert!(line.contains(why), "{line}");
        assert!(line.contains("SIGTERM was sent in its place"), "{line}");
    }
}
