//! The packets around an anomaly: what the devices that it is about sent and got.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Packets that are kept of a run at once, of all devices: those around an anomaly are copied out of them when it is
/// noticed.
pub const PACKETS_KEPT: usize = 65_536;

/// What the devices of one anomaly sent and got before and after one moment, in order of time.
///
/// Times are the device's: of what it sends before its simulated link has it, of what it gets after. The system's stamps
/// are used where there are some, so that a packet that waited for the generator has the time at which it had arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PacketTrace {
    /// The moment, since the start of the run: when the anomaly was noticed, or when a message that is lost was sent.
    pub around_s: f64,
    /// Packets from before this moment had been forgotten, and some that belong here may be among them; `None` if none were missing.
    pub kept_from_s: Option<f64>,
    /// The packets: empty if all had been forgotten.
    pub packets: Vec<TracedPacket>,
}

/// One control packet, without its bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TracedPacket {
    /// When it passed, since the start of the run.
    pub at_s: f64,
    /// Client Identifier of the device.
    pub client_id: String,
    /// Which connection of the device it is, counted from 1 over the run.
    pub connection: u64,
    /// Which way it went.
    pub direction: PacketDirection,
    /// Its name in the specification; `None` for what no packet begins with, or what the device could not read.
    pub packet: Option<String>,
    /// Whether it is a packet at all.
    pub state: TracedState,
    /// Packet Identifier, if it has one.
    pub packet_id: Option<u16>,
    /// QoS of a PUBLISH.
    pub qos: Option<u8>,
    /// The DUP flag of a PUBLISH.
    pub dup: bool,
    /// The RETAIN flag of a PUBLISH.
    pub retain: bool,
    /// Topic Name of a PUBLISH, in the middle shortened to 32 bytes; `None` where a Topic Alias stands for it.
    pub topic: Option<String>,
    /// Which message a PUBLISH is, as its stamp says.
    pub message: Option<PacketStamp>,
    /// Reason Code, in a packet that has one; in SUBACK and UNSUBACK the first error, or else the first.
    pub reason: Option<String>,
    /// Size of the payload of a PUBLISH.
    pub payload_bytes: Option<u64>,
    /// Whether it is a PUBLISH of the message that the anomaly is about.
    pub is_of_message: bool,
}

/// Publisher and sequence number of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PacketStamp {
    /// Client Identifier of its publisher.
    pub client_id: String,
    /// Sequence number in its stream.
    pub sequence: u64,
}

/// Which way a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PacketDirection {
    /// From the device to the broker.
    ToBroker,
    /// From the broker to the device.
    FromBroker,
}

/// Whether something is a control packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TracedState {
    /// It is.
    Whole,
    /// It breaks a rule of MQTT.
    Malformed,
    /// It breaks off.
    CutShort,
}
