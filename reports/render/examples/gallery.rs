//! Writes the files of `reports/gallery` again, from the run files that are there.
//!
//! `cargo run -p squall-reports --example gallery`

use std::path::Path;
use std::process::ExitCode;

use squall_reports::write_report;
use squall_run::Run;

fn main() -> ExitCode {
    let gallery = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gallery");
    match write_all(&gallery) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write_all(gallery: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for entry in std::fs::read_dir(gallery)? {
        let folder = entry?.path();
        if !folder.is_dir() {
            continue;
        }
        let run = Run::from_json(&std::fs::read_to_string(folder.join("run.json"))?)?;
        let report = tempfile::TempDir::new()?;
        write_report(&run, report.path())?;
        std::fs::copy(report.path().join("summary.md"), folder.join("summary.md"))?;
        for picture in std::fs::read_dir(folder.join("charts"))? {
            let name = picture?.file_name();
            let fresh = report.path().join("charts").join(&name);
            std::fs::copy(fresh, folder.join("charts").join(&name))?;
        }
    }
    Ok(())
}
