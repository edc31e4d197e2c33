//! `squall pub`: publishes one message, or one a line of standard input.

use std::convert::Infallible;

use anyhow::Context as _;
use squall_protocol::client::{Event, Message};
use squall_protocol::packet::{Publish, PublishProperties};
use squall_protocol::topic::TopicName;
use squall_protocol::{QoS, ReasonCode};
use tokio::io::{AsyncBufReadExt as _, BufReader, Split, Stdin};

use crate::cli::PubArgs;
use crate::exit::Failure;
use crate::terminal_client::{TerminalClient, text};

/// A message of the command line.
struct TextMessage {
    topic: TopicName<String>,
    qos: QoS,
    retain: bool,
    payload: Vec<u8>,
}

impl Message for TextMessage {
    fn publish(&self) -> Publish<'_> {
        Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            topic: self.topic.borrowed(),
            packet_id: None,
            properties: PublishProperties::default(),
            payload: &self.payload,
        }
    }
}

/// Publishes, waits for each acknowledgement, says goodbye.
pub fn publish(args: &PubArgs) -> Result<u8, Failure> {
    let topic = TopicName::new(args.topic.clone())
        .map_err(|error| Failure::Usage(format!("topic '{}': {error}", args.topic)))?;
    let qos = QoS::from_bits(args.qos).context("clap lets 0 to 2 through")?;
    let message = |payload: Vec<u8>| {
        let topic = topic.clone();
        TextMessage {
            topic,
            qos,
            retain: args.retain,
            payload,
        }
    };
    let runtime = super::event_loop()?;
    runtime.block_on(async {
        let mut client = TerminalClient::connect(&args.connect).await?;
        match &args.message {
            Some(text) => publish_one(&mut client, message(text.clone().into_bytes())).await?,
            None => {
                let mut lines = BufReader::new(tokio::io::stdin()).split(b'\n');
                while let Some(line) = next_line(&mut lines, &mut client).await? {
                    publish_one(&mut client, message(line)).await?;
                }
            }
        }
        client.disconnect().await
    })?;
    Ok(0)
}

/// The next line, of any bytes, without its end, LF or CR LF; meanwhile the connection is kept alive.
async fn next_line(
    lines: &mut Split<BufReader<Stdin>>,
    client: &mut TerminalClient<'_, TextMessage>,
) -> Result<Option<Vec<u8>>, Failure> {
    tokio::select! {
        line = lines.next_segment() => {
            let line = line.context("cannot read standard input")?;
            Ok(line.map(without_carriage_return))
        }
        ended = client.wait_for(|_| None::<Infallible>) => match ended? {},
    }
}

fn without_carriage_return(mut line: Vec<u8>) -> Vec<u8> {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    line
}

/// Publishes one message and waits for its acknowledgement: one in flight is within every broker's limit.
async fn publish_one(
    client: &mut TerminalClient<'_, TextMessage>,
    message: TextMessage,
) -> Result<(), Failure> {
    let now = client.now();
    let sent = client.client().publish(now, message);
    let sent = sent.map_err(|unsent| Failure::Usage(format!("not sent: {}", unsent.cause)))?;
    let Some(id) = sent else { return Ok(()) };
    let reason = client
        .wait_for(|event| {
            let (Event::Puback {
                id: done, reason, ..
            }
            | Event::Pubcomp {
                id: done, reason, ..
            }
            | Event::PubrecRefused {
                id: done, reason, ..
            }) = event
            else {
                return None;
            };
            (*done == id).then_some(*reason)
        })
        .await?;
    match reason.is_error() {
        true => Err(Failure::Unreachable(format!(
            "the broker refused it: {}",
            text(reason)
        ))),
        false => {
            if reason == ReasonCode::NoMatchingSubscribers {
                tracing::info!("no client subscribes to it");
            }
            Ok(())
        }
    }
}
