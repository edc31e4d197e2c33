//! The client's side of one WebSocket that carries MQTT (§6), on buffers in memory.
//!
//! MQTT's packets and the frames need not begin together [MQTT-6.0.0-2]: only the order of the bytes counts.

use std::io::{self, Read, Write};

use tungstenite::client::IntoClientRequest as _;
use tungstenite::error::{Error, ProtocolError};
use tungstenite::handshake::client::{ClientHandshake, Request};
use tungstenite::handshake::{HandshakeError, MidHandshake};
use tungstenite::http::{HeaderValue, Uri};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Message, WebSocket as Frames};

use crate::error::{SettingsError, TransportError};

/// Room that a connection keeps for bytes of frames that are not whole.
const READ_BUFFER_BYTES: usize = 4096;
/// The longest message and frame: the longest packet of MQTT (§1.5.5, §2.1.4), with its header.
const MESSAGE_BYTES_MAX: usize = 268_435_455 + 5;
/// The longest answer to the request for a WebSocket.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// What every answer by HTTP begins with.
const ANSWER_BEGINS: &[u8] = b"HTTP/";
/// The subprotocol that the client offers [MQTT-6.0.0-3].
const SUBPROTOCOL: &str = "mqtt";

/// What a WebSocket's request names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebSocketTarget {
    /// `Host` of the request: name or address, with the port unless it is the scheme's.
    pub host: String,
    /// Path of the request, with its slash: `/mqtt`.
    pub path: String,
}

/// A WebSocket and how far it is.
#[derive(Debug)]
pub(crate) struct WebSocket {
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The request left; the answer is not whole. The library takes an answer in many small pieces for
    /// an attack, so it gets it whole.
    Asked(MidHandshake<ClientHandshake<Pipe>>),
    Open(Frames<Pipe>),
    /// Closed by the other end; what is left to send is in the pipe.
    Ended(Frames<Pipe>),
    /// The handshake failed: nothing can be sent.
    Failed,
}

/// What came and was not read, and what was written and not taken.
#[derive(Debug, Default)]
struct Pipe {
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(self.input.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        into[..count].copy_from_slice(&self.input[..count]);
        self.input.drain(..count);
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WebSocket {
    /// Queues the request for a WebSocket.
    pub(crate) fn new(target: &WebSocketTarget) -> Result<Self, SettingsError> {
        let malformed = || SettingsError::WebSocketTarget {
            host: target.host.clone(),
            path: target.path.clone(),
        };
        let uri = Uri::builder()
            // Whether TLS lies below is not said in the request.
            .scheme("ws")
            .authority(target.host.as_str())
            .path_and_query(target.path.as_str())
            .build();
        let request = uri.map_err(|_| malformed())?.into_client_request();
        let mut request: Request = request.map_err(|_| malformed())?;
        let headers = request.headers_mut();
        let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
        headers.insert("Sec-WebSocket-Protocol", subprotocol);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let asked = ClientHandshake::start(Pipe::default(), request, Some(config));
        let mut socket = Self {
            stage: Stage::Asked(asked.map_err(|_| malformed())?),
        };
        // The first round writes the request and finds that the answer is not there.
        socket.shake_hands().map_err(|_| malformed())?;
        Ok(socket)
    }

    /// Whether the other end agreed to a WebSocket.
    pub(crate) fn is_ready(&self) -> bool {
        match &self.stage {
            Stage::Open(_) | Stage::Ended(_) => true,
            Stage::Asked(_) | Stage::Failed => false,
        }
    }

    /// Whether the other end closed the WebSocket.
    pub(crate) fn has_ended(&self) -> bool {
        match &self.stage {
            Stage::Ended(_) => true,
            Stage::Asked(_) | Stage::Open(_) | Stage::Failed => false,
        }
    }

    /// Takes what came and appends the contents of whole messages to `app`.
    pub(crate) fn feed(&mut self, wire: &[u8], app: &mut Vec<u8>) -> Result<(), TransportError> {
        let fed = self.feed_and_keep(wire, app);
        if let Some(pipe) = self.pipe()
            && pipe.input.is_empty()
        {
            pipe.input = Vec::new();
        }
        fed
    }

    /// The same, with a buffer that stays.
    fn feed_and_keep(&mut self, wire: &[u8], app: &mut Vec<u8>) -> Result<(), TransportError> {
        if let Some(pipe) = self.pipe() {
            pipe.input.extend_from_slice(wire);
        }
        if self.is_answered()? {
            self.shake_hands()?;
        }
        loop {
            let Stage::Open(frames) = &mut self.stage else {
                return Ok(());
            };
            match frames.read() {
                Ok(Message::Binary(bytes)) => app.extend_from_slice(&bytes),
                Ok(Message::Text(_)) => return Err(TransportError::TextFrame),
                // The answer to a ping is queued, and leaves with the next read.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    self.end();
                }
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(why(&error)),
            }
        }
    }

    /// Puts `app` into one binary frame, appended to `wire` [MQTT-6.0.0-1].
    pub(crate) fn wrap(&mut self, app: &[u8], wire: &mut Vec<u8>) -> Result<(), TransportError> {
        let Stage::Open(frames) = &mut self.stage else {
            return Err(TransportError::Closed);
        };
        let sent = frames.send(Message::binary(app.to_vec()));
        sent.map_err(|error| why(&error))?;
        self.take_wire(wire);
        Ok(())
    }

    /// Appends what the WebSocket itself has to say: the request, answers to pings and to a close.
    pub(crate) fn take_wire(&mut self, wire: &mut Vec<u8>) {
        if let Some(pipe) = self.pipe() {
            wire.append(&mut pipe.output);
            // An idle connection keeps no buffers, of which there may be tens of thousands.
            pipe.output = Vec::new();
        }
    }

    /// Queues the frame that closes the WebSocket.
    pub(crate) fn close(&mut self) {
        if let Stage::Open(frames) = &mut self.stage {
            // What cannot be said is not missed: the other end went first.
            let _ = frames.close(None);
            let _ = frames.flush();
            self.end();
        }
    }

    fn pipe(&mut self) -> Option<&mut Pipe> {
        match &mut self.stage {
            Stage::Asked(asked) => Some(asked.get_mut().get_mut()),
            Stage::Open(frames) | Stage::Ended(frames) => Some(frames.get_mut()),
            Stage::Failed => None,
        }
    }

    fn end(&mut self) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::Open(mut frames) | Stage::Ended(mut frames) => {
                // The answer to a close may still be in the codec; there is no one to tell if it fails.
                let _ = frames.flush();
                Stage::Ended(frames)
            }
            Stage::Asked(asked) => Stage::Asked(asked),
            Stage::Failed => Stage::Failed,
        };
    }

    /// Whether the answer's head is whole.
    fn is_answered(&self) -> Result<bool, TransportError> {
        let Stage::Asked(asked) = &self.stage else {
            return Ok(false);
        };
        let answer = &asked.get_ref().get_ref().input;
        let begins = answer
            .iter()
            .zip(ANSWER_BEGINS)
            .all(|(byte, due)| byte == due);
        if !begins || answer.len() > ANSWER_BYTES_MAX {
            return Err(TransportError::NotHttp);
        }
        Ok(answer.windows(4).any(|bytes| bytes == b"\r\n\r\n"))
    }

    /// Goes on with the handshake as far as the bytes reach.
    fn shake_hands(&mut self) -> Result<(), TransportError> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::Asked(asked) => match asked.handshake() {
                Ok((frames, _)) => Stage::Open(frames),
                Err(HandshakeError::Interrupted(asked)) => Stage::Asked(asked),
                Err(HandshakeError::Failure(error)) => return Err(why(&error)),
            },
            stage @ (Stage::Open(_) | Stage::Ended(_) | Stage::Failed) => stage,
        };
        Ok(())
    }
}

/// The case of an error of the WebSocket library.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum is another crate's and grows"
)]
fn why(error: &Error) -> TransportError {
    match error {
        Error::Http(answer) => TransportError::HttpStatus {
            status: answer.status().as_u16(),
        },
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => {
            TransportError::NoMqttSubprotocol
        }
        Error::Protocol(ProtocolError::HttparseError(_) | ProtocolError::WrongHttpVersion) => {
            TransportError::NotHttp
        }
        other => TransportError::WebSocket {
            fault: other.to_string(),
        },
    }
}
