//! The processes of an audit: a broker, and the recording proxy before it.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{here, python};

/// A broker on a free port, killed when dropped.
pub(crate) struct Broker {
    child: Child,
    address: SocketAddr,
}

impl Broker {
    /// `squall broker`.
    pub(crate) fn start_squall() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_squall"))
            .args(["broker", "--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("squall can be started");
        let line = first_line(&mut child);
        let address = line.rsplit(' ').next().and_then(|word| word.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in '{line}'"));
        Self { child, address }
    }

    /// Eclipse Mosquitto; `None` if it is not installed.
    pub(crate) fn start_mosquitto() -> Option<Self> {
        // It cannot say which port it was given, so a free one is found for it.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = free.local_addr().expect("it listens");
        drop(free);
        let mut child = Command::new("mosquitto")
            .args(["-v", "-p", &address.port().to_string()])
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let log = child.stderr.take().expect("its log is a pipe");
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let is_running = lines.any(|line| line.ends_with(" running"));
        assert!(is_running, "mosquitto ended by itself");
        // A full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, address })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The recording proxy, killed when dropped.
pub(crate) struct Proxy {
    child: Child,
    address: SocketAddr,
}

impl Proxy {
    /// Records into `record` what passes between clients and `target`, tampered with as `plan` says.
    pub(crate) fn start(target: SocketAddr, record: &Path, plan: Option<&Path>) -> Self {
        let mut command = python();
        command.arg(here().join("proxy.py"));
        command.args(["--target", &target.to_string()]);
        command.arg("--record").arg(record);
        if let Some(plan) = plan {
            command.arg("--plan").arg(plan);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 can be started");
        let line = first_line(&mut child);
        let port: u16 = line.parse().expect("the proxy says its port");
        let address = (Ipv4Addr::LOCALHOST, port).into();
        Self { child, address }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, after which the record is complete.
    pub(crate) fn finish(mut self) {
        // The end of its input is the sign.
        drop(self.child.stdin.take());
        let status = self.child.wait().expect("it was started");
        assert!(status.success(), "the proxy failed: {status}");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line that a process prints.
fn first_line(child: &mut Child) -> String {
    let stdout = child.stdout.as_mut().expect("its output is a pipe");
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("it prints a line");
    line.trim_end().to_owned()
}
