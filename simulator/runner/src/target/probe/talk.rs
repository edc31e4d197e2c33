//! One connection of the probe: CONNECT, CONNACK and a goodbye.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use squall_protocol::codec::{DecodeRules, PacketReader, encode};
use squall_protocol::packet::{Connect, ConnectProperties, Disconnect, Packet};
use squall_protocol::{ReasonCode, Version};
use squall_scenario::{ClientLogin, Login};
use squall_transport::Transport;

use super::Door;

/// Bytes that are shown of an answer that is not MQTT.
const ANSWER_BYTES_SHOWN: usize = 32;
/// What the probe asks for is small.
const PACKET_BYTES_MAX: u32 = 64 * 1024;
/// Every broker speaks it.
const VERSION: Version = Version::V3_1_1;

/// One CONNECT, and what CONNACK says; an error of any kind means that there is no MQTT broker, yet.
pub(super) async fn attempt(door: Door<'_>) -> anyhow::Result<ReasonCode> {
    let (talk, reason) = Talk::begin(door).await?;
    talk.end().await;
    Ok(reason)
}

/// One connection of the probe.
pub(super) struct Talk {
    stream: TcpStream,
    layers: Transport,
    /// To be sent.
    wire: Vec<u8>,
    reader: PacketReader,
    /// What was heard and not read yet.
    heard: Vec<u8>,
}

impl Talk {
    /// Connects, and reads the CONNACK.
    pub(super) async fn begin(door: Door<'_>) -> anyhow::Result<(Self, ReasonCode)> {
        let mut talk = Self {
            stream: TcpStream::connect(door.address).await?,
            layers: door.layers.open_own(),
            wire: Vec::new(),
            reader: PacketReader::default(),
            heard: Vec::new(),
        };
        talk.shake_hands().await?;
        let connect = probe_connect(door.login);
        talk.say(&Packet::Connect(Box::new(connect))).await?;
        let reason = talk.next(reason_of).await?;
        Ok((talk, reason))
    }

    /// What `wanted` takes of the next packet.
    ///
    /// # Errors
    /// The connection ends, what comes is not MQTT, or is a packet that `wanted` takes nothing of.
    pub(super) async fn next<T>(
        &mut self,
        wanted: impl Fn(&Packet<'_>) -> Option<T>,
    ) -> anyhow::Result<T> {
        let rules = DecodeRules {
            version: Some(VERSION),
            maximum_packet_size: PACKET_BYTES_MAX,
        };
        loop {
            let mut input = self.heard.as_slice();
            let taken = match self.reader.poll_packet(&mut input, &rules) {
                Ok(Some(packet)) => Some(wanted(&packet)),
                Ok(None) => None,
                Err(_) => Some(None),
            };
            if let Some(None) = taken {
                anyhow::bail!(
                    "what listens there does not speak MQTT, it answers \"{}\"",
                    beginning(&self.heard)
                );
            }
            let read = self.heard.len() - input.len();
            self.heard.drain(..read);
            if let Some(Some(taken)) = taken {
                return Ok(taken);
            }
            self.hear().await?;
        }
    }

    /// Says goodbye. Whether the other end still reads that does not matter.
    pub(super) async fn end(mut self) {
        let goodbye = Packet::Disconnect(Disconnect::default());
        let _ = self.say(&goodbye).await;
        self.layers.close(&mut self.wire);
        let _ = self.send().await;
    }

    /// Agrees on TLS and WebSocket, where they are asked for.
    async fn shake_hands(&mut self) -> anyhow::Result<()> {
        while !self.layers.is_ready() {
            self.layers.take_wire(&mut self.wire);
            self.send().await?;
            self.hear().await?;
        }
        self.layers.take_wire(&mut self.wire);
        self.send().await
    }

    /// Sends one packet.
    pub(super) async fn say(&mut self, packet: &Packet<'_>) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        encode(packet, VERSION, &mut bytes);
        self.layers.wrap(&bytes, &mut self.wire)?;
        self.send().await
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&self.wire).await?;
        self.wire.clear();
        Ok(())
    }

    /// Reads once.
    async fn hear(&mut self) -> anyhow::Result<()> {
        let mut buffer = [0; 4096];
        let count = self.stream.read(&mut buffer).await?;
        if count == 0 {
            self.layers.feed_end()?;
            anyhow::bail!("the connection was closed without a CONNACK");
        }
        let fed = self.layers.feed(&buffer[..count], &mut self.heard);
        if fed.is_err() {
            // The other end is told why, if it still listens.
            self.layers.take_wire(&mut self.wire);
            let _ = self.send().await;
        }
        Ok(fed?)
    }
}

fn reason_of(packet: &Packet<'_>) -> Option<ReasonCode> {
    let Packet::Connack(connack) = packet else {
        return None;
    };
    Some(connack.reason)
}

/// The first letters of an answer, what cannot be printed escaped.
fn beginning(answer: &[u8]) -> String {
    let shown = &answer[..answer.len().min(ANSWER_BYTES_SHOWN)];
    shown.escape_ascii().to_string()
}

fn probe_connect(login: &Login) -> Connect {
    let client_id = format!("squall-probe-{}", std::process::id());
    let ClientLogin {
        user_name,
        password,
    } = login.of(0, &client_id);
    Connect {
        version: VERSION,
        clean_start: true,
        keep_alive: 10,
        client_id,
        will: None,
        // 3.1.1 has no password without a user name [3.1.1: MQTT-3.1.2-22].
        password: password.filter(|_| user_name.is_some()),
        user_name,
        properties: ConnectProperties::default(),
    }
}
