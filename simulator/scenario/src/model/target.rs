//! What is under test: `[target]`.

use std::net::SocketAddr;
use std::time::Duration;

use indexmap::IndexMap;
use squall_toml::secret::without_secrets;

use super::transport::Transport;

/// The path of a WebSocket where the URL has none, as most brokers have it.
pub(crate) const PATH_DEFAULT: &str = "/mqtt";

/// What is under test.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Target {
    /// No `url` and no `spawn`: squall's own broker, as a child process.
    #[default]
    Embedded,
    /// A broker that runs already, at these addresses: at least one.
    Url(Vec<UrlTarget>),
    /// A broker that squall starts, watches and stops.
    Spawn(Box<SpawnTarget>),
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
    /// The URL of a broker that squall started at `address`.
    pub fn local_url(&self, address: SocketAddr) -> UrlTarget {
        UrlTarget {
            transport: self.transport(),
            host: address.ip().to_string(),
            port: address.port(),
            path: PATH_DEFAULT.to_owned(),
        }
    }

    /// Where it is, by its first address, if it runs already; `None` if squall starts it.
    pub fn url(&self) -> Option<&UrlTarget> {
        match self {
            Self::Embedded | Self::Spawn(_) => None,
            Self::Url(urls) => urls.first(),
        }
    }

    /// What clients speak to it, unless they say what they do: the transport of its first address.
    pub fn transport(&self) -> Transport {
        self.transports()[0]
    }

    /// What clients speak at each of its addresses, by [`AddressId`](super::transport::AddressId).
    pub fn transports(&self) -> Vec<Transport> {
        match self {
            Self::Embedded => vec![Transport::Tcp],
            Self::Url(urls) => urls.iter().map(|url| url.transport).collect(),
            Self::Spawn(spawn) => vec![spawn.transport],
        }
    }

    /// What the broker may know that is not of the run.
    pub fn history(&self) -> BrokerHistory {
        match self {
            Self::Embedded => BrokerHistory::Empty,
            Self::Spawn(_) => BrokerHistory::EarlierRuns,
            Self::Url(_) => BrokerHistory::OtherClients,
        }
    }
}

/// Where a broker listens, and for what: `url = "mqtts://host:port"`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UrlTarget {
    /// What clients speak there.
    pub transport: Transport,
    /// Name or address; an IPv6 address has no brackets here.
    pub host: String,
    /// TCP port. By default that of the scheme.
    pub port: u16,
    /// Path of a WebSocket, with its slash. Default `/mqtt`; without a meaning for the others.
    pub path: String,
}

/// How to start a broker: `spawn = "mosquitto -p {port}"`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SpawnTarget {
    /// Program and arguments, at least the program. `{port}` stands for a free port, in one of them at least, or of
    /// `env` or `config`; `{port.NAME}` for a further one, `{folder}` for the folder of this run.
    pub command: Vec<String>,
    /// What clients speak at that port. Default TCP alone.
    pub transport: Transport,
    /// How long it may take until it answers a CONNECT. Default 60 s.
    pub ready: Duration,
    /// How it is told to end.
    pub kill: StopBy,
    /// Program and arguments that print product and version; none where the broker is to say it itself.
    pub software: Vec<String>,
    /// Added to the environment, in file order.
    pub env: IndexMap<String, String>,
    /// Files by name, written to the folder of this run before it starts.
    pub config: IndexMap<String, String>,
}

/// How a spawned broker is told to end.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum StopBy {
    /// SIGTERM to all its processes.
    #[default]
    Sigterm,
    /// Another of [`StopBy::SIGNALS`] to all its processes.
    Signal(&'static str),
    /// A command, at least the program, with the same placeholders as that which starts it.
    Command(Vec<String>),
}

impl StopBy {
    /// Signals by which brokers are told to end.
    pub const SIGNALS: [&'static str; 7] = [
        "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL",
    ];

    /// As the file says it.
    pub fn text(&self) -> String {
        match self {
            Self::Sigterm => "SIGTERM".to_owned(),
            Self::Signal(name) => (*name).to_owned(),
            Self::Command(words) => join_command(words),
        }
    }
}

/// Why a text is not the address of a broker.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UrlError {
    /// A text that is not a scheme, a host and perhaps a port and a path.
    #[error(
        "{:?} is not the address of a broker, write it like `mqtt://host:1883`, `mqtts://host:8883`, \
         `ws://host:80/mqtt` or `wss://host:443/mqtt`",
        without_secrets(url)
    )]
    Malformed {
        /// The text as it was written.
        url: String,
    },
    /// A user name, perhaps with a password: a url is shown in reports and lists of processes.
    #[error("a url takes no user name and no password: give them beside it")]
    WithLogin,
}

impl UrlTarget {
    /// Parses `mqtt://host[:port]`, `mqtts://`, and `ws://host[:port][/path]`, `wss://`; an IPv6 address stands in
    /// brackets.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let malformed = || UrlError::Malformed {
            url: url.to_owned(),
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
        let transport = Transport::of_scheme(scheme).ok_or_else(malformed)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UrlError::WithLogin);
        }
        let path = match (transport.has_web_socket(), path) {
            (_, "" | "/") => PATH_DEFAULT,
            (true, path) => path,
            (false, _) => return Err(malformed()),
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(malformed)?;
                match after {
                    "" => (host, None),
                    after => (host, Some(after.strip_prefix(':').ok_or_else(malformed)?)),
                }
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            Some(port) => {
                let port = port.parse().ok().filter(|port| *port > 0);
                port.ok_or_else(malformed)?
            }
            None => transport.port_default(),
        };
        if host.is_empty() || host.contains(['?', '#', ' ']) {
            return Err(malformed());
        }
        Ok(Self {
            transport,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }

    /// `Host` of a request by HTTP: without the port if it is the scheme's.
    pub fn http_host(&self) -> String {
        match self.port == self.transport.port_default() {
            true => bracketed(&self.host),
            false => format!("{}:{}", bracketed(&self.host), self.port),
        }
    }
}

/// A host as URLs have it: an IPv6 address in brackets.
fn bracketed(host: &str) -> String {
    match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    }
}

impl std::fmt::Display for UrlTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scheme, host) = (self.transport.scheme(), bracketed(&self.host));
        write!(f, "{scheme}://{host}:{}", self.port)?;
        match self.transport.has_web_socket() {
            true => f.write_str(&self.path),
            false => Ok(()),
        }
    }
}

impl SpawnTarget {
    /// The command as one line that splits into the same words again.
    pub fn command_line(&self) -> String {
        join_command(&self.command)
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

/// The one line that splits into these words.
pub(crate) fn join_command(words: &[String]) -> String {
    let words = words.iter().map(String::as_str);
    shlex::try_join(words).expect("a command that was split has no null character")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each scheme has its port, and a WebSocket its path.
    #[test]
    fn what_a_url_leaves_out_is_the_schemes() {
        let parts = |url: &str| {
            let url = UrlTarget::parse(url).unwrap();
            let text = format!("{} {} {}", url.host, url.port, url.path);
            (url.transport, text)
        };

        assert_eq!(parts("mqtt://a"), (Transport::Tcp, "a 1883 /mqtt".into()));
        assert_eq!(parts("mqtts://a/"), (Transport::Tls, "a 8883 /mqtt".into()));
        assert_eq!(parts("ws://[::1]"), (Transport::Ws, "::1 80 /mqtt".into()));
        assert_eq!(parts("wss://a:9/x/y"), (Transport::Wss, "a 9 /x/y".into()));
        assert_eq!(parts("mqtt://10.0.0.1:2883/").1, "10.0.0.1 2883 /mqtt");
    }

    #[test]
    fn a_printed_url_reads_back() {
        for url in [
            "mqtt://localhost:1883",
            "mqtts://[::1]:1884",
            "ws://a:80/mqtt",
            "wss://a:443/x",
        ] {
            assert_eq!(UrlTarget::parse(url).unwrap().to_string(), url);
        }
    }

    /// The port of the scheme is not said twice (RFC 9110, section 7.2).
    #[test]
    fn a_host_of_http_has_the_port_where_it_is_not_the_schemes() {
        let host = |url: &str| UrlTarget::parse(url).unwrap().http_host();

        assert_eq!(host("ws://a"), "a");
        assert_eq!(host("ws://[::1]:8080"), "[::1]:8080");
        assert_eq!(host("wss://a:80"), "a:80");
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
            "ws://x:y",
        ] {
            let result = UrlTarget::parse(url);
            assert!(matches!(result, Err(UrlError::Malformed { .. })), "{url}");
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
                transport: Transport::Tcp,
                ready: Duration::ZERO,
                kill: StopBy::default(),
                software: Vec::new(),
                env: IndexMap::new(),
                config: IndexMap::new(),
            };

            let line = target.command_line();

            proptest::prop_assert_eq!(split_command(&line), Some(command));
        }
    }
}
