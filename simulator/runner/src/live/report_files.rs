//! The finished report with the files beside it, as the live page hands it over.

use std::path::{Component, Path, PathBuf};

use squall_reports::REPORT_PAGE;

/// Folders of a report whose files may be read, beside the files that stand next to the page.
const FOLDERS: [&str; 3] = ["charts", "tables", "histograms"];
/// Kinds of files that a report is made of, with their media types.
const KINDS: [(&str, &str); 10] = [
    ("html", "text/html; charset=utf-8"),
    ("json", "application/json"),
    ("csv", "text/csv; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("md", "text/markdown; charset=utf-8"),
    ("xml", "application/xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("hgrm", "text/plain; charset=utf-8"),
    ("hlog", "text/plain; charset=utf-8"),
];

/// A file of a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its media type.
    pub media_type: &'static str,
}

/// The file that `asked` names in the report in `folder`; nothing for the page itself. `None` for what is not part of a report:
/// nothing else of the folder is handed out, and nothing of another.
pub fn find(folder: &Path, asked: &str) -> Option<ReportFile> {
    let asked = if asked.is_empty() { REPORT_PAGE } else { asked };
    let parts = Path::new(asked).components().map(|part| match part {
        Component::Normal(name) => name.to_str(),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => {
            None
        }
    });
    let parts: Vec<&str> = parts.collect::<Option<_>>()?;
    let name = match parts.as_slice() {
        [name] => name,
        [below, name] if FOLDERS.contains(below) => name,
        _ => return None,
    };
    let (_, kind) = name.rsplit_once('.')?;
    let &(_, media_type) = KINDS.iter().find(|(known, _)| *known == kind)?;
    let path = folder.join(parts.iter().collect::<PathBuf>());
    let is_file = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_file());
    is_file.then_some(ReportFile { path, media_type })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page and what belongs to it are found; what lies beside it or above is not.
    #[test]
    fn nothing_but_the_report_is_handed_out() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("out");
        std::fs::create_dir_all(folder.join("tables")).unwrap();
        std::fs::create_dir_all(folder.join("other")).unwrap();
        for name in [
            "out/report.html",
            "out/run.json",
            "out/target.log",
            "out/tables/a.csv",
            "out/other/a.csv",
            "secret.json",
        ] {
            std::fs::write(above.path().join(name), "text").unwrap();
        }
        std::os::unix::fs::symlink(above.path().join("secret.json"), folder.join("link.json"))
            .unwrap();

        for asked in ["", "report.html", "run.json", "tables/a.csv"] {
            assert!(find(&folder, asked).is_some(), "{asked}");
        }
        for asked in [
            "target.log",
            "other/a.csv",
            "../secret.json",
            "tables/../../secret.json",
            "/etc/passwd",
            "link.json",
            "tables",
            "tables/b.csv",
        ] {
            assert_eq!(find(&folder, asked), None, "{asked}");
        }
    }
}
