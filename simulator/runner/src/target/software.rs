//! Product and version of the broker under test.

use std::process::Stdio;
use std::time::Duration;

use squall_scenario::SpawnTarget;
use tokio::process::Command;
use tokio::time::timeout;

use super::place::Place;
use crate::exit::Failure;

/// RabbitMQ's commands start a virtual machine of their own.
const COMMAND_MAX: Duration = Duration::from_secs(20);
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
    command.stdin(Stdio::null()).kill_on_drop(true);
    let Ok(Ok(output)) = timeout(COMMAND_MAX, command.output()).await else {
        return Ok(None);
    };
    // Some print it as an error, and some fail when they have.
    let printed = [output.stdout, output.stderr].concat();
    Ok(version_in(&printed))
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
