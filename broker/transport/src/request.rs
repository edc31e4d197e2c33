//! The request for a WebSocket as a server hears it (RFC 6455, section 4.2).

use tungstenite::error::{Error, ProtocolError};
use tungstenite::handshake::machine::TryParse as _;
use tungstenite::handshake::server::{Request, create_response, write_response};
use tungstenite::http::HeaderValue;

use crate::request_fault::RequestFault;
use crate::serving::WebSocketService;

/// The subprotocol that the client offers [MQTT-6.0.0-3] and the server agrees to [MQTT-6.0.0-4].
pub(crate) const SUBPROTOCOL: &str = "mqtt";

/// The answer that agrees to the request whose head is `head`, up to its empty line.
pub(crate) fn agreement(head: &[u8], service: &WebSocketService) -> Result<Vec<u8>, RequestFault> {
    let request = Request::try_parse(head).map_err(|error| fault(&error))?;
    // A head with an empty line is whole.
    let (_, request) = request.ok_or(RequestFault::NotHttp)?;
    let hosts = request.headers().get_all("Host").iter().count();
    if hosts != 1 {
        return Err(RequestFault::Host);
    }
    if !service
        .paths
        .iter()
        .any(|path| path == request.uri().path())
    {
        return Err(RequestFault::Path);
    }
    let mut answer = create_response(&request).map_err(|error| fault(&error))?;
    if !offers_mqtt(&request) {
        return Err(RequestFault::Subprotocol);
    }
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    answer
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", subprotocol);
    let mut wire = Vec::new();
    write_response(&mut wire, &answer).expect("memory takes every byte, and the headers are text");
    Ok(wire)
}

/// A list, which several headers may share (RFC 9110, section 5.3).
fn offers_mqtt(request: &Request) -> bool {
    let lists = request.headers().get_all("Sec-WebSocket-Protocol");
    lists
        .iter()
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|name| name.trim() == SUBPROTOCOL)
}

/// The case of an error of the WebSocket library.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums are another crate's and grow"
)]
fn fault(error: &Error) -> RequestFault {
    let Error::Protocol(error) = error else {
        return match error {
            Error::Capacity(_) => RequestFault::TooLong,
            _ => RequestFault::NotHttp,
        };
    };
    match error {
        ProtocolError::WrongHttpMethod => RequestFault::Method,
        ProtocolError::WrongHttpVersion => RequestFault::Version,
        ProtocolError::MissingConnectionUpgradeHeader
        | ProtocolError::MissingUpgradeWebSocketHeader => RequestFault::NoUpgrade,
        ProtocolError::MissingSecWebSocketVersionHeader => RequestFault::WebSocketVersion,
        ProtocolError::MissingSecWebSocketKey | ProtocolError::InvalidSecWebSocketKey => {
            RequestFault::Key
        }
        _ => RequestFault::NotHttp,
    }
}
