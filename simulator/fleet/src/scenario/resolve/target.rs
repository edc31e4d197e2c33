//! `[target]`: what is under test.

use std::time::Duration;

use super::Resolver;
use crate::scenario::error::Problem;
use crate::scenario::file::TargetFile;
use crate::scenario::location::At;
use crate::scenario::{SpawnTarget, Target, UrlTarget};

/// `target.ready` unless the file says otherwise.
const READY_DEFAULT: Duration = Duration::from_secs(10);

/// Port of MQTT over TCP, as registered with IANA.
const PORT_DEFAULT: u16 = 1883;

/// What a url looks like, for error messages.
const URL_EXAMPLE: &str = "mqtt://host:1883";

impl Resolver<'_> {
    /// Resolves the target; the embedded broker if the file names none.
    pub(super) fn resolve_target(&mut self, file: &TargetFile, at: &At<'_>) -> Target {
        if file.url.is_some() && file.spawn.is_some() {
            self.exactly_one("`target`", &["url", "spawn"], at);
        }
        if file.spawn.is_none() {
            self.misplaced(at, "ready", "`spawn`");
            self.misplaced(at, "env", "`spawn`");
        }
        match (&file.url, &file.spawn) {
            (Some(url), _) => self.resolve_url(url, &at.key("url")),
            (None, Some(command)) => self.resolve_spawn(command, file, at),
            (None, None) => Target::Embedded,
        }
    }

    fn resolve_url(&mut self, url: &str, at: &At<'_>) -> Target {
        match parse_url(url) {
            Ok(target) => Target::Url(target),
            Err(problem) => {
                self.diagnostics.value(at, problem);
                Target::Embedded
            }
        }
    }

    fn resolve_spawn(&mut self, command: &str, file: &TargetFile, at: &At<'_>) -> Target {
        let at_spawn = at.key("spawn");
        let words = split_command(command).unwrap_or_else(|| {
            let what = format!("a quote is not closed in {command:?}");
            self.contradiction(&at_spawn, what, "pairs of quotes".to_owned());
            Vec::new()
        });
        if !words.iter().any(|word| word.contains("{port}")) {
            let what = format!("{command:?} does not say where the port goes");
            let remedy = "`{port}` in one of its arguments".to_owned();
            self.contradiction(&at_spawn, what, remedy);
        }
        let ready = file.ready.map_or(READY_DEFAULT, |text| text.0);
        self.check_above_zero(ready, &at.key("ready"));
        Target::Spawn(SpawnTarget {
            command: words,
            ready,
            env: file.env.clone(),
        })
    }
}

/// `mqtt://host`, `mqtt://host:port` or `mqtt://[address]:port`.
fn parse_url(url: &str) -> Result<UrlTarget, Problem> {
    let malformed = || Problem::Contradiction {
        what: format!("{url:?} is no address of a broker"),
        remedy: URL_EXAMPLE.to_owned(),
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
    match scheme {
        "mqtt" | "tcp" => {}
        "mqtts" | "ssl" | "ws" | "wss" => {
            let what = format!("`{scheme}://`");
            return Err(Problem::NotSupportedYet { what });
        }
        _ => return Err(malformed()),
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('@') {
        let what = "a user name in `target.url`".to_owned();
        return Err(Problem::NotSupportedYet { what });
    }
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or_else(malformed)?;
            match after {
                "" => (host, None),
                after => (host, Some(after.strip_prefix(':').ok_or_else(malformed)?)),
            }
        }
        None => match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let port = match port {
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(malformed)?,
        None => PORT_DEFAULT,
    };
    if host.is_empty() || host.contains(['/', '?', '#', ' ']) {
        return Err(malformed());
    }
    let host = host.to_owned();
    Ok(UrlTarget { host, port })
}

/// Words between spaces; quotes of either kind hold a word together. `None` if one is not closed.
fn split_command(command: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_and_a_port() {
        let target = |host: &str, port| {
            let host = host.to_owned();
            Ok(UrlTarget { host, port })
        };

        assert_eq!(parse_url("mqtt://localhost"), target("localhost", 1883));
        assert_eq!(parse_url("mqtt://10.0.0.1:2883/"), target("10.0.0.1", 2883));
        assert_eq!(parse_url("mqtt://[::1]:1884"), target("::1", 1884));
    }

    #[test]
    fn what_is_no_address_of_a_broker_is_refused() {
        for url in [
            "localhost:1883",
            "http://x",
            "mqtt://",
            "mqtt://x:0",
            "mqtt://x:y",
            "mqtt://x/y",
        ] {
            let result = parse_url(url);
            assert!(
                matches!(result, Err(Problem::Contradiction { .. })),
                "{url}"
            );
        }
        for url in ["mqtts://x", "ws://x/mqtt", "mqtt://user:secret@x"] {
            let result = parse_url(url);
            assert!(
                matches!(result, Err(Problem::NotSupportedYet { .. })),
                "{url}"
            );
        }
    }

    #[test]
    fn quotes_hold_a_word_together() {
        assert_eq!(
            split_command("broker -c 'a b' --name=\"x y\" ''"),
            Some(
                ["broker", "-c", "a b", "--name=x y", ""]
                    .map(str::to_owned)
                    .to_vec()
            )
        );
        assert_eq!(split_command("broker 'a"), None);
    }
}
