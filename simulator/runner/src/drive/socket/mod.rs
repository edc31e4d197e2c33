//! One transport of one device: what waits to be written, and how it ends.

mod layered;

use std::io;
use std::net::Shutdown;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use rustix::io::Errno;
use socket2::SockRef;
use squall_fleet::{OpenError, PeerClose, Teardown};
use squall_protocol::Instant;
use squall_scenario::AddressId;
use squall_transport::Transport;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::clock::Clock;

use super::dial::DialedPort;
use super::receive::{LastEmpty, Reader, Received};

/// Bytes that may wait for one socket before its device is told to publish no more: a broker that
/// reads slower than messages come due must not fill the memory of the generator.
const OUT_BYTES_MAX: usize = 1024 * 1024;

/// Bytes that have left stay in the buffer until there are this many of them.
const COMPACT_BYTES: usize = 64 * 1024;

/// A transport, from the request to open it to its end.
pub(super) struct Socket {
    stream: TcpStream,
    /// What is between TCP and MQTT; `None` for nothing.
    layers: Option<Box<Transport>>,
    /// How they ended, while the bytes that came before that are told.
    layers_ended: Option<PeerClose>,
    /// With the address of the target that it leads to; `None` if the kernel picked where it begins.
    port: Option<(AddressId, DialedPort)>,
    /// Bytes for the peer; those before `written` have left.
    out: Vec<u8>,
    written: usize,
    /// As the fleet knows it.
    room: Room,
    mode: Mode,
    reading: Reading,
    /// How long it took to ask the system for it.
    asked_after: Duration,
    last_empty: LastEmpty,
    /// The socket's task, to be woken when writing has to wait or the socket is given up.
    waker: Option<Waker>,
}

/// What the fleet wants of the transport.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    /// The system was asked for it and has not answered.
    Connecting,
    /// Connected: TLS and WebSocket are agreed on.
    ShakingHands,
    /// Connected: bytes are read and written.
    Open,
    /// Our side ends once what is left is written; reading goes on.
    HalfClosing,
    /// Our side has ended; reading goes on.
    HalfClosed,
    /// Nothing is written, what comes is dropped.
    Silent,
    /// Writing what is left, then leaving.
    Finishing,
    /// Our side has ended for good: what comes is dropped until the peer ends too. A socket that is closed with
    /// something unread is reset, and a reset can overtake the goodbye before it: the broker must be able to read
    /// that, whatever it was about to send.
    Leaving,
}

/// Whether the fleet reads what comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reading {
    /// It does, and has since the beginning.
    On,
    /// Not now: what comes stays in the system's buffers.
    Paused,
    /// It does again, since that moment.
    Resumed(Instant),
}

/// Whether another message may be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Room {
    /// There is room: bytes may be queued.
    Left,
    /// Too much waits already.
    Full,
}

/// Whether a teardown has been done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TornDown {
    /// The socket can be dropped.
    Done,
    /// It has to be kept.
    Lingers,
}

/// What a look at the socket brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progressed {
    /// The transport is connected, so long after it was to be asked for the system was.
    Opened(Duration),
    /// The transport could not be connected.
    OpenFailed(OpenError),
    /// Bytes of the peer came in.
    Received(Received),
    /// The peer ended the connection.
    PeerClosed(PeerClose),
    /// We ended it, and the last byte is written.
    Gone,
    /// Nothing more can be done now; the task will be woken.
    Waiting,
}

impl Socket {
    /// A transport that the system was asked for.
    pub(super) fn connecting(stream: TcpStream, asked_after: Duration, clock: Clock) -> Self {
        Self {
            stream,
            layers: None,
            layers_ended: None,
            port: None,
            out: Vec::new(),
            written: 0,
            room: Room::Left,
            mode: Mode::Connecting,
            reading: Reading::On,
            asked_after,
            last_empty: LastEmpty::now(clock),
            waker: None,
        }
    }

    /// Remembers the local port that it has to itself.
    pub(super) fn dialed_from(self, port: Option<(AddressId, DialedPort)>) -> Self {
        Self { port, ..self }
    }

    /// The local port that it had to itself, to be handed back when it has ended.
    pub(super) fn take_port(&mut self) -> Option<(AddressId, DialedPort)> {
        self.port.take()
    }

    /// Reads nothing until [`Self::resume`].
    pub(super) fn pause(&mut self) {
        self.reading = Reading::Paused;
    }

    /// Reads again, from `now` on.
    pub(super) fn resume(&mut self, now: Instant) {
        self.reading = Reading::Resumed(now);
        self.wake_task();
    }

    /// How long the bytes that are read at `now` waited for the generator. The time up to the end of a
    /// pause is not counted: until then they waited for the fleet.
    pub(super) fn waited(&self, now: Instant, received: Received) -> Option<Duration> {
        let waited = received.waited?;
        match self.reading {
            Reading::On | Reading::Paused => Some(waited),
            Reading::Resumed(since) => Some(waited.min(now.saturating_since(since))),
        }
    }

    /// Whether what comes stays with the system: only where the fleet would be told of it.
    fn is_paused(&self) -> bool {
        match self.mode {
            Mode::Connecting
            | Mode::ShakingHands
            | Mode::Silent
            | Mode::Finishing
            | Mode::Leaving => false,
            Mode::Open | Mode::HalfClosing | Mode::HalfClosed => self.reading == Reading::Paused,
        }
    }

    /// Appends bytes to write; false if they will not be written.
    pub(super) fn queue(&mut self, bytes: &[u8]) -> bool {
        let is_open = self.mode == Mode::Open;
        if is_open {
            match &mut self.layers {
                None => self.out.extend_from_slice(bytes),
                // Refused only after the other end has closed them: reading tells.
                Some(layers) => drop(layers.wrap(bytes, &mut self.out)),
            }
        }
        is_open
    }

    /// Writes what the socket takes now; the rest waits until it can be written.
    pub(super) fn flush(&mut self) {
        while self.written < self.out.len() {
            match self.stream.try_write(&self.out[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Some(waker) = &self.waker {
                        waker.wake_by_ref();
                    }
                    self.compact();
                    return;
                }
                // Reading tells how the connection ended.
                Err(_) => break,
            }
        }
        self.out = Vec::new();
        self.written = 0;
        if self.mode == Mode::HalfClosing {
            self.shut_our_side();
        }
    }

    fn compact(&mut self) {
        if self.written >= COMPACT_BYTES {
            self.out.drain(..self.written);
            self.written = 0;
        }
    }

    /// Whether there is room now, if that has changed: it comes back when half of what may wait
    /// has left.
    pub(super) fn take_room_change(&mut self) -> Option<Room> {
        let waiting = self.out.len() - self.written;
        let room = match self.room {
            Room::Left if waiting > OUT_BYTES_MAX => Room::Full,
            Room::Full if waiting <= OUT_BYTES_MAX / 2 => Room::Left,
            Room::Left | Room::Full => return None,
        };
        self.room = room;
        Some(room)
    }

    pub(super) fn teardown(&mut self, how: Teardown) -> TornDown {
        if matches!(self.mode, Mode::Connecting | Mode::ShakingHands) {
            return TornDown::Done;
        }
        self.say_goodbye(how);
        match how {
            Teardown::Fin | Teardown::Abort if self.out.is_empty() => {
                self.leave();
                TornDown::Lingers
            }
            Teardown::Fin | Teardown::Abort => {
                self.mode = Mode::Finishing;
                TornDown::Lingers
            }
            Teardown::Reset => {
                // Refused only by a socket that is dead already.
                let _ = self.stream.set_zero_linger();
                TornDown::Done
            }
            Teardown::HalfClose if self.out.is_empty() => {
                self.shut_our_side();
                TornDown::Lingers
            }
            Teardown::HalfClose => {
                self.mode = Mode::HalfClosing;
                TornDown::Lingers
            }
            Teardown::Silent => {
                self.out = Vec::new();
                self.written = 0;
                self.mode = Mode::Silent;
                // What comes is dropped from now on, paused or not.
                self.wake_task();
                TornDown::Lingers
            }
        }
    }

    /// Whether it ends once what waits is written.
    pub(super) fn is_finishing(&self) -> bool {
        self.mode == Mode::Finishing
    }

    fn leave(&mut self) {
        self.shut_our_side();
        self.mode = Mode::Leaving;
        // What came during a pause is read now.
        self.wake_task();
    }

    fn shut_our_side(&mut self) {
        // Refused only by a socket that is dead already: reading tells.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
        self.mode = Mode::HalfClosed;
    }

    /// Ends the socket's task: the socket is given up.
    pub(super) fn wake_task(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Writes what waits and reads once.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, reader: &mut Reader) -> Progressed {
        self.waker = Some(cx.waker().clone());
        if self.mode == Mode::Connecting {
            let progressed = self.poll_connecting(cx);
            if self.mode != Mode::ShakingHands {
                return progressed;
            }
        }
        self.poll_write(cx);
        if self.mode == Mode::Finishing && self.out.is_empty() {
            self.leave();
        }
        if self.is_paused() {
            return Progressed::Waiting;
        }
        if let Some(how) = self.layers_ended {
            return Progressed::PeerClosed(how);
        }
        loop {
            match self.poll_read(cx, reader) {
                Poll::Pending => return Progressed::Waiting,
                Poll::Ready(Ok(Received { count: 0, .. })) => return self.ended(PeerClose::Fin),
                Poll::Ready(Ok(_))
                    if matches!(self.mode, Mode::Silent | Mode::Finishing | Mode::Leaving) => {}
                Poll::Ready(Ok(received)) => {
                    if let Some(progressed) = self.take(received, reader) {
                        return progressed;
                    }
                }
                Poll::Ready(Err(_)) => return self.ended(PeerClose::Reset),
            }
        }
    }

    /// What came and was not read yet, asked of the system itself: its events may not have been heard.
    pub(super) fn look(&mut self, reader: &mut Reader) -> Option<Progressed> {
        if self.is_paused() {
            return None;
        }
        match self.mode {
            Mode::Connecting => self.look_whether_connected(),
            Mode::ShakingHands | Mode::Open | Mode::HalfClosing | Mode::HalfClosed => {
                self.look_what_came(reader)
            }
            Mode::Silent | Mode::Finishing | Mode::Leaving => None,
        }
    }

    fn look_what_came(&mut self, reader: &mut Reader) -> Option<Progressed> {
        if let Some(how) = self.layers_ended {
            return Some(Progressed::PeerClosed(how));
        }
        loop {
            let received = match reader.read(&self.stream, &mut self.last_empty) {
                Ok(Received { count: 0, .. }) => return Some(self.ended(PeerClose::Fin)),
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(_) => return Some(self.ended(PeerClose::Reset)),
            };
            let taken = self.take(received, reader);
            if taken.is_some() {
                return taken;
            }
        }
    }

    fn look_whether_connected(&mut self) -> Option<Progressed> {
        match self.stream.take_error() {
            Ok(None) if self.stream.peer_addr().is_ok() => self.connected(),
            Ok(None) => None,
            Ok(Some(error)) | Err(error) => Some(Progressed::OpenFailed(open_error(&error))),
        }
    }

    fn poll_connecting(&mut self, cx: &mut Context<'_>) -> Progressed {
        let ready = match self.stream.poll_write_ready(cx) {
            Poll::Pending => return Progressed::Waiting,
            Poll::Ready(ready) => ready,
        };
        let outcome = ready.and_then(|()| match self.stream.take_error()? {
            Some(error) => Err(error),
            None => Ok(()),
        });
        match outcome {
            Ok(()) => self.connected().unwrap_or(Progressed::Waiting),
            Err(error) => Progressed::OpenFailed(open_error(&error)),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) {
        while self.written < self.out.len() {
            match self.stream.poll_write_ready(cx) {
                Poll::Pending => return,
                Poll::Ready(_) => self.flush(),
            }
        }
    }

    /// Reads once. A read that does not fill the buffer emptied the socket: tokio is told so, and the
    /// system is not asked a second time.
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut Reader,
    ) -> Poll<io::Result<Received>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let mut received = None;
            let tried = self.stream.try_io(Interest::READABLE, || {
                let read = reader.read(&self.stream, &mut self.last_empty)?;
                received = Some(read);
                if read.count > 0 && reader.has_emptied(read) {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Ok(())
            });
            match (received, tried) {
                (Some(received), _) => return Poll::Ready(Ok(received)),
                (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => {
                    return Poll::Ready(Err(error));
                }
                // Not readable after all.
                (None, _) => {}
            }
        }
    }
}

/// Why a transport could not be had, as the fleet tells reasons apart.
pub fn open_error(error: &io::Error) -> OpenError {
    match Errno::from_io_error(error) {
        Some(Errno::CONNREFUSED) => OpenError::Refused,
        Some(Errno::TIMEDOUT) => OpenError::TimedOut,
        Some(
            Errno::ADDRNOTAVAIL | Errno::ADDRINUSE | Errno::MFILE | Errno::NFILE | Errno::NOBUFS,
        ) => OpenError::LocalLimit,
        Some(_) | None => OpenError::Other,
    }
}

#[cfg(test)]
mod layered_tests;
#[cfg(test)]
mod tests;
