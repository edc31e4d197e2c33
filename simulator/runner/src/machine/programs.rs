//! Programs that a command names: whether this machine has them.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Whether `program` can be started: a path to a file that may be executed, or a name that one of the folders of
/// `path`, as the variable PATH has them, knows.
pub fn is_found(program: &str, path: Option<&OsStr>) -> bool {
    if program.contains('/') {
        return is_executable(Path::new(program));
    }
    let mut folders = path.into_iter().flat_map(std::env::split_paths);
    folders.any(|folder| is_executable(&folder.join(program)))
}

fn is_executable(file: &Path) -> bool {
    let data = file.metadata();
    data.is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program is found by its path, and by its name in the folders of PATH; a folder is none.
    #[test]
    fn a_program_is_found_by_path_and_by_name() {
        let own = std::env::current_exe().unwrap();
        let (folder, name) = (own.parent().unwrap(), own.file_name().unwrap());
        let name = name.to_str().unwrap();

        assert!(is_found(own.to_str().unwrap(), None));
        assert!(is_found(name, Some(folder.as_os_str())));
        assert!(!is_found(name, None));
        assert!(!is_found(&format!("{name}o"), Some(folder.as_os_str())));
        assert!(!is_found(folder.to_str().unwrap(), None));
    }
}
