//! Why a server agrees to no WebSocket, and its answer by HTTP.

/// Why there is no WebSocket for a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestFault {
    /// Bytes that are not a request of HTTP, as MQTT straight on TCP is not.
    #[error("it is not HTTP")]
    NotHttp,
    /// More bytes than a request may have, or more headers.
    #[error("its headers are too long")]
    TooLong,
    /// A method other than GET.
    #[error("its method is not GET")]
    Method,
    /// An HTTP older than 1.1.
    #[error("it is of an HTTP before 1.1")]
    Version,
    /// No `Host`, or several.
    #[error("it does not name one host")]
    Host,
    /// A path at which nothing is served.
    #[error("its path is not one of MQTT")]
    Path,
    /// A request for something else than a WebSocket.
    #[error("it asks for no WebSocket")]
    NoUpgrade,
    /// A WebSocket of another version than 13.
    #[error("it asks for a WebSocket of another version than 13")]
    WebSocketVersion,
    /// No `Sec-WebSocket-Key`, or not one of 16 bytes in base64.
    #[error("its Sec-WebSocket-Key is missing or malformed")]
    Key,
    /// The subprotocol `mqtt` is not offered [MQTT-6.0.0-3].
    #[error("it does not offer the WebSocket subprotocol `mqtt`")]
    Subprotocol,
}

impl RequestFault {
    /// The status code of the answer (RFC 9110, section 15; 431: RFC 6585, section 5).
    pub const fn status(self) -> u16 {
        match self {
            Self::NotHttp | Self::Host | Self::Key | Self::Subprotocol => 400,
            Self::Path => 404,
            Self::Method => 405,
            Self::NoUpgrade | Self::WebSocketVersion => 426,
            Self::TooLong => 431,
            Self::Version => 505,
        }
    }

    /// The whole answer, after which the connection ends.
    pub(crate) fn answer(self) -> Vec<u8> {
        let status = self.status();
        let phrase = match status {
            404 => "Not Found",
            405 => "Method Not Allowed",
            426 => "Upgrade Required",
            431 => "Request Header Fields Too Large",
            505 => "HTTP Version Not Supported",
            _ => "Bad Request",
        };
        let more = match self {
            Self::Method => "Allow: GET\r\n",
            // With 426 the answer must say what to ask for (RFC 9110, section 15.5.22; RFC 6455, section 4.4).
            Self::NoUpgrade | Self::WebSocketVersion => {
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            }
            Self::NotHttp
            | Self::TooLong
            | Self::Version
            | Self::Host
            | Self::Path
            | Self::Key
            | Self::Subprotocol => "",
        };
        let connection = match status {
            426 => "Upgrade, close",
            _ => "close",
        };
        let body = format!("This request was refused: {self}.\n");
        let length = body.len();
        format!(
            "HTTP/1.1 {status} {phrase}\r\nConnection: {connection}\r\n{more}\
             Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}
