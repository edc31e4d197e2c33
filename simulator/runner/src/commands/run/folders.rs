//! The folders that take the results of a command's runs.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::RunArgs;
use crate::clock;
use crate::exit::Failure;
use crate::out_folder::{DEFAULT_FOLDER, OutFolder};
use crate::output_args::OutputArgs;

/// Where the results of each run go.
#[derive(Clone, Debug)]
pub enum Folders {
    /// The results of the only run go into this folder.
    This(PathBuf),
    /// Each run has a folder of its name in this one, which the user named.
    In(PathBuf),
    /// Each run has a folder of its name and of the time, which squall names: no earlier run is replaced.
    New,
}

impl Folders {
    /// As the arguments of `squall run` say.
    pub fn of_run(args: &RunArgs) -> Self {
        match &args.output.out {
            Some(out) if args.files.len() == 1 => Self::This(out.clone()),
            Some(out) => Self::In(out.clone()),
            None => Self::New,
        }
    }

    /// One folder for all runs of a command that has a name: the user's, or a new one.
    pub fn of_suite(name: &str, output: &OutputArgs) -> Self {
        Self::In(match &output.out {
            Some(out) => out.clone(),
            None => new_folder(name),
        })
    }

    /// Takes the folder for the run of that name, which no other run is going to write into.
    pub fn take_for(&self, name: &Path) -> Result<OutFolder, Failure> {
        match self {
            Self::This(folder) => {
                OutFolder::take(folder.clone()).map_err(|error| Failure::Usage(error.to_string()))
            }
            Self::In(folder) => first_free(&folder.join(name), |_| true),
            Self::New => first_free(&new_folder(&name.to_string_lossy()), |folder| {
                !crate::commands::holds_a_run(folder)
            }),
        }
    }
}

/// A folder of that name and of the time.
pub fn new_folder(name: &str) -> PathBuf {
    let time = clock::iso_8601(clock::since_epoch()).replace(':', "");
    Path::new(DEFAULT_FOLDER).join(format!("{name}-{time}"))
}

/// The first of `wanted`, `wanted-2` and so on that `may_be` allows and that no run is going to write into:
/// neither one of this command nor another squall.
fn first_free(wanted: &Path, may_be: impl Fn(&Path) -> bool) -> Result<OutFolder, Failure> {
    let mut folders = numbered(wanted)
        .filter(|folder| may_be(folder))
        .filter_map(|folder| OutFolder::take(folder).ok());
    Ok(folders.next().context("there are more names than files")?)
}

/// `folder`, `folder-2`, `folder-3` and so on.
fn numbered(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let others = (2_u32..).map(move |number| {
        let mut name = folder.as_os_str().to_owned();
        name.push(format!("-{number}"));
        PathBuf::from(name)
    });
    std::iter::once(folder.to_owned()).chain(others)
}
