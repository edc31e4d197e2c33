//! Scenarios that extend another.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use squall_scenario::{FileUnreadable, Scenario, ScenarioErrors, Surroundings};

const BASE: &str = "version = 1\nname = \"base\"\nseed = 7\n[run]\nwarmup = \"1s\"\nduration = \"10s\"\n\
    [[group]]\nname = \"devices\"\ncount = 5\nkeep_alive = \"30s\"\n[[group.publish]]\ntopic = \"t\"\nevery = \"1s\"\n\
    [[group]]\nname = \"reader\"\ncount = 1\nsubscribe = [{ filter = \"t\", qos = 1 }]\n\
    [[expect]]\ncheck = \"delivery\"\nlost = 0\n";

/// Files by name.
struct Around;

impl Surroundings for Around {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, FileUnreadable> {
        let text = match path {
            "base.toml" => BASE.to_owned(),
            "shared/middle.toml" => "extends = \"../base.toml\"\nseed = 8\n".to_owned(),
            "shared/../base.toml" => BASE.replace("count = 5", "count = 6"),
            "wrong.toml" => BASE.replace("count = 5", "count = 0"),
            "broken.toml" => "version = \n".to_owned(),
            "loop.toml" => "extends = \"back.toml\"\n".to_owned(),
            "back.toml" => "extends = \"loop.toml\"\n".to_owned(),
            "home.toml" => "extends = \"test.toml\"\n".to_owned(),
            "./here.toml" => "extends = \"here.toml\"\n".to_owned(),
            "here.toml" => "extends = \"./here.toml\"\n".to_owned(),
            "faults.toml" => format!(
                "{BASE}[[fault]]\nname = \"cut\"\nat = \"1s\"\ngroup = \"devices\"\nselect = 1\naction = \"drop\"\nhow = \"rst\"\n\
                 [[fault]]\nat = \"2s\"\ngroup = \"devices\"\nselect = 1\naction = \"disconnect\"\n"
            ),
            _ => {
                let cause = format!("/home/{path}: no such file");
                return Err(FileUnreadable { cause });
            }
        };
        Ok(text.into_bytes())
    }

    fn target(&self, name: &str) -> Result<Vec<u8>, FileUnreadable> {
        let cause = format!("{name}: there are no targets here");
        Err(FileUnreadable { cause })
    }
}

fn parse(text: &str) -> Result<Scenario, ScenarioErrors> {
    parse_with(text, &[])
}

fn parse_with(text: &str, set: &[&str]) -> Result<Scenario, ScenarioErrors> {
    let set: Vec<_> = set.iter().map(|set| set.parse().unwrap()).collect();
    Scenario::parse_bytes("folder/test.toml", text.as_bytes(), &set, &Around)
}

/// What the file says comes before what its base says, key by key and block by block.
#[test]
fn a_file_says_in_what_it_differs_from_its_base() {
    let text = "extends = \"base.toml\"\nname = \"mine\"\n[run]\nduration = \"20s\"\n[[group]]\nname = \"devices\"\n\
                count = 9\n[[group]]\nname = \"more\"\ncount = 2\n[[expect]]\ncheck = \"connections\"\nrefused = 0\n";

    let scenario = parse(text).unwrap_or_else(|errors| panic!("{errors}"));

    assert_eq!((scenario.name.as_str(), scenario.seed), ("mine", 7));
    assert_eq!(scenario.run.warmup.as_secs(), 1);
    assert_eq!(scenario.run.duration.as_secs(), 20);
    let groups = scenario.groups.iter();
    let groups: Vec<_> = groups
        .map(|group| (group.name.as_str(), group.count, group.publishes.len()))
        .collect();
    assert_eq!(
        groups,
        [("devices", 9, 1), ("reader", 1, 0), ("more", 2, 0)]
    );
    assert_eq!(scenario.groups[0].keep_alive, 30);
    assert_eq!(scenario.expectations.len(), 2);
    assert_eq!(scenario.extends, ["base.toml"]);
}

/// A fault without a name is added, and leaves those of the base as they are.
#[test]
fn blocks_without_names_are_added() {
    let text = "extends = \"faults.toml\"\n[[fault]]\nname = \"cut\"\nat = \"3s\"\n\
                [[fault]]\nat = \"4s\"\ngroup = \"devices\"\nselect = 1\naction = \"disconnect\"\n";

    let scenario = parse(text).unwrap_or_else(|errors| panic!("{errors}"));

    let faults = scenario.faults.iter();
    let times: Vec<_> = faults.flat_map(|fault| fault.times()).collect();
    assert_eq!(
        times.iter().map(|time| time.as_secs()).collect::<Vec<_>>(),
        [3, 2, 4]
    );
}

/// A base may extend another, by a path from its own folder; `--set` comes last.
#[test]
fn bases_may_extend_others() {
    let text = "extends = \"shared/middle.toml\"\nname = \"mine\"\n";

    let scenario =
        parse_with(text, &["group.reader.count=3"]).unwrap_or_else(|errors| panic!("{errors}"));

    assert_eq!(scenario.seed, 8);
    assert_eq!((scenario.groups[0].count, scenario.groups[1].count), (6, 3));
}

/// An error names the file that it is in.
#[test]
fn an_error_is_in_the_file_that_has_it() {
    for (text, place, said) in [
        ("extends = \"wrong.toml\"", "wrong.toml:9:9", "at least 1"),
        ("extends = \"broken.toml\"", "broken.toml:1", "error"),
        (
            "extends = \"base.toml\"\nsed = 3",
            "folder/test.toml:2:1",
            "did you mean `seed`",
        ),
        (
            "extends = \"none.toml\"\nversion = 1",
            "folder/test.toml:1:11",
            "/home/none.toml: no such file",
        ),
        (
            "extends = \"loop.toml\"",
            "back.toml:1:11",
            "extends itself",
        ),
        (
            "extends = \"home.toml\"",
            "home.toml:1:11",
            "extends itself",
        ),
        (
            "extends = \"here.toml\"",
            "here.toml:1:11",
            "extends itself",
        ),
        (
            "extends = \"base.toml\"\n[[group]]\nname = \"reader\"\ncount = 2\n[[group]]\nname = \"reader\"\ncount = 3\n",
            "folder/test.toml:6:8",
            "reader",
        ),
        (
            "extends = \"base.toml\"\n[[group]]\nname = \"reader\"\ncount = 2\n[[group]]\nname = \"reader\"\nkeep_alive = \"9s\"\n",
            "folder/test.toml:6:8",
            "two groups are named \"reader\"",
        ),
        ("extends = 3", "folder/test.toml:1:11", "expected a string"),
    ] {
        let errors = parse(text).unwrap_err().to_string();

        assert!(errors.contains(place), "{text}: {errors}");
        assert!(errors.contains(said), "{text}: {errors}");
    }
}
