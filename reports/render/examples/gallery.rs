//! Writes the files of `reports/gallery` again, from the run files that are there.
//!
//! `cargo run -p squall-reports --example gallery`

#[path = "../tests/gallery/files.rs"]
mod files;

use std::error::Error;
use std::fs;

fn main() -> Result<(), Box<dyn Error>> {
    for folder in files::folders() {
        let fresh = tempfile::TempDir::new()?;
        for shown in files::write_fresh(&folder, &fresh) {
            fs::copy(shown.fresh, shown.kept)?;
        }
    }
    Ok(())
}
