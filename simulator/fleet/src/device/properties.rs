//! What the messages of a device say of themselves beside topic and payload (MQTT 5.0, §3.3.2.3).

use std::rc::Rc;

use squall_protocol::Instant;
use squall_protocol::packet::PublishProperties;
use squall_protocol::topic::TopicName;
use squall_scenario::{DeviceId, MessageProperties};

use crate::payload::STAMP_PROPERTY;
use crate::stamp::{RunTag, Stamp};

/// The properties of every message of one `[[group.publish]]` of one device.
#[derive(Debug)]
pub(crate) struct Properties {
    response_topic: Option<Box<str>>,
    content_type: Option<Box<str>>,
    message_expiry: Option<u32>,
    user: Vec<(Box<str>, Box<str>)>,
}

impl Properties {
    /// Those of the device with this `index`; `None` if there are none.
    pub(super) fn render(
        properties: &MessageProperties,
        index: u32,
        client_id: &str,
    ) -> Option<Rc<Self>> {
        let MessageProperties {
            response_topic,
            content_type,
            message_expiry,
            user_properties,
        } = properties;
        if *properties == MessageProperties::default() {
            return None;
        }
        let render = |template: &squall_scenario::DeviceTemplate| {
            template.render(index, client_id).into_boxed_str()
        };
        let user = user_properties.iter();
        Some(Rc::new(Self {
            response_topic: response_topic.as_ref().map(render),
            content_type: content_type.as_ref().map(render),
            message_expiry: *message_expiry,
            user: user
                .map(|(name, value)| (name.clone().into_boxed_str(), render(value)))
                .collect(),
        }))
    }

    /// Seconds that a message lives, if that is limited.
    pub(super) fn message_expiry(&self) -> Option<u32> {
        self.message_expiry
    }

    /// Where the response to a message is wanted.
    pub(super) fn response_topic(&self) -> Option<&str> {
        self.response_topic.as_deref()
    }
}

/// What ties a message to another one.
#[derive(Debug)]
pub(crate) enum Tie {
    /// It belongs to none.
    None,
    /// It asks for a response, with this Correlation Data.
    Request(Box<[u8]>),
    /// It is the response to a message that came.
    Response(Box<Answered>),
}

/// The request that a response answers.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Identity of the request, as its payload says.
    pub(crate) stamp: Stamp,
    /// Topic Name that it came on.
    pub(crate) topic: TopicName<Rc<str>>,
    /// When it had reached the device's machine, link or no link.
    pub(crate) arrived: Instant,
    /// Its Correlation Data, as it came.
    pub(crate) correlation: Option<Box<[u8]>>,
}

impl Tie {
    /// A request: `number` counts those of `device`.
    pub(super) fn request(run: RunTag, device: DeviceId, number: u32) -> Self {
        let words = [run.bits(), device.0, number];
        Self::Request(words.iter().flat_map(|word| word.to_be_bytes()).collect())
    }

    fn correlation(&self) -> Option<&[u8]> {
        match self {
            Self::None => None,
            Self::Request(data) => Some(data),
            Self::Response(answered) => answered.correlation.as_deref(),
        }
    }
}

/// The properties of a PUBLISH, with its stamp if that is one of them.
pub(super) fn of_publish<'a>(
    properties: Option<&'a Properties>,
    stamp: Option<&'a str>,
    tie: &'a Tie,
) -> PublishProperties<'a> {
    let user = properties.map_or(&[][..], |properties| &properties.user);
    PublishProperties {
        response_topic: properties.and_then(Properties::response_topic),
        content_type: properties.and_then(|properties| properties.content_type.as_deref()),
        user_properties: user
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .chain(stamp.map(|stamp| (STAMP_PROPERTY, stamp)))
            .collect(),
        correlation_data: tie.correlation(),
        message_expiry_interval: properties.and_then(Properties::message_expiry),
        ..PublishProperties::default()
    }
}
