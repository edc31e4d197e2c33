//! One end of a WebSocket that carries MQTT (§6), on buffers in memory: its handshake and its end.
//!
//! `frames` has what lies between, `request` what a server answers.

use std::io::{self, Read, Write};
use std::sync::Arc;

use tungstenite::client::IntoClientRequest as _;
use tungstenite::error::{Error, ProtocolError};
use tungstenite::handshake::client::{ClientHandshake, Request};
use tungstenite::handshake::{HandshakeError, MidHandshake};
use tungstenite::http::{HeaderValue, Uri};
use tungstenite::protocol::WebSocketConfig;

use crate::error::{SettingsError, TransportError};
use crate::frames::{End, Frames, Heard};
use crate::request::{SUBPROTOCOL, agreement};
use crate::request_fault::RequestFault;
use crate::serving::WebSocketService;

/// The longest frame that a client takes: the longest packet of MQTT (§1.5.5, §2.1.4), with its header.
const FRAME_BYTES_MAX: usize = 268_435_455 + 5;
/// The longest answer to the request for a WebSocket.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// The longest request for a WebSocket, which browsers send with cookies.
const REQUEST_BYTES_MAX: usize = 8 * 1024;
/// What every answer by HTTP begins with.
const ANSWER_BEGINS: &[u8] = b"HTTP/";
/// What ends the headers of HTTP.
const HEAD_ENDS: &[u8] = b"\r\n\r\n";

/// What a WebSocket's request names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebSocketTarget {
    /// `Host` of the request: name or address, with the port unless it is the scheme's.
    pub host: String,
    /// Path of the request, with its slash: `/mqtt`.
    pub path: String,
}

/// A WebSocket, how far it is, and what it has to say.
#[derive(Debug)]
pub(crate) struct WebSocket {
    stage: Stage,
    out: Vec<u8>,
}

#[derive(Debug)]
enum Stage {
    /// The client's request left, and this came of the answer.
    Asked(Box<MidHandshake<ClientHandshake<Pipe>>>, Vec<u8>),
    /// This came of the request of a client.
    Awaited(Arc<WebSocketService>, Vec<u8>),
    Open(Frames),
    /// Closed, by either end: nothing more is heard or said.
    Ended,
    /// The handshake failed: nothing can be sent.
    Failed,
}

/// What the library reads and writes in the client's handshake.
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
    /// The client's end: queues the request for a WebSocket.
    pub(crate) fn ask(target: &WebSocketTarget) -> Result<Self, SettingsError> {
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
        // The library makes frames after its handshake, which are not used.
        let config = WebSocketConfig::default()
            .read_buffer_size(0)
            .write_buffer_size(0);
        let asked = ClientHandshake::start(Pipe::default(), request, Some(config));
        // The first round writes the request and finds that the answer is not there.
        let asked = asked.map_err(|_| malformed())?.handshake();
        let Err(HandshakeError::Interrupted(mut asked)) = asked else {
            return Err(malformed());
        };
        let out = std::mem::take(&mut asked.get_mut().get_mut().output);
        Ok(Self {
            stage: Stage::Asked(Box::new(asked), Vec::new()),
            out,
        })
    }

    /// The server's end: waits for the request of a client.
    pub(crate) fn accept(service: &Arc<WebSocketService>) -> Self {
        Self {
            stage: Stage::Awaited(Arc::clone(service), Vec::new()),
            out: Vec::new(),
        }
    }

    /// Whether both ends agreed to a WebSocket.
    pub(crate) fn is_ready(&self) -> bool {
        match &self.stage {
            Stage::Open(_) | Stage::Ended => true,
            Stage::Asked(..) | Stage::Awaited(..) | Stage::Failed => false,
        }
    }

    /// Whether the WebSocket was closed.
    pub(crate) fn has_ended(&self) -> bool {
        match &self.stage {
            Stage::Ended => true,
            Stage::Asked(..) | Stage::Awaited(..) | Stage::Open(_) | Stage::Failed => false,
        }
    }

    /// Takes what came and appends the data in it to `app`.
    pub(crate) fn feed(&mut self, wire: &[u8], app: &mut Vec<u8>) -> Result<(), TransportError> {
        match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::Asked(asked, answer) => self.hear_answer(asked, answer, wire, app),
            Stage::Awaited(service, request) => self.hear_request(service, request, wire, app),
            Stage::Open(frames) => self.hear_frames(frames, wire, app),
            stage @ (Stage::Ended | Stage::Failed) => {
                self.stage = stage;
                Ok(())
            }
        }
    }

    /// Puts `app` into one binary frame, appended to `wire` [MQTT-6.0.0-1].
    pub(crate) fn wrap(&mut self, app: &[u8], wire: &mut Vec<u8>) -> Result<(), TransportError> {
        self.take_wire(wire);
        let Stage::Open(frames) = &self.stage else {
            return Err(TransportError::Closed);
        };
        frames.write_data(app, wire)
    }

    /// Appends what the WebSocket itself has to say: the handshake, answers to pings and to a close.
    pub(crate) fn take_wire(&mut self, wire: &mut Vec<u8>) {
        // An idle connection keeps no buffer, and there may be tens of thousands.
        wire.append(&mut std::mem::take(&mut self.out));
    }

    /// Queues the frame that closes the WebSocket.
    pub(crate) fn close(&mut self) {
        if let Stage::Open(frames) = &self.stage {
            // What cannot be said is not missed: the connection ends after it.
            let _ = frames.write_close(None, &mut self.out);
            self.stage = Stage::Ended;
        }
    }

    fn hear_frames(
        &mut self,
        mut frames: Frames,
        wire: &[u8],
        app: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        self.stage = match frames.feed(wire, app, &mut self.out) {
            Ok(Heard::Open) => Stage::Open(frames),
            Ok(Heard::Closed) => Stage::Ended,
            Err(error) => {
                // It was told so by a close.
                self.stage = Stage::Ended;
                return Err(error);
            }
        };
        Ok(())
    }

    fn hear_answer(
        &mut self,
        mut asked: Box<MidHandshake<ClientHandshake<Pipe>>>,
        mut answer: Vec<u8>,
        wire: &[u8],
        app: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        let looked_at = answer.len();
        answer.extend_from_slice(wire);
        let mut begin = answer.iter().zip(ANSWER_BEGINS);
        if !begin.all(|(byte, due)| byte == due) {
            return Err(TransportError::NotHttp);
        }
        let Some(end) = end_of_head(&answer, looked_at, ANSWER_BYTES_MAX) else {
            if answer.len() >= ANSWER_BYTES_MAX {
                return Err(TransportError::NotHttp);
            }
            self.stage = Stage::Asked(asked, answer);
            return Ok(());
        };
        // The library takes an answer in many small pieces for an attack, so it gets it whole.
        asked.get_mut().get_mut().input = answer[..end].to_vec();
        match asked.handshake() {
            Ok(_) => {
                let frames = Frames::new(End::Client, FRAME_BYTES_MAX);
                self.hear_frames(frames, &answer[end..], app)
            }
            Err(HandshakeError::Failure(error)) => Err(why(&error)),
            // The head has its empty line and is not whole all the same.
            Err(HandshakeError::Interrupted(_)) => Err(TransportError::NotHttp),
        }
    }

    fn hear_request(
        &mut self,
        service: Arc<WebSocketService>,
        mut request: Vec<u8>,
        wire: &[u8],
        app: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        let looked_at = request.len();
        request.extend_from_slice(wire);
        // A method is a word; a packet of MQTT begins with none of its letters.
        let is_http = request.first().is_none_or(u8::is_ascii_uppercase);
        let end = end_of_head(&request, looked_at, REQUEST_BYTES_MAX);
        let agreed = match (is_http, end) {
            (false, _) => Err(RequestFault::NotHttp),
            (true, Some(end)) => agreement(&request[..end], &service).map(|answer| (answer, end)),
            (true, None) if request.len() >= REQUEST_BYTES_MAX => Err(RequestFault::TooLong),
            (true, None) => {
                self.stage = Stage::Awaited(service, request);
                return Ok(());
            }
        };
        match agreed {
            Ok((answer, end)) => {
                self.out.extend_from_slice(&answer);
                let frames = Frames::new(End::Server, service.frame_bytes_max);
                self.hear_frames(frames, &request[end..], app)
            }
            Err(fault) => {
                self.out.extend_from_slice(&fault.answer());
                Err(TransportError::WebSocketRequest { fault })
            }
        }
    }
}

/// Where the head ends that `bytes` begin with, if it does within `limit`; `looked_at` of them were without that end.
fn end_of_head(bytes: &[u8], looked_at: usize, limit: usize) -> Option<usize> {
    let within = &bytes[..bytes.len().min(limit)];
    let start = looked_at.saturating_sub(HEAD_ENDS.len() - 1);
    let found = within
        .get(start..)?
        .windows(HEAD_ENDS.len())
        .position(|bytes| bytes == HEAD_ENDS)?;
    Some(start + found + HEAD_ENDS.len())
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
