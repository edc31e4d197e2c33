//! What a bench is held against: the JSON of an earlier one.

use std::fs;

use squall_run::Chosen;
use squall_run::bench::{Baseline, Load};

use crate::bench_args::AgainstArgs;
use crate::commands::worse::{self, Judged};
use crate::exit::Failure;

/// Earlier figures, and those that must not get worse.
pub struct Against {
    baseline: Baseline,
    chosen: Vec<Chosen>,
}

impl Against {
    /// As the arguments say, for `loads` on `targets`, checked before anything is measured; `None` without a baseline.
    pub fn of(
        args: &AgainstArgs,
        loads: &[Load],
        targets: &[String],
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = &args.baseline else {
            return Ok(None);
        };
        let wrong = |why: String| Failure::Usage(format!("--baseline {}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let baseline =
            Baseline::of(&text, loads, targets).map_err(|error| wrong(error.to_string()))?;
        let chosen = worse::chosen(&args.worse, &baseline.choosable())?;
        Ok(Some(Self { baseline, chosen }))
    }

    /// Says how what was measured stands beside it; the exit code.
    pub fn judge(&self, measured: &str) -> Result<u8, Failure> {
        let compared = self.baseline.against(measured, &self.chosen);
        let (figures, notes) = compared.map_err(anyhow::Error::from)?;
        let judged = Judged::of(&figures, &self.chosen);
        judged.tell_why();
        judged.tell_rest(&notes);
        Ok(judged.exit_code())
    }
}
