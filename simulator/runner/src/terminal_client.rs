//! The MQTT client behind `squall pub` and `squall sub`: one connection over one socket.

use std::io;
use std::time::Duration;

use anyhow::Context as _;
use squall_protocol::{
    ReasonCode, Version,
    client::{Client, Event, Message, Settings},
    packet::{Connect, ConnectProperties, Disconnect},
};
use squall_scenario::UrlTarget;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::cli::ConnectArgs;
use crate::clock::Clock;
use crate::exit::Failure;
use crate::target::address;

/// How long the transport and CONNACK may take, each.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Bytes read in one go.
const READ_BYTES_MAX: usize = 64 * 1024;

/// A client and its socket.
pub struct TerminalClient<M> {
    client: Client<M>,
    stream: TcpStream,
    clock: Clock,
    /// Bytes that came; those before `taken` were handled.
    input: Vec<u8>,
    taken: usize,
    output: Vec<u8>,
}

impl<M: Message> TerminalClient<M> {
    /// Connects and waits for CONNACK.
    pub async fn connect(args: &ConnectArgs) -> Result<Self, Failure> {
        let url = UrlTarget::parse(&args.url).map_err(|error| Failure::Usage(error.to_string()))?;
        let address = address::resolve(&url).await?;
        let unreachable = |text: String| Failure::Unreachable(format!("{}: {text}", args.url));
        let stream = timeout(CONNECT_MAX, TcpStream::connect(address))
            .await
            .map_err(|_| unreachable("no answer".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?;
        stream
            .set_nodelay(true)
            .context("cannot set up the socket")?;
        let mut client = Self {
            client: Client::new(Settings {
                connack_timeout: CONNECT_MAX,
                ..Settings::default()
            }),
            stream,
            clock: Clock::start(),
            input: Vec::new(),
            taken: 0,
            output: Vec::new(),
        };
        client
            .client
            .connect(client.clock.now(), &connect_packet(args));
        client
            .wait_for(|event| matches!(event, Event::Connected(_)).then_some(()))
            .await?;
        Ok(client)
    }

    /// The protocol's side, to publish and subscribe; what it queues leaves with the next wait.
    pub fn client(&mut self) -> &mut Client<M> {
        &mut self.client
    }

    /// Carries bytes until `take` returns something for an event; other events are dropped. The future
    /// may be dropped and the function called again: no bytes are lost.
    pub async fn wait_for<T>(
        &mut self,
        mut take: impl FnMut(&Event<'_, M>) -> Option<T>,
    ) -> Result<T, Failure> {
        loop {
            let now = self.clock.now();
            let mut rest = &self.input[self.taken..];
            if let Some(event) = self.client.poll_event(now, &mut rest) {
                let taken = take(&event);
                let ended = why_it_ended(&event);
                self.taken = self.input.len() - rest.len();
                if let Some(taken) = taken {
                    return Ok(taken);
                }
                if let Some(why) = ended {
                    self.flush().await?;
                    return Err(Failure::Unreachable(why));
                }
                continue;
            }
            self.exchange().await?;
        }
    }

    /// Sends what is queued and waits for bytes or for the client's deadline.
    async fn exchange(&mut self) -> Result<(), Failure> {
        self.flush().await?;
        self.input.clear();
        self.taken = 0;
        self.input.reserve(READ_BYTES_MAX);
        let now = self.clock.now();
        let deadline = self.client.poll_timeout();
        let wait = deadline.map(|deadline| deadline.saturating_since(now));
        tokio::select! {
            read = self.stream.read_buf(&mut self.input) => {
                if read.map_err(connection_failed)? == 0 {
                    return Err(Failure::Unreachable("the broker closed the connection".to_owned()));
                }
            }
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => {
                if let Some(missed) = self.client.handle_timeout(self.clock.now()) {
                    return Err(Failure::Unreachable(format!("the broker is silent: no {missed:?}")));
                }
            }
        }
        Ok(())
    }

    /// Written piece by piece, so that a wait that is given up loses nothing.
    async fn flush(&mut self) -> Result<(), Failure> {
        self.client.poll_transmit(&mut self.output);
        while !self.output.is_empty() {
            let count = self
                .stream
                .write(&self.output)
                .await
                .map_err(connection_failed)?;
            self.output.drain(..count);
        }
        Ok(())
    }

    /// Sends DISCONNECT, so that the broker does not publish a will.
    pub async fn disconnect(mut self) -> Result<(), Failure> {
        let goodbye = Disconnect::default();
        let said = self.client.disconnect(self.clock.now(), &goodbye);
        said.context("the connection is over already")?;
        self.flush().await
    }

    /// Now, by the client's clock.
    pub fn now(&self) -> squall_protocol::Instant {
        self.clock.now()
    }
}

fn connection_failed(error: io::Error) -> Failure {
    Failure::Unreachable(format!("the connection failed: {error}"))
}

fn connect_packet(args: &ConnectArgs) -> Connect {
    let version = Version::from(args.protocol);
    let client_id = args.client_id.clone();
    Connect {
        version,
        clean_start: true,
        keep_alive: args.keep_alive,
        client_id: client_id.unwrap_or_else(|| format!("squall-{}", std::process::id())),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    }
}

/// The sentence for an event after which the connection is over.
fn why_it_ended<M>(event: &Event<'_, M>) -> Option<String> {
    match event {
        Event::Refused(connack) => Some(format!(
            "the broker refused the connection: {}",
            text(connack.reason)
        )),
        Event::ServerDisconnect(disconnect) => Some(format!(
            "the broker disconnected: {}",
            text(disconnect.reason)
        )),
        Event::ProtocolError(error) => Some(format!("the broker broke the protocol: {error}")),
        Event::Connected(_)
        | Event::PublishResent { .. }
        | Event::PubrelResent { .. }
        | Event::Abandoned { .. }
        | Event::Puback { .. }
        | Event::PubrecReceived { .. }
        | Event::PubrecRefused { .. }
        | Event::Pubcomp { .. }
        | Event::UnknownAnswer { .. }
        | Event::Delivered(_)
        | Event::Duplicate(_)
        | Event::PubrelReceived { .. }
        | Event::Suback(_)
        | Event::Unsuback(_)
        | Event::Pingresp
        | Event::Auth(_) => None,
    }
}

/// A reason code's name and number.
pub fn text(reason: ReasonCode) -> String {
    format!("{} (0x{:02X})", reason.name(), reason as u8)
}
