//! What is under test: `[target]`.

use std::time::Duration;

use indexmap::IndexMap;
use squall_toml::secret::without_secrets;

/// Port of MQTT over TCP, as registered with IANA.
const PORT_DEFAULT: u16 = 1883;

/// What is under test.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Target {
    /// No `url` and no `spawn`: squall's own broker, as a child process.
    #[default]
    Embedded,
    /// A broker that runs already.
    Url(UrlTarget),
    /// A broker that squall starts, watches and stops.
    Spawn(SpawnTarget),
}

/// What the broker may know that is not of the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BrokerHistory {
    /// Nothing: it keeps nothing on a disk, it began with the run, and it serves no other client.
    Empty,
    /// What earlier runs left on its disk. It serves no other client.
    EarlierRuns,
    /// What earlier runs left, and what other clients send while the run goes on.
    OtherClients,
}

impl BrokerHistory {
    /// Whether it may have Sessions and retained messages from before the run.
    pub fn has_earlier_runs(self) -> bool {
        self != Self::Empty
    }

    /// Whether other clients may use the broker while the run goes on.
    pub fn has_other_clients(self) -> bool {
        self == Self::OtherClients
    }
}

impl Target {
    /// What the broker may know that is not of the run.
    pub fn history(&self) -> BrokerHistory {
        match self {
            Self::Embedded => BrokerHistory::Empty,
            Self::Spawn(_) => BrokerHistory::EarlierRuns,
            Self::Url(_) => BrokerHistory::OtherClients,
        }
    }
}

/// Where a broker listens: `url = "mqtt://host:port"`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UrlTarget {
    /// Name or address; an IPv6 address has no brackets here.
    pub host: String,
    /// TCP port. Default 1883.
    pub port: u16,
}

/// How to start a broker: `spawn = "mosquitto -p {port}"`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SpawnTarget {
    /// Program and arguments, at least the program. `{port}` stands for a free port in at least
    /// one of them.
    pub command: Vec<String>,
    /// How long it may take until it answers a CONNECT. Default 60 s.
    pub ready: Duration,
    /// Added to the environment, in file order.
    pub env: IndexMap<String, String>,
}

/// Why a text is not the address of a broker.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UrlError {
    /// A text that is not a scheme, a host and perhaps a port.
    #[error(
        "{:?} is not the address of a broker, write it like `mqtt://host:1883`",
        without_secrets(url)
    )]
    Malformed {
        /// The text as it was written.
        url: String,
    },
    /// A user name, perhaps with a password: a url is shown in reports and lists of processes.
    #[error("a url takes no user name and no password: give them beside it")]
    WithLogin,
    /// TLS or WebSocket.
    #[error("{what} in a url is not supported yet")]
    NotSupportedYet {
        /// The part that is not.
        what: String,
    },
}

impl UrlTarget {
    /// Parses `mqtt://host`, `mqtt://host:port` or `mqtt://[address]:port`.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let malformed = || UrlError::Malformed {
            url: url.to_owned(),
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
        match scheme {
            "mqtt" | "tcp" => {}
            "mqtts" | "ssl" | "ws" | "wss" => {
                let what = format!("`{scheme}://`");
                return Err(UrlError::NotSupportedYet { what });
            }
            _ => return Err(malformed()),
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('@') {
            return Err(UrlError::WithLogin);
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
            Some(port) => {
                let port = port.parse().ok().filter(|port| *port > 0);
                port.ok_or_else(malformed)?
            }
            None => PORT_DEFAULT,
        };
        if host.is_empty() || host.contains(['/', '?', '#', ' ']) {
            return Err(malformed());
        }
        let host = host.to_owned();
        Ok(Self { host, port })
    }
}

impl std::fmt::Display for UrlTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port } = self;
        match host.contains(':') {
            true => write!(f, "mqtt://[{host}]:{port}"),
            false => write!(f, "mqtt://{host}:{port}"),
        }
    }
}

impl SpawnTarget {
    /// The command as one line that splits into the same words again.
    pub fn command_line(&self) -> String {
        let words = self.command.iter().map(String::as_str);
        shlex::try_join(words).expect("a command that was split has no null character")
    }
}

/// The words of a command, as a POSIX shell splits it; `None` if a quote is not closed, or a null
/// character is among them.
pub(crate) fn split_command(command: &str) -> Option<Vec<String>> {
    let words = shlex::split(command)?;
    words
        .iter()
        .all(|word| !word.contains('\0'))
        .then_some(words)
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

        assert_eq!(
            UrlTarget::parse("mqtt://localhost"),
            target("localhost", 1883)
        );
        assert_eq!(
            UrlTarget::parse("mqtt://10.0.0.1:2883/"),
            target("10.0.0.1", 2883)
        );
        assert_eq!(UrlTarget::parse("mqtt://[::1]:1884"), target("::1", 1884));
    }

    #[test]
    fn a_printed_url_reads_back() {
        for url in ["mqtt://localhost:1883", "mqtt://[::1]:1884"] {
            assert_eq!(UrlTarget::parse(url).unwrap().to_string(), url);
        }
    }

    #[test]
    fn what_is_not_the_address_of_a_broker_is_refused() {
        for url in [
            "localhost:1883",
            "http://x",
            "mqtt://",
            "mqtt://x:0",
            "mqtt://x:y",
            "mqtt://x/y",
        ] {
            let result = UrlTarget::parse(url);
            assert!(matches!(result, Err(UrlError::Malformed { .. })), "{url}");
        }
        for url in ["mqtts://x", "ws://x/mqtt"] {
            let result = UrlTarget::parse(url);
            assert!(
                matches!(result, Err(UrlError::NotSupportedYet { .. })),
                "{url}"
            );
        }
    }

    /// A url is shown wherever the target is named, and so is a message about it.
    #[test]
    fn a_url_takes_no_login_and_shows_none() {
        assert_eq!(
            UrlTarget::parse("mqtt://user:s3cret@x"),
            Err(UrlError::WithLogin)
        );
        let malformed = UrlTarget::parse("http://user:s3cret@x").unwrap_err();
        assert!(!malformed.to_string().contains("s3cret"), "{malformed}");
    }

    #[test]
    fn quotes_hold_a_word_together() {
        let words = split_command("broker -c 'a b' --name=\"x y\" ''").unwrap();

        assert_eq!(words, ["broker", "-c", "a b", "--name=x y", ""]);
        assert_eq!(split_command("broker 'a"), None);
    }

    proptest::proptest! {
        /// Quotes of both kinds in one word, spaces, nothing at all.
        #[test]
        fn a_command_line_splits_into_its_words(
            command in proptest::collection::vec("[a-z{}'\" \\\\#$]{0,8}", 1..5),
        ) {
            let target = SpawnTarget {
                command: command.clone(),
                ready: Duration::ZERO,
                env: IndexMap::new(),
            };

            let line = target.command_line();

            proptest::prop_assert_eq!(split_command(&line), Some(command));
        }
    }
}
