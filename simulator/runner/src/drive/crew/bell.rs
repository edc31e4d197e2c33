//! Wakes a thread that has an event loop of its own.
//!
//! What is to be told lies in a queue in memory; a byte on a stream says that something does. A waker of tokio
//! cannot do that: it is a descriptor's number, which names something else in another thread's table.

use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net;

/// Wakes the thread that has the ear.
#[derive(Debug)]
pub(super) struct Bell {
    stream: UnixStream,
    /// Whether it was rung, and the ear has not heard it yet.
    is_rung: Arc<AtomicBool>,
}

/// Hears a bell, once a thread listens with it.
#[derive(Debug)]
pub(super) struct Ear {
    stream: UnixStream,
    is_rung: Arc<AtomicBool>,
}

/// An ear at the event loop of its thread.
pub(in crate::drive) struct Listening {
    stream: net::UnixStream,
    is_rung: Arc<AtomicBool>,
}

/// A bell, and the ear that hears it.
pub(super) fn pair() -> io::Result<(Bell, Ear)> {
    let (bell, ear) = UnixStream::pair()?;
    bell.set_nonblocking(true)?;
    ear.set_nonblocking(true)?;
    let is_rung = Arc::new(AtomicBool::new(false));
    let bell = Bell {
        stream: bell,
        is_rung: Arc::clone(&is_rung),
    };
    let stream = ear;
    Ok((bell, Ear { stream, is_rung }))
}

impl Bell {
    /// Another bell for the same ear, with a descriptor of its own.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            stream: self.stream.try_clone()?,
            is_rung: Arc::clone(&self.is_rung),
        })
    }

    /// Its descriptor.
    pub(super) fn descriptor(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Wakes the ear, unless it is awake already.
    pub(super) fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            // Refused only if the ear is gone, which its queue tells.
            let _ = (&self.stream).write(&[0]);
        }
    }
}

impl Ear {
    /// Its descriptor.
    pub(super) fn descriptor(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Listens from now on. Needs an event loop.
    pub(super) fn listen(self) -> io::Result<Listening> {
        Ok(Listening {
            stream: net::UnixStream::from_std(self.stream)?,
            is_rung: self.is_rung,
        })
    }
}

impl Listening {
    /// Waits for the bell. The caller then empties its queue: what is put there later rings again.
    ///
    /// # Errors
    /// If all bells are gone.
    pub(in crate::drive) async fn rung(&mut self) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            match self.stream.try_read(&mut [0; 8]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => break,
                // Not readable after all.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        self.is_rung.swap(false, Ordering::AcqRel);
        Ok(())
    }
}
