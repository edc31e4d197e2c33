//! What is between TCP and MQTT: the caller says, and each connection opens its own.

use std::fmt::Debug;

use squall_transport::Transport;

/// What connections have between TCP and MQTT.
pub trait OpenLayers: Debug + Send + Sync {
    /// Those of a new connection; `None` where MQTT is straight on TCP.
    fn open(&self) -> Option<Transport>;
}
