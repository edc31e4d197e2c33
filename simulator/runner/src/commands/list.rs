//! `squall list`: the scenarios that squall brings, or those of a folder, with the question each asks.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::{ListArgs, OverrideArgs};
use crate::exit::Failure;
use crate::output::{below, print, print_line};
use crate::scenario_runs::ScenarioRuns;
use crate::shipped::{self, Shipped};

/// A line of the list.
#[derive(Serialize)]
struct Entry {
    /// What `squall run` takes: a path, or the name of a scenario that squall brings.
    file: PathBuf,
    /// Absent if the file is wrong.
    name: Option<String>,
    devices: Option<u32>,
    seconds: Option<f64>,
    /// What it asks, or what is wrong with it.
    question: String,
}

/// Prints them, sorted by name; a wrong file is listed as such.
pub fn list(args: &ListArgs) -> Result<u8, Failure> {
    if args.targets {
        return super::list_targets::list_targets();
    }
    let entries: Vec<Entry> = match &args.folder {
        Some(folder) => scenario_files(folder)?
            .into_iter()
            .map(|path| {
                entry(
                    path.clone(),
                    ScenarioRuns::read(path, &OverrideArgs::default()),
                )
            })
            .collect(),
        None => shipped::SCENARIOS.iter().map(shipped_entry).collect(),
    };
    if args.json {
        print_line(
            &serde_json::to_string_pretty(&entries).context("cannot write the list as JSON")?,
        )?;
        return Ok(0);
    }
    if let Some(folder) = args.folder.as_ref().filter(|_| entries.is_empty()) {
        let folder = folder.display();
        print_line(&format!("no scenario file (*.toml) in {folder}"))?;
    }
    for entry in entries {
        let size = match (entry.devices, entry.seconds) {
            (Some(devices), Some(seconds)) => format!("{devices} devices, about {seconds:.0} s"),
            _ => "does not validate".to_owned(),
        };
        print_line(&format!("{}  ({size})", entry.file.display()))?;
        print(&below(&entry.question))?;
    }
    Ok(0)
}

fn scenario_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| {
        Failure::Usage(format!(
            "cannot list {}: {error}; name a folder",
            folder.display()
        ))
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    Ok(files)
}

fn shipped_entry(shipped: &Shipped) -> Entry {
    let read = ScenarioRuns::shipped(shipped, &OverrideArgs::default());
    entry(PathBuf::from(shipped.name), read)
}

fn entry(path: PathBuf, read: Result<ScenarioRuns, Failure>) -> Entry {
    match read {
        Ok(runs) => Entry {
            file: path,
            name: Some(runs.first().scenario.name.clone()),
            devices: runs
                .combinations
                .iter()
                .map(|file| file.scenario.device_count())
                .max(),
            seconds: Some(runs.total().as_secs_f64()),
            question: runs.first().question().unwrap_or_default(),
        },
        Err(failure) => Entry {
            file: path,
            name: None,
            devices: None,
            seconds: None,
            question: first_line(&failure),
        },
    }
}

fn first_line(failure: &Failure) -> String {
    let text = failure.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}
