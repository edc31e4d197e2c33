//! A timer that is exact to the microsecond.
//!
//! tokio's own timers count milliseconds, too coarse for a generator that measures latencies of a
//! tenth of that. On Linux a timer descriptor in the same event loop does it; elsewhere tokio's
//! timers serve, and schedule lag shows what they cost.

use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
pub(super) use linux::Timer;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::Timer;

#[cfg(target_os = "linux")]
mod linux {
    use super::{Duration, io};

    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    const ZERO: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };

    /// One timer descriptor, reused for every wait.
    pub(in crate::drive) struct Timer {
        descriptor: AsyncFd<OwnedFd>,
    }

    impl Timer {
        #[expect(
            deprecated,
            reason = "what replaces it is unsafe; an owned descriptor is sound"
        )]
        pub(in crate::drive) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Ok(Self {
                descriptor: AsyncFd::with_interest(descriptor, Interest::READABLE)?,
            })
        }

        /// Waits for `wait`. Dropping the wait is fine: the next one sets the timer anew.
        pub(in crate::drive) async fn sleep(&mut self, wait: Duration) -> io::Result<()> {
            // A value of zero would disarm the timer.
            let wait = wait.max(Duration::from_nanos(1));
            let value = Timespec {
                tv_sec: wait.as_secs().try_into().unwrap_or(i64::MAX),
                tv_nsec: wait.subsec_nanos().into(),
            };
            let spec = Itimerspec {
                it_interval: ZERO,
                it_value: value,
            };
            timerfd_settime(self.descriptor.get_ref(), TimerfdTimerFlags::empty(), &spec)?;
            // The event is an edge, so the expirations need not be read away: setting the timer
            // anew makes the next one.
            self.descriptor.readable().await?.clear_ready();
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use super::{Duration, io};

    pub(in crate::drive) struct Timer;

    impl Timer {
        pub(in crate::drive) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(in crate::drive) async fn sleep(&mut self, wait: Duration) -> io::Result<()> {
            tokio::time::sleep(wait).await;
            Ok(())
        }
    }
}
