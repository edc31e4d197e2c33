//! One transport of one device: what waits to be written, and how it ends.

use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use rustix::io::Errno;
use socket2::SockRef;
use squall_fleet::{OpenError, PeerClose, Teardown};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::TcpStream;

/// A transport, from the wish to open it to its end.
pub(super) struct Socket {
    stream: TcpStream,
    /// Bytes for the peer; those before `written` have left.
    out: Vec<u8>,
    written: usize,
    mode: Mode,
    /// How long it took to ask the system for it.
    asked_after: Duration,
    /// The socket's task, to be woken when writing has to wait or the socket is given up.
    waker: Option<Waker>,
}

/// What the fleet wants of the transport.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    /// The system was asked for it and has not answered.
    Connecting,
    /// Reading and writing.
    Open,
    /// Our side ends once what is left is written; reading goes on.
    HalfClosing,
    /// Our side has ended; reading goes on.
    HalfClosed,
    /// Nothing is written, what comes is dropped.
    Silent,
    /// Writing what is left, then closing.
    Finishing,
}

/// Whether a teardown has been done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TornDown {
    /// The socket can be dropped.
    Done,
    /// It has to be kept.
    Lingers,
}

impl TornDown {
    pub(super) fn is_done(self) -> bool {
        self == Self::Done
    }
}

/// What a look at the socket brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progressed {
    /// The transport is connected, so long after it was to be asked for the system was.
    Opened(Duration),
    /// The transport could not be connected.
    OpenFailed(OpenError),
    /// So many bytes came.
    Received(usize),
    /// The peer ended the connection.
    PeerClosed(PeerClose),
    /// We ended it, and the last byte is written.
    Gone,
    /// Nothing more can be done now; the task will be woken.
    Waiting,
}

impl Socket {
    /// A transport that the system was asked for.
    pub(super) fn connecting(stream: TcpStream, asked_after: Duration) -> Self {
        Self {
            stream,
            out: Vec::new(),
            written: 0,
            mode: Mode::Connecting,
            asked_after,
            waker: None,
        }
    }

    /// Appends bytes to write; false if they will not be written.
    pub(super) fn queue(&mut self, bytes: &[u8]) -> bool {
        let is_open = self.mode == Mode::Open;
        if is_open {
            self.out.extend_from_slice(bytes);
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

    pub(super) fn teardown(&mut self, how: Teardown) -> TornDown {
        if self.mode == Mode::Connecting {
            return TornDown::Done;
        }
        match how {
            Teardown::Fin if self.out.is_empty() => TornDown::Done,
            Teardown::Fin => {
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
                TornDown::Lingers
            }
        }
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

    /// Writes what waits and reads once into `buffer`.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Progressed {
        self.waker = Some(cx.waker().clone());
        if self.mode == Mode::Connecting {
            return self.poll_connecting(cx);
        }
        self.poll_write(cx);
        if self.mode == Mode::Finishing && self.out.is_empty() {
            return Progressed::Gone;
        }
        loop {
            match self.poll_read(cx, buffer) {
                Poll::Pending => return Progressed::Waiting,
                Poll::Ready(Ok(0)) => return Progressed::PeerClosed(PeerClose::Fin),
                Poll::Ready(Ok(_)) if matches!(self.mode, Mode::Silent | Mode::Finishing) => {}
                Poll::Ready(Ok(count)) => return Progressed::Received(count),
                Poll::Ready(Err(_)) => return Progressed::PeerClosed(PeerClose::Reset),
            }
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
            Ok(()) => {
                self.mode = Mode::Open;
                Progressed::Opened(self.asked_after)
            }
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

    /// Reads once. A read that does not fill the buffer emptied the socket: tokio then asks the system
    /// no second time.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        Poll::Ready(Ok(read.filled().len()))
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
