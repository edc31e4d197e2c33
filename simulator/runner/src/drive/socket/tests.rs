//! Sockets against a peer that does not read, closes, or is slow.

use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;

/// More than the system takes for a peer that does not read.
const MUCH: usize = 32 * 1024 * 1024;

/// A peer that does not read fills a socket, and the fleet hears of it once. A half-close then
/// waits: all that was sent before it reaches the peer before the end of the stream, and there
/// is room again when it has left.
#[tokio::test(flavor = "current_thread")]
async fn a_half_close_on_a_full_socket_loses_nothing() {
    let (mut socket, mut peer) = connected().await;
    socket.queue(&vec![7; MUCH]);
    socket.flush();
    assert_eq!(socket.take_room_change(), Some(Room::Full));
    assert_eq!(socket.take_room_change(), None);

    let torn_down = socket.teardown(Teardown::HalfClose);
    let reading = thread::spawn(move || {
        let mut received = Vec::new();
        peer.read_to_end(&mut received).map(|_| received.len())
    });
    let mut reader = Reader::new(64);
    let ended = next(&mut socket, &mut reader).await;

    assert_eq!(torn_down, TornDown::Lingers);
    assert_eq!(ended, Progressed::PeerClosed(PeerClose::Fin));
    let received = reading.join().expect("the peer does not panic");
    assert_eq!(received.expect("the stream ends in order"), MUCH);
    assert_eq!(socket.take_room_change(), Some(Room::Left));
}

/// An open socket, and the peer's end of it.
async fn connected() -> (Socket, std::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let stream = TcpStream::connect(address).await.expect("it listens");
    let (peer, _) = listener.accept().expect("a connection");
    let mut socket = Socket::connecting(stream, Duration::ZERO, Clock::start());
    socket.mode = Mode::Open;
    (socket, peer)
}

pub(super) async fn next(socket: &mut Socket, reader: &mut Reader) -> Progressed {
    poll_fn(|cx| {
        let progressed = socket.poll(cx, reader);
        if progressed == Progressed::Waiting {
            return Poll::Pending;
        }
        Poll::Ready(progressed)
    })
    .await
}

/// What comes during a pause, the end included, stays with the system until the pause is over.
#[tokio::test(flavor = "current_thread")]
async fn a_paused_socket_is_read_after_the_pause() {
    let (mut socket, mut peer) = connected().await;
    let mut reader = Reader::new(64);
    socket.pause();
    peer.write_all(b"hello").expect("the socket is open");
    drop(peer);

    let meanwhile = poll_fn(|cx| Poll::Ready(socket.poll(cx, &mut reader))).await;
    let looked = socket.look(&mut reader);
    socket.resume(Instant::ZERO);
    let first = next(&mut socket, &mut reader).await;
    let second = next(&mut socket, &mut reader).await;

    assert_eq!((meanwhile, looked), (Progressed::Waiting, None));
    let is_hello = matches!(first, Progressed::Received(received) if received.count == 5);
    assert!(is_hello, "{first:?}");
    assert_eq!(second, Progressed::PeerClosed(PeerClose::Fin));
}

/// What came during a pause of 5 s and is read 2 s later has waited 2 s for the generator; what came
/// after that as long as it did.
#[tokio::test(flavor = "current_thread")]
async fn a_pause_is_not_the_generators_wait() {
    let (mut socket, _peer) = connected().await;
    let seconds = Duration::from_secs;
    let came = |ago| Received {
        count: 1,
        waited: Some(seconds(ago)),
    };
    socket.pause();
    socket.resume(Instant::ZERO + seconds(5));
    let now = Instant::ZERO + seconds(7);

    assert_eq!(socket.waited(now, came(6)), Some(seconds(2)));
    assert_eq!(socket.waited(now, came(1)), Some(seconds(1)));
}

/// A device that says goodbye while its link is full ends its connection in order, though what
/// the broker sent meanwhile is never read.
#[tokio::test(flavor = "current_thread")]
async fn a_paused_socket_ends_in_order() {
    let (mut socket, mut peer) = connected().await;
    socket.pause();
    peer.write_all(b"unread").expect("the socket is open");
    socket.queue(b"goodbye");
    socket.flush();

    let torn_down = socket.teardown(Teardown::Fin);

    let mut received = Vec::new();
    let ended = peer.read_to_end(&mut received);
    assert_eq!(torn_down, TornDown::Lingers);
    assert_eq!(received, b"goodbye");
    assert_eq!(ended.expect("the stream ends in order"), 7);
}

/// A broker that is about to send more when a device says goodbye can do so, and read the goodbye after it: it is not
/// reset before it has ended its side.
#[tokio::test(flavor = "current_thread")]
async fn a_goodbye_is_not_overtaken_by_a_reset() {
    let (mut socket, mut peer) = connected().await;
    socket.queue(b"goodbye");
    socket.flush();
    let mut reader = Reader::new(64);

    let torn_down = socket.teardown(Teardown::Fin);
    // The second write would fail after a reset that the first one brought about.
    for _ in 0..2 {
        peer.write_all(b"under way").expect("the socket takes it");
        let waiting = poll_fn(|cx| Poll::Ready(socket.poll(cx, &mut reader))).await;
        assert_eq!(waiting, Progressed::Waiting);
        tokio::task::yield_now().await;
    }
    let mut received = Vec::new();
    let ended = peer.read_to_end(&mut received);
    drop(peer);
    let gone = next(&mut socket, &mut reader).await;

    assert_eq!(torn_down, TornDown::Lingers);
    assert_eq!(ended.expect("the stream ends in order"), 7);
    assert_eq!(received, b"goodbye");
    assert_eq!(gone, Progressed::Gone);
}
