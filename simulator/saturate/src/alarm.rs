//! Wakes a selector at a moment, exact to the microsecond: the selector's own timeouts count milliseconds.
//!
//! Elsewhere than on Linux the load is woken up to a millisecond late.

use std::io;
use std::time::Duration;

use mio::{Registry, Token};

#[cfg(target_os = "linux")]
pub(crate) use linux::Alarm;
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::Alarm;

#[cfg(target_os = "linux")]
mod linux {
    use super::{Duration, Registry, Token, io};

    use std::os::fd::{AsRawFd as _, OwnedFd};

    use mio::Interest;
    use mio::unix::SourceFd;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    /// One timer descriptor, reused for every wait.
    #[derive(Debug)]
    pub(crate) struct Alarm {
        descriptor: OwnedFd,
    }

    impl Alarm {
        pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            let mut source = SourceFd(&descriptor.as_raw_fd());
            registry.register(&mut source, token, Interest::READABLE)?;
            Ok(Self { descriptor })
        }

        /// An event comes after `wait`, in place of one that was set before.
        pub(crate) fn set(&mut self, wait: Duration) -> io::Result<()> {
            let zero = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            // A value of zero would disarm the timer.
            let wait = wait.max(Duration::from_nanos(1));
            let spec = Itimerspec {
                it_interval: zero,
                it_value: Timespec {
                    tv_sec: wait.as_secs().try_into().unwrap_or(i64::MAX),
                    tv_nsec: wait.subsec_nanos().into(),
                },
            };
            // The event is an edge, so expirations need not be read away.
            timerfd_settime(&self.descriptor, TimerfdTimerFlags::empty(), &spec)?;
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use super::{Duration, Registry, Token, io};

    #[derive(Debug)]
    pub(crate) struct Alarm;

    impl Alarm {
        pub(crate) fn new(_: &Registry, _: Token) -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn set(&mut self, _: Duration) -> io::Result<()> {
            Ok(())
        }
    }
}
