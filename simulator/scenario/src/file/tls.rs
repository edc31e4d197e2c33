//! `[target.tls]` as the file writes it. Paths count from the scenario's folder.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::Transport;

/// How clients speak TLS.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tls")]
pub(crate) struct TlsFile {
    /// File of the CA certificates (PEM) to trust. By default those of the system.
    pub(crate) ca: Option<String>,
    /// File of the client certificate (PEM), with those that lead to its CA. By default none.
    pub(crate) cert: Option<String>,
    /// File of the private key of the client certificate (PEM, not encrypted). By default none.
    pub(crate) key: Option<String>,
    /// Name that the broker is asked for, and that its certificate must be for. By default the host of the url.
    pub(crate) sni: Option<String>,
    /// Whether any certificate is accepted: the other end may then be anyone. Default false.
    pub(crate) insecure: Option<bool>,
}

/// The client certificate of a group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ClientTls")]
pub(crate) struct ClientTlsFile {
    /// File of the client certificate (PEM), with those that lead to its CA. With `{index}` or `{client_id}` in
    /// it, each device has its own.
    pub(crate) cert: String,
    /// File of its private key (PEM, not encrypted), with the same placeholders.
    pub(crate) key: String,
}

/// What lies between TCP and MQTT.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Transport")]
pub(crate) enum TransportWord {
    /// Nothing.
    Tcp,
    /// TLS.
    Tls,
    /// WebSocket, at the path `/mqtt`.
    Ws,
    /// WebSocket over TLS, at the path `/mqtt`.
    Wss,
}

impl From<TransportWord> for Transport {
    fn from(word: TransportWord) -> Self {
        match word {
            TransportWord::Tcp => Self::Tcp,
            TransportWord::Tls => Self::Tls,
            TransportWord::Ws => Self::Ws,
            TransportWord::Wss => Self::Wss,
        }
    }
}
