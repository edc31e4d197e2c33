//! Ways to break a promise.

use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{
    Version,
    codec::{encode, encode_publish},
    packet::{Packet, Publish},
    topic::TopicName,
};
use squall_world::{Direction, Passing, Tamper, Tampered, TamperedClose};

/// Something that is asked about every packet; what it does not touch passes.
pub(crate) struct Script<F> {
    handle: F,
}

/// What a script did with a packet.
pub(crate) enum Outcome {
    /// Nothing: the packet passes.
    Pass,
    /// It has said what goes on.
    Done,
}

/// A tamper that does what `handle` says.
pub(crate) fn script<F>(handle: F) -> Script<F>
where
    F: FnMut(&Passing<'_>, &mut Tampered) -> Outcome,
{
    Script { handle }
}

impl<F> Tamper for Script<F>
where
    F: FnMut(&Passing<'_>, &mut Tampered) -> Outcome,
{
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        match (self.handle)(passing, tampered) {
            Outcome::Pass => tampered.forward(passing.direction, passing.bytes),
            Outcome::Done => {}
        }
    }
}

/// Does something to the packets that `choose` takes, the one with number `number` of them only,
/// counted from 0.
pub(crate) fn once(
    number: usize,
    choose: impl Fn(&Passing<'_>) -> bool,
    mut act: impl FnMut(&Passing<'_>, &mut Tampered),
) -> impl Tamper {
    let mut seen = 0;
    script(move |passing, tampered| {
        if !choose(passing) {
            return Outcome::Pass;
        }
        seen += 1;
        if seen != number + 1 {
            return Outcome::Pass;
        }
        act(passing, tampered);
        Outcome::Done
    })
}

/// The PUBLISH that is on its way to a device, if that is what passes.
pub(crate) fn to_device<'a>(passing: &'a Passing<'_>) -> Option<&'a Publish<'a>> {
    if let (Direction::ToDevice, Packet::Publish(publish)) = (passing.direction, passing.packet) {
        Some(publish)
    } else {
        None
    }
}

/// Whether a PUBLISH to the device `client_id` passes whose topic begins with `topic`.
pub(crate) fn is_to(passing: &Passing<'_>, client_id: &str, topic: &str) -> bool {
    passing.client_id == client_id
        && to_device(passing).is_some_and(|publish| publish.topic.as_str().starts_with(topic))
}

/// The bytes of `publish`.
pub(crate) fn publish_bytes(publish: &Publish<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_publish(publish, version, &mut bytes);
    bytes
}

/// The bytes of `packet`.
pub(crate) fn packet_bytes(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(packet, version, &mut bytes);
    bytes
}

/// A Topic Name.
pub(crate) fn topic(text: &str) -> TopicName<&str> {
    TopicName::new(text).expect("tests publish to Topic Names")
}

/// Drops a packet.
pub(crate) fn drop_it(_: &Passing<'_>, _: &mut Tampered) {}

/// Lets a packet through after a while; what follows waits as well.
pub(crate) fn delay_it(by: Duration) -> impl FnMut(&Passing<'_>, &mut Tampered) {
    move |passing, tampered| tampered.forward_after(by, passing.direction, passing.bytes)
}

/// Keeps the ends of displaced connections from their devices: neither DISCONNECT nor the close
/// comes through.
#[derive(Default)]
pub(crate) struct KeepDisplaced {
    displaced: Vec<SocketId>,
}

impl Tamper for KeepDisplaced {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let is_end = passing.direction == Direction::ToDevice
            && matches!(passing.packet, Packet::Disconnect(_));
        if is_end {
            self.displaced.push(passing.socket);
        } else {
            tampered.forward(passing.direction, passing.bytes);
        }
    }

    fn handle_close(&mut self, socket: SocketId, direction: Direction) -> TamperedClose {
        if direction == Direction::ToDevice && self.displaced.contains(&socket) {
            TamperedClose::Swallow
        } else {
            TamperedClose::Pass
        }
    }
}
