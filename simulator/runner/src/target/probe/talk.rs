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
/// A CONNACK is small.
const CONNACK_BYTES_MAX: u32 = 64 * 1024;

/// One CONNECT, and what CONNACK says; an error of any kind means that there is no MQTT broker, yet.
pub(super) async fn attempt(door: Door<'_>) -> anyhow::Result<ReasonCode> {
    let mut talk = Talk {
        stream: TcpStream::connect(door.address).await?,
        layers: door.layers.open_own(),
        wire: Vec::new(),
    };
    talk.shake_hands().await?;
    let version = Version::V3_1_1;
    let connect = probe_connect(version, door.login);
    talk.say(&Packet::Connect(Box::new(connect)), version)
        .await?;

    let mut reader = PacketReader::default();
    let rules = DecodeRules {
        version: Some(version),
        maximum_packet_size: CONNACK_BYTES_MAX,
    };
    let mut heard = Vec::new();
    let reason = loop {
        heard.clear();
        talk.hear(&mut heard).await?;
        let mut input = heard.as_slice();
        match reader.poll_packet(&mut input, &rules) {
            Ok(Some(Packet::Connack(connack))) => break connack.reason,
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => anyhow::bail!(
                "what listens there does not speak MQTT, it answers \"{}\"",
                beginning(&heard)
            ),
        }
    };
    // It answered; whether it still reads our goodbye does not matter.
    let goodbye = Packet::Disconnect(Disconnect::default());
    let _ = talk.say(&goodbye, version).await;
    talk.layers.close(&mut talk.wire);
    let _ = talk.send().await;
    Ok(reason)
}

/// One connection of the probe.
struct Talk {
    stream: TcpStream,
    layers: Transport,
    /// To be sent.
    wire: Vec<u8>,
}

impl Talk {
    /// Agrees on TLS and WebSocket, where they are asked for.
    async fn shake_hands(&mut self) -> anyhow::Result<()> {
        while !self.layers.is_ready() {
            self.layers.take_wire(&mut self.wire);
            self.send().await?;
            self.hear(&mut Vec::new()).await?;
        }
        self.layers.take_wire(&mut self.wire);
        self.send().await
    }

    async fn say(&mut self, packet: &Packet<'_>, version: Version) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        encode(packet, version, &mut bytes);
        self.layers.wrap(&bytes, &mut self.wire)?;
        self.send().await
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&self.wire).await?;
        self.wire.clear();
        Ok(())
    }

    /// Reads once, and appends the MQTT in it to `heard`.
    async fn hear(&mut self, heard: &mut Vec<u8>) -> anyhow::Result<()> {
        let mut buffer = [0; 4096];
        let count = self.stream.read(&mut buffer).await?;
        if count == 0 {
            self.layers.feed_end()?;
            anyhow::bail!("the connection was closed without a CONNACK");
        }
        let fed = self.layers.feed(&buffer[..count], heard);
        if fed.is_err() {
            // The other end is told why, if it still listens.
            self.layers.take_wire(&mut self.wire);
            let _ = self.send().await;
        }
        Ok(fed?)
    }
}

/// The first letters of an answer, what cannot be printed escaped.
fn beginning(answer: &[u8]) -> String {
    let shown = &answer[..answer.len().min(ANSWER_BYTES_SHOWN)];
    shown.escape_ascii().to_string()
}

fn probe_connect(version: Version, login: &Login) -> Connect {
    let client_id = format!("squall-probe-{}", std::process::id());
    let ClientLogin {
        user_name,
        password,
    } = login.of(0, &client_id);
    Connect {
        version,
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
