//! What sides are called: as short as tells them apart.

use std::path::Path;

use squall_run::Side;

/// The sides of all places in turn, each with a label of its own: the name of its target where these differ, else that of its
/// folder with what tells it from the others of its place, else its path.
pub fn labelled(places: Vec<(&Path, Vec<Side>)>) -> Vec<Side> {
    let of_place = |(path, sides): (&Path, Vec<Side>)| {
        let path = path.to_owned();
        sides.into_iter().map(move |side| (path.clone(), side))
    };
    let all: Vec<_> = places.into_iter().flat_map(of_place).collect();
    let by_target: Vec<String> = all.iter().map(|(_, side)| side.target_name()).collect();
    let by_folder: Vec<String> = all
        .iter()
        .map(|(path, side)| joined(&folder_name(path), side.label.trim()))
        .collect();
    let by_path: Vec<String> = all
        .iter()
        .map(|(path, side)| joined(&path.display().to_string(), side.label.trim()))
        .collect();
    // "squall" and "squall 0.1.0" are two names of one broker, and tell a reader nothing.
    let by_target = Some(by_target).filter(|names| none_begins_another(names));
    let mut choices = by_target.into_iter().chain([by_folder, by_path.clone()]);
    let labels = choices.find(|labels| are_distinct(labels));
    // The same path twice: each is told by its place.
    let labels = labels.unwrap_or_else(|| {
        let numbered = by_path.iter().zip(1..);
        numbered
            .map(|(label, number)| format!("{label} ({number})"))
            .collect()
    });
    let sides = all.into_iter().zip(labels);
    sides
        .map(|((_, side), label)| Side { label, ..side })
        .collect()
}

fn joined(place: &str, own: &str) -> String {
    match own {
        "" => place.to_owned(),
        own => format!("{place} {own}"),
    }
}

fn are_distinct(labels: &[String]) -> bool {
    let mut sorted = labels.to_vec();
    sorted.sort();
    sorted.dedup();
    sorted.len() == labels.len()
}

fn none_begins_another(names: &[String]) -> bool {
    let begins = |one: usize, other: usize| one != other && names[other].starts_with(&names[one]);
    let all = || 0..names.len();
    !all().any(|one| all().any(|other| begins(one, other)))
}

/// The name of the folder that a path is, or that its file is in.
fn folder_name(path: &Path) -> String {
    let folder = match path.is_file() {
        true => path.parent().unwrap_or(path),
        false => path,
    };
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_of_one_broker_are_seen() {
        let apart = |names: [&str; 2]| none_begins_another(&names.map(str::to_owned));

        assert!(apart(["squall", "mosquitto"]));
        assert!(!apart(["squall", "squall 0.1.0"]));
        assert!(!apart(["squall", "squall"]));
    }
}
