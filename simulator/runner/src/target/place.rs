//! Where a spawned broker lives during one run: its ports, its folder, and the files in it.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context as _;
use tempfile::TempDir;

use super::address::free_port;
use crate::exit::Failure;

/// What a further port begins with: `{port.NAME}`.
const FURTHER_PORT: &str = "{port.";

/// Dropping it removes the folder.
#[derive(Debug)]
pub(super) struct Place {
    port: u16,
    /// Ports by the name in `{port.NAME}`.
    further: BTreeMap<String, u16>,
    folder: TempDir,
}

impl Place {
    /// A new folder, for a broker that listens on `port`.
    pub(super) fn new(port: u16) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("squall-target-").tempdir();
        Ok(Self {
            port,
            further: BTreeMap::new(),
            folder: folder.context("cannot write to the temporary folder")?,
        })
    }

    /// Writes the files of the broker.
    pub(super) fn write<'f>(
        &mut self,
        config: impl IntoIterator<Item = (&'f String, &'f String)>,
    ) -> Result<(), Failure> {
        for (name, text) in config {
            let text = self.fill_in(text)?;
            let path = self.folder.path().join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// `text` with what its placeholders stand for.
    pub(super) fn fill_in(&mut self, text: &str) -> Result<String, Failure> {
        let folder = self.folder.path().display().to_string();
        let text = text
            .replace("{port}", &self.port.to_string())
            .replace("{folder}", &folder);
        let mut filled = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(FURTHER_PORT) {
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            filled.push_str(before);
            filled.push_str(&self.further(name)?.to_string());
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn further(&mut self, name: &str) -> Result<u16, Failure> {
        if let Some(port) = self.further.get(name) {
            return Ok(*port);
        }
        let mut port = free_port()?;
        while port == self.port || self.further.values().any(|taken| *taken == port) {
            port = free_port()?;
        }
        self.further.insert(name.to_owned(), port);
        Ok(port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name stands for one port wherever it is written, and for another than the broker's own.
    #[test]
    fn placeholders_stand_for_the_same_everywhere() {
        let mut place = Place::new(1883).expect("a folder can be made");

        let first = place.fill_in("{port} {port.http}").expect("a port is free");
        let second = place.fill_in("{port.http}").expect("a port is free");

        let (own, further) = first.split_once(' ').expect("there are two");
        assert_eq!(own, "1883");
        assert_eq!(further, second);
        assert_ne!(further, own);
    }

    #[test]
    fn files_are_written_with_their_placeholders_filled_in() {
        let mut place = Place::new(1883).expect("a folder can be made");
        let text = "listener {port}\nstore {folder}/data { }".to_owned();

        let written = place.write([(&"a.conf".to_owned(), &text)]);

        written.expect("it can be written");
        let folder = place.folder.path();
        let found = fs::read_to_string(folder.join("a.conf")).expect("it is there");
        let expected = format!("listener 1883\nstore {}/data {{ }}", folder.display());
        assert_eq!(found, expected);
    }
}
