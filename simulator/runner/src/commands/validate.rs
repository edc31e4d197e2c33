//! `squall validate`: checks scenario files without running them.

use squall_ledger::advice;

use crate::cli::ValidateArgs;
use crate::exit::Failure;
use crate::output::{print, print_line};
use crate::scenario_file::ScenarioFile;

/// Checks every file and says of each what is wrong; fails if any is.
pub fn validate(args: &ValidateArgs) -> Result<u8, Failure> {
    let mut code = 0;
    for path in &args.files {
        match ScenarioFile::read(path.clone(), &args.overrides) {
            Ok(file) if args.resolved => print(&file.scenario.to_resolved_toml())?,
            Ok(file) => {
                print_line(&format!("{}: ok ({})", path.display(), file.scenario.name))?;
                let skipped = file.skipped().map(|skipped| skipped.to_string());
                let changes = file.scenario.traits.changes.iter();
                let changes = changes.map(|change| format!("changed for the target: {change}"));
                let advice = advice(&file.scenario);
                let same_name = file.same_name.iter().cloned();
                for sentence in same_name.chain(skipped).chain(changes).chain(advice) {
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
