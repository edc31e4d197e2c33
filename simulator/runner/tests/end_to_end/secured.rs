//! `pub` and `sub` with TLS, client certificates and passwords, against Eclipse Mosquitto.
//!
//! Without Mosquitto the tests are skipped, which is said on stderr.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::peer::has_mosquitto;
use crate::{code_and_errors, run, text};

/// A Mosquitto of the test's own with its files, killed when dropped.
pub(crate) struct Mosquitto {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Mosquitto {
    /// Listens with the lines of `config`, where FOLDER stands for the folder of its files.
    pub(crate) fn start(config: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        prepare(folder.path());
        let free = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let port = free.local_addr().expect("it is bound").port();
        drop(free);
        let config = config.replace("FOLDER", text(folder.path()));
        let file = folder.path().join("mosquitto.conf");
        // As root it would change to a user who may not read the files.
        let config = format!("user root\nlistener {port} 127.0.0.1\n{config}\n");
        fs::write(&file, config).expect("it can be written");
        let mut child = Command::new("mosquitto")
            .args(["-v", "-c", text(&file)])
            .stderr(Stdio::piped())
            .spawn()
            .expect("it is installed");
        let log = BufReader::new(child.stderr.take().expect("it is a pipe"));
        let mut lines = log.lines().map_while(Result::ok);
        let ready = lines.find(|line| line.ends_with("running"));
        // The rest of its log is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        assert!(ready.is_some(), "mosquitto did not start");
        Self {
            child,
            folder,
            port,
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Publishes retained with `options`; exit code and standard error.
    fn publish(&self, scheme: &str, options: &[&str]) -> (i32, String) {
        let url = format!("{scheme}://localhost:{}", self.port);
        let message = ["-t", "door", "-m", "open", "-q", "1", "-r"];
        code_and_errors(&run(
            &[&["pub", "--url", &url], &message[..], options].concat()
        ))
    }
}

/// Writes `ca.pem`, and `NAME.pem` with `NAME.key` for a broker, one whose time is over, a client, and a stranger,
/// whom that CA does not know.
pub(crate) fn certificates(folder: &Path) {
    with_ca(folder);
}

/// What [`certificates`] writes; the CA.
fn with_ca(folder: &Path) -> Issuer<'static, KeyPair> {
    let key = KeyPair::generate().expect("keys can be made");
    let mut params = CertificateParams::new(Vec::new()).expect("no name is wrong");
    // A name of its own: a certificate with the name of its issuer is taken for a self-signed one.
    params
        .distinguished_name
        .push(DnType::CommonName, "the CA of a test");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = params.self_signed(&key).expect("it can be signed");
    fs::write(folder.join("ca.pem"), ca.pem()).expect("it can be written");
    let issuer = Issuer::new(params, key);
    for name in ["broker", "expired", "client"] {
        let key = KeyPair::generate().expect("keys can be made");
        let names = vec!["localhost".to_owned()];
        let mut params = CertificateParams::new(names).expect("the name is right");
        if name == "expired" {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let signed = params.signed_by(&key, &issuer).expect("it can be signed");
        let write = |kind: &str, pem: String| fs::write(folder.join(format!("{name}.{kind}")), pem);
        write("pem", signed.pem()).expect("it can be written");
        write("key", key.serialize_pem()).expect("it can be written");
    }
    let key = KeyPair::generate().expect("keys can be made");
    let params = CertificateParams::new(vec!["stranger".to_owned()]).expect("the name is right");
    let stranger = params.self_signed(&key).expect("it can be signed");
    fs::write(folder.join("stranger.pem"), stranger.pem()).expect("it can be written");
    fs::write(folder.join("stranger.key"), key.serialize_pem()).expect("it can be written");
    issuer
}

/// What [`certificates`] writes, and a certificate with its key for each of `names`, which is its common name.
pub(crate) fn certificates_for(folder: &Path, names: &[String]) {
    let issuer = with_ca(folder);
    for name in names {
        let key = KeyPair::generate().expect("keys can be made");
        let mut params = CertificateParams::new(Vec::new()).expect("no name is wrong");
        params.distinguished_name.push(DnType::CommonName, name);
        let signed = params.signed_by(&key, &issuer).expect("it can be signed");
        let write = |kind: &str, pem: String| fs::write(folder.join(format!("{name}.{kind}")), pem);
        write("pem", signed.pem()).expect("it can be written");
        write("key", key.serialize_pem()).expect("it can be written");
    }
}

pub(crate) const TLS: &str = "allow_anonymous true\ncafile FOLDER/ca.pem\ncertfile FOLDER/broker.pem\n\
                   keyfile FOLDER/broker.key\nrequire_certificate true";

/// A message passes under TLS to a broker that asks for the client's certificate; without one, and
/// with a CA that did not sign the broker's, the error says which it was and what to do.
#[test]
fn a_client_certificate_opens_the_door() {
    if !has_mosquitto() {
        return;
    }
    let broker = Mosquitto::start(TLS, certificates);
    let (ca, cert, key) = (
        broker.file("ca.pem"),
        broker.file("client.pem"),
        broker.file("client.key"),
    );
    let identity = ["--cert", text(&cert), "--key", text(&key)];
    let trusting = [&["--ca", text(&ca)], &identity[..]].concat();

    assert_eq!(broker.publish("mqtts", &trusting), (0, String::new()));
    let url = format!("mqtts://localhost:{}", broker.port);
    let sub = ["sub", "--url", &url, "-t", "door", "-C", "1"];
    let received = run(&[&sub, &trusting[..]].concat());
    assert_eq!(
        received.stdout,
        b"open\n",
        "{:?}",
        code_and_errors(&received)
    );

    let cases = [
        ("mqtts", vec!["--ca", text(&ca)], "--cert and --key"),
        (
            "mqtts",
            [&["--ca", text(&cert)], &identity[..]].concat(),
            "not signed by a CA that is trusted here: name the file of the CA",
        ),
        ("mqtt", vec![], "mqtts://"),
    ];
    for (scheme, options, said) in cases {
        let (code, errors) = broker.publish(scheme, &options);
        assert_eq!(code, 3, "{errors}");
        assert!(errors.contains(said), "{errors}");
    }
    let (code, errors) = broker.publish("mqtts", &[&["--insecure"], &identity[..]].concat());
    assert_eq!(code, 0, "{errors}");
    assert!(errors.starts_with("warning: --insecure"), "{errors}");
}

/// A certificate whose time is over is told as that.
#[test]
fn an_expired_certificate_is_told() {
    if !has_mosquitto() {
        return;
    }
    let config = TLS
        .replace("broker.", "expired.")
        .replace("require_certificate true", "");
    let broker = Mosquitto::start(&config, certificates);
    let ca = broker.file("ca.pem");

    let (code, errors) = broker.publish("mqtts", &["--ca", text(&ca)]);

    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("has expired: renew"), "{errors}");
}

/// The right password opens, a wrong one and none are told with the option to look at; so is TLS to
/// a port without it.
#[test]
fn a_wrong_password_is_told() {
    if !has_mosquitto() {
        return;
    }
    let config = "allow_anonymous false\npassword_file FOLDER/passwords";
    let broker = Mosquitto::start(config, |folder| {
        let file = folder.join("passwords");
        let made = Command::new("mosquitto_passwd")
            .args(["-b", "-c", text(&file), "ada", "secret"])
            .status();
        assert!(made.expect("it comes with Mosquitto").success());
    });

    let right = broker.publish("mqtt", &["-u", "ada", "-P", "secret"]);
    let wrong = broker.publish("mqtt", &["-u", "ada", "-P", "guess"]);
    let none = broker.publish("mqtt", &[]);
    let tls = broker.publish("mqtts", &["--insecure"]);

    assert_eq!(right, (0, String::new()));
    assert_eq!((wrong.0, none.0, tls.0), (3, 3, 3));
    assert!(wrong.1.contains("the password is wrong"), "{}", wrong.1);
    assert!(none.1.contains("give them with -u and -P"), "{}", none.1);
    assert!(tls.1.contains("this port is without TLS"), "{}", tls.1);
}
