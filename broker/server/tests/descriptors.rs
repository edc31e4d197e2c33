//! Running out of descriptors: the limit is the process's, so this has a test binary of its own.

mod running;

use std::fs::File;
use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use running::RunningBroker;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Without a descriptor a client is closed, not left hanging, and once there are
/// descriptors again others get in.
#[test]
fn broker_recovers_from_running_out_of_descriptors() {
    let broker = RunningBroker::start_default();
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(256);
    setrlimit(Resource::Nofile, limit).unwrap();
    // The client's own descriptor comes first: the last one but one is kept for it.
    let mut hoard: Vec<File> = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    hoard.pop();

    let mut refused = TcpStream::connect(broker.address()).unwrap();
    refused
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let told = refused.read(&mut [0]);
    assert!(
        matches!(told, Ok(0))
            || told.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset),
        "the client must be closed"
    );

    hoard.clear();
    let mut served = TcpStream::connect(broker.address()).unwrap();
    served
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let connect = [
        0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 1, b'a',
    ];
    std::io::Write::write_all(&mut served, &connect).unwrap();
    let mut connack = [0; 4];
    served.read_exact(&mut connack).unwrap();
    assert_eq!(connack, [0x20, 2, 0, 0]);
    broker.stop();
}
