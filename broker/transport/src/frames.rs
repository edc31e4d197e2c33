//! The frames of one WebSocket after its handshake (RFC 6455, section 5).
//!
//! Data passes as it comes, whole frame or not: MQTT's packets and the frames need not begin together
//! [MQTT-6.0.0-2]. So nothing grows with a length that is only announced, and between frames nothing is held.

use std::io::Cursor;

use rustls::crypto::{SecureRandom, ring};
use tungstenite::error::{Error, ProtocolError};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

use crate::error::TransportError;
use crate::mask::Mask;

/// The longest header (section 5.2).
const HEADER_BYTES_MAX: usize = 14;
/// The longest payload of a control frame (section 5.5).
const CONTROL_BYTES_MAX: u64 = 125;

/// Which end this is: what a client sends is masked, what a server sends is not (section 5.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Client,
    Server,
}

/// Whether the other end goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    Open,
    /// It closed the WebSocket, and was answered.
    Closed,
}

/// How far the frames are that come, and the masks of those that go.
#[derive(Debug)]
pub(crate) struct Frames {
    end: End,
    payload_bytes_max: u64,
    /// The bytes of a header that is not whole.
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: usize,
    /// The frame whose payload comes.
    frame: Option<Incoming>,
    message: Message,
    random: &'static dyn SecureRandom,
}

#[derive(Debug)]
struct Incoming {
    content: Content,
    left: u64,
    mask: Option<Mask>,
    ends_message: bool,
}

#[derive(Debug)]
enum Content {
    Data,
    /// A control frame, and what came of its payload.
    Control(Control, Vec<u8>),
}

/// Whether a message goes on over several frames (section 5.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Message {
    Between,
    Within,
}

impl Frames {
    /// Those of a WebSocket that begins; frames of more than `payload_bytes_max` bytes are refused.
    pub(crate) fn new(end: End, payload_bytes_max: usize) -> Self {
        Self {
            end,
            payload_bytes_max: payload_bytes_max as u64,
            header: [0; HEADER_BYTES_MAX],
            header_bytes: 0,
            frame: None,
            message: Message::Between,
            random: ring::default_provider().secure_random,
        }
    }

    /// Takes what came: data is appended to `app`, answers to control frames to `wire`. What follows a close is
    /// dropped.
    ///
    /// Errors if the other end breaks a rule; `wire` tells it which kind (section 7.4.1).
    pub(crate) fn feed(
        &mut self,
        mut came: &[u8],
        app: &mut Vec<u8>,
        wire: &mut Vec<u8>,
    ) -> Result<Heard, TransportError> {
        while !came.is_empty() {
            if self.frame.is_none()
                && let Err(error) = self.read_header(&mut came)
            {
                // A WebSocket that cannot be closed in order ends all the same.
                let _ = self.write_close(Some(close_code(&error)), wire);
                return Err(error);
            }
            self.read_payload(&mut came, app);
            if self.finish_frame(wire)? == Heard::Closed {
                return Ok(Heard::Closed);
            }
        }
        Ok(Heard::Open)
    }

    /// Appends `app` to `wire` as one binary frame [MQTT-6.0.0-1].
    ///
    /// Errors if the system has no random numbers.
    pub(crate) fn write_data(&self, app: &[u8], wire: &mut Vec<u8>) -> Result<(), TransportError> {
        self.write(OpCode::Data(Data::Binary), app, wire)
    }

    /// Appends the frame that closes the WebSocket.
    ///
    /// Errors as [`Self::write_data`] does.
    pub(crate) fn write_close(
        &self,
        code: Option<CloseCode>,
        wire: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        let code = code.map(|code| u16::from(code).to_be_bytes());
        let payload = code.as_ref().map_or(&[][..], |code| &code[..]);
        self.write(OpCode::Control(Control::Close), payload, wire)
    }

    fn write(
        &self,
        opcode: OpCode,
        payload: &[u8],
        wire: &mut Vec<u8>,
    ) -> Result<(), TransportError> {
        let mask = match self.end {
            End::Server => None,
            End::Client => {
                let mut key = [0; 4];
                let filled = self.random.fill(&mut key);
                filled.map_err(|_| failed("the system has no random numbers"))?;
                Some(key)
            }
        };
        let header = FrameHeader {
            opcode,
            mask,
            ..FrameHeader::default()
        };
        let written = header.format(payload.len() as u64, wire);
        written.expect("memory takes every byte");
        let start = wire.len();
        wire.extend_from_slice(payload);
        if let Some(key) = mask {
            Mask::new(key).apply(&mut wire[start..]);
        }
        Ok(())
    }

    /// Takes bytes until the header is whole, and looks at it.
    fn read_header(&mut self, came: &mut &[u8]) -> Result<(), TransportError> {
        let before = self.header_bytes;
        let count = came.len().min(HEADER_BYTES_MAX - before);
        self.header[before..before + count].copy_from_slice(&came[..count]);
        let mut cursor = Cursor::new(&self.header[..before + count]);
        let parsed = FrameHeader::parse(&mut cursor);
        match parsed.map_err(|error| why(&error))? {
            None => {
                *came = &came[count..];
                self.header_bytes = before + count;
            }
            Some((header, length)) => {
                let read = usize::try_from(cursor.position()).expect("a header is short");
                *came = &came[read - before..];
                self.header_bytes = 0;
                self.frame = Some(self.begun(&header, length)?);
            }
        }
        Ok(())
    }

    /// The frame that begins with `header`.
    fn begun(&mut self, header: &FrameHeader, length: u64) -> Result<Incoming, TransportError> {
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(why(&Error::Protocol(ProtocolError::NonZeroReservedBits)));
        }
        match (self.end, header.mask) {
            (End::Server, None) => return Err(TransportError::UnmaskedFrame),
            (End::Client, Some(_)) => {
                return Err(why(&Error::Protocol(ProtocolError::MaskedFrameFromServer)));
            }
            (End::Server, Some(_)) | (End::Client, None) => {}
        }
        let content = match header.opcode {
            OpCode::Control(control) => {
                if !header.is_final {
                    return Err(why(&Error::Protocol(ProtocolError::FragmentedControlFrame)));
                }
                if length > CONTROL_BYTES_MAX {
                    return Err(why(&Error::Protocol(ProtocolError::ControlFrameTooBig)));
                }
                Content::Control(control, Vec::new())
            }
            OpCode::Data(data) => {
                self.check_order(data)?;
                if length > self.payload_bytes_max {
                    let limit = self.payload_bytes_max;
                    return Err(TransportError::FrameTooLong { length, limit });
                }
                Content::Data
            }
        };
        Ok(Incoming {
            content,
            left: length,
            mask: header.mask.map(Mask::new),
            ends_message: header.is_final,
        })
    }

    /// A message begins with its kind, and goes on with frames of none (section 5.4).
    fn check_order(&self, data: Data) -> Result<(), TransportError> {
        match (data, self.message) {
            (Data::Text, Message::Between) => Err(TransportError::TextFrame),
            (Data::Binary, Message::Between) | (Data::Continue, Message::Within) => Ok(()),
            (Data::Continue, Message::Between) => Err(why(&Error::Protocol(
                ProtocolError::UnexpectedContinueFrame,
            ))),
            (Data::Text | Data::Binary, Message::Within) => {
                Err(why(&Error::Protocol(ProtocolError::ExpectedFragment(data))))
            }
            (Data::Reserved(code), _) => Err(why(&Error::Protocol(
                ProtocolError::UnknownDataFrameType(code),
            ))),
        }
    }

    fn read_payload(&mut self, came: &mut &[u8], app: &mut Vec<u8>) {
        let Some(frame) = &mut self.frame else {
            return;
        };
        let count = usize::try_from(frame.left).map_or(came.len(), |left| left.min(came.len()));
        let (payload, rest) = came.split_at(count);
        let into = match &mut frame.content {
            Content::Data => app,
            Content::Control(_, bytes) => bytes,
        };
        let start = into.len();
        into.extend_from_slice(payload);
        if let Some(mask) = &mut frame.mask {
            mask.apply(&mut into[start..]);
        }
        frame.left -= count as u64;
        *came = rest;
    }

    /// Acts on the frame if it is whole.
    fn finish_frame(&mut self, wire: &mut Vec<u8>) -> Result<Heard, TransportError> {
        let Some(frame) = self.frame.take_if(|frame| frame.left == 0) else {
            return Ok(Heard::Open);
        };
        let (control, payload) = match frame.content {
            Content::Data => {
                self.message = match frame.ends_message {
                    true => Message::Between,
                    false => Message::Within,
                };
                return Ok(Heard::Open);
            }
            Content::Control(control, payload) => (control, payload),
        };
        match control {
            Control::Ping => self.write(OpCode::Control(Control::Pong), &payload, wire)?,
            Control::Pong | Control::Reserved(_) => {}
            Control::Close => {
                self.write_close(answer_to_close(&payload), wire)?;
                return Ok(Heard::Closed);
            }
        }
        Ok(Heard::Open)
    }
}

/// The code of the other end comes back, unless it may not be sent (sections 5.5.1 and 7.4).
fn answer_to_close(payload: &[u8]) -> Option<CloseCode> {
    match payload {
        [] => None,
        [high, low, ..] => {
            let code = CloseCode::from(u16::from_be_bytes([*high, *low]));
            Some(if code.is_allowed() {
                code
            } else {
                CloseCode::Protocol
            })
        }
        [_] => Some(CloseCode::Protocol),
    }
}

/// What the other end is told of its fault (section 7.4.1).
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the cases that frames do not have are many"
)]
fn close_code(error: &TransportError) -> CloseCode {
    match error {
        TransportError::TextFrame => CloseCode::Unsupported,
        TransportError::FrameTooLong { .. } => CloseCode::Size,
        _ => CloseCode::Protocol,
    }
}

fn why(error: &Error) -> TransportError {
    failed(&error.to_string())
}

fn failed(fault: &str) -> TransportError {
    let fault = fault.to_owned();
    TransportError::WebSocket { fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server's frames, and what they make of `came` in pieces of `piece` bytes.
    fn heard(came: &[u8], piece: usize) -> (Result<Heard, TransportError>, Vec<u8>, Vec<u8>) {
        let mut frames = Frames::new(End::Server, 70_000);
        let (mut app, mut wire) = (Vec::new(), Vec::new());
        let mut last = Ok(Heard::Open);
        for piece in came.chunks(piece) {
            last = frames.feed(piece, &mut app, &mut wire);
            if last != Ok(Heard::Open) {
                break;
            }
        }
        (last, app, wire)
    }

    /// The example of RFC 6455, section 5.7: "Hello", masked, here as binary.
    const HELLO: [u8; 11] = [
        0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];

    /// A mask counts on over the pieces in which a payload comes (section 5.3).
    #[test]
    fn a_masked_frame_is_read_however_it_is_cut() {
        for piece in 1..=HELLO.len() {
            let (last, app, wire) = heard(&HELLO, piece);

            assert_eq!((last, wire.as_slice()), (Ok(Heard::Open), &[][..]));
            assert_eq!(app, b"Hello", "pieces of {piece}");
        }
    }

    /// Each broken rule has the close code that section 7.4.1 names for it.
    #[test]
    fn each_broken_rule_is_told_with_its_code() {
        let mask = [0, 0, 0, 0];
        let masked = |head: &[u8], payload: &[u8]| [head, &mask, payload].concat();
        for (came, code) in [
            // Not masked (section 5.1).
            (vec![0x82, 1, b'x'], 1002),
            // Text [MQTT-6.0.0-1].
            (masked(&[0x81, 0x81], b"x"), 1003),
            // Reserved bits, and opcodes that mean nothing (section 5.2).
            (masked(&[0xC2, 0x81], b"x"), 1002),
            (masked(&[0x83, 0x81], b"x"), 1002),
            (masked(&[0x8B, 0x80], b""), 1002),
            // A control frame in parts, and one too long (section 5.5).
            (masked(&[0x09, 0x80], b""), 1002),
            (masked(&[0x89, 0xFE, 0, 126], b""), 1002),
            // Going on with nothing, and beginning anew within a message (section 5.4).
            (masked(&[0x80, 0x80], b""), 1002),
            (
                [masked(&[0x02, 0x80], b""), masked(&[0x82, 0x80], b"")].concat(),
                1002,
            ),
            // One byte more than the limit, and the longest length there is.
            (
                masked(&[0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0x11, 0x71], b""),
                1009,
            ),
            (
                masked(&[0x82, 0xFF, 255, 255, 255, 255, 255, 255, 255, 255], b""),
                1009,
            ),
        ] {
            for piece in [1, came.len()] {
                let (last, _, wire) = heard(&came, piece);

                assert!(last.is_err(), "{came:x?}");
                let [0x88, 2, high, low] = wire[..] else {
                    panic!("{came:x?} is answered with {wire:x?}");
                };
                assert_eq!(u16::from_be_bytes([high, low]), code, "{came:x?}");
            }
        }
    }

    /// A message in parts, with a ping between them, a close with its code, and nothing after it (sections 5.4, 5.5).
    #[test]
    fn control_frames_are_answered_within_a_message() {
        let came = [
            &[0x02, 0x81, 0, 0, 0, 0, b'a'][..],
            &[0x89, 0x82, 0, 0, 0, 0, b'h', b'i'],
            &[0x80, 0x81, 0, 0, 0, 0, b'b'],
            &[0x88, 0x82, 0, 0, 0, 0, 3, 0xE9],
            &[0x82, 0x81, 0, 0, 0, 0, b'c'],
        ]
        .concat();

        let (last, app, wire) = heard(&came, came.len());

        assert_eq!((last, app.as_slice()), (Ok(Heard::Closed), &b"ab"[..]));
        assert_eq!(wire, [0x8A, 2, b'h', b'i', 0x88, 2, 3, 0xE9]);
    }

    /// A close may be empty; a code that may not be sent, or half of one, is a fault (section 7.4).
    #[test]
    fn a_close_is_answered_with_what_may_be_said() {
        for (payload, answer) in [
            (&[][..], &[0x88, 0][..]),
            (&[3], &[0x88, 2, 3, 0xEA]),
            (&[3, 0xED], &[0x88, 2, 3, 0xEA]),
            (&[3, 0xE8, b'!'], &[0x88, 2, 3, 0xE8]),
        ] {
            let head = [0x88, 0x80 | payload.len() as u8, 0, 0, 0, 0];

            let (last, _, wire) = heard(&[&head[..], payload].concat(), 1);

            assert_eq!((last, wire.as_slice()), (Ok(Heard::Closed), answer));
        }
    }
}
