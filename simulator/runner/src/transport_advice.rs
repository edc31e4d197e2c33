//! What to do about an error of TLS or WebSocket.

use squall_transport::TransportError;

/// Where the user says how clients connect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// On the command line.
    CommandLine,
    /// In `[target]` of a scenario.
    Scenario,
}

/// The error, and after a colon what helps where something does.
pub fn told(error: &TransportError, place: Place) -> String {
    let advice = advice(error);
    let mut text = error.to_string();
    if !advice.is_empty() {
        text.push_str(": ");
        text.push_str(&named(advice, place));
    }
    text
}

/// What a setting is called in an advice, in a scenario and on the command line.
const NAMES: [[&str; 3]; 5] = [
    ["{ca}", "target.tls.ca", "--ca"],
    ["{cert}", "target.tls.cert", "--cert"],
    ["{key}", "target.tls.key", "--key"],
    ["{insecure}", "target.tls.insecure", "--insecure"],
    ["{sni}", "target.tls.sni", "--sni"],
];
/// The same of who the clients are.
const LOGIN_NAMES: [[&str; 2]; 2] = [
    ["target.username", "--user-name"],
    ["target.password", "--password"],
];

/// With the names that settings have in `place`.
fn named(advice: &str, place: Place) -> String {
    let mut text = advice.to_owned();
    for [key, in_scenario, option] in NAMES {
        let name = match place {
            Place::CommandLine => option,
            Place::Scenario => in_scenario,
        };
        text = text.replace(key, name);
    }
    text
}

/// What was told of a scenario, for one whose settings come from the command line.
pub fn with_options(told: &str) -> String {
    // There is no such table on a command line.
    let told = told.replace(" of [target]", "");
    let names = NAMES.map(|[_, in_scenario, option]| [in_scenario, option]);
    let names = names.into_iter().chain(LOGIN_NAMES);
    names.fold(told, |told, [in_scenario, option]| {
        told.replace(in_scenario, option)
    })
}

/// Empty where the error says all that is known.
fn advice(error: &TransportError) -> &'static str {
    match error {
        TransportError::UnknownCa => {
            "name the file of the CA that signed it with {ca} (or a self-signed certificate itself)"
        }
        TransportError::WrongSignature => {
            "perhaps that CA was made anew under the same name: name its present file with {ca}"
        }
        TransportError::CertificateExpired => {
            "renew the broker's certificate, or try with {insecure}"
        }
        TransportError::CertificateNotYetValid => {
            "look at the clocks of both machines, or wait until the certificate is valid"
        }
        TransportError::WrongHostName => {
            "use a name of the certificate in the URL, or name it with {sni}"
        }
        TransportError::CertificateOfCa => {
            "make one for the broker that is not (openssl req -x509 … -addext basicConstraints=critical,CA:FALSE), or \
             try with {insecure}"
        }
        TransportError::CertificateRefused { .. } => {
            "have the broker's certificate mended, or try with {insecure}"
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
        | TransportError::UnmaskedFrame
        | TransportError::FrameTooLong { .. }
        // Faults of a client, which a client is not told.
        | TransportError::NoCertificate
        | TransportError::WebSocketRequest { .. }
        | TransportError::WebSocket { .. }
        | TransportError::Closed => "",
    }
}

/// By the numbers of RFC 8446, section 6.
fn alert_advice(number: u8) -> &'static str {
    match number {
        40 | 116 => "it may ask for a client certificate: give one with {cert} and {key}",
        42..=46 => "look at the client certificate of {cert}: the broker does not accept it",
        48 => "the broker does not trust the CA of the client certificate of {cert}",
        70 => "the broker wants a version of TLS other than 1.2 and 1.3",
        112 => "the broker has no certificate for this name: name another with {sni}",
        _ => "the broker's log may say why",
    }
}
