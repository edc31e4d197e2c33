//! TLS and WebSocket: what their handshakes take.

use std::rc::Rc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use squall_fleet::{Fleet, RunTag, VIRTUAL_START};
use squall_transport::{
    ClientCertificates, TlsServer, TlsServerSettings, TlsVersions, Trust, certificates, private_key,
};
use squall_world::{ClientsError, Layers, PIPE_LATENCY, World, tls_clients};

use crate::harness;
use crate::recording::{Recording, What, quiet_broker};

/// The only version of TLS that the broker speaks, and a certificate that every device accepts.
fn server(versions: TlsVersions) -> TlsServer {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("it can be made");
    let server = TlsServer::new(TlsServerSettings {
        certificates: certificates(cert.pem().as_bytes()).expect("it is PEM"),
        key: private_key(signing_key.serialize_pem().as_bytes()).expect("it is PEM"),
        clients: ClientCertificates::Unasked,
        versions,
        wall_clock: || VIRTUAL_START,
    });
    server.expect("they belong together")
}

/// How long the only device takes from asking for a transport to CONNACK, over a link with this latency if there is one.
fn time_to_connect(transport: &str, versions: TlsVersions, latency: Option<&str>) -> Duration {
    let text = format!(
        "[target]\nspawn = \"broker {{port}}\"\ntransport = \"{transport}\"\ntls = {{ insecure = true }}\n\
         [run]\nduration = \"2s\"\n[[group]]\nname = \"device\"\ncount = 1\n"
    );
    let text = match latency {
        None => text,
        Some(latency) => format!(
            "{text}network = \"slow\"\n[[network]]\nname = \"slow\"\nlatency = \"{latency}\"\n"
        ),
    };
    let text = match transport {
        "tls" | "wss" => text,
        _ => text.replace("tls = { insecure = true }\n", ""),
    };
    let scenario = harness::scenario(&text);
    let no_system = || Ok::<_, ClientsError>(Trust::Anyone);
    let clients = tls_clients(&scenario, || VIRTUAL_START, no_system).expect("it has no files");
    let layers = Layers::between(&scenario, clients, &server(versions)).expect("it is a name");
    let fleet = Fleet::new(
        Rc::clone(&scenario),
        RunTag::of_seed(1),
        Recording::default(),
    );
    let world = World::new(fleet, quiet_broker()).with_layers(layers);

    let recording = world.run().sink;

    let asked = recording.times(0, |what| *what == What::OpenStarted)[0];
    let connected = recording.times(0, |what| matches!(what, What::Connected { .. }))[0];
    connected.saturating_since(asked)
}

/// TCP and CONNECT have a round trip each; TLS 1.3 adds one and TLS 1.2 two (RFC 8446, section 2; RFC 5246, section
/// 7.3), WebSocket one (RFC 6455, section 1.3).
#[test]
fn connecting_takes_the_round_trips_of_the_handshakes() {
    let round_trip = 2 * PIPE_LATENCY;

    for (transport, versions, round_trips) in [
        ("tcp", TlsVersions::All, 2),
        ("ws", TlsVersions::All, 3),
        ("tls", TlsVersions::All, 3),
        ("tls", TlsVersions::Only13, 3),
        ("tls", TlsVersions::Only12, 4),
        ("wss", TlsVersions::Only13, 4),
        ("wss", TlsVersions::Only12, 5),
    ] {
        let time = time_to_connect(transport, versions, None);

        assert_eq!(time, round_trips * round_trip, "{transport}, {versions:?}");
    }
}

/// Each round trip of a handshake is one over the device's link: two latencies, beside what the pipe takes.
#[test]
fn handshakes_cross_the_link_of_the_device() {
    for (transport, round_trips) in [("tcp", 2), ("tls", 3), ("ws", 3), ("wss", 4)] {
        let over_pipe = time_to_connect(transport, TlsVersions::Only13, None);

        let time = time_to_connect(transport, TlsVersions::Only13, Some("100ms"));

        let over_link = round_trips * Duration::from_millis(200);
        assert_eq!(time, over_link + over_pipe, "{transport}");
    }
}
