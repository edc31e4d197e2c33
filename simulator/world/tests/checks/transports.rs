//! TLS and WebSocket: the same verdict as over TCP, and certificates that are refused.

use std::rc::Rc;

use rcgen::{Certificate, CertificateParams, KeyPair, date_time_ymd};
use squall_fleet::VIRTUAL_START;
use squall_ledger::{Judgement, judge};
use squall_run::Resources;
use squall_scenario::PemFile;
use squall_transport::{
    ClientCertificates, TlsServer, TlsServerSettings, TlsVersions, Trust, certificates, private_key,
};
use squall_world::{Carried, ClientsError, Layers, Memory, tls_clients};

use crate::run::{assert_broken, broken, run_tampered, scenario, verdict, world};
use crate::tampering::{drop_it, is_to, once};

const TRANSPORTS: [&str; 4] = ["tcp", "tls", "ws", "wss"];

/// A fleet at every QoS, with payloads longer than a record of TLS, that is dropped in every way there is, sends what is
/// not MQTT, and has its broker paused and killed.
const FLEET: &str = r#"
[run]
duration = "30s"
drain = "12s"
[[network]]
name = "mobile"
latency = { dist = "lognormal", median = "40ms", p99 = "200ms" }
loss = { model = "gilbert_elliott", good_to_bad = 0.01, bad_to_good = 0.25 }
[[group]]
name = "doors"
count = 12
keep_alive = "4s"
clean_start = false
session_expiry = "10m"
reconnect = { when = "always", backoff = "1s" }
[group.will]
topic = "will/{client_id}"
qos = 1
[[group.publish]]
topic = "one/{client_id}"
qos = 1
rate_per_device = 1
payload = { size = "20KiB" }
[[group.publish]]
topic = "two/{client_id}"
qos = 2
rate_per_device = 1
[[group]]
name = "far"
count = 4
network = "mobile"
reconnect = { when = "always", backoff = "1s" }
[[group.publish]]
topic = "zero/{client_id}"
rate_per_device = 5
[[group]]
name = "watchers"
count = 2
clean_start = false
session_expiry = "10m"
reconnect = { when = "always", backoff = "500ms" }
[[group.subscribe]]
filter = ["one/+", "two/+", "will/+"]
qos = 2
[[fault]]
name = "killed"
at = "20s"
action = "kill_broker"
lasts = "2s"
[[fault]]
name = "paused"
at = "15s"
action = "pause_broker"
lasts = "1s"
[[fault]]
name = "broken"
at = "9s"
group = "doors"
action = "drop"
how = "malformed"
kind = ["reserved_flags", "qos_3", "second_connect", "overlong_length", "truncated"]
[[expect]]
check = "malformed"
closed_within = "1s"
[[expect]]
check = "delivery"
qos = 1
lost = 0
misrouted = 0
reordered = 0
[[expect]]
check = "delivery"
qos = 2
lost = 0
duplicated = 0
[[expect]]
check = "session"
present = "correct"
[[expect]]
check = "connections"
refused = 0
unexpected_disconnects = 0
"#;

/// A device at each QoS, and a reader.
const CALM: &str = r#"
[run]
duration = "5s"
drain = "2s"
[[network]]
name = "slow"
latency = "30ms"
[[group]]
name = "sensors"
count = 5
network = "slow"
[[group.publish]]
topic = "zero/{client_id}"
rate_per_device = 5
[[group.publish]]
topic = "one/{client_id}"
qos = 1
rate_per_device = 5
[[group.publish]]
topic = "two/{client_id}"
qos = 2
rate_per_device = 5
[[group]]
name = "reader"
count = 1
[[group.subscribe]]
filter = "+/+"
qos = 2
[[expect]]
check = "delivery"
lost = 0
duplicated = 0
"#;

/// `text` with a target that speaks `transport`.
fn over(transport: &str, text: &str) -> String {
    format!("[target]\nspawn = \"broker {{port}}\"\ntransport = \"{transport}\"\n{text}")
}

/// The fleet over `transport`, with these kinds of drops, a second after one another.
fn fleet(transport: &str, drops: &[&str]) -> String {
    let mut text = over(transport, FLEET);
    for (second, how) in (2..).zip(drops) {
        text += &format!(
            "[[fault]]\nname = \"{how}\"\nat = \"{second}s\"\ngroup = \"doors\"\nselect = 2\naction = \"drop\"\n\
             how = \"{how}\"\n"
        );
    }
    text
}

/// Runs `text` over a broker that remembers; what the pipes have carried, too.
fn run_on(text: &str) -> (Judgement, Carried) {
    let scenario = scenario(text);
    let mut world = world(&scenario).with_memory(Memory::Kept);
    while world.step() {}
    let carried = world.carried();
    let judgement = judge(&scenario, world.run(), &Resources::default());
    (judgement, carried)
}

/// What is found depends on the MQTT, not on what carries it; what is carried does.
#[test]
fn every_transport_has_the_counts_of_tcp() {
    let (of_tcp, by_tcp) = run_on(&over("tcp", CALM));

    for transport in TRANSPORTS {
        let (judgement, carried) = run_on(&over(transport, CALM));

        let verdict = verdict(&judgement);
        assert_eq!((verdict.exit_code, broken(&judgement)), (0, vec![]));
        let (own, tcp) = (&judgement.measured, &of_tcp.measured);
        assert_eq!(own.accounting, tcp.accounting, "{transport}");
        if transport != "tcp" {
            assert!(carried.to_broker > by_tcp.to_broker, "{transport}");
            assert!(carried.to_device > by_tcp.to_device, "{transport}");
        }
    }
}

/// Whatever ends a connection ends it over every transport, and nothing is held against the broker: drops of devices,
/// packets that are not MQTT, a broker that is killed or paused.
#[test]
fn faults_do_over_every_transport_what_they_do_over_tcp() {
    let drops = ["rst", "fin", "half_close", "mid_packet", "silent"];
    let malformed = |judgement: &Judgement| {
        let outcomes = judgement.measured.malformed.iter();
        let counts = outcomes.map(|of| (of.kind.clone(), of.sent, of.closed, of.reasons.clone()));
        counts.collect::<Vec<_>>()
    };
    let (of_tcp, _) = run_on(&fleet("tcp", &drops));
    assert_eq!(malformed(&of_tcp).len(), 5);

    for transport in TRANSPORTS {
        let with_tls = ["tls", "wss"].contains(&transport);
        let drops = [&drops[..], if with_tls { &["tls_abort"] } else { &[] }].concat();

        let (judgement, _) = run_on(&fleet(transport, &drops));

        assert_eq!(
            broken(&judgement),
            [""; 0],
            "{transport}: {:#?}",
            verdict(&judgement)
        );
        assert_eq!(verdict(&judgement).exit_code, 0, "{transport}");
        assert_eq!(malformed(&judgement), malformed(&of_tcp), "{transport}");
        for how in drops {
            let mut wills = judgement.measured.wills.iter();
            let wills = wills.find(|will| will.fault.as_deref() == Some(how));
            assert_eq!(
                wills.map(|will| will.missing),
                Some(0),
                "{transport}: {how}"
            );
        }
    }
}

/// Keys are drawn anew for each run, and nothing of it depends on them: not a length, not a round trip.
#[test]
fn two_runs_over_tls_and_web_socket_are_the_same() {
    let text = fleet("wss", &["rst", "fin", "tls_abort"]);
    let recorded = || {
        let (judgement, carried) = run_on(&text);
        let measured = serde_json::to_string(&(&judgement.measured, &judgement.reasons));
        (measured.expect("it is text"), carried)
    };

    assert_eq!(recorded(), recorded());
}

/// A tamper is given MQTT, whatever carries it.
#[test]
fn a_tamper_breaks_the_same_claim_over_every_transport() {
    for transport in TRANSPORTS {
        let lost = once(3, |passing| is_to(passing, "reader-0", "one/"), drop_it);

        let judgement = run_tampered(&over(transport, CALM), lost);

        assert_broken(&judgement, &["delivery().lost"]);
    }
}

/// Groups of one target that speak what each of its addresses does, and read what the others publish.
#[test]
fn the_addresses_of_a_target_speak_each_their_transport() {
    let mut text = "[target]\nurl = [\"mqtt://a.test\", \"mqtts://b.test\", \"ws://c.test/mqtt\", \"wss://10.0.0.4/ws\"]\n\
                    [run]\nduration = \"4s\"\n[[expect]]\ncheck = \"delivery\"\nlost = 0\nmisrouted = 0\n"
        .to_owned();
    for transport in TRANSPORTS {
        text += &format!(
            "[[group]]\nname = \"{transport}\"\ncount = 2\ntransport = \"{transport}\"\n\
             [[group.publish]]\ntopic = \"from/{transport}\"\nqos = 1\nrate = 10\n\
             [[group.subscribe]]\nfilter = \"from/+\"\nqos = 1\n"
        );
    }

    let (judgement, _) = run_on(&text);

    assert_eq!(
        (verdict(&judgement).exit_code, broken(&judgement)),
        (0, vec![])
    );
    let received = judgement.measured.accounting.deliveries.iter();
    let received: Vec<u64> = received.map(|of| of.delivered).collect();
    // Two readers of each group get 40 messages of each of four.
    assert_eq!(received, [320; 4]);
}

/// A certificate for `name` that ends with this year, and its key; it is its own CA.
fn certificate(name: &str, year: i32) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().expect("it can be made");
    let mut params = CertificateParams::new([name.to_owned()]).expect("it is a name");
    params.not_after = date_time_ymd(year, 12, 31);
    let certificate = params.self_signed(&key).expect("it can be signed");
    (certificate, key)
}

fn pem(certificate: &Certificate) -> PemFile {
    PemFile {
        path: "ca.pem".to_owned(),
        bytes: certificate.pem().into_bytes().into(),
    }
}

/// Runs with a broker that shows this certificate and asks for `clients`, and devices that trust `ca`.
fn run_secured(
    (shown, key): &(Certificate, KeyPair),
    clients: ClientCertificates,
    ca: &Certificate,
) -> Judgement {
    let server = TlsServer::new(TlsServerSettings {
        certificates: certificates(shown.pem().as_bytes()).expect("it is PEM"),
        key: private_key(key.serialize_pem().as_bytes()).expect("it is PEM"),
        clients,
        versions: TlsVersions::All,
        wall_clock: || VIRTUAL_START,
    });
    let server = server.expect("they belong together");
    let mut scenario = (*scenario(&over("tls", CALM))).clone();
    scenario.tls.ca = Some(pem(ca));
    let scenario = Rc::new(scenario);
    let no_system = || Ok::<_, ClientsError>(Trust::Ca(Vec::new()));
    let clients = tls_clients(&scenario, || VIRTUAL_START, no_system).expect("it is PEM");
    let layers = Layers::between(&scenario, clients, &server).expect("it is a name");
    let world = world(&scenario).with_layers(layers);
    judge(&scenario, world.run(), &Resources::default())
}

/// What keeps devices out is told in the words that the report has for sockets, each with what to do.
#[test]
fn each_fault_of_a_certificate_is_said_as_over_sockets() {
    let unasked = || ClientCertificates::Unasked;
    let right = certificate("localhost", 2030);
    let (other, _) = certificate("localhost", 2030);
    let expired = certificate("localhost", 2025);
    let elsewhere = certificate("elsewhere.test", 2030);
    let required = ClientCertificates::Required(vec![other.der().clone()]);

    assert_eq!(
        verdict(&run_secured(&right, unasked(), &right.0)).exit_code,
        0
    );
    for (judgement, words) in [
        (
            run_secured(&right, unasked(), &other),
            "met a certificate that no trusted CA has signed: name the file of its CA as tls.ca",
        ),
        (
            run_secured(&expired, unasked(), &expired.0),
            "met an expired certificate: renew the broker's certificate",
        ),
        (
            run_secured(&elsewhere, unasked(), &elsewhere.0),
            "met a certificate for another host name: use a name of the certificate in target.url",
        ),
        (
            run_secured(&right, required, &right.0),
            "were refused for their client certificate, or because they have none: set tls.cert and tls.key",
        ),
    ] {
        let verdict = verdict(&judgement);
        let said = verdict.reasons[0].text();
        assert_eq!(verdict.exit_code, 3, "{said}");
        assert!(said.contains(words), "{said}");
    }
}

/// A device that gives up in the handshakes because its link takes the time is not held against the broker: each of
/// six passages takes less than it waits, and all together more.
#[test]
fn handshakes_that_the_link_is_too_slow_for_are_not_refusals() {
    let text = r#"
[run]
duration = "20s"
connect_timeout = "3s"
[[network]]
name = "slow"
latency = "600ms"
[[group]]
name = "far"
count = 3
network = "slow"
reconnect = { when = "always", backoff = "1s" }
[[group]]
name = "near"
count = 1
[[expect]]
check = "connections"
refused = 0
"#;

    let (over_tcp, _) = run_on(&over("tcp", text));
    let (over_wss, _) = run_on(&over("wss", text));

    assert_eq!(broken(&over_tcp), [""; 0]);
    assert_eq!(
        broken(&over_wss),
        [""; 0],
        "{:#?}",
        over_wss.measured.checks
    );
    let failed = |judgement: &Judgement| {
        let groups = judgement.measured.connections.groups.iter();
        groups
            .map(|group| group.open_failed.clone())
            .collect::<Vec<_>>()
    };
    assert!(failed(&over_tcp).iter().all(|failed| failed.is_empty()));
    let far = &failed(&over_wss)[0];
    assert!(far.contains_key("simulated_link_out"), "{far:?}");
}
