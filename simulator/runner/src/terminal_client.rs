//! The MQTT client behind `squall pub` and `squall sub`: one connection over one socket, with TLS and WebSocket.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::time::Duration;

use anyhow::Context as _;
use squall_protocol::{
    ReasonCode, Version,
    client::{Client, Event, Message, Settings},
    packet::{Connect, ConnectProperties, Disconnect},
};
use squall_scenario::{UrlError, UrlTarget};
use squall_transport::{Transport, TransportError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::connect_args::{ConnectArgs, LoginArgs};
use crate::exit::Failure;
use crate::layers::Layers;
use crate::target::address;
use crate::transport_advice::{Place, told};

/// How long TCP, the handshakes above it and CONNACK may take, each.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Bytes read in one go.
const READ_BYTES_MAX: usize = 64 * 1024;

/// The environment's variable that has the password where the command line has none.
pub const PASSWORD_VARIABLE: &str = "SQUALL_PASSWORD";

/// A client and its socket.
pub struct TerminalClient<'a, M> {
    args: &'a ConnectArgs,
    client: Client<M>,
    transport: Transport,
    stream: TcpStream,
    clock: Clock,
    /// What the socket brought, before the transport took it.
    wire: Vec<u8>,
    /// Bytes of MQTT that came; those before `taken` were handled.
    input: Vec<u8>,
    taken: usize,
    /// Bytes of MQTT to be sent.
    unwrapped: Vec<u8>,
    /// The same as the wire has it.
    output: Vec<u8>,
}

impl<'a, M: Message> TerminalClient<'a, M> {
    /// Connects and waits for CONNACK.
    pub async fn connect(args: &'a ConnectArgs) -> Result<Self, Failure> {
        let packet = connect_packet(args)?;
        let url = UrlTarget::parse(&args.url).map_err(|error| {
            Failure::Usage(match error {
                UrlError::WithLogin => format!("{error}, as -u USER -P PASSWORD"),
                UrlError::Malformed { .. } => error.to_string(),
            })
        })?;
        let layers = Layers::of_args(&args.tls, &url)?;
        let transport = layers.open_own();
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
            args,
            client: Client::new(Settings {
                connack_timeout: CONNECT_MAX,
                ..Settings::default()
            }),
            transport,
            stream,
            clock: Clock::start(),
            wire: Vec::new(),
            input: Vec::new(),
            taken: 0,
            unwrapped: Vec::new(),
            output: Vec::new(),
        };
        timeout(CONNECT_MAX, client.shake_hands())
            .await
            .map_err(|_| {
                unreachable("no answer to the handshake of TLS or WebSocket".to_owned())
            })??;
        client.client.connect(client.clock.now(), &packet);
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
                let ended = why_it_ended(&event, self.args);
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

    /// Carries bytes until all that is to be agreed on before MQTT is.
    async fn shake_hands(&mut self) -> Result<(), Failure> {
        while !self.transport.is_ready() {
            self.flush().await?;
            let read = self.stream.read_buf(&mut self.wire).await;
            self.unwrap(read).await?;
        }
        Ok(())
    }

    /// Sends what is queued and waits for bytes or for the client's deadline.
    async fn exchange(&mut self) -> Result<(), Failure> {
        self.flush().await?;
        self.input.drain(..self.taken);
        self.taken = 0;
        self.wire.reserve(READ_BYTES_MAX);
        let now = self.clock.now();
        let deadline = self.client.poll_timeout();
        let wait = deadline.map(|deadline| deadline.saturating_since(now));
        tokio::select! {
            read = self.stream.read_buf(&mut self.wire) => self.unwrap(read).await?,
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => {
                if let Some(missed) = self.client.handle_timeout(self.clock.now()) {
                    return Err(Failure::Unreachable(format!("the broker is silent: no {missed:?}")));
                }
            }
        }
        Ok(())
    }

    /// Takes what a read brought to the transport, and its MQTT to the input.
    async fn unwrap(&mut self, read: io::Result<usize>) -> Result<(), Failure> {
        let (fed, end) = match read {
            Ok(0) => {
                let text = "the broker closed the connection".to_owned();
                (self.transport.feed_end(), Some(Failure::Unreachable(text)))
            }
            Ok(_) => (self.transport.feed(&self.wire, &mut self.input), None),
            // A reset is how a broker closes that has not read all it was sent.
            Err(error) => (self.transport.feed_end(), Some(connection_failed(error))),
        };
        self.wire.clear();
        if let Err(error) = fed {
            self.transport.take_wire(&mut self.output);
            // The other end is told why, if it still listens.
            let _ = self.stream.try_write(&self.output);
            return Err(failure(self.args, &error));
        }
        match end {
            Some(failure) => Err(failure),
            // What came before the goodbye is handled first.
            None if self.transport.has_ended() && self.input.is_empty() => Err(
                Failure::Unreachable("the broker closed the connection".to_owned()),
            ),
            None => Ok(()),
        }
    }

    /// Written piece by piece, so that a wait that is given up loses nothing.
    async fn flush(&mut self) -> Result<(), Failure> {
        self.transport.take_wire(&mut self.output);
        self.client.poll_transmit(&mut self.unwrapped);
        if !self.unwrapped.is_empty() {
            let wrapped = self.transport.wrap(&self.unwrapped, &mut self.output);
            wrapped.map_err(|error| failure(self.args, &error))?;
            self.unwrapped.clear();
        }
        self.write().await
    }

    async fn write(&mut self) -> Result<(), Failure> {
        while !self.output.is_empty() {
            match self.stream.write(&self.output).await {
                Ok(count) => drop(self.output.drain(..count)),
                // What the broker said before it closed tells more than that it did.
                Err(error) => return Err(self.last_words().unwrap_or(connection_failed(error))),
            }
        }
        Ok(())
    }

    /// The error that the transport finds in what came before a write failed.
    fn last_words(&mut self) -> Option<Failure> {
        self.wire.reserve(READ_BYTES_MAX);
        let fed = match self.stream.try_read_buf(&mut self.wire) {
            Ok(1..) => self.transport.feed(&self.wire, &mut self.input),
            Ok(0) | Err(_) => self.transport.feed_end(),
        };
        fed.err().map(|error| failure(self.args, &error))
    }

    /// Sends DISCONNECT, so that the broker does not publish a will.
    pub async fn disconnect(mut self) -> Result<(), Failure> {
        let goodbye = Disconnect::default();
        let said = self.client.disconnect(self.clock.now(), &goodbye);
        said.context("the connection is over already")?;
        self.flush().await?;
        self.transport.close(&mut self.output);
        self.write().await
    }

    /// Now, by the client's clock.
    pub fn now(&self) -> squall_protocol::Instant {
        self.clock.now()
    }
}

/// What went wrong and what the user can do.
fn failure(args: &ConnectArgs, error: &TransportError) -> Failure {
    let told = told(error, Place::CommandLine);
    Failure::Unreachable(format!("{}: {told}", args.url))
}

fn connection_failed(error: io::Error) -> Failure {
    Failure::Unreachable(format!("the connection failed: {error}"))
}

/// Errors if 3.1.1 is to carry a password without a user name [3.1.1: MQTT-3.1.2-22].
fn connect_packet(args: &ConnectArgs) -> Result<Connect, Failure> {
    let version = Version::from(args.protocol);
    let client_id = args.client_id.clone();
    let user_name = args.login.user_name.clone();
    let password = match (&args.login.password, &user_name) {
        (Some(password), _) => Some(password.clone().into_bytes()),
        (None, Some(_)) => std::env::var_os(PASSWORD_VARIABLE).map(OsString::into_vec),
        (None, None) => None,
    };
    if version == Version::V3_1_1 && password.is_some() && user_name.is_none() {
        let text = "MQTT 3.1.1 has no password without a user name: add -u USER";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(Connect {
        version,
        clean_start: true,
        keep_alive: args.keep_alive,
        client_id: client_id.unwrap_or_else(|| format!("squall-{}", std::process::id())),
        will: None,
        user_name,
        password,
        properties: ConnectProperties::default(),
    })
}

/// The sentence for an event after which the connection is over.
fn why_it_ended<M>(event: &Event<'_, M>, args: &ConnectArgs) -> Option<String> {
    match event {
        Event::Refused(connack) => Some(format!(
            "the broker refused the connection: {}{}",
            text(connack.reason),
            refusal_advice(connack.reason, &args.login)
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

/// What to do about a refusal; brokers use either of the two codes for a wrong password.
pub fn refusal_advice(reason: ReasonCode, login: &LoginArgs) -> &'static str {
    let is_about_the_user =
        reason == ReasonCode::BadUserNameOrPassword || reason == ReasonCode::NotAuthorized;
    match (is_about_the_user, &login.user_name) {
        (false, _) => "",
        (true, Some(_)) => {
            ": the user name or the password is wrong, or this client may not connect; \
             look at -u and at -P or SQUALL_PASSWORD"
        }
        (true, None) => ": it may want a user name and a password; give them with -u and -P",
    }
}
