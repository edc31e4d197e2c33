//! One transport of one device: what waits to be written, and how it ends.

use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use socket2::SockRef;
use squall_fleet::{PeerClose, Teardown};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::TcpStream;

/// A transport, from the wish to open it to its end.
pub(super) struct Socket {
    /// `None` while connecting.
    stream: Option<TcpStream>,
    /// Bytes for the peer; those before `written` have left.
    out: Vec<u8>,
    written: usize,
    mode: Mode,
    /// The socket's task, to be woken when writing has to wait.
    waker: Option<Waker>,
}

/// What the fleet wants of the transport.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    /// Reading and writing.
    Open,
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
    pub(super) fn connecting() -> Self {
        Self {
            stream: None,
            out: Vec::new(),
            written: 0,
            mode: Mode::Open,
            waker: None,
        }
    }

    pub(super) fn connected(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Appends bytes to write. False if nobody will write them.
    pub(super) fn queue(&mut self, bytes: &[u8]) -> bool {
        let is_open = self.mode == Mode::Open;
        if is_open {
            self.out.extend_from_slice(bytes);
        }
        is_open
    }

    /// Writes what the socket takes now; the rest waits until it can be written.
    pub(super) fn flush(&mut self) {
        let Some(stream) = &self.stream else { return };
        while self.written < self.out.len() {
            match stream.try_write(&self.out[self.written..]) {
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
    }

    pub(super) fn teardown(&mut self, how: Teardown) -> TornDown {
        let Some(stream) = &self.stream else {
            return TornDown::Done;
        };
        match how {
            Teardown::Fin if self.out.is_empty() => TornDown::Done,
            Teardown::Fin => {
                self.mode = Mode::Finishing;
                TornDown::Lingers
            }
            Teardown::Reset => {
                // Refused only by a socket that is dead already.
                let _ = stream.set_zero_linger();
                TornDown::Done
            }
            Teardown::HalfClose => {
                // Refused only by a socket that is dead already: reading tells.
                let _ = SockRef::from(stream).shutdown(Shutdown::Write);
                self.mode = Mode::HalfClosed;
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

    /// Writes what waits and reads once into `buffer`.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Progressed {
        self.waker = Some(cx.waker().clone());
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

    fn poll_write(&mut self, cx: &mut Context<'_>) {
        while self.written < self.out.len() {
            let Some(stream) = &self.stream else { return };
            match stream.poll_write_ready(cx) {
                Poll::Pending => return,
                Poll::Ready(_) => self.flush(),
            }
        }
    }

    /// Reads once. A read that does not fill the buffer emptied the socket: tokio then asks the system
    /// no second time.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let Some(stream) = &mut self.stream else {
            return Poll::Pending;
        };
        let mut read = ReadBuf::new(buffer);
        ready!(Pin::new(stream).poll_read(cx, &mut read))?;
        Poll::Ready(Ok(read.filled().len()))
    }
}
