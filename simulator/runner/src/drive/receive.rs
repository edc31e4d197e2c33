//! Reading from a socket, with the moment at which the system had what is read.
//!
//! The difference to now is what the generator itself adds to a latency: it was busy, or the machine
//! was, while the bytes waited. A packet capture has the same moments. They are of the wall clock, which may be
//! set meanwhile: bytes have waited no longer than since their socket was last found empty, by a clock that is
//! not set.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

use squall_protocol::Instant;
use squall_transport::{Transport, TransportError};

use crate::clock::{self, Clock};

/// What one read brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Received {
    /// Bytes; zero at the end of the stream.
    pub(super) count: usize,
    /// How long ago the last of them came; `None` if the system did not say.
    pub(super) waited: Option<Duration>,
}

/// When a socket was last found empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastEmpty {
    clock: Clock,
    at: Instant,
}

impl LastEmpty {
    /// Of a new socket: now.
    pub(super) fn now(clock: Clock) -> Self {
        let at = clock.now();
        Self { clock, at }
    }

    /// How long bytes have waited that came at `came` by the wall clock, which says `wall` now.
    fn waited(&self, came: Duration, wall: Duration) -> Duration {
        let at_most = self.clock.now().saturating_since(self.at);
        wall.saturating_sub(came).min(at_most)
    }
}

/// Reads for all sockets, one after the other.
#[derive(Default)]
pub(super) struct Reader {
    bytes: Vec<u8>,
    /// Where the system says when they came.
    control: Vec<u8>,
    /// MQTT that was within what came, where a socket has layers between.
    unwrapped: Vec<u8>,
    /// What [`Self::bytes`] gives.
    shown: Shown,
}

/// What the last read is shown as.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Shown {
    /// As it came.
    #[default]
    Wire,
    /// As it was within TLS or WebSocket.
    Unwrapped,
}

/// Asks the system to note when bytes come. It may begin with that a moment later.
pub(super) fn stamp_arrivals(socket: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(socket, sockopt::ReceiveTimestampns, &true)?)
}

impl Reader {
    /// Reads at most `capacity` bytes at once.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            bytes: vec![0; capacity],
            control: nix::cmsg_space!(TimeSpec),
            unwrapped: Vec::new(),
            shown: Shown::Wire,
        }
    }

    /// Reads what is there, or fails if nothing is.
    pub(super) fn read(
        &mut self,
        socket: &impl AsRawFd,
        last_empty: &mut LastEmpty,
    ) -> io::Result<Received> {
        self.shown = Shown::Wire;
        let began = LastEmpty::now(last_empty.clock);
        let received = self.read_after(socket, last_empty);
        let is_empty = match &received {
            Ok(received) => self.has_emptied(*received),
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        if is_empty {
            *last_empty = began;
        }
        received
    }

    fn read_after(
        &mut self,
        socket: &impl AsRawFd,
        last_empty: &LastEmpty,
    ) -> io::Result<Received> {
        let mut parts = [IoSliceMut::new(&mut self.bytes)];
        let message = recvmsg::<()>(
            socket.as_raw_fd(),
            &mut parts,
            Some(&mut self.control),
            MsgFlags::MSG_DONTWAIT,
        )?;
        let came = message.cmsgs()?.find_map(|control| {
            let ControlMessageOwned::ScmTimestampns(came) = control else {
                return None;
            };
            Some(Duration::from(came))
        });
        Ok(Received {
            count: message.bytes,
            waited: came.map(|came| last_empty.waited(came, clock::since_epoch())),
        })
    }

    /// Whether a read left nothing in the socket when it was made.
    pub(super) fn has_emptied(&self, received: Received) -> bool {
        received.count < self.bytes.len()
    }

    /// What the last read brought: from now on the MQTT that `layers` find in it.
    pub(super) fn unwrap(
        &mut self,
        received: Received,
        layers: &mut Transport,
    ) -> Result<(), TransportError> {
        self.unwrapped.clear();
        self.shown = Shown::Unwrapped;
        layers.feed(&self.bytes[..received.count], &mut self.unwrapped)
    }

    /// What the last read brought.
    pub(super) fn bytes(&self, received: Received) -> &[u8] {
        match self.shown {
            Shown::Wire => &self.bytes[..received.count],
            Shown::Unwrapped => &self.unwrapped,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::iter;
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;

    /// Longest wait for the system to note arrivals. For the first socket that asks, a worker of the kernel
    /// turns that on, and one that a real time priority of this test keeps away has a share of each second
    /// only.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Over loopback bytes come while they are written: they waited since some moment between the
    /// begin and the end of that.
    #[test]
    fn bytes_wait_from_when_they_came() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let mut peer = TcpStream::connect(address).expect("it listens");
        let (socket, _) = listener.accept().expect("a connection");
        stamp_arrivals(&socket).expect("Linux has this option");
        let mut reader = Reader::new(64);

        let clock = Clock::start();
        let mut last_empty = LastEmpty::now(clock);
        let mut writes = iter::repeat(()).take_while(|()| clock.now() < Instant::ZERO + PATIENCE);
        let (before, at_least, waited) = writes
            .find_map(|()| {
                let before = clock::since_epoch();
                peer.write_all(b"hello").expect("the socket is open");
                let after = clock::since_epoch();
                thread::yield_now();
                let looked = clock::since_epoch();
                let received = reader.read(&socket, &mut last_empty).expect("it has come");
                let waited = received.waited?;
                Some((before, looked - after, waited))
            })
            .expect("a stamp");
        let read_at = clock::since_epoch();

        assert!(waited >= at_least, "{waited:?} {at_least:?}");
        assert!(before + waited <= read_at, "{before:?} {waited:?}");
    }

    /// The wall clock is set forward by an hour while bytes come: they have not waited for an hour.
    #[test]
    fn bytes_wait_no_longer_than_since_their_socket_was_empty() {
        let clock = Clock::start();
        let last_empty = LastEmpty::now(clock);
        let hour = Duration::from_secs(3_600);
        let came = clock::since_epoch();

        let waited = last_empty.waited(came, came + hour);

        let since_empty = clock.now().saturating_since(last_empty.at);
        assert!(waited <= since_empty, "{waited:?} {since_empty:?}");
    }
}
