//! The URL of a broker as `pub` and `sub` take it: which layers, which host, port and path.

use squall_scenario::UrlTarget;

/// What lies between TCP and MQTT.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// `mqtt://`, `tcp://`: nothing.
    Mqtt,
    /// `mqtts://`, `ssl://`: TLS.
    Mqtts,
    /// `ws://`: WebSocket.
    Ws,
    /// `wss://`: WebSocket over TLS.
    Wss,
}

/// The path of a WebSocket where the URL has none, as most brokers have it.
const PATH_DEFAULT: &str = "/mqtt";

/// Where a broker listens, and for what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BrokerUrl {
    /// What lies between TCP and MQTT.
    pub scheme: Scheme,
    /// Host and port.
    pub place: UrlTarget,
    /// Path of a WebSocket, with its slash.
    pub path: String,
}

impl BrokerUrl {
    /// Parses `SCHEME://HOST[:PORT][/PATH]`. Errors with a sentence for the user.
    pub fn parse(url: &str) -> Result<Self, String> {
        let malformed = || {
            format!(
                "{url:?} is not the address of a broker, write it like `mqtt://host:1883`, `mqtts://host:8883`, \
                 `ws://host:80/mqtt` or `wss://host:443/mqtt`"
            )
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
        let scheme = match scheme {
            "mqtt" | "tcp" => Scheme::Mqtt,
            "mqtts" | "ssl" => Scheme::Mqtts,
            "ws" => Scheme::Ws,
            "wss" => Scheme::Wss,
            _ => return Err(malformed()),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return Err("a URL has no user name here: give it as -u USER -P PASSWORD".to_owned());
        }
        let path = match (scheme.has_web_socket(), path) {
            (_, "" | "/") => PATH_DEFAULT,
            (true, path) => path,
            (false, _) => return Err(malformed()),
        };
        let has_port = !authority.ends_with(']') && authority.contains(':');
        let place = match has_port {
            true => format!("mqtt://{authority}"),
            false => format!("mqtt://{authority}:{}", scheme.port_default()),
        };
        let place = UrlTarget::parse(&place).map_err(|_| malformed())?;
        let path = path.to_owned();
        Ok(Self {
            scheme,
            place,
            path,
        })
    }

    /// `Host` of a request by HTTP: without the port if it is the scheme's.
    pub fn http_host(&self) -> String {
        let UrlTarget { host, port } = &self.place;
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.clone(),
        };
        match *port == self.scheme.port_default() {
            true => host,
            false => format!("{host}:{port}"),
        }
    }
}

impl Scheme {
    /// Whether TLS is spoken.
    pub fn has_tls(self) -> bool {
        match self {
            Self::Mqtts | Self::Wss => true,
            Self::Mqtt | Self::Ws => false,
        }
    }

    /// Whether WebSocket is spoken.
    pub fn has_web_socket(self) -> bool {
        match self {
            Self::Ws | Self::Wss => true,
            Self::Mqtt | Self::Mqtts => false,
        }
    }

    fn port_default(self) -> u16 {
        match self {
            Self::Mqtt => 1883,
            Self::Mqtts => 8883,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each scheme has its port, and a WebSocket its path.
    #[test]
    fn what_a_url_leaves_out_is_the_schemes() {
        let parts = |url: &str| {
            let url = BrokerUrl::parse(url).unwrap();
            let UrlTarget { host, port } = url.place;
            (url.scheme, format!("{host} {port} {}", url.path))
        };

        assert_eq!(parts("mqtt://a"), (Scheme::Mqtt, "a 1883 /mqtt".into()));
        assert_eq!(parts("mqtts://a/"), (Scheme::Mqtts, "a 8883 /mqtt".into()));
        assert_eq!(parts("ws://[::1]"), (Scheme::Ws, "::1 80 /mqtt".into()));
        assert_eq!(parts("wss://a:9/x/y"), (Scheme::Wss, "a 9 /x/y".into()));
    }

    /// A user name in a URL would end in the shell's history and the list of processes.
    #[test]
    fn what_is_not_a_broker_is_refused() {
        for url in [
            "a",
            "http://a",
            "mqtt://",
            "mqtt://a/b",
            "ws://a:x",
            "wss://u:p@a",
        ] {
            assert!(BrokerUrl::parse(url).is_err(), "{url}");
        }
    }
}
