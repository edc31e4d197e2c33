//! `squall validate`: checks scenario files without running them.

use squall_ledger::{advice, never_judged};

use crate::cli::ValidateArgs;
use crate::exit::Failure;
use crate::output::{print, print_line};
use crate::remark::remark;
use crate::scenario_file::ScenarioFile;

/// The exit code of a scenario that is wrong.
const BAD_SCENARIO: u8 = 2;

/// Checks every file and says of each what is wrong; fails if any is. A claim that cannot be judged is a note, and with
/// `--strict` an error.
pub fn validate(args: &ValidateArgs) -> Result<u8, Failure> {
    let mut code = 0;
    for path in &args.files {
        match ScenarioFile::read(path.clone(), &args.overrides) {
            Ok(file) if args.resolved => print(&file.scenario.to_resolved_toml())?,
            Ok(file) => {
                let unjudged = never_judged(&file.scenario);
                if args.strict && !unjudged.is_empty() {
                    for sentence in &unjudged {
                        remark(&format!("error: {}: {sentence}", path.display()));
                    }
                    code = BAD_SCENARIO;
                    continue;
                }
                print_line(&format!("{}: ok ({})", path.display(), file.scenario.name))?;
                let skipped = file.skipped().map(|skipped| skipped.to_string());
                let changes = file.scenario.traits.changes.iter();
                let changes = changes.map(|change| format!("changed for the target: {change}"));
                let advice = advice(&file.scenario);
                let same_name = file.same_name.iter().cloned();
                let notes = same_name.chain(skipped).chain(changes);
                for sentence in notes.chain(unjudged).chain(advice) {
                    print_line(&format!("{}: note: {sentence}", path.display()))?;
                }
            }
            Err(failure) => {
                failure.report();
                code = failure.code();
            }
        }
    }
    Ok(code)
}
