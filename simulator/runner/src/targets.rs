//! The brokers that the program knows how to start, or what to say of: `scenarios/targets/*.toml`.

use std::path::Path;

use anyhow::Context as _;
use squall_scenario::Override;
use squall_toml::nearest::nearest;

use crate::exit::Failure;
use crate::shipped::Shipped;

/// All of them, sorted by name.
pub static TARGETS: &[Shipped] = include!(concat!(env!("OUT_DIR"), "/targets.rs"));

/// The description of that name.
pub fn find(name: &str) -> Option<&'static Shipped> {
    TARGETS.iter().find(|shipped| shipped.name == name)
}

/// What to add to the message that there is no target `name`.
pub fn hint(name: &str) -> String {
    let names: Vec<&str> = TARGETS.iter().map(|shipped| shipped.name).collect();
    match nearest(name, &names) {
        Some(name) => format!("did you mean `{name}`, a target that squall knows?"),
        None => format!("the targets that squall knows are {}", names.join(", ")),
    }
}

/// What `--target NAME|FILE|URL` sets in a scenario.
pub fn override_of(written: &str) -> Result<Override, Failure> {
    let (key, value) = if written.contains("://") {
        ("target.url", written.to_owned())
    } else if find(written).is_some() || !Path::new(written).is_file() {
        ("target.use", written.to_owned())
    } else {
        let path = Path::new(written).canonicalize();
        let path = path.with_context(|| format!("cannot read target {written}"))?;
        ("target.use", path.display().to_string())
    };
    Ok(Override {
        key: key.to_owned(),
        value: format!("{value:?}"),
    })
}

#[cfg(test)]
mod tests {
    use squall_scenario::TargetDescription;

    use super::*;

    /// Each is right, is named after its file, and tells how it is installed or where it runs.
    #[test]
    fn every_target_is_described() {
        assert!(TARGETS.len() >= 10, "{}", TARGETS.len());
        for shipped in TARGETS {
            let found = TargetDescription::parse(shipped.name, shipped.text.as_bytes());
            let found = found.unwrap_or_else(|errors| panic!("{errors}"));

            assert_eq!(found.name, shipped.name);
            let is_told = found.install.is_some() || !found.notes.is_empty();
            assert!(is_told, "{}", shipped.name);
        }
    }

    #[test]
    fn a_url_is_told_from_a_name() {
        let key = |written| override_of(written).expect("it can be set").key;

        assert_eq!(key("mqtt://127.0.0.1:1884"), "target.url");
        assert_eq!(key("mosquitto"), "target.use");
    }
}
