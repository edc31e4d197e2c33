//! `[target.tls]`: how clients speak TLS.

use std::collections::BTreeSet;

use squall_toml::at::At;

use super::Resolver;
use crate::error::Problem;
use crate::file::{ClientTlsFile, GroupFile, TlsFile};
use crate::template::Use;
use crate::{
    AddressId, Carrier, Carriers, CertificateOwner, DeviceTemplate, OwnTls, PemFile, Tls, TlsId,
    TlsIdentity, Transport,
};

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

    /// What the devices of a group connect over, with their own client certificates if they have some.
    pub(super) fn resolve_carriers(
        &mut self,
        file: &GroupFile,
        client_id: &DeviceTemplate,
        at: &At<'_>,
    ) -> Carriers {
        let transport = match file.transport {
            Some(word) => word.into(),
            None => self.transports[0],
        };
        let (tls, own_tls) = match &file.tls {
            None => (TlsId::TARGET, None),
            Some(own) => {
                let at = at.key("tls");
                self.check_has_tls(&[transport], &at);
                let whose = Certificates {
                    own,
                    group: file,
                    client_id,
                };
                let (tls, own) = self.resolve_certificates(whose, &at);
                (tls, Some(own))
            }
        };
        // There are at most as many as a list may have, which are counted in 16 bits.
        let addresses = (0..).map(AddressId).zip(&self.transports);
        let to_addresses: Vec<Carrier> = addresses
            .filter(|(_, spoken)| **spoken == transport)
            .map(|(address, _)| Carrier {
                transport,
                tls,
                address,
            })
            .collect();
        if to_addresses.is_empty() {
            self.note_no_address(transport, &at.key("transport"));
            return Carriers::only(Carrier::default());
        }
        Carriers {
            to_addresses,
            own_tls,
        }
    }

    fn note_no_address(&mut self, transport: Transport, at: &At<'_>) {
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
        self.contradiction(at, what, remedy);
    }

    /// The client certificates of a group: one for all, or one for each device where a path has a placeholder.
    fn resolve_certificates(&mut self, whose: Certificates<'_>, at: &At<'_>) -> (TlsId, OwnTls) {
        let Certificates {
            own,
            group,
            client_id,
        } = whose;
        let [cert, key] = [("cert", &own.cert), ("key", &own.key)].map(|(name, text)| {
            let fixed = self.fixed(&group.name);
            let template = DeviceTemplate::parse(text, Use::DeviceText, &fixed);
            self.or_note(template, &at.key(name))
        });
        let mut resolved = OwnTls {
            cert: own.cert.clone(),
            key: own.key.clone(),
            owner: CertificateOwner::Group,
        };
        let (Some(cert), Some(key)) = (cert, key) else {
            return (TlsId::TARGET, resolved);
        };
        if cert.is_literal() && key.is_literal() {
            let identity = self.read_identity([&cert.render(0, ""), &key.render(0, "")], at);
            return (self.id_of(identity), resolved);
        }
        resolved.owner = CertificateOwner::Device;
        let first = self.next_tls_id();
        for index in 0..group.count {
            let client_id = client_id.render(index, "");
            let paths = [&cert, &key].map(|path| path.render(index, &client_id));
            let identity = self.read_identity([&paths[0], &paths[1]], at);
            if identity.is_none() {
                // What one file lacks, all the others may.
                break;
            }
            self.keep_tls(identity);
        }
        (first, resolved)
    }

    fn read_identity(&mut self, [cert, key]: [&str; 2], at: &At<'_>) -> Option<TlsIdentity> {
        let certificate = self.read_pem(Some(cert), &at.key("cert"));
        let key = self.read_pem(Some(key), &at.key("key"));
        certificate
            .zip(key)
            .map(|(certificate, key)| TlsIdentity { certificate, key })
    }

    /// Names what `[target]` says of TLS with `identity`, which another group may show too.
    fn id_of(&mut self, identity: Option<TlsIdentity>) -> TlsId {
        let known = self
            .tls_of_groups
            .iter()
            .position(|known| known.identity == identity);
        match known {
            Some(place) => tls_id(place),
            None => {
                let id = self.next_tls_id();
                self.keep_tls(identity);
                id
            }
        }
    }

    fn keep_tls(&mut self, identity: Option<TlsIdentity>) {
        self.tls_of_groups.push(Tls {
            identity,
            ..self.target_tls.clone()
        });
    }

    /// The name of what is kept next.
    fn next_tls_id(&self) -> TlsId {
        tls_id(self.tls_of_groups.len())
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

/// The client certificates that a group asks for, and what their paths may name.
struct Certificates<'a> {
    own: &'a ClientTlsFile,
    group: &'a GroupFile,
    client_id: &'a DeviceTemplate,
}

/// The name of what groups say of TLS at `place`: `[target]` has the first one.
fn tls_id(place: usize) -> TlsId {
    let after_target = place + 1;
    TlsId(u32::try_from(after_target).expect("devices are counted in 32 bits and have one each"))
}

/// Each of `transports` once, in words.
fn names(transports: &[Transport]) -> String {
    let names = transports.iter().map(|transport| transport.name());
    let names: BTreeSet<&str> = names.collect();
    Vec::from_iter(names).join(", ")
}
