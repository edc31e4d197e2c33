//! `squall new`: writes a scenario file to begin with, and the schema beside it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use squall_scenario::Scenario;

use crate::cli::{NewArgs, SchemaOf};
use crate::exit::Failure;
use crate::output::print_line;
use crate::shipped::{self, SCHEMA_FILE};

/// Writes both, or neither where one is in the way; a schema that is the same already stays.
pub fn new(args: &NewArgs) -> Result<u8, Failure> {
    let file = scenario_path(&args.name);
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let from = shipped::find(&args.from).ok_or_else(|| {
        let (from, hint) = (&args.from, shipped::hint(Path::new(&args.from)));
        Failure::Usage(format!(
            "--from {from}: squall brings no scenario of this name; {hint}"
        ))
    })?;
    let text = from.renamed(&name);
    // A name has letters that need no quotes; another one is told as `validate` tells it.
    if let Err(errors) = Scenario::parse(&file.display().to_string(), &text, &[]) {
        return Err(Failure::Scenario(errors));
    }
    let schema = file.with_file_name(SCHEMA_FILE);
    let schema_text = format!("{}\n", super::schema::text(SchemaOf::Scenario)?);
    let has_schema = fs::read_to_string(&schema).is_ok_and(|found| found == schema_text);
    if !args.force {
        refuse_what_is_there(&file)?;
        if !has_schema {
            refuse_what_is_there(&schema)?;
        }
    }
    write(&file, &text, args)?;
    print_line(&format!("{}: written", file.display()))?;
    if !has_schema {
        write(&schema, &schema_text, args)?;
        print_line(&format!("{}: written, for editors", schema.display()))?;
    }
    print_line(&format!("next: squall run {}", file.display()))?;
    Ok(0)
}

/// `farm` and `farm.toml` are the file `farm.toml`.
fn scenario_path(name: &Path) -> PathBuf {
    let mut file = name.as_os_str().to_owned();
    if name.extension().is_none_or(|extension| extension != "toml") {
        file.push(".toml");
    }
    PathBuf::from(file)
}

/// Whatever it is, also a folder or a link that leads nowhere.
fn refuse_what_is_there(file: &Path) -> Result<(), Failure> {
    match file.symlink_metadata() {
        Ok(_) => Err(in_the_way(file)),
        Err(_) => Ok(()),
    }
}

fn in_the_way(file: &Path) -> Failure {
    Failure::Usage(format!(
        "{} is there already: choose another name or folder, or replace it with --force",
        file.display()
    ))
}

/// Without `--force` it replaces nothing, not even what came a moment ago.
fn write(file: &Path, text: &str, args: &NewArgs) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    if args.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options.open(file).and_then(|mut open| {
        open.write_all(text.as_bytes()).inspect_err(|_| {
            // A part of it would be in the way of the next attempt.
            let _ = fs::remove_file(file);
        })
    });
    written.map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            in_the_way(file)
        } else {
            Failure::Usage(format!("cannot write {}: {error}", file.display()))
        }
    })
}
