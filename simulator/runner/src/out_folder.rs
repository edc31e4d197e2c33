//! The folder that takes a run's results, held from before the run until they are written.
//!
//! It is locked (`flock`), so that two runs do not write into it at once, and made where it is not
//! there. The lock ends with this process, however that ends.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// Where squall keeps results if the user names no folder.
pub const DEFAULT_FOLDER: &str = "squall-out";

/// A folder that no other squall writes into.
#[derive(Debug)]
pub struct OutFolder {
    path: PathBuf,
    /// Folders that were made for it, the innermost first; removed again if they stay empty.
    made: Vec<PathBuf>,
    /// Open for its lock.
    _locked: Option<File>,
}

/// Another process holds the folder.
#[derive(Debug, thiserror::Error)]
#[error(
    "another squall{} is going to write its results into {}: let it end, or name another folder \
     with --out",
    process.map_or(String::new(), |process| format!(" (process {process})")),
    folder.display()
)]
pub struct Taken {
    folder: PathBuf,
    /// Which process holds it, if that can be seen.
    process: Option<u32>,
}

impl OutFolder {
    /// Takes the folder `path`, which is made if need be.
    ///
    /// A folder that cannot be made or locked, as on some network file systems, is taken without a
    /// lock: what is wrong with it is told when something is written into it.
    pub fn take(path: PathBuf) -> Result<Self, Taken> {
        let ancestors = path.ancestors();
        let made = ancestors
            .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
            .map(Path::to_owned)
            .collect();
        let mut folder = Self {
            path,
            made,
            _locked: None,
        };
        let opened = fs::create_dir_all(&folder.path).and_then(|()| File::open(&folder.path));
        let Ok(opened) = opened else {
            return Ok(folder);
        };
        if flock(&opened, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            return Err(Taken {
                process: holder(&opened),
                folder: folder.path.clone(),
            });
        }
        folder._locked = Some(opened);
        Ok(folder)
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OutFolder {
    fn drop(&mut self) {
        for folder in &self.made {
            // Fails, as it should, for a folder that holds something.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The process that has locked `file`, which the kernel lists by the number of the inode.
fn holder(file: &File) -> Option<u32> {
    let inode = file.metadata().ok()?.ino();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| parse_holder(line, inode))
}

/// `1: FLOCK ADVISORY WRITE 1234 fd:00:5678 0 EOF`
fn parse_holder(line: &str, inode: u64) -> Option<u32> {
    let mut fields = line.split_whitespace().skip(4);
    let process = fields.next()?.parse().ok()?;
    let (_, of_inode) = fields.next()?.rsplit_once(':')?;
    (of_inode.parse() == Ok(inode)).then_some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second one is told which process has it; when that has let go, it may have it.
    #[test]
    fn a_folder_is_held_by_one_at_a_time() {
        let root = tempfile::tempdir().expect("a folder can be made");
        let path = root.path().join("deep/out");
        let first = OutFolder::take(path.clone()).expect("it is free");

        let error = OutFolder::take(path.clone()).expect_err("it is taken");
        drop(first);

        let text = error.to_string();
        assert!(
            text.contains("deep/out") && text.contains("--out"),
            "{text}"
        );
        if let Some(process) = error.process {
            assert_eq!(process, std::process::id());
        }
        drop(OutFolder::take(path).expect("it is free again"));
        assert!(
            !root.path().join("deep").exists(),
            "an empty folder was left behind"
        );
    }

    /// A line of the kernel's list names the process and the inode.
    #[test]
    fn the_holder_is_found_by_the_inode() {
        let line = "1: FLOCK  ADVISORY  WRITE 1234 fd:00:5678 0 EOF";

        assert_eq!(parse_holder(line, 5678), Some(1234));
        assert_eq!(parse_holder(line, 567), None);
        assert_eq!(parse_holder("1: -> FLOCK", 5678), None);
    }
}
