//! What lies between TCP and MQTT.

/// What carries the bytes of a Network Connection (§4.2).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Transport {
    /// TCP alone: port 1883 as registered with IANA.
    #[default]
    Tcp,
    /// TLS: port 8883 as registered with IANA.
    Tls,
    /// WebSocket (§6).
    Ws,
    /// WebSocket over TLS.
    Wss,
}

/// Names what one part of a scenario says of TLS.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TlsId(pub u16);

impl TlsId {
    /// What `[target]` says.
    pub const TARGET: Self = Self(0);
}

/// Names one address of the target, by its place among them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AddressId(pub u16);

/// What a client's connections run over. By default TCP alone.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Carrier {
    /// Its layers.
    pub transport: Transport,
    /// How TLS is spoken, where the transport has it.
    pub tls: TlsId,
    /// Where they lead.
    pub address: AddressId,
}

impl Transport {
    /// The one that a URL asks for by its scheme; `None` for a scheme that no broker has.
    pub(crate) fn of_scheme(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "mqtt" | "tcp" => Self::Tcp,
            "mqtts" | "ssl" => Self::Tls,
            "ws" => Self::Ws,
            "wss" => Self::Wss,
            _ => return None,
        })
    }

    /// Its name in scenario files, run files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The scheme of its URLs.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Tcp => "mqtt",
            Self::Tls => "mqtts",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The port of a URL that names none.
    pub const fn port_default(self) -> u16 {
        match self {
            Self::Tcp => 1883,
            Self::Tls => 8883,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    /// Whether TLS is spoken.
    pub const fn has_tls(self) -> bool {
        match self {
            Self::Tls | Self::Wss => true,
            Self::Tcp | Self::Ws => false,
        }
    }

    /// Whether WebSocket is spoken.
    pub const fn has_web_socket(self) -> bool {
        match self {
            Self::Ws | Self::Wss => true,
            Self::Tcp | Self::Tls => false,
        }
    }
}
