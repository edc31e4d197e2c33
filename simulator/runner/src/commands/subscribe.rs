//! `squall sub`: subscribes and prints what comes.

use std::io::{self, Write as _};

use anyhow::Context as _;
use squall_protocol::client::{Event, Message};
use squall_protocol::packet::{Publish, SubscribeProperties, Subscription, SubscriptionOptions};
use squall_protocol::topic::TopicFilter;
use squall_protocol::{QoS, Version};

use crate::cli::SubArgs;
use crate::exit::Failure;
use crate::terminal_client::{TerminalClient, text};

/// A subscriber publishes nothing.
enum Never {}

impl Message for Never {
    fn publish(&self) -> Publish<'_> {
        match *self {}
    }
}

/// Prints messages until there were enough of them, or until a signal comes.
pub fn subscribe(args: &SubArgs) -> Result<u8, Failure> {
    let subscriptions = subscriptions(args)?;
    let runtime = super::event_loop()?;
    runtime.block_on(async {
        let mut client = TerminalClient::<'_, Never>::connect(&args.connect).await?;
        let now = client.now();
        client
            .client()
            .subscribe(now, SubscribeProperties::default(), subscriptions)
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let mut left = args.count;
        let mut failure = None;
        tokio::select! {
            ended = client.wait_for(|event| take(event, args, &mut left, &mut failure)) => ended?,
            () = squall_broker::stop_signal() => {}
        }
        client.disconnect().await?;
        failure.map_or(Ok(0), Err)
    })
}

fn subscriptions(args: &SubArgs) -> Result<Vec<Subscription>, Failure> {
    let qos = QoS::from_bits(args.qos).context("clap lets 0 to 2 through")?;
    let options = SubscriptionOptions {
        qos,
        ..SubscriptionOptions::default()
    };
    let version = Version::from(args.connect.protocol);
    let filters = args.filters.iter();
    filters
        .map(|text| {
            let filter = TopicFilter::for_version(text.clone().into_boxed_str(), version)
                .map_err(|error| Failure::Usage(format!("topic filter '{text}': {error}")))?;
            let filter = Ok(filter);
            Ok(Subscription { filter, options })
        })
        .collect()
}

/// Prints a message; `Some` when there is nothing more to wait for.
fn take(
    event: &Event<'_, Never>,
    args: &SubArgs,
    left: &mut Option<u64>,
    failure: &mut Option<Failure>,
) -> Option<()> {
    match event {
        Event::Suback(suback) => {
            let refused = suback
                .reasons
                .iter()
                .zip(&args.filters)
                .find(|(r, _)| r.is_error());
            let (reason, filter) = refused?;
            let text = format!("the broker refused '{filter}': {}", text(*reason));
            *failure = Some(Failure::Unreachable(text));
            Some(())
        }
        Event::Delivered(publish) => {
            if let Err(error) = print(publish, args) {
                *failure = closed_output(error);
                return Some(());
            }
            let left = left.as_mut()?;
            *left = left.saturating_sub(1);
            (*left == 0).then_some(())
        }
        Event::Connected(_)
        | Event::Refused(_)
        | Event::PublishResent { .. }
        | Event::PubrelResent { .. }
        | Event::Abandoned { .. }
        | Event::Puback { .. }
        | Event::PubrecReceived { .. }
        | Event::PubrecRefused { .. }
        | Event::Pubcomp { .. }
        | Event::UnknownAnswer { .. }
        | Event::Duplicate(_)
        | Event::PubrelReceived { .. }
        | Event::Unsuback(_)
        | Event::Pingresp
        | Event::ServerDisconnect(_)
        | Event::ProtocolError(_)
        | Event::Auth(_) => None,
    }
}

fn print(publish: &Publish<'_>, args: &SubArgs) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if args.verbose {
        let flags = [(publish.retain, " retained"), (publish.dup, " dup")];
        let flags: String = flags
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, text)| *text)
            .collect();
        write!(
            out,
            "{} (QoS {}{flags}) ",
            publish.topic.as_str(),
            publish.qos as u8
        )?;
    }
    out.write_all(publish.payload)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A reader that went away, as `head` does, is not an error.
fn closed_output(error: io::Error) -> Option<Failure> {
    (error.kind() != io::ErrorKind::BrokenPipe).then(|| Failure::Internal(error.into()))
}
