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
pub struct TlsId(pub u32);

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

/// What the connections of a group run over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Carriers {
    /// One for each address of the target that speaks the group's transport, at least one; with the certificate of the
    /// device that has `{index}` 0.
    pub to_addresses: Vec<Carrier>,
    /// The client certificates of its devices, as the file writes them; `None` for that of `[target]`.
    pub own_tls: Option<OwnTls>,
}

/// The files of the client certificates of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnTls {
    /// Path of the certificate, a template.
    pub cert: String,
    /// Path of its key, a template.
    pub key: String,
    /// Whose they are.
    pub owner: CertificateOwner,
}

/// Whose a client certificate is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CertificateOwner {
    /// All devices of the group show the same.
    Group,
    /// Each device has its own; their [`TlsId`]s follow that of the first.
    Device,
}

impl Carriers {
    /// Those of squall's own clients, which have one.
    pub fn only(carrier: Carrier) -> Self {
        Self {
            to_addresses: vec![carrier],
            own_tls: None,
        }
    }

    /// What the device with `index` connects over when it has gone on to another address for `moved` times.
    pub fn of(&self, index: u32, moved: u32) -> Carrier {
        let turn = index as usize + moved as usize;
        let carrier = self.to_addresses[turn % self.to_addresses.len()];
        let owner = self.own_tls.as_ref().map(|own| own.owner);
        let certificate = match owner {
            Some(CertificateOwner::Device) => index,
            Some(CertificateOwner::Group) | None => 0,
        };
        Carrier {
            tls: TlsId(carrier.tls.0 + certificate),
            ..carrier
        }
    }
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

    /// Round trips of the handshakes above TCP: one of TLS, as 1.3 has (RFC 8446, section 2), and one of WebSocket (RFC
    /// 6455, section 1.3).
    pub const fn handshake_round_trips(self) -> u8 {
        match self {
            Self::Tcp => 0,
            Self::Tls | Self::Ws => 1,
            Self::Wss => 2,
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
