//! The transport that `pub` and `sub` were asked for, and what to do about the errors of one.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use squall_transport::{
    ClientIdentity, SettingsError, TlsClient, TlsSettings, Transport, TransportError, Trust,
    WebSocketTarget, certificates, private_key,
};

use crate::broker_url::BrokerUrl;
use crate::connect_args::{ConnectArgs, TlsArgs};
use crate::exit::Failure;
use crate::remark::remark;

/// The layers that the URL names, with what the options say of TLS.
pub fn transport(args: &ConnectArgs, url: &BrokerUrl) -> Result<Transport, Failure> {
    let usage = |error: SettingsError| Failure::Usage(error.to_string());
    let mut transport = match (url.scheme.has_tls(), args.tls.given()) {
        (true, _) => {
            let client = tls_client(&args.tls)?;
            let name = args.tls.sni.as_ref().unwrap_or(&url.place.host);
            Transport::tls(&client, name).map_err(usage)?
        }
        (false, None) => Transport::plain(),
        (false, Some(option)) => {
            return Err(Failure::Usage(format!(
                "{option} is about TLS, and {} is without it: use mqtts:// or wss://",
                args.url
            )));
        }
    };
    if url.scheme.has_web_socket() {
        let target = WebSocketTarget {
            host: url.http_host(),
            path: url.path.clone(),
        };
        transport = transport.with_web_socket(&target).map_err(usage)?;
    }
    Ok(transport)
}

fn tls_client(args: &TlsArgs) -> Result<TlsClient, Failure> {
    let trust = match (&args.ca, args.insecure) {
        (_, true) => {
            remark("warning: --insecure accepts any certificate: the other end may be anyone");
            Trust::Anyone
        }
        (Some(file), false) => Trust::Ca(read(file, certificates)?),
        (None, false) => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                let text = "this system has no CA certificates: name a file of them with --ca";
                return Err(Failure::Usage(text.to_owned()));
            }
            Trust::Ca(found.certs)
        }
    };
    let identity = match (&args.cert, &args.key) {
        (Some(cert), Some(key)) => Some(ClientIdentity {
            certificates: read(cert, certificates)?,
            key: read(key, private_key)?,
        }),
        (Some(_) | None, None) | (None, Some(_)) => None,
    };
    let settings = TlsSettings {
        trust,
        identity,
        wall_clock,
    };
    TlsClient::new(settings).map_err(|error| Failure::Usage(error.to_string()))
}

/// Time since the Unix epoch; zero on a machine whose clock is before it, where no certificate is valid.
fn wall_clock() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

fn read<T>(
    file: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, SettingsError>,
) -> Result<T, Failure> {
    let name = file.display();
    let bytes =
        fs::read(file).map_err(|error| Failure::Usage(format!("cannot read '{name}': {error}")))?;
    parse(&bytes).map_err(|error| Failure::Usage(format!("'{name}': {error}")))
}

/// What went wrong and what the user can do.
pub fn failure(args: &ConnectArgs, error: &TransportError) -> Failure {
    let advice = advice(error);
    let colon = if advice.is_empty() { "" } else { ": " };
    Failure::Unreachable(format!("{}: {error}{colon}{advice}", args.url))
}

/// Empty where the error says all that is known.
fn advice(error: &TransportError) -> &'static str {
    match error {
        TransportError::UnknownCa => {
            "name the file of the CA that signed it with --ca (or a self-signed certificate itself)"
        }
        TransportError::WrongSignature => {
            "perhaps that CA was made anew under the same name: name its present file with --ca"
        }
        TransportError::CertificateExpired => {
            "renew the broker's certificate, or try with --insecure"
        }
        TransportError::CertificateNotYetValid => {
            "look at the clocks of both machines, or wait until the certificate is valid"
        }
        TransportError::WrongHostName => {
            "use a name of the certificate in the URL, or name it with --sni"
        }
        TransportError::CertificateRefused { .. } => {
            "have the broker's certificate mended, or try with --insecure"
        }
        TransportError::Alert { number, .. } => alert_advice(*number),
        TransportError::NotTls => {
            "use the port of the broker's TLS listener, or mqtt:// or ws:// for this one"
        }
        TransportError::TlsUnasked => "use mqtts:// or wss:// for it",
        TransportError::HttpStatus { .. } => {
            "look for the path and port of the broker's WebSocket in its configuration, wss://HOST:PORT/PATH"
        }
        TransportError::NotHttp => {
            "use the port of the broker's WebSocket listener, or mqtt:// for this one"
        }
        TransportError::NoMqttSubprotocol => {
            "the server at this path is perhaps not an MQTT broker: look for the path in its configuration"
        }
        TransportError::ClosedInTlsHandshake => {
            "perhaps this port is without TLS: try mqtt:// or ws://"
        }
        TransportError::ClosedInWebSocketHandshake => {
            "perhaps this port is without WebSocket: try mqtt:// or mqtts://"
        }
        TransportError::ClosedWithoutAWord => {
            "perhaps this port wants TLS or WebSocket: try mqtts:// or ws://"
        }
        TransportError::Tls { .. }
        | TransportError::TextFrame
        | TransportError::WebSocket { .. }
        | TransportError::Closed => "",
    }
}

/// By the numbers of RFC 8446, section 6.
fn alert_advice(number: u8) -> &'static str {
    match number {
        40 | 116 => "it may ask for a client certificate: give one with --cert and --key",
        42..=46 => "look at the client certificate of --cert: the broker does not accept it",
        48 => "the broker does not trust the CA of the client certificate of --cert",
        70 => "the broker wants a version of TLS other than 1.2 and 1.3",
        112 => "the broker has no certificate for this name: name another with --sni",
        _ => "the broker's log may say why",
    }
}
