//! SIGTERM to this process, which is why it has a test binary of its own.

use std::sync::mpsc;

use squall_broker::{Config, serve, stop_signal};

/// A broker exits without an error on SIGTERM, as soon as it listens.
#[test]
fn sigterm_stops_the_broker() {
    let mut config = Config::default();
    config.listen.port = 0;
    let (ready, listens) = mpsc::channel();
    let broker = std::thread::spawn(move || {
        serve(
            &config,
            |address| ready.send(address).unwrap(),
            stop_signal(),
        )
    });
    listens.recv().unwrap();

    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM)
        .unwrap();

    broker.join().unwrap().unwrap();
}
