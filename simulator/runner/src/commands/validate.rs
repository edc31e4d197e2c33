//! `squall validate`: checks scenario files without running them.

use std::path::Path;

use squall_ledger::{advice, never_judged};

use crate::cli::ValidateArgs;
use crate::exit::Failure;
use crate::layers::Layers;
use crate::output::{print, print_line};
use crate::remark::remark;
use crate::scenario_file::ScenarioFile;
use crate::scenario_runs::ScenarioRuns;

/// The exit code of a scenario that is wrong.
const BAD_SCENARIO: u8 = 2;

/// Checks every file and says of each what is wrong; fails if any is. A claim that cannot be judged is a note, and with
/// `--strict` an error.
pub fn validate(args: &ValidateArgs) -> Result<u8, Failure> {
    let mut code = 0;
    for path in &args.files {
        let runs = ScenarioRuns::read(path.clone(), &args.overrides);
        let checked = runs.and_then(|runs| {
            for one in &runs.combinations {
                Layers::check_files(&one.scenario)?;
                one.check_line_commands()?;
            }
            Ok(runs)
        });
        let told = checked.and_then(|runs| match args.resolved {
            true => resolved(path, &runs),
            false => tell(path, &runs, args),
        });
        match told {
            Ok(0) => {}
            Ok(wrong) => code = wrong,
            Err(failure) => {
                failure.report();
                code = failure.code();
            }
        }
    }
    Ok(code)
}

fn resolved(path: &Path, runs: &ScenarioRuns) -> Result<u8, Failure> {
    match runs.combinations.as_slice() {
        [only] => print(&only.scenario.to_resolved_toml()).map(|()| 0),
        several => Err(Failure::Usage(format!(
            "{}: --resolved prints one scenario, and the matrix has {} combinations: choose one with --set, such as {}",
            path.display(),
            several.len(),
            changes_of(runs.first()),
        ))),
    }
}

/// What chooses a combination, as options of the command line.
fn changes_of(file: &ScenarioFile) -> String {
    let changes = file.settings.iter().map(|setting| {
        let change = setting.change.to_string();
        let word = shlex::try_quote(&change).map(std::borrow::Cow::into_owned);
        format!("--set {}", word.unwrap_or(change))
    });
    changes.collect::<Vec<_>>().join(" ")
}

fn tell(path: &Path, runs: &ScenarioRuns, args: &ValidateArgs) -> Result<u8, Failure> {
    let file = runs.first();
    let combinations = runs.combinations.iter();
    let unjudged = noted(runs, combinations.map(|one| never_judged(&one.scenario)));
    if args.strict && !unjudged.is_empty() {
        for sentence in &unjudged {
            remark(&format!("error: {}: {sentence}", path.display()));
        }
        return Ok(BAD_SCENARIO);
    }
    print_line(&format!("{}: ok ({})", path.display(), file.scenario.name))?;
    if runs.count() > 1 {
        print_line(&format!("{}: {}", path.display(), runs.in_words()))?;
        for label in runs.labels().iter().filter(|label| !label.is_empty()) {
            print_line(&format!("    {label}"))?;
        }
    }
    let of_target = |one: &ScenarioFile| {
        let skipped = one.skipped().map(|skipped| skipped.to_string());
        let changes = one.scenario.traits.changes.iter();
        let changes = changes.map(|change| format!("changed for the target: {change}"));
        skipped.into_iter().chain(changes).collect()
    };
    let combinations = || runs.combinations.iter();
    let notes = file.same_name.iter().cloned();
    let notes = notes.chain(noted(runs, combinations().map(of_target)));
    let commands = combinations().map(ScenarioFile::line_commands_told);
    let notes = notes.chain(noted(runs, commands));
    let advice = noted(runs, combinations().map(|one| advice(&one.scenario)));
    for sentence in notes.chain(unjudged).chain(advice) {
        print_line(&format!("{}: note: {sentence}", path.display()))?;
    }
    Ok(0)
}

/// What there is to say of each combination, each sentence once, and of which if not of all.
fn noted(runs: &ScenarioRuns, of_each: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let labels = runs.labels();
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    for (sentences, label) in of_each.zip(&labels) {
        for sentence in sentences {
            match found.iter_mut().find(|(known, _)| *known == sentence) {
                Some((_, of)) => of.push(label),
                None => found.push((sentence, vec![label])),
            }
        }
    }
    let all = labels.len();
    found
        .into_iter()
        .map(|(sentence, of)| match of.len() == all {
            true => sentence,
            false => format!("{sentence} (with {})", of.join("; ")),
        })
        .collect()
}
