//! Opens a page in the user's browser.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::remark::remark;

/// The program that knows which browser it is.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};
/// How often, and for how long, to look whether the opener failed. One that is a browser itself goes on.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Opens `page`. A page that cannot be opened is told, and changes no exit code: it is there.
pub fn open_page(page: &Path) {
    let opener = Command::new(OPENER)
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let why = match opener {
        Ok(child) => match failed(child) {
            None => return,
            Some(status) => format!("{OPENER} failed ({status})"),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            format!("there is no {OPENER} here")
        }
        Err(error) => format!("{OPENER} cannot be started: {error}"),
    };
    remark(&format!("warning: {why}; open {} yourself", page.display()));
}

/// How the opener failed; `None` if it did its work, or is still at it.
fn failed(mut child: Child) -> Option<ExitStatus> {
    for _ in 0..LOOKS {
        match child.try_wait() {
            Ok(Some(status)) => return (!status.success()).then_some(status),
            Ok(None) => std::thread::sleep(BETWEEN_LOOKS),
            // How it ended cannot be told; the page may be open.
            Err(_) => return None,
        }
    }
    None
}
