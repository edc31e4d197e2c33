//! Runs a broker on the calling thread until it is told to stop.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use mio::net::TcpListener;
use tokio::runtime::{Builder, LocalOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::coop::unconstrained;

use crate::alarm::Alarm;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::ServeError;
use crate::shard::{After, Shard};
use crate::{descriptors, listener};

/// Serves MQTT until `stop` is ready; then tells every client, writes what waits, and returns.
///
/// It blocks the calling thread, which becomes the shard's: it must not be called inside a
/// runtime. `ready` is called once, with the address that clients can connect to now. `stop` is
/// polled on this thread, inside the runtime; [`stop_signal`] is the one for a process.
///
/// It raises the process's soft limit of open files to the hard one.
///
/// # Errors
/// Any [`ServeError`]; after `ready` only
/// [`ServeError::Runtime`] and [`ServeError::Panicked`].
pub fn serve(
    config: &Config,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    config.check()?;
    let (listener, address) = listener::bind(&config.listen)?;
    let open_files_max = descriptors::raise_limit();
    let connections_max = config.listen.connections_max as u64;
    descriptors::make_room(open_files_max.map_or(connections_max, |max| max.min(connections_max)));
    tracing::info!(%address, open_files_max, "broker listens");

    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener);
        let shard = Shard::new(config, Clock::start(), listener)?;
        run(Rc::new(RefCell::new(shard)), || ready(address), stop).await
    })
}

async fn run(
    shard: Rc<RefCell<Shard>>,
    ready: impl FnOnce(),
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let mut turns = tokio::task::spawn_local(unconstrained(run_turns(Rc::clone(&shard))));
    let mut stop = pin!(stop);
    let mut ready = Some(ready);
    let early_end = poll_fn(|cx| {
        if let Poll::Ready(end) = Pin::new(&mut turns).poll(cx) {
            return Poll::Ready(Some(end));
        }
        let stopped = stop.as_mut().poll(cx).map(|()| None);
        // `stop` has been polled once: a signal from here on finds its handler.
        if let Some(ready) = ready.take() {
            ready();
        }
        stopped
    })
    .await;
    let end = match early_end {
        Some(end) => end,
        None => {
            let connections = shard.borrow().connections();
            tracing::info!(connections, "broker stops");
            shard.borrow_mut().shut_down();
            turns.await
        }
    };
    end.map_err(|_| ServeError::Panicked)??;
    let connections = shard.borrow().connections();
    if connections > 0 {
        tracing::warn!(connections, "connections cut: they did not close in time");
    }
    Ok(())
}

/// The shard's task: its turns, until it has stopped.
async fn run_turns(shard: Rc<RefCell<Shard>>) -> io::Result<()> {
    let mut alarm = Alarm::new();
    loop {
        let turn = poll_fn(|cx| shard.borrow_mut().poll_turn(&mut alarm, cx));
        match turn.await? {
            After::NextTurn => tokio::task::yield_now().await,
            After::Stopped => return Ok(()),
        }
    }
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
