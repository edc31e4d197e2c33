//! How the clients of a scenario speak TLS, from the files that it names.

use std::time::Duration;

use squall_scenario::{PemFile, Scenario, Tls, TlsIdentity};
use squall_transport::{
    ClientIdentity, SettingsError, TlsClient, TlsSettings, Trust, certificates, private_key,
};

/// What is wrong with the files of TLS that a scenario names.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClientsError {
    /// A file that does not hold what it should.
    #[error("{key}, '{path}': {fault}")]
    File {
        /// The key of the scenario that names it.
        key: String,
        /// Its path as the scenario has it.
        path: String,
        /// What is wrong with it.
        fault: SettingsError,
    },
    /// Files that do not go together.
    #[error(transparent)]
    Together(SettingsError),
}

/// The clients of `scenario` by [`TlsId`](squall_scenario::TlsId), which check certificates against `wall_clock`, time
/// since the Unix epoch. `of_system` gives the CAs that are trusted where the scenario names none.
///
/// Errors if a file does not hold what it should, and as `of_system` does.
pub fn tls_clients<E: From<ClientsError>>(
    scenario: &Scenario,
    wall_clock: fn() -> Duration,
    of_system: impl FnOnce() -> Result<Trust, E>,
) -> Result<Vec<TlsClient>, E> {
    let tls = &scenario.tls;
    let trust = match (&tls.ca, tls.is_insecure) {
        (_, true) => Trust::Anyone,
        (Some(file), false) => Trust::Ca(parse(file, "target.tls.ca", certificates)?),
        (None, false) => of_system()?,
    };
    let of_target = TlsClient::new(TlsSettings {
        trust,
        identity: identity(tls, "target.tls")?,
        wall_clock,
    });
    let of_target = of_target.map_err(ClientsError::Together)?;
    let mut clients = vec![of_target.clone()];
    for tls in &scenario.tls_of_groups {
        clients.push(of_group(tls, &of_target)?);
    }
    Ok(clients)
}

/// The client of a group, or of one of its devices, which trusts whom `of_target` does.
fn of_group(tls: &Tls, of_target: &TlsClient) -> Result<TlsClient, ClientsError> {
    let (Some(files), Some(identity)) = (&tls.identity, identity(tls, "group.tls")?) else {
        return Ok(of_target.clone());
    };
    let client = of_target.showing(identity);
    client.map_err(|fault| in_file(&files.certificate, "group.tls.cert", fault))
}

/// The client certificate that the block `place` names.
fn identity(tls: &Tls, place: &str) -> Result<Option<ClientIdentity>, ClientsError> {
    let Some(TlsIdentity { certificate, key }) = &tls.identity else {
        return Ok(None);
    };
    Ok(Some(ClientIdentity {
        certificates: parse(certificate, &format!("{place}.cert"), certificates)?,
        key: parse(key, &format!("{place}.key"), private_key)?,
    }))
}

fn parse<T>(
    file: &PemFile,
    key: &str,
    parse: impl FnOnce(&[u8]) -> Result<T, SettingsError>,
) -> Result<T, ClientsError> {
    parse(&file.bytes).map_err(|fault| in_file(file, key, fault))
}

fn in_file(file: &PemFile, key: &str, fault: SettingsError) -> ClientsError {
    ClientsError::File {
        key: key.to_owned(),
        path: file.path.clone(),
        fault,
    }
}
