//! A broker on a thread of its own and a free port, for the tests that need sockets.

#![allow(clippy::unwrap_used, reason = "a failed wait is a failed test")]

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread::JoinHandle;

use squall_broker::{Config, ServeError, serve};

/// Tells the broker's thread to stop.
#[derive(Debug, Default)]
struct Stop {
    is_due: bool,
    waker: Option<Waker>,
}

/// A broker that listens. Dropping it without [`Self::stop`] leaves it to the end of the process.
#[derive(Debug)]
pub(crate) struct RunningBroker {
    address: SocketAddr,
    stop: Arc<Mutex<Stop>>,
    thread: JoinHandle<Result<(), ServeError>>,
}

impl RunningBroker {
    /// Starts one with the default config on a free port of loopback, and waits until it listens.
    pub(crate) fn start_default() -> Self {
        Self::start(Config::default())
    }

    /// The same with a config of the test's, whose port is replaced by a free one.
    pub(crate) fn start(mut config: Config) -> Self {
        config.listen.port = 0;
        let stop = Arc::new(Mutex::new(Stop::default()));
        let stopped = Arc::clone(&stop);
        let (ready, listens) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let stop = poll_fn(move |cx| {
                let mut stop = stopped.lock().unwrap();
                if stop.is_due {
                    return Poll::Ready(());
                }
                stop.waker = Some(cx.waker().clone());
                Poll::Pending
            });
            serve(&config, |address| ready.send(address).unwrap(), stop)
        });
        Self {
            address: listens.recv().expect("the broker listens"),
            stop,
            thread,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it gracefully and waits until it has.
    pub(crate) fn stop(self) {
        let waker = {
            let mut stop = self.stop.lock().unwrap();
            stop.is_due = true;
            stop.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        self.thread
            .join()
            .expect("the broker's thread did not panic")
            .expect("the broker stopped without an error");
    }
}
