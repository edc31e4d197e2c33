//! The scenarios that are part of the program, so that they run without a clone of the repository.
//!
//! The build takes every `scenarios/*.toml` in. Each begins with a line that names the schema beside it.

use std::path::Path;

use squall_toml::nearest::nearest;

/// The file that a scenario's first line names: the JSON Schema, for editors.
pub const SCHEMA_FILE: &str = "scenario.schema.json";

/// A scenario of the program.
#[derive(Debug)]
pub struct Shipped {
    /// What the command line calls it: the scenario's own name, and the file's without `.toml`.
    pub name: &'static str,
    /// The file's text.
    pub text: &'static str,
}

/// All of them, sorted by name.
pub static SCENARIOS: &[Shipped] = include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// The scenario of that name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    SCENARIOS.iter().find(|shipped| shipped.name == name)
}

/// The scenario that a path asks for: a name alone, without a folder and without `.toml`.
pub fn find_path(path: &Path) -> Option<&'static Shipped> {
    find(path.to_str()?)
}

/// What to add to the message that there is no `name`: the scenario that may have been meant, or where they
/// are listed. Folders and `.toml` aside, so that the path of a clone is understood too.
pub fn hint(name: &Path) -> String {
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let names: Vec<&str> = SCENARIOS.iter().map(|shipped| shipped.name).collect();
    match nearest(&stem, &names) {
        Some(name) => format!("did you mean `{name}`, a scenario that squall brings?"),
        None => "`squall list` shows the scenarios that squall brings".to_owned(),
    }
}

impl Shipped {
    /// The text with another name for the scenario, which has letters, digits, `-` and `_` alone.
    pub fn renamed(&self, name: &str) -> String {
        let own = format!("\nname = \"{}\"\n", self.name);
        self.text
            .replacen(&own, &format!("\nname = \"{name}\"\n"), 1)
    }
}

#[cfg(test)]
mod tests {
    use squall_scenario::Scenario;

    use super::*;

    /// Each takes another name, and only the name changes; its schema is the one beside it.
    #[test]
    fn every_shipped_scenario_can_be_renamed() {
        assert!(!SCENARIOS.is_empty());
        for shipped in SCENARIOS {
            let text = shipped.renamed("another");

            let found = Scenario::parse(shipped.name, &text, &[]);
            let mut found = found.unwrap_or_else(|errors| panic!("{errors}"));
            assert_eq!(found.name, "another");
            found.name = shipped.name.to_owned();
            let original = Scenario::parse(shipped.name, shipped.text, &[]);
            let original = original.unwrap_or_else(|errors| panic!("{errors}"));
            assert_eq!(found.to_resolved_toml(), original.to_resolved_toml());
            let schema = format!("#:schema ./{SCHEMA_FILE}\n");
            assert!(text.starts_with(&schema), "{}", shipped.name);
        }
    }

    /// The program has what the folder of the repository has.
    #[test]
    fn every_scenario_of_the_repository_is_shipped() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
        let entries = std::fs::read_dir(folder).expect("it can be listed");
        let mut files: Vec<(String, String)> = entries
            .map(|entry| entry.expect("it can be listed").path())
            .filter(|path| path.extension().is_some_and(|found| found == "toml"))
            .map(|path| {
                let name = path.file_stem().expect("a file has a name");
                let text = std::fs::read_to_string(&path).expect("it is text");
                (name.to_string_lossy().into_owned(), text)
            })
            .collect();
        files.sort();

        let shipped = SCENARIOS
            .iter()
            .map(|shipped| (shipped.name.to_owned(), shipped.text.to_owned()));
        assert_eq!(shipped.collect::<Vec<_>>(), files);
    }

    /// What the README shows is what `squall new` writes, the comment at the top aside.
    #[test]
    fn the_readme_shows_the_scenario_that_new_begins_with() {
        let readme = include_str!("../../../README.md");
        let (_, rest) = readme.split_once("```toml\n").expect("it shows one");
        let (shown, _) = rest.split_once("```").expect("the block ends");

        let shipped = find("tank-farm").expect("it is shipped");
        let (_, of_file) = shipped
            .text
            .split_once("\nversion = 1\n")
            .expect("it has one");
        let (_, of_readme) = shown.split_once("\nversion = 1\n").expect("it has one");

        assert_eq!(of_readme, of_file);
    }

    #[test]
    fn a_hint_understands_paths_and_slips() {
        for written in ["smok", "smoke.toml", "scenarios/smoke.toml", "Smoke"] {
            let hint = hint(Path::new(written));
            assert!(hint.contains("did you mean `smoke`"), "{written}: {hint}");
        }
        assert!(hint(Path::new("weather")).contains("`squall list`"));
    }
}
