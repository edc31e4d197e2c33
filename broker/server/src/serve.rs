//! Runs a broker on the calling thread until it is told to stop.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::coop::unconstrained;

use crate::accept::accept;
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::limits::{EVENTS_PER_POLL, TASKS_PER_POLL};
use crate::shard::{Shard, run_turns};
use crate::{descriptors, listener};

/// Why a broker could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The config cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another process listens there.
    #[error("{address} is in use by another process; choose another port, or 0 for any free one")]
    PortInUse {
        /// Where this broker should have listened.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where this broker should have listened.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The thread's event loop could not be made.
    #[error("cannot start the event loop")]
    Runtime {
        /// What the system says.
        source: io::Error,
    },
    /// The broker broke one of its own invariants and stopped, so that it does no harm.
    #[error("the broker stopped after an internal error; please report the message above")]
    Panicked,
}

/// How a broker came to its end.
enum End {
    Stopped,
    Panicked,
}

/// Serves MQTT until `stop` is ready; then tells every client, writes what waits, and returns.
///
/// It blocks the calling thread, which becomes the shard's: it must not be called inside a
/// runtime. `ready` is called once, with the address that clients can connect to now. `stop` is
/// polled on this thread, inside the runtime; [`stop_signal`] is the one for a process.
///
/// It raises the process's soft limit of open files to the hard one.
///
/// # Errors
/// Any [`ServeError`]; after `ready` only [`ServeError::Panicked`].
pub fn serve(
    config: &Config,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    config.check()?;
    let mut config = config.clone();
    config.broker.client_id_seed = RandomState::new().hash_one("client_id_seed");
    let (listener, address) = listener::bind(&config.listen)?;
    let open_files_max = descriptors::raise_limit();
    tracing::info!(%address, open_files_max, "broker listens");

    let failed = |source| ServeError::Runtime { source };
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .event_interval(TASKS_PER_POLL)
        .max_io_events_per_tick(EVENTS_PER_POLL)
        .build_local(LocalOptions::default())
        .map_err(failed)?;
    let end = runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        Ok(run(&config, listener, || ready(address), stop).await)
    });
    match end.map_err(failed)? {
        End::Stopped => Ok(()),
        End::Panicked => Err(ServeError::Panicked),
    }
}

async fn run(
    config: &Config,
    listener: TcpListener,
    ready: impl FnOnce(),
    stop: impl Future<Output = ()>,
) -> End {
    let shard = Rc::new(RefCell::new(Shard::new(config, Clock::start())));
    tokio::task::spawn_local(unconstrained(run_turns(Rc::clone(&shard))));
    let connections_max = config.listen.connections_max;
    let accepting = tokio::task::spawn_local(accept(listener, connections_max, Rc::clone(&shard)));

    let mut stop = pin!(stop);
    let mut ready = Some(ready);
    let end = poll_fn(|cx| {
        if shard.borrow_mut().poll_panicked(cx).is_ready() {
            return Poll::Ready(End::Panicked);
        }
        let stopped = stop.as_mut().poll(cx).map(|()| End::Stopped);
        // `stop` has been polled once: a signal from here on finds its handler.
        if let Some(ready) = ready.take() {
            ready();
        }
        stopped
    })
    .await;
    accepting.abort();
    if matches!(end, End::Panicked) {
        return end;
    }

    let connections = shard.borrow().connections();
    tracing::info!(connections, "broker stops");
    shard.borrow_mut().shut_down();
    let empty = poll_fn(|cx| shard.borrow_mut().poll_empty(cx));
    if tokio::time::timeout(config.server.shutdown_timeout, empty)
        .await
        .is_err()
    {
        let connections = shard.borrow().connections();
        tracing::warn!(connections, "connections cut: they did not close in time");
    }
    end
}

/// Ready at the first SIGTERM or SIGINT (Ctrl-C) after it was first polled.
///
/// If the system refuses a handler, that is logged, and the signal keeps its default: it kills.
pub async fn stop_signal() {
    let mut signals = Vec::new();
    for (name, kind) in [
        ("SIGTERM", SignalKind::terminate()),
        ("SIGINT", SignalKind::interrupt()),
    ] {
        match signal(kind) {
            Ok(handler) => signals.push((name, handler)),
            Err(error) => tracing::error!(signal = name, %error, "cannot handle the signal"),
        }
    }
    poll_fn(|cx| {
        for (name, handler) in &mut signals {
            if handler.poll_recv(cx).is_ready() {
                tracing::info!(signal = name, "signal received");
                return Poll::Ready(());
            }
        }
        Poll::Pending
    })
    .await;
}
