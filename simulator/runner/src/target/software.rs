//! Product and version of the broker under test.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use squall_scenario::SpawnTarget;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::time::timeout;

use super::place::Place;
use crate::exit::Failure;
use crate::remark::remark;

/// RabbitMQ's commands start a virtual machine of their own.
const COMMAND_MAX: Duration = Duration::from_secs(20);
/// Bytes that are read of what it prints.
const BYTES_MAX: u64 = 64 * 1024;
/// Characters that are kept of what a broker says.
const LETTERS_MAX: usize = 80;

/// What a broker's own command prints of its version; `None` where there is no such command, or it says nothing.
pub(super) async fn printed_version(
    spawn: &SpawnTarget,
    place: &mut Place,
) -> Result<Option<String>, Failure> {
    let words = spawn.software.iter().map(|word| place.fill_in(word));
    let words = words.collect::<Result<Vec<String>, Failure>>()?;
    let Some((program, arguments)) = words.split_first() else {
        return Ok(None);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    for (name, value) in &spawn.env {
        command.env(name, place.fill_in(value)?);
    }
    command.stdin(Stdio::null());
    match printed_by(command).await {
        Ok(printed) => Ok(version_in(&printed)),
        Err(error) => {
            remark(&format!(
                "note: target.software, `{program}`, does not tell the broker's version: {error}"
            ));
            Ok(None)
        }
    }
}

/// What a command prints, or the beginning of it. Some print it as an error, and some fail when they have. All that it started
/// ends with it.
async fn printed_by(mut command: Command) -> io::Result<Vec<u8>> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let read = async { tokio::join!(beginning(stdout), beginning(stderr)) };
    let read = timeout(COMMAND_MAX, read).await;
    if let Some(group) = group {
        // It fails where all have ended by themselves.
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.wait().await?;
    let (stdout, stderr) = read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
    Ok([stdout?, stderr?].concat())
}

/// What comes first of an output, which is closed behind that.
async fn beginning(output: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    if let Some(output) = output {
        output.take(BYTES_MAX).read_to_end(&mut read).await?;
    }
    Ok(read)
}

/// The last line of `said` with a digit, without what a terminal would obey. ActiveMQ says of Java and its memory first.
pub(super) fn version_in(said: &[u8]) -> Option<String> {
    let said = String::from_utf8_lossy(said);
    let line = said
        .lines()
        .rfind(|line| line.contains(|letter: char| letter.is_ascii_digit()))?;
    let kept = line.trim().chars().filter(|letter| !letter.is_control());
    Some(kept.take(LETTERS_MAX).collect())
}

/// `version` with the name of the broker before it, where it is a number alone.
pub(super) fn with_product(version: String, name: Option<&str>) -> String {
    match name {
        Some(name) if !version.contains(char::is_alphabetic) => format!("{name} {version}"),
        Some(_) | None => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_with_the_version_is_found() {
        let banner = b"Java 17\n\x1b[1mActiveMQ 5.17.2\r\nFor help see the site";

        let found = version_in(banner);

        assert_eq!(found.as_deref(), Some("[1mActiveMQ 5.17.2"));
        assert_eq!(version_in(b"no version\n"), None);
    }

    #[test]
    fn a_number_alone_gets_the_product_before_it() {
        let named = |version: &str| with_product(version.to_owned(), Some("rabbitmq"));

        assert_eq!(named("3.10.8"), "rabbitmq 3.10.8");
        assert_eq!(named("RabbitMQ 3.10.8"), "RabbitMQ 3.10.8");
        assert_eq!(with_product("5.8.0".to_owned(), None), "5.8.0");
    }
}
