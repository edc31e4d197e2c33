//! A TCP proxy that tampers with MQTT: the interceptor of `squall-world` between real sockets.
//!
//! It has one thread with one event loop, as the interceptor has one owner.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::{io, thread, time};

use squall_fleet::SocketId;
use squall_protocol::Instant;
use squall_world::{ByteStream, Direction, Interceptor, Passed, Tamper};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

/// Listens on a free port and passes everything on to `target`, tampered with.
///
/// It serves until the test process ends.
pub(crate) fn start(
    target: SocketAddr,
    tamper: impl FnOnce() -> Box<dyn Tamper> + Send + 'static,
) -> SocketAddr {
    start_at(0, target, tamper)
}

/// The same on `port`; 0 is a free one.
pub(crate) fn start_at(
    port: u16,
    target: SocketAddr,
    tamper: impl FnOnce() -> Box<dyn Tamper> + Send + 'static,
) -> SocketAddr {
    let address = (Ipv4Addr::LOCALHOST, port);
    let listener = std::net::TcpListener::bind(address).expect("the port is free");
    let address = listener.local_addr().expect("it listens");
    listener.set_nonblocking(true).expect("it can be set");
    thread::spawn(move || {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("it can be made");
        let proxy = Rc::new(Proxy {
            interceptor: RefCell::new(Interceptor::new(tamper())),
            start: time::Instant::now(),
        });
        LocalSet::new().block_on(&runtime, accept(proxy, listener, target))
    });
    address
}

struct Proxy {
    interceptor: RefCell<Interceptor>,
    start: time::Instant,
}

/// What goes on to one end of a connection, in order.
type Outgoing = UnboundedSender<Passed>;

#[derive(Clone)]
struct Ends {
    to_broker: Outgoing,
    to_device: Outgoing,
}

async fn accept(proxy: Rc<Proxy>, listener: std::net::TcpListener, target: SocketAddr) {
    let listener = TcpListener::from_std(listener).expect("it is a listener");
    for number in 0.. {
        let Ok((device, _)) = listener.accept().await else {
            return;
        };
        let Ok(broker) = TcpStream::connect(target).await else {
            continue;
        };
        let (device_in, device_out) = device.into_split();
        let (broker_in, broker_out) = broker.into_split();
        let (to_broker, for_broker) = unbounded_channel();
        let (to_device, for_device) = unbounded_channel();
        let ends = Ends {
            to_broker,
            to_device,
        };
        let socket = SocketId(number);
        let reading = [
            (device_in, Direction::ToBroker),
            (broker_in, Direction::ToDevice),
        ];
        for (input, direction) in reading {
            spawn_local(read(
                Rc::clone(&proxy),
                ByteStream { socket, direction },
                input,
                ends.clone(),
            ));
        }
        for (output, passed) in [(broker_out, for_broker), (device_out, for_device)] {
            spawn_local(write(output, passed));
        }
    }
}

async fn read(proxy: Rc<Proxy>, from: ByteStream, mut input: OwnedReadHalf, ends: Ends) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = input.read(&mut buffer).await.unwrap_or(0);
        let mut passed = Vec::new();
        {
            let mut interceptor = proxy.interceptor.borrow_mut();
            let nanos = u64::try_from(proxy.start.elapsed().as_nanos()).expect("tests are short");
            match count {
                0 => interceptor.handle_end(from, &mut passed),
                _ => interceptor.handle_bytes(
                    Instant::from_nanos(nanos),
                    from,
                    &buffer[..count],
                    &mut passed,
                ),
            }
        }
        for step in passed {
            let (broker, device) = (ends.to_broker.clone(), ends.to_device.clone());
            // An end that is gone takes nothing more.
            let _ = match step {
                Passed::Bytes {
                    direction: Direction::ToBroker,
                    ..
                }
                | Passed::End(Direction::ToBroker) => broker.send(step),
                Passed::Bytes {
                    direction: Direction::ToDevice,
                    ..
                }
                | Passed::End(Direction::ToDevice) => device.send(step),
                Passed::Close => broker.send(Passed::Close).and(device.send(Passed::Close)),
            };
        }
        if count == 0 {
            return;
        }
    }
}

/// Writes until the stream ends; dropping the half ends it for the peer.
async fn write(
    mut output: OwnedWriteHalf,
    mut passed: UnboundedReceiver<Passed>,
) -> io::Result<()> {
    while let Some(Passed::Bytes { bytes, .. }) = passed.recv().await {
        output.write_all(&bytes).await?;
    }
    output.shutdown().await
}
