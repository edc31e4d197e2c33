//! How `pub`, `sub` and `bench` connect, as clap sees it: URL, identity, TLS.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// Protocol version of `pub`, `sub` and `bench`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum ProtocolVersion {
    /// MQTT 3.1.1.
    #[value(name = "3.1.1")]
    V3_1_1,
    /// MQTT 5.0.
    #[default]
    #[value(name = "5.0")]
    V5,
}

impl ProtocolVersion {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::V3_1_1 => "3.1.1",
            Self::V5 => "5.0",
        }
    }
}

impl From<ProtocolVersion> for squall_protocol::Version {
    fn from(version: ProtocolVersion) -> Self {
        match version {
            ProtocolVersion::V3_1_1 => Self::V3_1_1,
            ProtocolVersion::V5 => Self::V5,
        }
    }
}

/// For those who come from other clients: says where the port belongs.
fn in_url(_: &str) -> Result<u16, String> {
    Err("the port is part of the URL: --url mqtt://HOST:PORT".to_owned())
}

/// How `pub` and `sub` connect.
#[derive(Args, Debug)]
pub struct ConnectArgs {
    /// Broker: `mqtt://HOST[:PORT]`, `mqtts://` for TLS, `ws://HOST[:PORT][/PATH]` for WebSocket, `wss://`
    /// for WebSocket over TLS. Ports by default: 1883, 8883, 80, 443; the path: `/mqtt`.
    #[arg(long, default_value = "mqtt://127.0.0.1:1883", value_name = "URL")]
    pub url: String,
    /// What other clients call it.
    #[arg(long, short, hide = true, value_name = "N", value_parser = in_url)]
    pub port: Option<u16>,
    /// MQTT version to speak.
    #[arg(long, value_enum, default_value_t)]
    pub protocol: ProtocolVersion,
    /// Client Identifier [default: one with the process id].
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Keep Alive in seconds, 0 for none.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub keep_alive: u16,
    /// Who the client is.
    #[command(flatten)]
    pub login: LoginArgs,
    /// How TLS is spoken, with `mqtts://` and `wss://`.
    #[command(flatten)]
    pub tls: TlsArgs,
}

/// Who a client is to the broker.
#[derive(Args, Debug, Default)]
pub struct LoginArgs {
    /// User Name.
    #[arg(long, short, value_name = "USER")]
    pub user_name: Option<String>,
    /// Password; other users of this machine can see it. Without it, the one in the environment's
    /// `SQUALL_PASSWORD` is sent with `--user-name`.
    #[arg(long, short = 'P', value_name = "PASSWORD")]
    pub password: Option<String>,
}

/// TLS for `pub`, `sub` and `bench`.
#[derive(Args, Debug, Default)]
pub struct TlsArgs {
    /// CA certificates (PEM) to trust [default: those of the system].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca: Option<PathBuf>,
    /// Client certificate (PEM), with those that lead to its CA.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key")]
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM, not encrypted).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    pub key: Option<PathBuf>,
    /// Accept any certificate: the other end may then be anyone.
    #[arg(long, conflicts_with = "ca")]
    pub insecure: bool,
    /// Name that the certificate must be for, and that the broker is asked for [default: the URL's host].
    #[arg(long, value_name = "NAME")]
    pub sni: Option<String>,
}

impl TlsArgs {
    /// The first option that was given, as it is written.
    pub fn given(&self) -> Option<&'static str> {
        let Self {
            ca,
            cert,
            key,
            insecure,
            sni,
        } = self;
        let options = [
            (ca.is_some(), "--ca"),
            (cert.is_some(), "--cert"),
            (key.is_some(), "--key"),
            (*insecure, "--insecure"),
            (sni.is_some(), "--sni"),
        ];
        let given = options.iter().find(|(is_given, _)| *is_given);
        given.map(|(_, option)| *option)
    }
}
