//! What lies between TCP and MQTT at each address of a target, at both ends.

use std::sync::Arc;

use squall_scenario::{Carrier, Scenario, Target, UrlTarget};
use squall_transport::{
    Listener, SettingsError, TlsClient, TlsServer, Transport, WebSocketService, WebSocketTarget,
};

use super::ends::Ends;
use super::throwaway::throwaway;

/// The longest frame that the broker takes: the longest packet of MQTT (§1.5.5, §2.1.4), with its header.
const FRAME_BYTES_MAX: usize = 268_435_455 + 5;

/// The name of a broker that squall starts, as over sockets.
const LOCAL_NAME: &str = "localhost";

/// TLS and WebSocket of the devices of one scenario, and of its broker.
#[derive(Clone, Debug)]
pub struct Layers {
    /// By [`AddressId`](squall_scenario::AddressId).
    addresses: Vec<Address>,
    clients: Clients,
}

#[derive(Clone, Debug)]
struct Address {
    url: UrlTarget,
    /// The name that the broker's certificate must be for.
    server_name: String,
    listener: Listener,
}

#[derive(Clone, Debug)]
enum Clients {
    /// None speaks TLS.
    Without,
    /// All speak it alike.
    Alike(TlsClient),
    /// By [`TlsId`](squall_scenario::TlsId).
    Each(Vec<TlsClient>),
}

impl Layers {
    /// Those of a broker whose certificate is of a CA made here, which all devices trust in place of what the scenario
    /// says: it is not the broker that the scenario is about. It asks for no client certificates. `None` if all
    /// connections are plain TCP.
    ///
    /// Errors if the name of a target cannot be that of a server.
    pub fn rehearsed(scenario: &Scenario) -> Result<Option<Self>, SettingsError> {
        let transports = scenario.target.transports();
        if !transports
            .iter()
            .any(|transport| transport.has_tls() || transport.has_web_socket())
        {
            return Ok(None);
        }
        let (clients, server) = match transports.iter().any(|transport| transport.has_tls()) {
            false => (Clients::Without, None),
            true => {
                let names = urls(scenario)
                    .iter()
                    .map(|url| server_name(scenario, url))
                    .collect();
                let (client, server) = throwaway(names)?;
                (Clients::Alike(client), Some(server))
            }
        };
        Self::checked(scenario, clients, server.as_ref()).map(Some)
    }

    /// Those of a broker that is `server` wherever TLS is spoken, and of these clients by
    /// [`TlsId`](squall_scenario::TlsId), as [`tls_clients`](crate::tls_clients) makes them.
    ///
    /// Errors if the name of a target cannot be that of a server.
    pub fn between(
        scenario: &Scenario,
        clients: Vec<TlsClient>,
        server: &TlsServer,
    ) -> Result<Self, SettingsError> {
        Self::checked(scenario, Clients::Each(clients), Some(server))
    }

    fn checked(
        scenario: &Scenario,
        clients: Clients,
        server: Option<&TlsServer>,
    ) -> Result<Self, SettingsError> {
        let address = |url: UrlTarget| Address {
            server_name: server_name(scenario, &url),
            listener: listener(&url, server),
            url,
        };
        let layers = Self {
            addresses: urls(scenario).into_iter().map(address).collect(),
            clients,
        };
        for address in &layers.addresses {
            layers.client(address, Carrier::default())?;
        }
        Ok(layers)
    }

    /// Both ends of a new connection; `None` where MQTT is straight on TCP.
    pub(super) fn open(&self, carrier: Carrier) -> Option<Ends> {
        let address = &self.addresses[usize::from(carrier.address.0)];
        let Listener { tls, web_socket } = &address.listener;
        if tls.is_none() && web_socket.is_none() {
            return None;
        }
        let device = self.client(address, carrier);
        let device = device.expect("one like it was opened before");
        Some(Ends::new(device, Transport::accept(&address.listener)))
    }

    fn client(&self, address: &Address, carrier: Carrier) -> Result<Transport, SettingsError> {
        let tls = match (&address.listener.tls, &self.clients) {
            (None, _) | (Some(_), Clients::Without) => None,
            (Some(_), Clients::Alike(client)) => Some(client),
            (Some(_), Clients::Each(clients)) => Some(&clients[carrier.tls.0 as usize]),
        };
        let transport = match tls {
            None => Transport::plain(),
            Some(client) => Transport::tls(client, &address.server_name)?,
        };
        match &address.listener.web_socket {
            None => Ok(transport),
            Some(_) => transport.with_web_socket(&WebSocketTarget {
                host: address.url.http_host(),
                path: address.url.path.clone(),
            }),
        }
    }
}

/// The addresses of the target; that of a broker which squall starts is one of this machine.
fn urls(scenario: &Scenario) -> Vec<UrlTarget> {
    match &scenario.target {
        Target::Url(urls) => urls.clone(),
        Target::Embedded | Target::Spawn(_) => {
            let port = scenario.target.transport().port_default();
            vec![scenario.target.local_url(([127, 0, 0, 1], port).into())]
        }
    }
}

fn server_name(scenario: &Scenario, url: &UrlTarget) -> String {
    let default = match &scenario.target {
        Target::Url(_) => &url.host,
        Target::Embedded | Target::Spawn(_) => LOCAL_NAME,
    };
    scenario.tls.sni.as_deref().unwrap_or(default).to_owned()
}

fn listener(url: &UrlTarget, server: Option<&TlsServer>) -> Listener {
    let web_socket = url.transport.has_web_socket().then(|| {
        Arc::new(WebSocketService {
            paths: vec![url.path.clone()],
            frame_bytes_max: FRAME_BYTES_MAX,
        })
    });
    Listener {
        tls: server.filter(|_| url.transport.has_tls()).cloned(),
        web_socket,
    }
}
