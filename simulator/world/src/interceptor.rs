//! Makes packets of byte streams for a [`Tamper`], and byte streams of what it lets through.

use std::collections::BTreeMap;
use std::time::Duration;

use squall_fleet::SocketId;
use squall_protocol::{
    Instant, Version,
    codec::{DecodeRules, PACKET_BYTES_MAX, PacketReader},
    packet::Packet,
};

use super::tamper::{ByteStream, Direction, Passed, Passing, Tamper, Tampered, TamperedClose};

/// Applies one [`Tamper`] to the byte streams of any number of connections.
///
/// Bytes that are not MQTT pass as they are, and so does everything after them: tampering stops there,
/// the connection goes on.
pub struct Interceptor {
    tamper: Box<dyn Tamper>,
    connections: BTreeMap<SocketId, Intercepted>,
}

/// The two readers of one connection, and what is known of its client.
#[derive(Default)]
struct Intercepted {
    version: Option<Version>,
    client_id: String,
    /// The bytes of a packet that is not whole yet.
    to_broker: Stream,
    to_device: Stream,
}

#[derive(Default)]
struct Stream {
    pending: Vec<u8>,
    is_opaque: bool,
}

impl Interceptor {
    /// Tampers with every connection whose bytes [`Self::handle_bytes`] is given.
    pub fn new(tamper: Box<dyn Tamper>) -> Self {
        Self {
            tamper,
            connections: BTreeMap::new(),
        }
    }

    /// Bytes came in at `now`; appends what goes on to `out`.
    pub fn handle_bytes(
        &mut self,
        now: Instant,
        from: ByteStream,
        bytes: &[u8],
        out: &mut Vec<Passed>,
    ) {
        let ByteStream { socket, direction } = from;
        let connection = self.connections.entry(socket).or_default();
        let mut pending = std::mem::take(&mut connection.stream_mut(direction).pending);
        pending.extend_from_slice(bytes);
        let mut rest = pending.as_slice();
        while !rest.is_empty() && !connection.stream_mut(direction).is_opaque {
            let before = rest;
            // A fresh reader each time: what it copies of a part is thrown away with it.
            let mut reader = PacketReader::new();
            let rules = DecodeRules {
                version: connection.version,
                maximum_packet_size: PACKET_BYTES_MAX,
            };
            match reader.poll_packet(&mut rest, &rules) {
                Ok(Some(packet)) => {
                    if let Packet::Connect(connect) = &packet {
                        connection.version = Some(connect.version);
                        connection.client_id.clone_from(&connect.client_id);
                    }
                    let mut tampered = Tampered::default();
                    let passing = Passing {
                        now,
                        socket,
                        direction,
                        version: connection.version.unwrap_or(Version::V3_1_1),
                        client_id: &connection.client_id,
                        packet: &packet,
                        bytes: &before[..before.len() - rest.len()],
                    };
                    self.tamper.handle_packet(&passing, &mut tampered);
                    out.append(&mut tampered.steps);
                }
                Ok(None) => {
                    rest = before;
                    break;
                }
                Err(_) => {
                    rest = before;
                    connection.stream_mut(direction).is_opaque = true;
                }
            }
        }
        if connection.stream_mut(direction).is_opaque && !rest.is_empty() {
            out.push(raw(direction, rest));
            rest = &[];
        }
        connection.stream_mut(direction).pending = rest.to_vec();
    }

    /// The sender in `direction` ended its stream; appends what goes on to `out`.
    pub fn handle_end(&mut self, from: ByteStream, out: &mut Vec<Passed>) {
        let ByteStream { socket, direction } = from;
        if let Some(connection) = self.connections.get_mut(&socket) {
            let pending = std::mem::take(&mut connection.stream_mut(direction).pending);
            if !pending.is_empty() {
                out.push(raw(direction, &pending));
            }
        }
        match self.tamper.handle_close(socket, direction) {
            TamperedClose::Pass => out.push(Passed::End(direction)),
            TamperedClose::Swallow => {}
        }
    }
}

impl Intercepted {
    fn stream_mut(&mut self, direction: Direction) -> &mut Stream {
        match direction {
            Direction::ToBroker => &mut self.to_broker,
            Direction::ToDevice => &mut self.to_device,
        }
    }
}

fn raw(direction: Direction, bytes: &[u8]) -> Passed {
    Passed::Bytes {
        direction,
        delay: Duration::ZERO,
        bytes: bytes.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use squall_protocol::codec::encode;
    use squall_protocol::packet::{Connect, ConnectProperties, Disconnect};

    use super::*;

    const SOCKET: SocketId = SocketId(1);

    /// Lets everything pass but PINGREQ, which it answers itself.
    struct AnswersPings;

    impl Tamper for AnswersPings {
        fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
            if *passing.packet == Packet::Pingreq {
                tampered.answer(passing, &Packet::Pingresp);
            } else {
                tampered.pass(passing);
            }
        }
    }

    fn connect() -> Packet<'static> {
        Packet::Connect(Box::new(Connect {
            version: Version::V5,
            clean_start: true,
            keep_alive: 10,
            client_id: "device".to_owned(),
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties::default(),
        }))
    }

    fn encoded(packets: &[Packet<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for packet in packets {
            encode(packet, Version::V5, &mut bytes);
        }
        bytes
    }

    /// Everything that comes out in one direction, joined.
    fn joined(passed: &[Passed], wanted: Direction) -> Vec<u8> {
        let mut all = Vec::new();
        for step in passed {
            if let Passed::Bytes {
                direction, bytes, ..
            } = step
                && *direction == wanted
            {
                all.extend_from_slice(bytes);
            }
        }
        all
    }

    /// The stream is cut at every byte: the tamper sees whole packets all the same.
    #[test]
    fn tampering_does_not_depend_on_how_bytes_are_split() {
        let disconnect = Packet::Disconnect(Disconnect::default());
        let stream = encoded(&[connect(), Packet::Pingreq, disconnect.clone()]);
        let kept = encoded(&[connect(), disconnect]);

        for cut in 0..=stream.len() {
            let mut interceptor = Interceptor::new(Box::new(AnswersPings));
            let mut out = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                let from = ByteStream {
                    socket: SOCKET,
                    direction: Direction::ToBroker,
                };
                interceptor.handle_bytes(Instant::ZERO, from, part, &mut out);
            }

            assert_eq!(joined(&out, Direction::ToBroker), kept, "cut at {cut}");
            let answer = encoded(&[Packet::Pingresp]);
            assert_eq!(joined(&out, Direction::ToDevice), answer, "cut at {cut}");
        }
    }

    /// Bytes that are not MQTT reach the broker, which has to answer them.
    #[test]
    fn bytes_that_are_not_mqtt_pass_untouched() {
        let mut interceptor = Interceptor::new(Box::new(AnswersPings));
        let mut stream = encoded(&[connect()]);
        stream.extend_from_slice(&[0x00, 0x00, 0xc0, 0x00]);
        let mut out = Vec::new();

        let from = ByteStream {
            socket: SOCKET,
            direction: Direction::ToBroker,
        };
        interceptor.handle_bytes(Instant::ZERO, from, &stream, &mut out);

        assert_eq!(joined(&out, Direction::ToBroker), stream);
    }

    /// Half a packet before the end of the stream is not kept back.
    #[test]
    fn a_part_of_a_packet_passes_with_the_end_of_the_stream() {
        let mut interceptor = Interceptor::new(Box::new(AnswersPings));
        let stream = encoded(&[connect()]);
        let half = &stream[..stream.len() / 2];
        let mut out = Vec::new();

        let from = ByteStream {
            socket: SOCKET,
            direction: Direction::ToBroker,
        };
        interceptor.handle_bytes(Instant::ZERO, from, half, &mut out);
        assert_eq!(out, []);
        interceptor.handle_end(from, &mut out);

        let expected = [
            raw(Direction::ToBroker, half),
            Passed::End(Direction::ToBroker),
        ];
        assert_eq!(out, expected);
    }
}
