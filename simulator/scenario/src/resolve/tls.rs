//! `[target.tls]`: how clients speak TLS.

use squall_toml::at::At;

use super::Resolver;
use crate::error::Problem;
use crate::file::{ClientTlsFile, GroupFile, TlsFile};
use crate::{AddressId, Carrier, PemFile, Tls, TlsId, TlsIdentity, Transport};

impl Resolver<'_> {
    /// Resolves how clients speak TLS to the target; nothing special if the file says nothing.
    pub(super) fn resolve_tls(&mut self, file: Option<&TlsFile>, at: &At<'_>) -> Tls {
        let Some(file) = file else {
            return Tls::default();
        };
        self.check_has_tls(&self.transports.clone(), at);
        let is_insecure = file.insecure.unwrap_or(false);
        if is_insecure && file.ca.is_some() {
            self.exactly_one("`tls`", &["ca", "insecure"], at);
        }
        self.needed_both(at, ["cert", "key"]);
        let certificate = self.read_pem(file.cert.as_deref(), &at.key("cert"));
        let key = self.read_pem(file.key.as_deref(), &at.key("key"));
        Tls {
            ca: self.read_pem(file.ca.as_deref(), &at.key("ca")),
            identity: certificate
                .zip(key)
                .map(|(certificate, key)| TlsIdentity { certificate, key }),
            sni: file.sni.clone(),
            is_insecure,
        }
    }

    /// Notes if none of `transports` has what the block at `at` is about.
    fn check_has_tls(&mut self, transports: &[Transport], at: &At<'_>) {
        if !transports.iter().any(|transport| transport.has_tls()) {
            let what = format!(
                "`tls` is about TLS, and clients speak {} to this target",
                names(transports)
            );
            let remedy = "`target.url` with `mqtts://…` or `wss://…`, or with `target.spawn` \
                          `target.transport = \"tls\"`";
            self.contradiction(at, what, remedy.to_owned());
        }
    }

    /// What the devices of a group connect over, with its own client certificate if it has one.
    pub(super) fn resolve_carriers(&mut self, file: &GroupFile, at: &At<'_>) -> Vec<Carrier> {
        let transport = match file.transport {
            Some(word) => word.into(),
            None => self.transports[0],
        };
        let tls = self.resolve_group_tls(file.tls.as_ref(), transport, &at.key("tls"));
        // There are at most as many as a list may have, which are counted in 16 bits.
        let addresses = (0..).map(AddressId).zip(&self.transports);
        let carriers: Vec<Carrier> = addresses
            .filter(|(_, spoken)| **spoken == transport)
            .map(|(address, _)| Carrier {
                transport,
                tls,
                address,
            })
            .collect();
        if carriers.is_empty() {
            let what = format!(
                "the target has no address for {}, only for {}",
                transport.name(),
                names(&self.transports)
            );
            let remedy = format!(
                "an address of it in `target.url`, such as `{}://host:{}`",
                transport.scheme(),
                transport.port_default()
            );
            self.contradiction(&at.key("transport"), what, remedy);
            return vec![Carrier::default()];
        }
        carriers
    }

    fn resolve_group_tls(
        &mut self,
        file: Option<&ClientTlsFile>,
        transport: Transport,
        at: &At<'_>,
    ) -> TlsId {
        let Some(file) = file else {
            return TlsId::TARGET;
        };
        self.check_has_tls(&[transport], at);
        let certificate = self.read_pem(Some(&file.cert), &at.key("cert"));
        let key = self.read_pem(Some(&file.key), &at.key("key"));
        let identity = certificate
            .zip(key)
            .map(|(certificate, key)| TlsIdentity { certificate, key });
        let tls = Tls {
            identity,
            ..self.target_tls.clone()
        };
        let known = self.tls_of_groups.iter().position(|known| *known == tls);
        let place = known.unwrap_or_else(|| {
            self.tls_of_groups.push(tls);
            self.tls_of_groups.len() - 1
        });
        // There are at most as many as groups, which are counted in 16 bits.
        TlsId(u16::try_from(place + 1).unwrap_or(u16::MAX))
    }

    /// Notes that one of two keys is written without the other.
    fn needed_both(&mut self, at: &At<'_>, [one, other]: [&str; 2]) {
        for (present, missing) in [(one, other), (other, one)] {
            if at.key(present).is_written() && !at.key(missing).is_written() {
                let problem = Problem::MissingKey {
                    place: format!("`tls` with `{present}`"),
                    keys: vec![missing.to_owned()],
                };
                self.diagnostics.key(at, problem);
            }
        }
    }

    fn read_pem(&mut self, path: Option<&str>, at: &At<'_>) -> Option<PemFile> {
        let path = path?;
        match self.surroundings.file(path) {
            Ok(bytes) => Some(PemFile {
                path: path.to_owned(),
                bytes: bytes.into(),
            }),
            Err(error) => {
                let what = error.to_string();
                self.contradiction(at, what, "the path of a file in PEM".to_owned());
                None
            }
        }
    }
}

/// Each of `transports` once, in words.
fn names(transports: &[Transport]) -> String {
    let mut names: Vec<&str> = transports
        .iter()
        .map(|transport| transport.name())
        .collect();
    names.dedup();
    names.join(", ")
}
