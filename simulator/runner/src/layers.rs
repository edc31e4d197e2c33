//! The layers between TCP and MQTT, as the command line or a scenario asks for them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use squall_saturate::OpenLayers;
use squall_scenario::{Scenario, Target, TlsId, UrlTarget};
use squall_transport::{
    ClientIdentity, SettingsError, TlsClient, TlsSettings, Transport, Trust, WebSocketTarget,
    certificates, private_key,
};
use squall_world::{ClientsError, tls_clients};

use crate::connect_args::TlsArgs;
use crate::exit::Failure;
use crate::remark::remark;

/// What all connections to one broker have between TCP and MQTT. A clone is cheap.
#[derive(Clone, Debug)]
pub struct Layers {
    url: UrlTarget,
    /// By [`TlsId`]; empty without TLS.
    tls: Arc<[TlsClient]>,
    /// The name that the broker's certificate must be for.
    server_name: String,
    /// How squall's own clients speak TLS.
    own: TlsId,
    is_insecure: bool,
}

impl Layers {
    /// As the options of `pub` and `sub` say.
    pub fn of_args(args: &TlsArgs, url: &UrlTarget) -> Result<Self, Failure> {
        let tls = match (url.transport.has_tls(), args.given()) {
            (true, _) => vec![client_of_args(args)?],
            (false, None) => Vec::new(),
            (false, Some(option)) => {
                return Err(Failure::Usage(format!(
                    "{option} is about TLS, and {url} is without it: use mqtts:// or wss://"
                )));
            }
        };
        let layers = Self::checked(url, tls.into(), args.sni.as_deref())?;
        Ok(Self {
            is_insecure: args.insecure,
            ..layers
        })
    }

    /// As a scenario says, for each of `urls` of its target.
    pub fn of_scenario(scenario: &Scenario, urls: &[UrlTarget]) -> Result<Vec<Self>, Failure> {
        let mut clients = Vec::new();
        if urls.iter().any(|url| url.transport.has_tls()) {
            clients = tls_clients(scenario, wall_clock, || of_system("target.tls.ca"))?;
        }
        let clients: Arc<[TlsClient]> = clients.into();
        let urls = urls.iter();
        urls.map(|url| Self::at(url, scenario, &clients)).collect()
    }

    /// Checks the files of TLS that a scenario names: certificates that can be read, and keys that belong to them.
    pub fn check_files(scenario: &Scenario) -> Result<(), Failure> {
        let any_ca = || Ok::<_, Failure>(Trust::Anyone);
        tls_clients(scenario, wall_clock, any_ca).map(drop)
    }

    fn at(
        url: &UrlTarget,
        scenario: &Scenario,
        clients: &Arc<[TlsClient]>,
    ) -> Result<Self, Failure> {
        let clients = match url.transport.has_tls() {
            true => Arc::clone(clients),
            false => Arc::default(),
        };
        let default = match &scenario.target {
            Target::Url(_) => None,
            // A broker that squall starts listens at an address; its certificate is for this name.
            Target::Embedded | Target::Spawn(_) => Some("localhost"),
        };
        let layers = Self::checked(url, clients, scenario.tls.sni.as_deref().or(default))?;
        Ok(Self {
            own: scenario.own_carrier().tls,
            is_insecure: scenario.tls.is_insecure,
            ..layers
        })
    }

    fn checked(url: &UrlTarget, tls: Arc<[TlsClient]>, sni: Option<&str>) -> Result<Self, Failure> {
        let layers = Self {
            url: url.clone(),
            tls,
            server_name: sni.unwrap_or(&url.host).to_owned(),
            own: TlsId::TARGET,
            is_insecure: false,
        };
        layers
            .try_open(TlsId::TARGET)
            .map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(layers)
    }

    /// What a reader of the report has to know of them.
    pub fn described(&self) -> BTreeMap<String, String> {
        let insecure = self.is_insecure.then(|| {
            let text = "any certificate is accepted (insecure): the other end may have been anyone";
            ("tls".to_owned(), text.to_owned())
        });
        insecure.into_iter().collect()
    }

    /// Where the broker is.
    pub fn url(&self) -> &UrlTarget {
        &self.url
    }

    /// Those of a new connection that speaks TLS as `id` says; `None` where MQTT is straight on TCP.
    pub fn open(&self, id: TlsId) -> Option<Transport> {
        let opened = self.try_open(id).expect("one like it was opened before");
        let is_plain = self.tls.is_empty() && !self.url.transport.has_web_socket();
        (!is_plain).then_some(opened)
    }

    /// Those of a new connection of squall's own clients, which may have none.
    pub fn open_own(&self) -> Transport {
        self.open(self.own).unwrap_or_else(Transport::plain)
    }

    fn try_open(&self, id: TlsId) -> Result<Transport, SettingsError> {
        let transport = match self.tls.is_empty() {
            true => Transport::plain(),
            // Never without TLS where the address is of it: the scenario has as many as it names.
            false => Transport::tls(&self.tls[id.0 as usize], &self.server_name)?,
        };
        if !self.url.transport.has_web_socket() {
            return Ok(transport);
        }
        transport.with_web_socket(&WebSocketTarget {
            host: self.url.http_host(),
            path: self.url.path.clone(),
        })
    }
}

impl OpenLayers for Layers {
    fn open(&self) -> Option<Transport> {
        Self::open(self, self.own)
    }
}

fn client_of_args(args: &TlsArgs) -> Result<TlsClient, Failure> {
    let trust = match (&args.ca, args.insecure) {
        (_, true) => {
            remark("warning: --insecure accepts any certificate: the other end may be anyone");
            Trust::Anyone
        }
        (Some(file), false) => Trust::Ca(read(file, certificates)?),
        (None, false) => of_system("--ca")?,
    };
    let identity = match (&args.cert, &args.key) {
        (Some(cert), Some(key)) => Some(ClientIdentity {
            certificates: read(cert, certificates)?,
            key: read(key, private_key)?,
        }),
        (Some(_) | None, None) | (None, Some(_)) => None,
    };
    client(trust, identity)
}

impl From<ClientsError> for Failure {
    fn from(error: ClientsError) -> Self {
        Self::Usage(error.to_string())
    }
}

fn client(trust: Trust, identity: Option<ClientIdentity>) -> Result<TlsClient, Failure> {
    let settings = TlsSettings {
        trust,
        identity,
        wall_clock,
    };
    TlsClient::new(settings).map_err(|error| Failure::Usage(error.to_string()))
}

/// The CAs of this system; `key` names others.
fn of_system(key: &str) -> Result<Trust, Failure> {
    let found = rustls_native_certs::load_native_certs();
    match found.certs.is_empty() {
        true => Err(Failure::Usage(format!(
            "this system has no CA certificates: name a file of them with {key}"
        ))),
        false => Ok(Trust::Ca(found.certs)),
    }
}

/// Time since the Unix epoch; zero on a machine whose clock is before it, where no certificate is valid.
fn wall_clock() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

fn read<T>(
    file: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, SettingsError>,
) -> Result<T, Failure> {
    let name = file.display();
    let bytes =
        fs::read(file).map_err(|error| Failure::Usage(format!("cannot read '{name}': {error}")))?;
    parse(&bytes).map_err(|error| Failure::Usage(format!("'{name}': {error}")))
}
